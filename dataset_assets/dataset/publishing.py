"""Write triplets so that every named file is complete, and every row has its files.

All that a run adds to a data set passes through here and `TableStore.write`: storage of another kind replaces
these two. Not here: what is written, and when (`generate`).
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from dataset_assets.dataset.triplets import TripletPaths
from dataset_assets.disk import flush, make_folder, temporary
from dataset_assets.patches import EncodedTriplet

# fsync waits for the disk, not for the processor: 8 at once let the file system commit them together.
FLUSH_THREADS: Final = 8


class TripletWriter:
    """Write triplets under temporary names and give them their names together, at a checkpoint.

    The order that survives a power cut: the names of the folders on disk before a file is written there;
    contents on disk, then names, then the folders that hold them on disk; only then may the caller write
    rows. So a name never leads to an incomplete file, and a row never to a missing one.
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
            files: Contents of those that are to be written.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        names = paths.by_kind
        for kind, content in files.items():
            self._write(names[kind], content)

    def commit(self, triplets: Iterable[Iterable[Path]]) -> None:
        """Flush files to disk and give them their names; others that were written stay as they are.

        Args:
            triplets: The files of each triplet that were written since the last commit.

        Raises:
            OSError: The disk is full or cannot be written; some may have their names already.
        """
        finals = [self._root / path for triplet in triplets for path in triplet]
        # All contents before the first name: a name may reach the disk without being flushed.
        with ThreadPoolExecutor(FLUSH_THREADS) as pool:
            list(pool.map(flush, map(temporary, finals)))
        for final in finals:
            temporary(final).replace(final)
            self._unnamed.discard(final)
        for folder in sorted({final.parent for final in finals}):
            flush(folder)

    def discard(self) -> None:
        """Delete what was written and got no name."""
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
