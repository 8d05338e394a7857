"""What a triplet is: its three files, their names, sizes and hashes.

Here: names, and the files as a row describes them. Not here: the pictures in them (`patches`), and writing
them (`publishing`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dataset_assets.disk import TEMPORARY_SUFFIX
from dataset_assets.frames import FRAMES_PER_WINDOW, LR5_FRAME_COUNT
from dataset_assets.tables import PatchRow

KINDS: Final = ("GT", "LR_5frames", "LR_7frames")
HASH_BYTES: Final = 8
# Also the temporary name, which begins with a point.
FILE_NAME: Final = re.compile(
    rf"(?P<hidden>\.?)(?P<key>[a-z0-9][a-z0-9-]*)_(?P<window>\d{{6,9}})\.png(?P<temporary>{re.escape(TEMPORARY_SUFFIX)})?"
)


@dataclass(frozen=True, slots=True)
class TripletPaths:
    """The files of a triplet, relative to the data set's folder."""

    gt: Path
    lr5: Path
    lr7: Path

    @classmethod
    def of(cls, row: PatchRow) -> TripletPaths:
        """Return the files that a row names."""
        return cls(Path(row.gt_path), Path(row.lr5_path), Path(row.lr7_path))

    def __iter__(self) -> Iterator[Path]:
        """Yield GT, LR_5frames, LR_7frames."""
        return iter((self.gt, self.lr5, self.lr7))


@dataclass(frozen=True, slots=True)
class TripletFile:
    """One file of a triplet, as its row describes it.

    Attributes:
        path: Relative to the data set's folder.
        size_bytes: Its size.
        content_hash: Its `content_hash`.
        width: Width of its picture in pixels.
        height: Height of its picture in pixels; stacked frames lie below one another.
    """

    path: Path
    size_bytes: int
    content_hash: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Triplet:
    """A finished triplet: its row is in a table, so its three files are in place.

    Attributes:
        video: Key of the video.
        category: Name of the category.
        row: Its row.
    """

    video: str
    category: str
    row: PatchRow

    @property
    def paths(self) -> TripletPaths:
        """Its files, relative to the data set's folder."""
        return TripletPaths.of(self.row)


def triplet_files(row: PatchRow) -> tuple[TripletFile, TripletFile, TripletFile]:
    """Return GT, LR_5frames and LR_7frames of a triplet as its row describes them."""
    width, height = row.width // row.scale, row.height // row.scale
    gt, lr5, lr7 = TripletPaths.of(row)
    return (
        TripletFile(gt, row.gt_bytes, row.gt_hash, row.width, row.height),
        TripletFile(lr5, row.lr5_bytes, row.lr5_hash, width, LR5_FRAME_COUNT * height),
        TripletFile(lr7, row.lr7_bytes, row.lr7_hash, width, FRAMES_PER_WINDOW * height),
    )


def triplet_paths(category_folder: str, format_folder: str, patch_id: str) -> TripletPaths:
    """Return the files of a triplet.

    Args:
        category_folder: The category's folder in the data set.
        format_folder: The format's folder in it.
        patch_id: File name without its suffix.
    """
    folder = Path(category_folder) / format_folder
    return TripletPaths(*(folder / kind / f"{patch_id}.png" for kind in KINDS))


def patch_id(key: str, window: int) -> str:
    """Return the file name, without its suffix, of the patches of a window."""
    return f"{key}_{window:06d}"


def content_hash(content: bytes) -> str:
    """Return the hash of a file's content: BLAKE2b of 64 bits, in hexadecimal digits.

    1.8 CPU ms for the three files of a 540x540 patch, a thousandth of what its window costs.
    """
    return hashlib.blake2b(content, digest_size=HASH_BYTES).hexdigest()
