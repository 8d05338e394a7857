"""What the page of a curation preview shows: of each clause the patches nearest to its limit, on both sides.

Not here: finding them (`curation.previewing`), HTML (`rendering`), and files (`site`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataset_assets.config import Settings
from dataset_assets.curation import CategoryPreview, ClausePreview, Near
from dataset_assets.gallery.video_page import category_order, file_url, page_of
from dataset_assets.tables import PatchRow

CURATION_FILE = "curation.html"
# From the page to the data set's folder.
_TO_DATA_SET = "../"


@dataclass(frozen=True, slots=True)
class ShownPatch:
    """A patch near to a limit.

    Attributes:
        row: Its row.
        video: Key of its video.
        value: Its value of the column that is limited.
        files: URL of each file of the triplet, by the columns of its kind.
        place: URL of its window on the video's page.
    """

    row: PatchRow
    video: str
    value: float
    files: Mapping[str, str]
    place: str


@dataclass(frozen=True, slots=True)
class ShownClause:
    """A clause.

    Attributes:
        preview: What it leaves out.
        sides: Both sides of its limit by their names, the patches nearest to it first.
    """

    preview: ClausePreview
    sides: Mapping[str, tuple[ShownPatch, ...]]


@dataclass(frozen=True, slots=True)
class ShownCategory:
    """A category.

    Attributes:
        preview: What its condition leaves out.
        colour: Number of its colour.
        clauses: Its clauses.
    """

    preview: CategoryPreview
    colour: int
    clauses: tuple[ShownClause, ...]


def curation_page(settings: Settings, previews: Sequence[CategoryPreview]) -> list[ShownCategory]:
    """Return what is to be shown of previews."""
    order = category_order(settings, [each.name for each in previews])
    return [
        ShownCategory(
            each,
            order.index(each.name),
            tuple(
                ShownClause(
                    clause,
                    {
                        "left out": tuple(map(_patch, clause.outside)),
                        "taken": tuple(map(_patch, clause.inside)),
                    },
                )
                for clause in each.clauses
            ),
        )
        for each in previews
    ]


def _patch(near: Near) -> ShownPatch:
    row = near.triplet.row
    return ShownPatch(
        row=row,
        video=near.triplet.video,
        value=near.value,
        files={file.kind.column: file_url(file.path, _TO_DATA_SET) for file in row.files},
        place=f"{page_of(near.triplet.video)}#w{row.window}",
    )
