"""Reading crops of the selected patches from the PNG files of the data set.

Here: what a source of pictures is, and the source that every data set has. Not here: packed arrays
(`packed`), and what is cropped (`dataset`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from dataset_assets.dataset import Triplet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import FileKind
from dataset_assets.training.columns import Columns, encoded_paths, slice_of, stored_kind

Pictures = NDArray[np.uint8]
"""Shape (frames, height, width, 3), uint8, channels red, green, blue; a view of any strides."""


class Area(NamedTuple):
    """A crop of a patch, in LR pixels."""

    x: int
    y: int
    width: int
    height: int


class Wanted(NamedTuple):
    """The frames of a window that a sample has."""

    lr: range
    gt: range


class Source(Protocol):
    """Where the pictures of the selected patches are read from; pickled into workers that are spawned."""

    @property
    def description(self) -> str:
        """What is read, and where it lies."""

    def read(self, index: int, area: Area) -> tuple[Pictures, Pictures]:
        """Read a crop.

        Args:
            index: Number of the patch in the selection.
            area: The crop in LR pixels; inside the patch.

        Returns:
            LR of `area`, and GT of the same area at its scale.

        Raises:
            DatasetAssetsError: A file is missing or damaged.
        """


class PngSource:
    """The PNG files that `generate` wrote: both files of a patch are decoded completely for every crop."""

    def __init__(self, folder: Path, triplets: Sequence[Triplet], columns: Columns, wanted: Wanted) -> None:
        """Look up the files; none is opened.

        Args:
            folder: The data set's folder.
            triplets: The selected patches.
            columns: The same patches.
            wanted: The frames of a sample.

        Raises:
            DatasetAssetsError: Frames that are wanted are not stored.
        """
        self._folder = folder
        self._columns = columns
        # LR_5frames is 5/7 of the work of LR_7frames.
        lr, gt = (
            stored_kind(triplets, (FileKind.LR5, FileKind.LR7), wanted.lr),
            stored_kind(triplets, (FileKind.GT, FileKind.GT7), wanted.gt),
        )
        self._lr_paths, self._lr_frames = encoded_paths(triplets, lr), slice_of(wanted.lr, lr)
        self._gt_paths, self._gt_frames = encoded_paths(triplets, gt), slice_of(wanted.gt, gt)

    @property
    def description(self) -> str:
        """What is read, and where it lies."""
        return f"PNG files in {self._folder}"

    def read(self, index: int, area: Area) -> tuple[Pictures, Pictures]:
        """Read a crop, see `Source.read`."""
        scale = self._columns.scale
        width, height = int(self._columns.widths[index]), int(self._columns.heights[index])
        lr = self._stack(self._lr_paths[index], width // scale, height // scale)[self._lr_frames]
        gt = self._stack(self._gt_paths[index], width, height)[self._gt_frames]
        return cropped(lr, area, 1), cropped(gt, area, scale)

    def _stack(self, name: bytes, width: int, height: int) -> Pictures:
        path = self._folder / os.fsdecode(name)
        try:
            content = np.fromfile(path, np.uint8)
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from error
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
        if picture is None or picture.shape[1] != width or picture.shape[0] % height:
            raise _unreadable(path, f"not a PNG of pictures of {width}x{height}")
        return picture.reshape(-1, height, width, 3)[..., ::-1].astype(np.uint8, copy=False)


def cropped(stack: Pictures, area: Area, scale: int) -> Pictures:
    """Return a crop of all pictures of a stack, `area` enlarged by `scale`, as a view."""
    x, y, width, height = (scale * each for each in area)
    return stack[:, y : y + height, x : x + width]


def _unreadable(path: Path, why: str) -> DatasetAssetsError:
    return DatasetAssetsError(
        f"{path} cannot be read: {why}",
        "`dataset-assets verify --repair` and then `dataset-assets generate` make it again.",
    )
