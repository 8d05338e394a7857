"""What the page of validation patches shows: the pictures that were proposed, and what was decided.

Not here: HTML (`rendering`), and deciding from the page (`ui`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, ValidationPatch
from dataset_assets.gallery.video_page import category_order, file_url
from dataset_assets.tables import VALIDATION_STATES, PatchRow, ScoreRow, ValidationState

VALIDATION_FILE: Final = "validation.html"

DECISION_TEXTS: Final[Mapping[ValidationState, str]] = {
    "proposed": "Proposed.",
    "accepted": "In Val/GT. Neither it nor what is near it is for training.",
    "declined": "Declined: it is not proposed again.",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """A patch on the page.

    Attributes:
        patch: The patch.
        colour: Number of its category's colour.
        film: Name of its film.
        row: Its row in the patches table; None where it is gone.
        picture: URL of GT; empty where there is none.
        files: URL of each file of the triplet, by the columns of its kind.
        scores: Its scores, by their names on the page.
        problem: What is wrong with it, in words; empty where nothing is.
    """

    patch: ValidationPatch
    colour: int
    film: str
    row: PatchRow | None
    picture: str
    files: Mapping[str, str]
    scores: Mapping[str, float]
    problem: str

    @property
    def span(self) -> str:
        """What is set apart with it, in words."""
        span_s = self.patch.row.span_s
        return "with its whole film" if span_s is None else f"with {span_s:g} s before and after"


@dataclass(frozen=True, slots=True)
class ValidationPage:
    """Everything on the page.

    Attributes:
        decisions: The patches by category, video and window.
        states: How many there are of each state.
        categories: How many there are of each category, in the order of colours.
    """

    decisions: tuple[Decision, ...]
    states: Mapping[str, int]
    categories: Mapping[str, int]

    @property
    def texts(self) -> Mapping[ValidationState, str]:
        """What the page says of each state."""
        return DECISION_TEXTS


def read_validation_page(settings: Settings, data_set: DataSet) -> ValidationPage:
    """Return what is to be shown of what was proposed.

    Raises:
        DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
    """
    patches = data_set.validation.read()
    order = category_order(settings, {each.category for each in patches})
    reader = _Reader(settings, data_set)
    decisions = tuple(reader.decision(each, order.index(each.category)) for each in patches)
    states = Counter(each.row.state for each in patches)
    categories = Counter(each.category for each in patches)
    return ValidationPage(
        decisions=decisions,
        states={state: states[state] for state in VALIDATION_STATES if states[state]},
        categories={name: categories[name] for name in order if categories[name]},
    )


class _Reader:
    """Reads what is known of patches, each table once."""

    def __init__(self, settings: Settings, data_set: DataSet) -> None:
        self._data_set = data_set
        self._names = {entry.key: entry.name for entry in settings.videos}
        self._rows: dict[tuple[str, str], dict[str, PatchRow]] = {}
        self._scores: dict[tuple[str, str], dict[str, ScoreRow]] = {}

    def decision(self, patch: ValidationPatch, colour: int) -> Decision:
        place = patch.category, patch.video
        if place not in self._rows:
            tables = self._data_set.tables
            self._rows[place] = {row.patch_id: row for row in tables.read_patches(*place)}
            self._scores[place] = {row.patch_id: row for row in tables.read_scores(*place)}
        row = self._rows[place].get(patch.row.patch_id)
        scores = self._scores[place].get(patch.row.patch_id)
        picture = row.gt_path if row else patch.row.val_path
        return Decision(
            patch=patch,
            colour=colour,
            film=self._names.get(patch.video, patch.video),
            row=row,
            picture=_url(picture) if picture else "",
            files={file.kind.column: _url(file.path) for file in row.files} if row else {},
            scores=_shown(scores) if row and scores and scores.is_of(row) else {},
            problem=self._problem(patch, row),
        )

    def _problem(self, patch: ValidationPatch, row: PatchRow | None) -> str:
        parts = [self._data_set.validation.file_state(patch)]
        if row is None:
            parts.append("its film or its window is gone")
        elif row.gt_hash != patch.row.gt_hash:
            parts.append("it was made again since")
        return "; ".join(filter(None, parts))


def _shown(scores: ScoreRow) -> dict[str, float]:
    return {"detail": scores.detail_db, "noise": scores.noise_sigma, "motion": scores.motion}


def _url(path: str) -> str:
    """Return the URL of a file of the data set, relative to a page in the gallery's folder itself."""
    return file_url(path).removeprefix("../")
