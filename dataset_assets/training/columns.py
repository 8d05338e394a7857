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
from dataset_assets.frames import FRAMES_PER_WINDOW, LR5_FRAMES, MIDDLE_FRAME

# By the beginning of their columns in the patches table: the frames of the window in each kind of file.
STACKS: Final = {
    "gt": range(MIDDLE_FRAME, MIDDLE_FRAME + 1),
    "gt7": range(FRAMES_PER_WINDOW),
    "lr5": range(LR5_FRAMES.start, LR5_FRAMES.stop),
    "lr7": range(FRAMES_PER_WINDOW),
}
# The setting that stores a kind.
_SETTINGS: Final = {"gt7": "gt_frames to all", "lr5": "lr_stacks to [5, 7]", "lr7": "lr_stacks to [5, 7]"}


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


def slice_of(frames: range, kind: str) -> slice:
    """Return where these frames of the window lie in a stack that holds them."""
    first = frames.start - STACKS[kind].start
    return slice(first, first + len(frames))


def stored_kind(triplets: Sequence[Triplet], kinds: Sequence[str], frames: range) -> str:
    """Return the first kind of file that holds some frames of the window and that every patch has.

    Args:
        triplets: The patches.
        kinds: Keys of `STACKS`, in the order of preference.
        frames: The frames.

    Raises:
        DatasetAssetsError: No kind is stored for all patches.
    """
    fitting = [kind for kind in kinds if set(frames) <= set(STACKS[kind])]
    without = {kind: [each for each in triplets if path_of(each, kind) is None] for kind in fitting}
    for kind in fitting:
        if not without[kind]:
            return kind
    best = min(fitting, key=lambda kind: len(without[kind]))
    example = without[best][0]
    wanted = "GT" if best.startswith("gt") else "LR"
    raise DatasetAssetsError(
        f"{wanted} of {counted(len(frames), 'frame')} is not stored for "
        f"{len(without[best]):,} of {counted(len(triplets), 'patch')}, such as "
        f"{example.category}/{example.row.patch_id}",
        f"set base_settings.{_SETTINGS[best]} and run generate, or ask for other frames.",
    )


def path_of(triplet: Triplet, kind: str) -> str | None:
    """Return a file of a triplet, relative to the data set's folder; None where it is not stored."""
    path: str | None = getattr(triplet.row, f"{kind}_path", None)
    return path


def hash_of(triplet: Triplet, kind: str) -> str | None:
    """Return the hash of a file of a triplet; None where it is not stored."""
    content_hash: str | None = getattr(triplet.row, f"{kind}_hash", None)
    return content_hash


def encoded_paths(triplets: Sequence[Triplet], kind: str) -> NDArray[np.bytes_]:
    """Return the files of a kind, relative to the data set's folder, as the file system encodes them."""
    return np.array([os.fsencode(path_of(triplet, kind) or "") for triplet in triplets])
