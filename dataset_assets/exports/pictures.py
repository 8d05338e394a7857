"""The pictures of a triplet as an export needs them: frames apart, files that can be linked.

Here: reading the data set's files, held against their rows. Not here: ground truth that the data set does not
store (`all_gt`), and where pictures go (`layouts`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.dataset import DataSet, content_hash
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports.options import Frames
from dataset_assets.exports.selected import Item, lr_file, row_file
from dataset_assets.frames import FRAMES_PER_WINDOW, FileKind
from dataset_assets.tables import PatchFile

Picture = npt.NDArray[np.uint8]


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
        file = lr_file(item.row)
        frames = self._stack(file, *item.lr_size)
        middle = FileKind.LR5.frames
        return frames[middle.start : middle.stop] if len(frames) > self.frames else frames

    def lr_stack(self, item: Item) -> bytes | None:
        """Return the file that stacks exactly the export's LR frames; None where the data set stores none.

        Raises:
            DatasetAssetsError: The file is missing, or is not what its row describes.
        """
        file = row_file(item.row, FileKind.LR7 if self.frames == FRAMES_PER_WINDOW else FileKind.LR5)
        return None if file is None else self._read(file)

    def gt_file(self, item: Item) -> Path:
        """Return the GT file, which has the size of its row.

        Raises:
            DatasetAssetsError: The file is missing, or has another size.
        """
        return self._of_its_size(_gt_file(item))

    def gt_content(self, item: Item) -> bytes:
        """Return the GT file's content.

        Raises:
            DatasetAssetsError: The file is missing, or is not what its row describes.
        """
        return self._read(_gt_file(item))

    def gt(self, item: Item) -> Picture:
        """Read the ground truth of the middle frame.

        Returns:
            Shape (height, width, 3), uint8, channels blue, green, red.

        Raises:
            DatasetAssetsError: The file is missing, or is not what its row describes.
        """
        return cast("Picture", self._stack(_gt_file(item), item.row.width, item.row.height)[0])

    def all_gt(self, item: Item) -> Picture | None:
        """Read the ground truth of all frames where the data set stores it.

        Returns:
            Shape (7, height, width, 3), uint8, channels blue, green, red; None where it does not.

        Raises:
            DatasetAssetsError: The file is missing, or is not what its row describes.
        """
        file = row_file(item.row, FileKind.GT7)
        return None if file is None else self._stack(file, item.row.width, item.row.height)

    def check_files(self, items: Iterable[Item]) -> None:
        """Check that the files exist and have the sizes of their rows, before hours of work.

        Raises:
            DatasetAssetsError: One does not.
        """
        for item in items:
            self.gt_file(item)
            self._of_its_size(lr_file(item.row))

    def _of_its_size(self, file: PatchFile) -> Path:
        path = self._data_set.folder / file.path
        try:
            size_bytes = path.stat().st_size
        except FileNotFoundError as error:
            raise _not_its_row(path) from error
        if size_bytes != file.size_bytes:
            raise _not_its_row(path)
        return path

    def _stack(self, file: PatchFile, width: int, height: int) -> Picture:
        """Return a file's frames, (frames, height, width, 3)."""
        stack, frames = _decoded(self._read(file)), len(file.kind.frames)
        if stack is None or stack.shape != (frames * height, width, 3):
            raise _not_its_row(self._data_set.folder / file.path)
        return stack.reshape(frames, height, width, 3)

    def _read(self, file: PatchFile) -> bytes:
        path = self._data_set.folder / file.path
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise _not_its_row(path) from error
        if len(content) != file.size_bytes or content_hash(content) != file.content_hash:
            raise _not_its_row(path)
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


def _gt_file(item: Item) -> PatchFile:
    file = row_file(item.row, FileKind.GT)
    assert file is not None
    return file


def _not_its_row(path: Path) -> DatasetAssetsError:
    return DatasetAssetsError(
        f"{path} is missing, or is not what its row describes",
        "if no run is at work on the data set, `dataset-assets verify --repair` and then "
        "`dataset-assets generate` rebuild it; export again, which resumes.",
    )
