"""What a person asks of an export, and the combinations that no layout has.

Not here: which triplets that are (`selected`), and how a layout writes them (`layouts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from dataset_assets.config import near_names
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import FRAMES_PER_WINDOW, FileKind

LayoutName = Literal["vimeo90k", "vimeo90k-lmdb", "redux", "pairs", "pairs-lmdb", "webdataset", "packed"]
Frames = Literal[5, 7]
GtFrames = Literal["middle", "all"]
Lr = Literal["clean", "degraded"]

LAYOUT_NAMES: Final[tuple[LayoutName, ...]] = get_args(LayoutName)
# The others hold one ground truth for each window.
ONE_LR_FRAME: Final = frozenset({"pairs", "pairs-lmdb"})
WITH_ALL_GT: Final = frozenset({"vimeo90k", "vimeo90k-lmdb", "redux"})


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is exported, and how.

    Attributes:
        layout: The layout.
        categories: Names of the categories; all that have patches where empty.
        where: Condition in DuckDB's SQL over the tables, see `dataset.select`; all patches where None.
        formats: Names of the formats; all where empty.
        frames: LR frames of each window.
        gt: Whether the ground truth of the middle frame is exported, or of all frames.
        val_videos: Keys of the videos for validation.
        val_share: Share of the videos for validation, 0..1, drawn by their keys.
        lr: Whether LR is exported as it was scaled down, or as `degrade` made it of that.
        copies_gt: Whether GT files are copied even where they can be hard-linked.
        curated: Whether triplets are left out that the configuration's curation leaves out.
    """

    layout: LayoutName
    categories: tuple[str, ...] = ()
    where: str | None = None
    formats: tuple[str, ...] = ()
    frames: Frames = FRAMES_PER_WINDOW
    gt: GtFrames = "middle"
    lr: Lr = "clean"
    val_videos: tuple[str, ...] = ()
    val_share: float = 0.0
    copies_gt: bool = False
    curated: bool = True

    @property
    def has_val_films(self) -> bool:
        """Whether films are for validation, and not the patches that were accepted for it."""
        return bool(self.val_videos or self.val_share)

    def check(self) -> None:
        """Check what can be checked without the data set.

        Raises:
            DatasetAssetsError: There is no such layout or number of frames, or two options contradict.
        """
        if self.layout not in LAYOUT_NAMES:
            raise DatasetAssetsError(
                f"There is no layout {self.layout!r}", near_names(self.layout, LAYOUT_NAMES)
            )
        if self.frames not in get_args(Frames):
            raise DatasetAssetsError(
                f"An export has 5 or 7 LR frames of each window, not {self.frames}",
                f"use --frames {len(FileKind.LR5.frames)} or --frames {FRAMES_PER_WINDOW}.",
            )
        if self.gt not in get_args(GtFrames):
            raise DatasetAssetsError(
                f"There is no ground truth of {self.gt!r} frames", "use --gt middle or --gt all."
            )
        if self.lr not in get_args(Lr):
            raise DatasetAssetsError(
                f"There is no LR of the kind {self.lr!r}", "use --lr clean or --lr degraded."
            )
        self._check_all_gt()
        if self.val_videos and self.val_share:
            raise DatasetAssetsError(
                "Both videos and a share of them are named for validation",
                "use --val-videos or --val-share, not both.",
            )
        if not 0 <= self.val_share < 1:
            raise DatasetAssetsError(
                f"The validation share {self.val_share:g} is not a share of the videos",
                "use a number from 0 to below 1, such as --val-share 0.1.",
            )

    def _check_all_gt(self) -> None:
        if self.gt == "middle":
            return
        if self.layout not in WITH_ALL_GT:
            raise DatasetAssetsError(
                f"The layout {self.layout} holds the ground truth of the middle frame only",
                f"leave --gt out, or use {', '.join(sorted(WITH_ALL_GT))}.",
            )
        if self.frames != FRAMES_PER_WINDOW:
            raise DatasetAssetsError(
                f"Trainers that read the ground truth of all frames read {FRAMES_PER_WINDOW} frames",
                f"leave --frames {self.frames} or --gt all out.",
            )
