"""The selected patches as columns, cheap to copy into worker processes.

Here: what a reader needs of each row, and which of its files hold the frames of a sample. Not here: which
rows (`dataset.select`), and reading pictures.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dataset_assets.counting import counted
from dataset_assets.dataset import Triplet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import MIDDLE_FRAME, FileKind

# The setting of `base_settings` that stores a kind.
_SETTINGS: Final = {
    FileKind.GT7: "gt_frames to all",
    FileKind.LR5: "lr_stacks to [5, 7]",
    FileKind.LR7: "lr_stacks to [5, 7]",
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Selected patches, one a row, in the order of the selection.

    Arrays instead of objects: a forked worker that reads an object changes its reference count, so that
    55,000 rows of objects would be copied into every worker, page by page.

    Attributes:
        categories: Name of the category.
        videos: Key of the video.
        formats: Name of the format.
        patch_ids: Name of the files without suffix.
        widths: Width of GT in pixels.
        heights: Height of GT in pixels.
        scale: How many times smaller an LR frame is than its GT.
    """

    categories: NDArray[np.str_]
    videos: NDArray[np.str_]
    formats: NDArray[np.str_]
    patch_ids: NDArray[np.str_]
    widths: NDArray[np.int32]
    heights: NDArray[np.int32]
    scale: int

    @classmethod
    def of(cls, triplets: Sequence[Triplet]) -> Columns:
        """Return the columns of some triplets, at least one, of one scale."""
        rows = [triplet.row for triplet in triplets]
        return cls(
            categories=np.array([triplet.category for triplet in triplets]),
            videos=np.array([triplet.video for triplet in triplets]),
            formats=np.array([row.format for row in rows]),
            patch_ids=np.array([row.patch_id for row in rows]),
            widths=np.array([row.width for row in rows], np.int32),
            heights=np.array([row.height for row in rows], np.int32),
            scale=rows[0].scale,
        )

    def __len__(self) -> int:
        """Return the number of patches."""
        return len(self.videos)

    def name(self, index: int) -> str:
        """Return what identifies a patch, to show to users."""
        return f"{self.categories[index]}/{self.patch_ids[index]}"


def centred(frames: int) -> range:
    """Return so many frames of a window around its middle one; `frames` is odd."""
    return range(MIDDLE_FRAME - frames // 2, MIDDLE_FRAME + frames // 2 + 1)


def slice_of(frames: range, kind: FileKind) -> slice:
    """Return where these frames of the window lie in a stack that holds them."""
    first = frames.start - kind.frames.start
    return slice(first, first + len(frames))


def holds(kind: FileKind, frames: range) -> bool:
    """Return whether a kind of file shows all of these frames of the window."""
    return set(frames) <= set(kind.frames)


def stored_kind(triplets: Sequence[Triplet], kinds: Sequence[FileKind], frames: range) -> FileKind:
    """Return the first kind of file that holds some frames of the window and that every patch has.

    Args:
        triplets: The patches.
        kinds: Kinds in the order of preference.
        frames: The frames.

    Raises:
        DatasetAssetsError: No kind is stored for all patches.
    """
    fitting = [kind for kind in kinds if holds(kind, frames)]
    without = {kind: [each for each in triplets if kind not in each.row.kinds] for kind in fitting}
    for kind in fitting:
        if not without[kind]:
            return kind
    best = min(fitting, key=lambda kind: len(without[kind]))
    missing = without[best]
    raise DatasetAssetsError(
        f"{'LR' if best.is_lr else 'GT'} of {counted(len(frames), 'frame')} is not stored for "
        f"{len(missing):,} of {counted(len(triplets), 'patch')}, such as "
        f"{missing[0].category}/{missing[0].row.patch_id}",
        f"set base_settings.{_SETTINGS[best]} and run generate, or ask for other frames.",
    )


def hash_of(triplet: Triplet, kind: FileKind) -> str | None:
    """Return the hash of a file of a triplet; None where it is not stored."""
    return next((file.content_hash for file in triplet.row.files if file.kind is kind), None)


def encoded_paths(triplets: Sequence[Triplet], kind: FileKind) -> NDArray[np.bytes_]:
    """Return the files of a stored kind, relative to the data set's folder, as the file system has them."""
    return np.array([os.fsencode(triplet.paths.by_kind[kind]) for triplet in triplets])
