"""Write triplets so that every named file is complete, and every row has its files.

Not here: what is written, and when (`generate`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from dataset_assets.dataset.triplets import TripletPaths
from dataset_assets.disk import flush, make_folder, rename, temporary
from dataset_assets.patches import EncodedTriplet

# fsync waits for the disk, not for the processor: 8 at once let the file system commit them together.
FLUSH_THREADS: Final = 8


class TripletWriter:
    """Write triplets under temporary names and give them their names together, at a checkpoint.

    The order that survives a power cut: the names of the folders on disk before a file is written there;
    contents on disk, then names, then the folders that hold them on disk; only then may the caller write
    rows. So a name never leads to an incomplete file, and a row never to a missing one.
    """

    def __init__(
        self,
        root: Path,
        check: Callable[[], None],
        writer: int,
        publish: Callable[[Collection[Path]], None] = lambda _: None,
    ) -> None:
        """Write nothing yet.

        Args:
            root: The data set's folder.
            check: Called before files get their names; raises, or ends the process, if this run may not write
                the video any more.
            writer: Number of the lease under which files are written, see `disk.temporary`.
            publish: Called with files that have got their names, before their rows are written.
        """
        self._root = root
        self._check = check
        self._writer = writer
        self._publish = publish
        self._unnamed: dict[Path, int] = {}
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
            self.write_file(names[kind], content)

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
            list(pool.map(flush, map(self._temporary, finals)))
        self._check()
        for final in finals:
            rename(self._temporary(final), final, self._unnamed[final])
            del self._unnamed[final]
        for folder in sorted({final.parent for final in finals}):
            flush(folder)
        self._publish(finals)

    def discard(self) -> None:
        """Delete what was written and got no name."""
        for final in self._unnamed:
            self._temporary(final).unlink(missing_ok=True)
        self._unnamed.clear()

    def write_file(self, path: Path, content: bytes) -> None:
        """Write one file under its temporary name.

        Args:
            path: Its final name, relative to the data set's folder.
            content: Its content.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        final = self._root / path
        if final.parent not in self._folders:
            self._make_folder(final.parent)
        self._unnamed[final] = len(content)
        try:
            self._temporary(final).write_bytes(content)
        except FileNotFoundError:
            # Another video's run has just removed the empty folder.
            self._make_folder(final.parent)
            self._temporary(final).write_bytes(content)

    def _temporary(self, final: Path) -> Path:
        return temporary(final, self._writer)

    def _make_folder(self, folder: Path) -> None:
        make_folder(folder, self._root)
        self._folders.add(folder)
