"""What a triplet is: its files, their names, sizes and hashes.

Here: names, and the files as a row describes them. Not here: the pictures in them (`patches`), and writing
them (`publishing`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dataset_assets.disk import TEMPORARY_SUFFIX
from dataset_assets.frames import FileKind
from dataset_assets.tables import PatchFile, PatchRow

HASH_BYTES: Final = 8
# Also the temporary name, which begins with a point.
FILE_NAME: Final = re.compile(
    r"(?P<hidden>\.?)(?P<key>[a-z0-9][a-z0-9-]*)_(?P<window>\d{6,9})(?:_c(?P<crop>[1-9]\d?))?\.png"
    rf"(?P<temporary>(?:\.\d+)?{re.escape(TEMPORARY_SUFFIX)})?"
)


@dataclass(frozen=True, slots=True)
class TripletPaths:
    """The files of a triplet, relative to the data set's folder; None where it has no such file."""

    gt: Path
    lr5: Path | None
    lr7: Path | None
    gt7: Path | None = None

    @classmethod
    def of(cls, row: PatchRow) -> TripletPaths:
        """Return the files that a row names."""
        return cls.of_kinds({file.kind: Path(file.path) for file in row.files})

    @classmethod
    def of_kinds(cls, paths: Mapping[FileKind, Path]) -> TripletPaths:
        """Return files by kind, `GT` among them."""
        return cls(paths[FileKind.GT], *(paths.get(kind) for kind in tuple(FileKind)[1:]))

    def __iter__(self) -> Iterator[Path]:
        """Yield GT, LR_5frames, LR_7frames, GT_7frames, as far as it has them."""
        return iter(self.by_kind.values())

    @property
    def by_kind(self) -> dict[FileKind, Path]:
        """Its files by kind, in the same order."""
        paths = {kind: getattr(self, kind.column) for kind in FileKind}
        return {kind: path for kind, path in paths.items() if path is not None}


@dataclass(frozen=True, slots=True)
class TripletFile:
    """One file of a triplet, as its row describes it.

    Attributes:
        kind: Its kind.
        path: Relative to the data set's folder.
        size_bytes: Its size.
        content_hash: Its `content_hash`.
        width: Width of its picture in pixels.
        height: Height of its picture in pixels; stacked frames lie below one another.
    """

    kind: FileKind
    path: Path
    size_bytes: int | None
    content_hash: str | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Triplet:
    """A finished triplet: its row is in a table, so its files are in place.

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


def triplet_files(row: PatchRow) -> tuple[TripletFile, ...]:
    """Return the files of a triplet as its row describes them, in the order of their kinds."""
    return tuple(_triplet_file(row, file) for file in row.files)


def _triplet_file(row: PatchRow, file: PatchFile) -> TripletFile:
    scale = row.scale if file.kind.is_lr else 1
    width, height = row.width // scale, len(file.kind.frames) * (row.height // scale)
    return TripletFile(file.kind, Path(file.path), file.size_bytes, file.content_hash, width, height)


def triplet_paths(
    category_folder: str, format_folder: str, patch_id: str, kinds: Collection[FileKind]
) -> TripletPaths:
    """Return the files of a triplet.

    Args:
        category_folder: The category's folder in the data set.
        format_folder: The format's folder in it.
        patch_id: File name without its suffix.
        kinds: The kinds of its files, `GT` among them.
    """
    folder = Path(category_folder) / format_folder
    return TripletPaths.of_kinds({kind: folder / kind / f"{patch_id}.png" for kind in kinds})


def patch_id(key: str, window: int, crop: int = 0) -> str:
    """Return the file name, without its suffix, of a patch of a window; by name it lies beside the others.

    Args:
        key: The video's key.
        window: Number of the window.
        crop: Number of the patch among those of the window.
    """
    return f"{key}_{window_name(window, crop)}"


def window_name(window: int, crop: int = 0) -> str:
    """Return what names a patch of a window in its video; arguments as in `patch_id`."""
    return f"{window:06d}_c{crop}" if crop else f"{window:06d}"


def content_hash(content: bytes) -> str:
    """Return the hash of a file's content: BLAKE2b of 64 bits, in hexadecimal digits.

    1.8 CPU ms for the three files of a 540x540 patch, a thousandth of what its window costs.
    """
    return hashlib.blake2b(content, digest_size=HASH_BYTES).hexdigest()
