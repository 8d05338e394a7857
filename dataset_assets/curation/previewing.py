"""What a condition leaves out of a category: by clause, all together, and the patches nearest to limits.

Not here: evaluating conditions (`dataset`), and how a preview is shown (`cli`, `gallery`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from dataset_assets.dataset import DataSet, Triplet, invalid_curation, judge, patch_columns
from dataset_assets.tables import Clause, Condition, ConditionError

# On each side of a limit: two rows of a page that is 1,700 pixels wide.
NEAREST: Final = 20


@dataclass(frozen=True, slots=True)
class Near:
    """A patch near to a limit.

    Attributes:
        triplet: The patch.
        value: Its value of the column that is limited.
    """

    triplet: Triplet
    value: float


@dataclass(frozen=True, slots=True)
class ClausePreview:
    """What a clause does.

    Attributes:
        clause: The clause.
        left_out: Patches that it leaves out.
        alone: Those of them that no other clause leaves out.
        unknown: Patches for which it is neither true nor false.
        outside: The patches that it leaves out, nearest to its limit first; at most 20, none without a limit.
        inside: The patches that it takes, likewise.
    """

    clause: Clause
    left_out: int
    alone: int
    unknown: int
    outside: tuple[Near, ...]
    inside: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class CategoryPreview:
    """What a condition does to a category.

    Attributes:
        name: The category.
        condition: The condition; None where all patches are taken.
        patches: Patches that there are.
        left_out: Patches that it leaves out.
        unscored: Patches without current scores; 0 where it depends on none.
        clauses: Its clauses.
    """

    name: str
    condition: str | None
    patches: int
    left_out: int
    unscored: int
    clauses: tuple[ClausePreview, ...]

    @property
    def shown(self) -> list[Near]:
        """The patches near to the limits of all clauses."""
        return [near for each in self.clauses for near in (*each.outside, *each.inside)]


def preview(data_set: DataSet, category: str, condition: str | None) -> CategoryPreview:
    """Find out what a condition does to a category.

    Args:
        data_set: The data set.
        category: Name of the category.
        condition: The condition; None to take all.

    Raises:
        DatasetAssetsError: The condition is not valid for these patches, or a table is damaged, from a
            newer release, or cannot be read.
    """
    try:
        return _preview(data_set, category, condition)
    except ConditionError as error:
        raise invalid_curation(category, condition or "", error) from error


def _preview(data_set: DataSet, category: str, condition: str | None) -> CategoryPreview:
    parsed = Condition("true" if condition is None else condition)
    clauses = parsed.clauses
    keys = list(data_set.tables.patches_files(category))
    patches = patch_columns(data_set.tables, category, keys, [parsed])
    limits = [each.limit for each in clauses]
    columns = [f"({limit.column})::DOUBLE" for limit in limits if limit]
    texts = [f"({each.text})::BOOLEAN" for each in clauses]
    judged = judge(data_set.tables, patches, [parsed], [*texts, *columns])
    values = [each.to_pylist() for each in judged.values]
    met, numbers = values[: len(clauses)], iter(values[len(clauses) :])
    failed = [sum(each is False for each in row) for row in zip(*met, strict=True)]
    sides = [
        _sides(of, limit.value, next(numbers)) if limit else ([], [])
        for of, limit in zip(met, limits, strict=True)
    ]
    wanted = {index for both in sides for side in both for index, _ in side}
    triplets = _triplets(data_set, category, patches, wanted)
    return CategoryPreview(
        name=category,
        condition=condition,
        patches=patches.num_rows,
        left_out=judged.met[0].to_pylist().count(False),
        unscored=judged.scored.to_pylist().count(False),
        clauses=tuple(
            ClausePreview(
                clause=clause,
                left_out=of.count(False),
                alone=sum(each is False and count == 1 for each, count in zip(of, failed, strict=True)),
                unknown=of.count(None),
                outside=tuple(Near(triplets[index], value) for index, value in outside),
                inside=tuple(Near(triplets[index], value) for index, value in inside),
            )
            for clause, of, (outside, inside) in zip(clauses, met, sides, strict=True)
        ),
    )


_Side = list[tuple[int, float]]


def _sides(met: Sequence[bool | None], limit: float, values: Sequence[float | None]) -> tuple[_Side, _Side]:
    """Return the patches that are left out and those that are taken, the nearest to the limit first."""
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    known.sort(key=lambda each: abs(each[1] - limit))
    outside, inside = ([each for each in known if met[each[0]] is side][:NEAREST] for side in (False, True))
    return outside, inside


def _triplets(data_set: DataSet, category: str, patches: pa.Table, wanted: set[int]) -> Mapping[int, Triplet]:
    """Return some patches by their number."""
    keys, names = (patches.column(name).to_pylist() for name in ("video", "patch_id"))
    numbers: dict[tuple[Any, Any], int] = {(keys[index], names[index]): index for index in wanted}
    found = data_set.triplets({keys[index] for index in wanted}, [category])
    by_name = {(each.video, each.row.patch_id): each for each in found}
    return {index: by_name[name] for name, index in numbers.items() if name in by_name}
