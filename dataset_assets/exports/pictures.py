"""The pictures of a triplet as an export needs them: frames apart, files that can be linked.

Here: reading the data set's files, held against their rows. Not here: where they go (`layouts`, `stores`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.dataset import DataSet, content_hash
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports.options import Frames
from dataset_assets.exports.selected import Item
from dataset_assets.frames import FRAMES_PER_WINDOW, LR5_FRAMES
from dataset_assets.tables import PatchRow

Picture = npt.NDArray[np.uint8]


class AllGt(Protocol):
    """Ground truth of all frames of a triplet."""

    def frames(self, item: Item) -> Picture:
        """Return frames 0..6: shape (7, height, width, 3), uint8, channels blue, green, red."""


class TripletReader:
    """Read the files of triplets. Threads may share it.

    Attributes:
        frames: LR frames that the export has of each window.
    """

    def __init__(self, data_set: DataSet, frames: Frames) -> None:
        self._data_set = data_set
        self.frames = frames

    def lr_frames(self, item: Item) -> Picture:
        """Read the LR frames of a triplet.

        Returns:
            Shape (frames, height / scale, width / scale, 3), uint8, channels blue, green, red: frames 0..6 or
            1..5 of the window.

        Raises:
            DatasetAssetsError: The file is missing, or is not what its row describes.
        """
        row = item.row
        width, height = item.lr_size
        has_all = row.lr7_path is not None
        path, size_bytes, expected = _lr_file(row)
        stack = _decoded(self._read(path, size_bytes, expected))
        count = FRAMES_PER_WINDOW if has_all else LR5_FRAMES.stop - LR5_FRAMES.start
        if stack is None or stack.shape != (count * height, width, 3):
            raise _not_its_row(self._data_set.folder / path)
        frames = stack.reshape(count, height, width, 3)
        return frames[LR5_FRAMES] if has_all and self.frames < FRAMES_PER_WINDOW else frames

    def lr_stack(self, item: Item) -> bytes | None:
        """Return the file that stacks exactly the export's LR frames; None where the data set stores none.

        Raises:
            DatasetAssetsError: The file is missing, or is not what its row describes.
        """
        row = item.row
        if self.frames == FRAMES_PER_WINDOW:
            return self._read(row.lr7_path, row.lr7_bytes, row.lr7_hash)
        return None if row.lr5_path is None else self._read(row.lr5_path, row.lr5_bytes, row.lr5_hash)

    def gt_file(self, item: Item) -> Path:
        """Return the GT file, which has the size of its row.

        Raises:
            DatasetAssetsError: The file is missing, or has another size.
        """
        path = self._data_set.folder / item.row.gt_path
        try:
            size_bytes = path.stat().st_size
        except FileNotFoundError as error:
            raise _not_its_row(path) from error
        if size_bytes != item.row.gt_bytes:
            raise _not_its_row(path)
        return path

    def gt_content(self, item: Item) -> bytes:
        """Return the GT file's content.

        Raises:
            DatasetAssetsError: The file is missing, or is not what its row describes.
        """
        return self._read(item.row.gt_path, item.row.gt_bytes, item.row.gt_hash)

    def gt(self, item: Item) -> Picture:
        """Read the ground truth of the middle frame.

        Returns:
            Shape (height, width, 3), uint8, channels blue, green, red.

        Raises:
            DatasetAssetsError: The file is missing, or is not what its row describes.
        """
        picture = _decoded(self.gt_content(item))
        if picture is None or picture.shape != (item.row.height, item.row.width, 3):
            raise _not_its_row(self._data_set.folder / item.row.gt_path)
        return picture

    def check_files(self, items: Sequence[Item]) -> None:
        """Check that the files exist and have the sizes of their rows, before hours of work.

        Raises:
            DatasetAssetsError: One does not.
        """
        for item in items:
            self.gt_file(item)
            path, expected_bytes, _ = _lr_file(item.row)
            file = self._data_set.folder / path
            try:
                size_bytes = file.stat().st_size
            except FileNotFoundError as error:
                raise _not_its_row(file) from error
            if size_bytes != expected_bytes:
                raise _not_its_row(file)

    def _read(self, path: str, size_bytes: int, expected: str) -> bytes:
        file = self._data_set.folder / path
        try:
            content = file.read_bytes()
        except FileNotFoundError as error:
            raise _not_its_row(file) from error
        if len(content) != size_bytes or content_hash(content) != expected:
            raise _not_its_row(file)
        return content


def decode(content: bytes) -> Picture:
    """Decode a PNG of an export.

    Returns:
        Shape (height, width, 3), uint8, channels blue, green, red.

    Raises:
        ValueError: It is not a complete PNG of three channels.
    """
    picture = _decoded(content)
    if picture is None or picture.ndim != 3:
        raise ValueError("is not a complete PNG file")
    return picture


def _decoded(content: bytes) -> Picture | None:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    return cast("Picture | None", picture)


def _lr_file(row: PatchRow) -> tuple[str, int, str]:
    """Return path, bytes and hash of the LR stack that has the most frames."""
    if row.lr7_path is not None:
        return row.lr7_path, row.lr7_bytes, row.lr7_hash
    return row.lr5_path, row.lr5_bytes, row.lr5_hash


def _not_its_row(path: Path) -> DatasetAssetsError:
    return DatasetAssetsError(
        f"{path} is missing, or is not what its row describes",
        "if no run is at work on the data set, `dataset-assets verify --repair` and then "
        "`dataset-assets generate` rebuild it; export again, which resumes.",
    )
