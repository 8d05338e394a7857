"""The triplets of an export: which, their names in it, and which are for validation.

Not here: reading their files (`pictures`).
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

from dataset_assets.config import Curation, near_names
from dataset_assets.dataset import (
    DataSet,
    Selection,
    Side,
    Triplet,
    select,
    sides_of,
    window_name,
    with_degraded,
)
from dataset_assets.draws import draw
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports.options import ExportOptions
from dataset_assets.frames import FRAMES_PER_WINDOW, FileKind
from dataset_assets.tables import PatchFile, PatchRow

Split = Literal["train", "val"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)
# Raised by one whenever the same rows and options give other files: nothing of an older export is kept then.
FILES_VERSION: Final = 1
VAL_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Item:
    """A triplet of an export.

    Attributes:
        triplet: The triplet in the data set.
        clip: Its film's name in the export, `[a-z0-9-]+`: the video's key, after the category where there are
            several.
        split: Whether it is for training or for validation.
        digest: Hash of everything that decides the bytes of its files, but not where they lie.
    """

    triplet: Triplet
    clip: str
    split: Split
    digest: str

    @property
    def row(self) -> PatchRow:
        """Its row in the patches table."""
        return self.triplet.row

    @property
    def sequence(self) -> str:
        """Its name in the export among those of its film: that of its window, and its crop."""
        return window_name(self.row.window, self.row.crop)

    @property
    def name(self) -> str:
        """Its name in the export; equals `patch_id` where one category is exported."""
        return f"{self.clip}_{self.sequence}"

    @property
    def lr_size(self) -> tuple[int, int]:
        """Width and height of an LR frame in pixels."""
        return self.row.width // self.row.scale, self.row.height // self.row.scale


@dataclass(frozen=True)
class Selected:
    """The triplets of an export, by category, video and window.

    Attributes:
        items: The triplets; never empty.
        options: What was asked for.
        selection: How they were selected.
        set_apart: How many selected triplets are left out, since they are for validation or near what is.
        missing_val: How many patches that were accepted for validation in these categories are in no split.
    """

    items: tuple[Item, ...]
    options: ExportOptions
    selection: Selection
    set_apart: int = 0
    missing_val: int = 0

    @cached_property
    def scale(self) -> int:
        """How many times smaller an LR frame is than its ground truth."""
        return self.items[0].row.scale

    @cached_property
    def max_gt_size(self) -> int:
        """Side of the largest square crop that all patches allow, divisible by the scale, in pixels."""
        side = min(min(item.row.width, item.row.height) for item in self.items)
        return side // self.scale * self.scale

    @cached_property
    def categories(self) -> list[str]:
        """Names of the categories, sorted."""
        return sorted({item.triplet.category for item in self.items})

    @cached_property
    def formats(self) -> dict[str, int]:
        """Triplets by format."""
        return dict(sorted(Counter(item.row.format for item in self.items).items()))

    def videos(self, split: Split) -> list[str]:
        """Return the keys of the videos that are for training or for validation, sorted."""
        return sorted({item.triplet.video for item in self.items if item.split == split})

    def of(self, split: Split) -> list[Item]:
        """Return the triplets that are for training or for validation."""
        return [item for item in self.items if item.split == split]


def selected(
    data_set: DataSet,
    options: ExportOptions,
    curation: Curation,
    degradations: Mapping[str, str] | None = None,
) -> Selected:
    """Select and name the triplets of an export.

    Args:
        data_set: The data set.
        options: What is asked for.
        curation: The curation of the configuration.
        degradations: The `degradation_hash` that degraded LR must have, by category; any by default.

    Triplets that were accepted for validation are its split where no films are named for it. In no case are
    they or their neighbours for training, nor what other films show of them or of films that are named.

    Raises:
        DatasetAssetsError: Two options contradict, a name is unknown, the condition is not valid, nothing is
            selected or left for training, or the triplets cannot be in one export.
    """
    options.check()
    selection = select(
        data_set,
        options.categories or None,
        where=options.where,
        formats=options.formats,
        curation=curation if options.curated else None,
    )
    triplets = selection.triplets
    if options.lr == "degraded":
        triplets = with_degraded(data_set.tables, triplets, degradations)
    _check_one_scale(triplets)
    _check_frames(triplets, options)
    validation = _validation(sorted({each.video for each in triplets}), options)
    names_category = len({each.category for each in triplets}) > 1 or len(options.categories) > 1
    items = []
    accepted = data_set.validation.accepted()
    sides = sides_of(data_set, triplets, accepted, held_out=validation)
    for each, side in zip(triplets, sides, strict=True):
        split = _split(side, options, is_of_val_film=each.video in validation)
        if split is None:
            continue
        clip = each.video
        if names_category:
            # traiNNer-redux takes what comes before the first `_` for the clip.
            clip = f"{each.category.replace('_', '-')}-{clip}"
        items.append(Item(each, clip, split, _digest(each.row, options)))
    _check_training(items)
    _check_names(items)
    for_val = {(each.triplet.category, each.row.patch_id) for each in items if each.split == "val"}
    wanted = {
        (each.category, each.row.patch_id)
        for each in accepted
        if each.category in options.categories or not options.categories
    }
    missing = 0 if options.has_val_films else len(wanted - for_val)
    return Selected(tuple(items), options, selection, len(triplets) - len(items), missing)


def row_file(row: PatchRow, kind: FileKind) -> PatchFile | None:
    """Return a file of a triplet; None where the data set stores none of its kind."""
    return next((file for file in row.files if file.kind is kind), None)


def lr_file(row: PatchRow) -> PatchFile:
    """Return the LR stack of a triplet that has the most frames.

    Raises:
        DatasetAssetsError: It has none, which no configuration asks for.
    """
    file = row_file(row, FileKind.LR7) or row_file(row, FileKind.LR5)
    if file is None:
        raise DatasetAssetsError(
            f"The data set stores no LR stack of {row.gt_path}", "run generate until nothing is stale."
        )
    return file


def _validation(videos: Sequence[str], options: ExportOptions) -> Collection[str]:
    """Return the keys of the videos for validation.

    A film is drawn by its key alone, and no more are taken than the share of the films, rounded up, and never
    all: one that is for validation stays there when films are added.
    """
    for key in options.val_videos:
        if key not in videos:
            raise DatasetAssetsError(
                f"--val-videos: no selected triplet is of the video {key!r}", near_names(key, videos)
            )
    if options.val_videos:
        chosen = set(options.val_videos)
    elif options.val_share:
        draws = {key: draw(VAL_SEED, key, "validation") for key in videos}
        first, *others = sorted(videos, key=lambda key: draws[key])
        # Each by itself, a few films would all be drawn at times: three by 0.3, in 1 of 37 data sets.
        most = min(math.ceil(options.val_share * len(videos)), len(videos) - 1)
        others = others[: max(0, most - 1)]
        # At least one, since a share was asked for.
        chosen = {first, *(key for key in others if draws[key] < options.val_share)}
    else:
        return ()
    if len(chosen) == len(videos):
        raise DatasetAssetsError(
            "All selected films are for validation, and none for training",
            "name fewer in --val-videos, lower --val-share, or select more films.",
        )
    return chosen


def _split(side: Side, options: ExportOptions, *, is_of_val_film: bool) -> Split | None:
    """Return what a triplet is for; None where it is left out."""
    if is_of_val_film:
        return "val"
    if side == "train":
        return "train"
    return "val" if side == "val" and not options.has_val_films else None


def _check_training(items: Sequence[Item]) -> None:
    if not any(item.split == "train" for item in items):
        raise DatasetAssetsError(
            "All selected patches are for validation or near patches that are, and none is for training",
            "select more, or decline some: `dataset-assets validation list` shows which are accepted.",
        )


def _digest(row: PatchRow, options: ExportOptions) -> str:
    parts = (
        FILES_VERSION,
        options.frames,
        options.gt,
        options.copies_gt,
        row.format,
        row.width,
        row.height,
        row.scale,
        row.gt_hash,
        lr_file(row).content_hash,
    )
    return hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=8).hexdigest()


def _check_one_scale(triplets: Sequence[Triplet]) -> None:
    scales = sorted({each.row.scale for each in triplets})
    if len(scales) > 1:
        raise DatasetAssetsError(
            f"The selection mixes LR of the scales {', '.join(map(str, scales))}",
            "run generate until nothing is stale, or select one scale by --where, such as 'scale = 3'.",
        )


def _check_frames(triplets: Sequence[Triplet], options: ExportOptions) -> None:
    if options.frames == FRAMES_PER_WINDOW and any(
        row_file(each.row, FileKind.LR7) is None for each in triplets
    ):
        raise DatasetAssetsError(
            f"The data set has no LR stacks of {FRAMES_PER_WINDOW} frames",
            f"use --frames {len(FileKind.LR5.frames)}, or add 7 to base_settings.lr_stacks and run generate.",
        )


def _check_names(items: Sequence[Item]) -> None:
    counts = Counter(item.name for item in items)
    twice = next((item for item in items if counts[item.name] > 1), None)
    if twice is not None:
        raise DatasetAssetsError(
            f"Two categories name a film {twice.clip} in the export",
            "export them one by one, each to a folder of its own.",
        )
