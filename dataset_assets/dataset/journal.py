"""The files of a video that a killed run may leave behind: recorded before they are changed.

A file is recorded, and the record is on the disk, before the file is written, and before its row is deleted.
However the run ends, also by a power cut, `settle` finds every file without a row in the records, without
listing folders or reading the configuration. The journal exists as long as a run works on the video: a
journal without a run means that the run was killed. Where many machines make the data set, each holder of a
video has a journal of its own, and takes over those of earlier holders. Where the data set is in an object
store, so are its journals, from before anything is there that they record until it is settled. Not here: the
order of a commit (`generate.checkpoints`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dataset_assets.dataset.degraded import named_degraded
from dataset_assets.dataset.leases import Lease
from dataset_assets.dataset.mirror import Mirror
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.triplets import TripletPaths
from dataset_assets.disk import flush, make_folder, temporary


@contextmanager
def journal_kept(journal: Journal) -> Iterator[Journal]:
    """Keep a journal while a run works on its video; what an earlier run left behind is deleted first.

    Used under the video's lock.

    Raises:
        DatasetAssetsError: A table is damaged, or from a newer release.
        OSError: The disk is full or cannot be written.
    """
    journal.begin()
    try:
        yield journal
    finally:
        with suppress(OSError):
            journal.end()


class Journal:
    """The recorded files of one video."""

    def __init__(
        self,
        folder: Path,
        journals: Path,
        tables: TableStore,
        key: str,
        lease: Lease | None = None,
        mirror: Mirror | None = None,
    ) -> None:
        """Read what earlier runs recorded.

        Args:
            folder: The data set's folder.
            journals: The folder of the journals.
            tables: The data set's tables.
            key: The video's key.
            lease: The video's lease; None where one machine makes the data set.
            mirror: The data set in an object store; None where it is in its folder.

        Raises:
            StoreError: The object store cannot be read.
        """
        self._folder = folder
        self._tables = tables
        self._key = key
        self._lease = lease
        self._writer = 0 if lease is None else lease.number
        self._path = journals / (f"{key}.{self._writer}" if self._writer else key)
        self._mirror = mirror
        stored = {} if mirror is None else mirror.journals(key)
        self._stored = set(stored)
        self._is_published = True
        self._earlier = {
            writer: path
            for path in {*journal_paths(journals, key), *stored}
            if (writer := _writer_of(path)) < self._writer
        }
        self._noted = set[Path]().union(
            *map(_read, (self._path, *self._earlier.values())), *map(_parse, stored.values())
        )

    def begin(self) -> None:
        """Delete what an earlier run left behind, and write an empty journal to the disk.

        Raises:
            DatasetAssetsError: A table is damaged, or from a newer release.
            OSError: The disk is full or cannot be written.
        """
        if self._earlier or self._stored or self._path.exists():
            self._tables.remove_temporaries(self._key)
            self.make()
            self.settle()
        else:
            self.make()

    def make(self) -> None:
        """Write an empty journal to the disk, or keep the existing one.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        make_folder(self._path.parent, self._folder)
        self._path.touch()
        flush(self._path.parent)

    def end(self) -> None:
        """Remove the journal, unless files without a row may be left."""
        if not self._noted:
            self._path.unlink(missing_ok=True)

    def note(self, triplets: Iterable[Iterable[Path]]) -> None:
        """Record files, triplet by triplet, that are about to be written, or to lose their rows.

        When this returns, the records are on the disk: 1 to 20 ms, where a window takes 0.4 CPU s or more.
        """
        names = [names for triplet in triplets if (names := [path.as_posix() for path in triplet])]
        if not names:
            return
        self._noted.update(Path(name) for triplet in names for name in triplet)
        with self._path.open("a", encoding="utf-8") as file:
            # Begins with a line break, since a full disk may have cut the record before.
            file.writelines("\n" + json.dumps(triplet) for triplet in names)
            file.flush()
            os.fsync(file.fileno())
        self._is_published = False

    def publish(self) -> None:
        """Upload the records, if there are other ones than in the store: called before anything else changes.

        Raises:
            StoreError: The object store cannot be written.
        """
        if self._mirror is not None and not self._is_published:
            self._mirror.put([self._path])
            self._stored.add(self._path)
            self._is_published = True

    def settle(self, named: Collection[Path] = ()) -> None:
        """Delete the recorded files that no row of the video names, and the records.

        Args:
            named: Files known to have rows, so that the tables need not be read for them.
        """
        if self._lease is not None:
            self._lease.check()
        if self._noted:
            self.publish()
            self._delete_unnamed(named)
        for path in self._earlier.values():
            path.unlink(missing_ok=True)
        self._earlier = {}
        if self._mirror is not None and self._stored:
            self._mirror.delete(self._stored)
            self._stored = set()

    def _delete_unnamed(self, named: Collection[Path]) -> None:
        root = self._folder
        writers = (self._writer, *self._earlier)
        emptied = {
            path.parent
            for path in self._noted
            for writer in writers
            if _removed(temporary(root / path, writer))
        }
        unsure = self._noted.difference(named)
        unnamed = unsure - self._named_files() if unsure else unsure
        for path in unnamed:
            _removed(root / path)
        if self._mirror is not None and unnamed:
            self._mirror.delete(root / path for path in unnamed)
        emptied.update(path.parent for path in unnamed)
        # First the files, then the records: a file that a power cut restores must still be recorded.
        for folder in emptied:
            with suppress(FileNotFoundError):
                flush(root / folder)
        os.truncate(self._path, 0)
        self._noted.clear()
        for folder in emptied:
            _remove_empty(root, folder)

    def _named_files(self) -> set[Path]:
        """Return the files that rows of the video name, in every category that has a table."""
        categories = self._tables.categories()
        tables = (self._tables.read_patches(name, self._key) for name in categories)
        named = {path for rows in tables for row in rows for path in TripletPaths.of(row)}
        for name in categories:
            named.update(Path(row.path) for row in named_degraded(self._tables, name, self._key))
        return named


def journal_paths(folder: Path, key: str) -> list[Path]:
    """List the journals of a video."""
    try:
        return sorted(path for path in folder.iterdir() if journal_key(path) == key)
    except FileNotFoundError:
        return []


def keys_with_journals(folder: Path, mirror: Mirror | None) -> list[str]:
    """Return the videos that have a journal, here or in the store, sorted.

    Raises:
        StoreError: The object store cannot be read.
    """
    paths = set() if mirror is None else set(mirror.journals())
    with suppress(FileNotFoundError):
        paths.update(folder.iterdir())
    return sorted({journal_key(path) for path in paths})


def journal_key(path: Path) -> str:
    """Return the key of the video that a journal belongs to."""
    return path.name.partition(".")[0]


def _writer_of(path: Path) -> int:
    """Return the number of the lease under which a journal was written; 0 without one."""
    return int(path.name.partition(".")[2] or 0)


def _read(path: Path) -> set[Path]:
    try:
        return _parse(path.read_bytes())
    except FileNotFoundError:
        return set()


def _parse(content: bytes) -> set[Path]:
    noted: set[Path] = set()
    for line in content.decode(errors="replace").splitlines():
        try:
            noted.update(map(Path, json.loads(line)))
        except (ValueError, TypeError):
            continue  # the first, or what a killed run or a full disk left of a line
    return noted


def _removed(path: Path) -> bool:
    """Remove a file; report whether there was one."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _remove_empty(root: Path, folder: Path) -> None:
    """Remove a folder below `root` and the folders above it, as far as they are empty."""
    while folder.parts:
        try:
            (root / folder).rmdir()
        except OSError:
            return
        folder = folder.parent
