"""What scoring and degrading did, and many patches in a few figures, for the commands and Dagster alike.

Not here: measuring (`scoring`), degrading (`degrading`), and how figures are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from dataset_assets.degradation import LEAST_DB, MOST_DB
from dataset_assets.scores import PatchScores
from dataset_assets.tables import DegradedRow, ScoreRow

SCORES: Final = tuple(score.name for score in fields(PatchScores))
"""Names of the scores, in the order of the columns."""

# An enlarged LR frame as near to GT as that looks the same.
NOTHING_TO_LEARN_DB: Final = 50.0


@dataclass(slots=True)
class Summary:
    """The scores of many patches: of each some bytes, so that millions fit in the memory."""

    _values: list[npt.NDArray[np.float32]] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[ScoreRow]) -> Summary:
        """Return the summary of some rows."""
        summary = cls()
        summary.add(rows)
        return summary

    def add(self, rows: Iterable[ScoreRow]) -> None:
        """Add further patches."""
        values = [[_number(getattr(row, name)) for name in SCORES] for row in rows]
        if values:
            self._values.append(np.array(values, np.float32))

    @property
    def patches(self) -> int:
        """How many patches there are."""
        return sum(map(len, self._values))

    @property
    def medians(self) -> dict[str, float]:
        """The median of each score over the patches that have it, by name; empty without patches."""
        if not self._values:
            return {}
        columns = np.concatenate(self._values).T
        known = {name: column[~np.isnan(column)] for name, column in zip(SCORES, columns, strict=True)}
        return {name: float(np.median(column)) for name, column in known.items() if column.size}

    @property
    def nothing_to_learn(self) -> float:
        """Share of the patches whose `detail_db` is above 50, 0..1; 0 without patches."""
        if not self._values:
            return 0.0
        detail = np.concatenate(self._values)[:, SCORES.index("detail_db")]
        return float((detail > NOTHING_TO_LEARN_DB).mean())


@dataclass(frozen=True, slots=True)
class CategoryScores:
    """The scores of a video's patches in a category, as they are in the table.

    Attributes:
        rows: The scores of each patch that has some, in the order of the patches table.
        patches: Patches in the patches table.
        made: Patches that were measured just now.
        removed: Rows of patches that are gone or were made again since, and of older scores.
    """

    rows: tuple[ScoreRow, ...]
    patches: int
    made: int
    removed: int


@dataclass(frozen=True, slots=True)
class CategoryDegradations:
    """The degraded stacks of a video's patches in a category, as they are in the table.

    Attributes:
        rows: Those of each patch that has one, in the order of the patches table.
        patches: Patches in the patches table; 0 where the category is not degraded.
        made: Stacks that were made just now.
        removed: Rows of patches that are gone or were made again since, and of other steps.
    """

    rows: tuple[DegradedRow, ...]
    patches: int
    made: int
    removed: int

    @property
    def out_of_range(self) -> int:
        """Stacks that were degraded and are not within 20 to 60 dB of the clean ones."""
        return sum(row.is_out_of(LEAST_DB, MOST_DB) for row in self.rows)


class _OfCategory(Protocol):
    """What was done with a video's patches in a category."""

    @property
    def made(self) -> int: ...

    @property
    def patches(self) -> int: ...

    @property
    def removed(self) -> int: ...


_OfCategoryT = TypeVar("_OfCategoryT", bound=_OfCategory)


# Without slots: calling a generic alias of a frozen class with slots fails in Python 3.11.
@dataclass(frozen=True)
class PatchWorkReport(Generic[_OfCategoryT]):
    """What scoring or degrading a video did.

    Attributes:
        key: The video's key.
        categories: By name, those that have patches to work on, or had rows.
        cpu_s: CPU seconds of the process meanwhile.
        wall_s: Seconds it took.
    """

    key: str
    categories: Mapping[str, _OfCategoryT]
    cpu_s: float
    wall_s: float

    @property
    def made(self) -> int:
        """Patches that were measured, or stacks that were made."""
        return sum(each.made for each in self.categories.values())

    @property
    def patches(self) -> int:
        """Patches that there are."""
        return sum(each.patches for each in self.categories.values())

    @property
    def removed(self) -> int:
        """Rows of patches that are gone or were made again since, and of older scores or other steps."""
        return sum(each.removed for each in self.categories.values())


ScoringReport = PatchWorkReport[CategoryScores]
DegradingReport = PatchWorkReport[CategoryDegradations]


def _number(score: float | None) -> float:
    return np.nan if score is None else score
