"""The three files of a triplet: made from a window's crops, and written so that a name means a whole file.

Which crops, and when the rows of the table follow, is decided by the caller.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dataset_assets.disk import flush, make_folder, temporary
from dataset_assets.frames import LR5_FRAMES, MIDDLE_FRAME
from dataset_assets.patches.downscale import Kernel, downscale
from dataset_assets.patches.png import encode_png

KINDS = ("GT", "LR_5frames", "LR_7frames")
# fsync waits for the disk, not for the processor: 8 at once let the file system commit them together.
FLUSH_THREADS = 8

# Of GT, LR_5frames and LR_7frames.
Pictures: TypeAlias = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
EncodedTriplet: TypeAlias = tuple[bytes, bytes, bytes]


HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class TripletPaths:
    """The files of a triplet, relative to the data set's folder."""

    gt: Path
    lr5: Path
    lr7: Path

    def __iter__(self) -> Iterator[Path]:
        """Yield GT, LR_5frames, LR_7frames."""
        return iter((self.gt, self.lr5, self.lr7))


def triplet_paths(category_folder: str, format_folder: str, patch_id: str) -> TripletPaths:
    """Names the files of a triplet.

    Args:
        category_folder: The category's folder in the data set.
        format_folder: The format's folder in it.
        patch_id: File name without its suffix.
    """
    folder = Path(category_folder) / format_folder
    return TripletPaths(*(folder / kind / f"{patch_id}.png" for kind in KINDS))


def patch_id(key: str, window: int) -> str:
    """File name, without its suffix, of the patches of a window."""
    return f"{key}_{window:06d}"


def stack_triplet(crops: npt.NDArray[np.uint8], kernel: Kernel) -> Pictures:
    """Make the pictures of a triplet.

    Args:
        crops: Shape (7, height, width, 3), uint8: the same crop of frames 0..6.
        kernel: Kernel of the LR.

    Returns:
        GT (height, width, 3), LR of frames 1..5 stacked downwards (5 height / 3, width / 3, 3), and LR of
        frames 0..6 (7 height / 3, width / 3, 3).
    """
    small = downscale(crops, kernel)
    _, _, width, channels = small.shape
    return (
        crops[MIDDLE_FRAME],
        small[LR5_FRAMES].reshape(-1, width, channels),
        small.reshape(-1, width, channels),
    )


def encode_triplet(pictures: Pictures) -> EncodedTriplet:
    """Encode the pictures of a triplet, channels blue, green, red, as PNG."""
    gt, lr5, lr7 = map(encode_png, pictures)
    return gt, lr5, lr7


class TripletWriter:
    """Writes triplets under temporary names and gives them their names together, at a checkpoint.

    The order that survives a power cut: the names of the folders on disk before a file is written there;
    contents on disk, then names, then the folders that hold them on disk; only then may the caller write
    rows. A name therefore never leads to a part of a file, and a row to no missing one.
    """

    def __init__(self, root: Path) -> None:
        """Write below `root`, the data set's folder."""
        self._root = root
        self._unnamed: set[Path] = set()
        self._folders: set[Path] = set()

    def write(self, paths: TripletPaths, files: EncodedTriplet) -> None:
        """Write a triplet's files under temporary names.

        Args:
            paths: Their final names.
            files: Their contents.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        for path, content in zip(paths, files, strict=True):
            self._write(path, content)

    def commit(self, triplets: Sequence[TripletPaths]) -> None:
        """Flushes triplets to disk and gives them their names; others that were written stay as they are.

        Args:
            triplets: Each written since the last commit.

        Raises:
            OSError: The disk is full or cannot be written; some may have their names already.
        """
        finals = [self._root / path for triplet in triplets for path in triplet]
        # All contents before the first name: a name may reach the disk by itself as soon as it is given.
        with ThreadPoolExecutor(FLUSH_THREADS) as pool:
            list(pool.map(flush, map(temporary, finals)))
        for final in finals:
            temporary(final).replace(final)
            self._unnamed.discard(final)
        for folder in sorted({final.parent for final in finals}):
            flush(folder)

    def discard(self) -> None:
        """Remove what was written and got no name."""
        for final in self._unnamed:
            temporary(final).unlink(missing_ok=True)
        self._unnamed.clear()

    def _write(self, path: Path, content: bytes) -> None:
        final = self._root / path
        if final.parent not in self._folders:
            self._make_folder(final.parent)
        self._unnamed.add(final)
        try:
            temporary(final).write_bytes(content)
        except FileNotFoundError:
            # Another video's run has just removed the empty folder.
            self._make_folder(final.parent)
            temporary(final).write_bytes(content)

    def _make_folder(self, folder: Path) -> None:
        make_folder(folder, self._root)
        self._folders.add(folder)


def content_hash(content: bytes) -> str:
    """Tells a file's content from any other: BLAKE2b of 64 bits, in hexadecimal digits.

    1.8 CPU ms for the three files of a 540x540 patch, a thousandth of what its window costs.
    """
    return hashlib.blake2b(content, digest_size=HASH_BYTES).hexdigest()
