"""Where single pictures of an export lie: files in folders, or values in LMDB.

Here: putting, taking over and reading one picture. Not here: names of pictures (the layouts), and which are
put (`picture_files`).
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from dataset_assets.exports.layouts.protocol import Kind

if TYPE_CHECKING:
    import lmdb

# Pages of values that are less than half full, meta pages, branches; an unused part of the map costs nothing.
MAP_BYTES_PER_BYTE: Final = 2
MAP_BYTES_MORE: Final = 1 << 30
LMDB_FILES: Final = ("data.mdb", "lock.mdb")
META_INFO: Final = "meta_info.txt"
LINKLESS_ERRNOS: Final = frozenset(
    (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
)
# A disk with less is full for a library that does not say why it failed.
FULL_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """One picture of an export.

    Attributes:
        folder: Folder or database, such as `GT`.
        key: Its name in it without suffix, such as `film/000012/im4`.
        kind: Ground truth or LR.
        frame: Which frame of the window, 0..6.
    """

    folder: str
    key: str
    kind: Kind
    frame: int


class Store(Protocol):
    """The pictures of one split."""

    def put(self, place: Place, content: bytes) -> None:
        """Store a picture, in the place of any other."""

    def take(self, place: Place) -> bool:
        """Take a picture over from the former export; return whether it has it."""

    def get(self, place: Place) -> bytes:
        """Read a picture.

        Raises:
            OSError: The file is absent or cannot be read.
            KeyError: The database has no such key.
        """

    def files(self, places: Iterable[Place]) -> set[str]:
        """Return the files that hold pictures, as posix paths relative to the store's folder."""

    def keep(self, places: Collection[Place]) -> None:
        """Delete other pictures from files that hold many."""

    def commit(self) -> None:
        """Hand over to the operating system what was put."""

    def close(self) -> None:
        """Close what is open."""


class Tree:
    """Pictures as PNG files."""

    def __init__(self, folder: Path, former: Path | None = None) -> None:
        """Store the folders of this split in this export, and in the one before."""
        self._folder = folder
        self._former = former
        self._made: set[Path] = set()

    def put(self, place: Place, content: bytes) -> None:
        """Write a file; one that is there may share its content with the data set, so it is replaced."""
        with self._new(_png(place)).open("xb") as file:
            file.write(content)

    def link(self, place: Place, source: Path) -> bool:
        """Hard-link a file; return whether the file system could."""
        return _linked(source, self._new(_png(place)))

    def take(self, place: Place) -> bool:
        """Link or copy a picture of the former export."""
        return self.take_file(_png(place))

    def take_file(self, name: str) -> bool:
        """Link or copy any file of the former export; return whether it has it.

        Args:
            name: Posix path, relative to the store's folder.
        """
        if self._former is None or not (self._former / name).is_file():
            return False
        path = self._new(name)
        if not _linked(self._former / name, path):
            shutil.copyfile(self._former / name, path)
        return True

    def get(self, place: Place) -> bytes:
        """Read a file."""
        return (self._folder / _png(place)).read_bytes()

    def files(self, places: Iterable[Place]) -> set[str]:
        """Return a file for each picture."""
        return {_png(place) for place in places}

    def keep(self, places: Collection[Place]) -> None:
        """Do nothing: no file holds many pictures."""

    def commit(self) -> None:
        """Do nothing: every file is closed."""

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _new(self, name: str) -> Path:
        path = self._folder / name
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        path.unlink(missing_ok=True)
        return path


class Databases:
    """Pictures as values of LMDB databases, `<folder>.lmdb`, under their keys."""

    def __init__(self, folder: Path, former: Path | None = None, *, size_bytes: int | None = None) -> None:
        """Store the folders of this split in this export, and in the one before.

        Args:
            folder: The folder of this split.
            former: That of the export before.
            size_bytes: Estimated bytes of a database to write; None to read only.
        """
        self._folder = folder
        self._former = former
        self._size_bytes = size_bytes
        self._opened: dict[Path, lmdb.Environment] = {}
        self._writing: dict[str, lmdb.Transaction] = {}

    def put(self, place: Place, content: bytes) -> None:
        """Put a value."""
        with self._disk_errors(place.folder):
            self._transaction(place.folder).put(place.key.encode(), content)

    def take(self, place: Place) -> bool:
        """Put the value that the former export has."""
        if self._former is None or not _database(self._former, place.folder).is_dir():
            return False
        content = self._read(self._former, place)
        if content is None:
            return False
        self.put(place, content)
        return True

    def get(self, place: Place) -> bytes:
        """Read a value."""
        content = self._read(self._folder, place)
        if content is None:
            raise KeyError(place.key)
        return content

    def files(self, places: Iterable[Place]) -> set[str]:
        """Return the databases' files; their lists are written last."""
        folders = {place.folder for place in places}
        return {f"{folder}.lmdb/{name}" for folder in folders for name in LMDB_FILES}

    def keep(self, places: Collection[Place]) -> None:
        """Delete other keys."""
        kept = {(place.folder, place.key.encode()) for place in places}
        for folder in {place.folder for place in places}:
            transaction = self._transaction(folder)
            with transaction.cursor() as cursor:
                unwanted = [key for key in cursor.iternext(values=False) if (folder, key) not in kept]
            for key in unwanted:
                transaction.delete(key)
        self.commit()

    def commit(self) -> None:
        """Commit what was put, to the disk."""
        for folder, transaction in self._writing.items():
            with self._disk_errors(folder):
                transaction.commit()
        self._writing.clear()

    def close(self) -> None:
        """Abort what was not committed, and close the databases."""
        for transaction in self._writing.values():
            transaction.abort()
        self._writing.clear()
        for environment in self._opened.values():
            environment.close()
        self._opened.clear()

    def _transaction(self, folder: str) -> lmdb.Transaction:
        if folder not in self._writing:
            path = _database(self._folder, folder)
            path.mkdir(parents=True, exist_ok=True)
            self._writing[folder] = self._open(path, is_read=False).begin(write=True)
        return self._writing[folder]

    @contextmanager
    def _disk_errors(self, folder: str) -> Iterator[None]:
        import lmdb

        try:
            yield
        except lmdb.Error as error:
            raise disk_error(_database(self._folder, folder), error) from error

    def _read(self, root: Path, place: Place) -> bytes | None:
        import lmdb

        path = _database(root, place.folder)
        try:
            with self._open(path, is_read=True).begin() as transaction:
                content: bytes | None = transaction.get(place.key.encode())
        except lmdb.Error as error:
            raise ValueError(f"{path} is missing or damaged: {error}") from error
        return content

    def _open(self, path: Path, *, is_read: bool) -> lmdb.Environment:
        import lmdb  # an extra

        if path not in self._opened:
            if is_read:
                self._opened[path] = lmdb.open(str(path), readonly=True, lock=False, create=False)
            else:
                size = MAP_BYTES_MORE + MAP_BYTES_PER_BYTE * (self._size_bytes or 0)
                self._opened[path] = lmdb.open(str(path), map_size=size)
        return self._opened[path]


def disk_error(path: Path, error: Exception) -> OSError:
    """Return the disk's error behind one of a C library, which names none, or only in its text."""
    is_full = shutil.disk_usage(path.parent).free < FULL_BYTES or os.strerror(errno.ENOSPC) in str(error)
    number = errno.ENOSPC if is_full else errno.EIO
    return OSError(number, os.strerror(number), str(path))


def _linked(source: Path, path: Path) -> bool:
    try:
        os.link(source, path)
    except OSError as error:
        # Of these disks and kinds of disk, or so many links to one file, there can be none.
        if error.errno in LINKLESS_ERRNOS:
            return False
        raise
    return True


def _png(place: Place) -> str:
    return f"{place.folder}/{place.key}.png"


def _database(root: Path, folder: str) -> Path:
    return root / f"{folder}.lmdb"
