"""The data set in an object store, of which a machine's folder is a copy.

What a run adds or deletes goes to the folder first, as without a store, and then, in the same order, to the
store: first the journal, then files, then the tables that name them, then what is deleted (`work`). What the
store has decides: a machine that takes up a film replaces what differs in its folder (`pull_film`).

Small objects (tables, and what users or runs say of a video) are replaced only where the store still has what
this machine saw last, so that not even a machine that slept overwrites the tables of another. What it saw
last is recorded beside the tables, by ETag. Not here: leases (`store_leases`), and requests (`object_store`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, TypeVar

from dataset_assets import layout
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.triplets import content_hash
from dataset_assets.disk import make_folder, replacing
from dataset_assets.object_store import ObjectStore, StoredObject, StoreError

# Requests wait for the network: 16 at a time upload three times as many files a second as one at a time.
REQUESTS_AT_A_TIME: Final = 16
_RECORDS: Final = layout.MIRROR / "seen"
_COMPARED: Final = layout.MIRROR / "compared"

_Item = TypeVar("_Item")


class NamedFile(Protocol):
    """A file that a row names, of a patch or a degraded stack."""

    @property
    def path(self) -> str:
        """Relative to the data set's folder."""

    @property
    def size_bytes(self) -> int | None:
        """Its size; None only in a damaged row."""

    @property
    def content_hash(self) -> str | None:
        """BLAKE2b of its content; None only in a damaged row."""


class Mirror:
    """The objects of a data set, and its copy in a folder.

    Attributes:
        url: Address of the data set in the store.
    """

    def __init__(self, folder: Path, url: str) -> None:
        """Store the arguments; nothing is opened.

        Args:
            folder: The folder of this machine.
            url: Address of the data set in the store.
        """
        self.url = url
        self._folder = folder
        self._tables = TableStore(folder)
        self._store = ObjectStore(url)

    def put(self, paths: Iterable[Path]) -> None:
        """Upload files of the folder over those of their names.

        Raises:
            StoreError: The store cannot be written.
            OSError: A file cannot be read.
        """
        _each(lambda path: self._store.put(self._name(path), path.read_bytes()), paths)

    def delete(self, paths: Iterable[Path]) -> None:
        """Delete the objects of files; one that is absent is no error.

        Raises:
            StoreError: The store cannot be written.
        """
        self._store.delete(self._name(path) for path in paths)

    def put_small(self, path: Path) -> None:
        """Upload a table, or what is said of a video, over what this machine saw last in the store.

        Raises:
            StoreError: The store cannot be written, or another machine has written the object since.
        """
        name, content = self._name(path), path.read_bytes()
        seen = self._seen(name)[0]
        etag = self._store.replace(name, content, seen) if seen else self._store.create(name, content)
        if etag is None:
            # The answer to a request that was repeated may have been lost.
            found = self._store.get(name)
            if found is None or found[1] != content:
                raise StoreError(
                    f"{self.url}/{name} was written by another machine at the same time",
                    "start again; what is committed stays",
                )
            etag = found[0].etag
        self._record(path, etag)

    def delete_small(self, path: Path) -> None:
        """Delete the object of a table, or of what is said of a video.

        Raises:
            StoreError: The store cannot be written.
        """
        self.delete([path])
        self._record_path(self._name(path)).unlink(missing_ok=True)

    def pull_small(self, path: Path) -> None:
        """Replace a table, or what is said of a video, by what the store has; remove it where it has none.

        Raises:
            StoreError: The store cannot be read.
            OSError: The disk is full or cannot be written.
        """
        name = self._name(path)
        seen, is_unchanged = self._seen(name)
        found = self._store.get(name, other_than=seen if is_unchanged else None)
        if found is not None and is_unchanged and found[0].etag == seen:
            return
        if found is None:
            self._record_path(name).unlink(missing_ok=True)
            if not path.exists():
                return
        if any(path.is_relative_to(self._tables.root / kind) for kind in ("patches", "degradations")):
            # Its files may be those of other rows: they are compared before they are trusted.
            self._compared_path(_key_of(path)).unlink(missing_ok=True)
        if found is None:
            if path.is_relative_to(self._tables.root) and path.suffix == ".parquet":
                self._tables.remove(path)
            else:
                path.unlink(missing_ok=True)
            return
        make_folder(path.parent, self._folder)
        with replacing(path) as file:
            file.write(found[1])
        self._record(path, found[0].etag)

    def pull_film(self, key: str) -> None:
        """Make the tables of a video, and what is said of it, those of the store: 7 to 13 requests.

        Used while nobody else may write them, here or elsewhere.

        Raises:
            StoreError: The store cannot be read.
            OSError: The disk is full or cannot be written.
        """
        folders = self._store.folders((layout.METADATA / "patches").as_posix())
        categories = {name.partition("=")[2] for name in folders} | set(self._tables.categories())
        paths = [self._tables.video_path(key), self._tables.windows_path(key)]
        paths += self._tables.paths_of_categories(key, sorted(categories))
        paths += [self._folder / each / f"{key}.json" for each in (layout.EXCLUDED_WINDOWS, layout.FAILURES)]
        _each(self.pull_small, paths)

    def stale(self) -> dict[str, list[Path]]:
        """Return the tables, and what is said of videos, that differ from the store's, by the video's key.

        The table of near-duplicates is of no video: its key is empty.

        5,000 videos with 3 categories are 25,000 objects: 25 requests.

        Raises:
            StoreError: The store cannot be read.
        """
        kinds = ("videos", "windows", "patches", "scores", "degradations", "validation")
        roots = [layout.METADATA / name for name in kinds]
        roots += [layout.EXCLUDED_WINDOWS, layout.FAILURES, layout.DUPLICATES]
        stored: dict[Path, StoredObject] = {}
        for found in _each(lambda root: list(self._store.objects(root.as_posix())), roots):
            stored |= {self._folder / each.name: each for each in found}
        here = {
            *self._tables.video_files().values(),
            *self._tables.windows_files().values(),
        }
        for name in self._tables.categories():
            here.update(self._tables.patches_files(name).values())
            here.update(self._tables.scores_files(name).values())
            here.update(self._tables.degradations_files(name).values())
        for of_category in self._tables.validation_files().values():
            here.update(of_category.values())
        for root in (layout.EXCLUDED_WINDOWS, layout.FAILURES):
            here.update((self._folder / root).glob("[!.]*.json"))
        here.update((self._folder / layout.DUPLICATES).glob("[!.]*.parquet"))
        stale = here - stored.keys()
        stale |= {path for path, each in stored.items() if self._seen(each.name) != (each.etag, True)}
        found_by_key: dict[str, list[Path]] = {}
        for path in sorted(stale):
            found_by_key.setdefault(_key_of(path), []).append(path)
        return found_by_key

    def pull_files(self, key: str, files: Collection[NamedFile]) -> None:
        """Download files of a video that its rows name and the folder lacks, or has with another content.

        Contents are compared only after another machine has changed the tables: otherwise sizes are.

        Args:
            key: The video's key.
            files: The files, as the rows describe them.

        Raises:
            StoreError: The store cannot be read.
            OSError: The disk is full or cannot be written.
        """
        compared = self._compared_path(key)
        reads = not compared.exists()
        _each(self._fetch, [file.path for file in files if not self._has(file, reads=reads)])
        compared.parent.mkdir(parents=True, exist_ok=True)
        compared.touch()

    def fetch(self, path: Path) -> None:
        """Download a file, named relative to the data set's folder; one that the store lacks is no error.

        Raises:
            StoreError: The store cannot be read.
            OSError: The disk is full or cannot be written.
        """
        self._fetch(path.as_posix())

    def distrust_files(self, key: str) -> None:
        """Have the next `pull_files` compare the contents of a video's files."""
        self._compared_path(key).unlink(missing_ok=True)

    def files_in(self, folder: Path) -> Iterable[StoredObject]:
        """List the objects below a folder, in the order of their names.

        Raises:
            StoreError: The store cannot be read.
        """
        return self._store.objects(folder.as_posix())

    def has(self, path: Path) -> bool:
        """Return whether the store has a file, named relative to the data set's folder.

        Raises:
            StoreError: The store cannot be read.
        """
        return self._store.get(path.as_posix()) is not None

    def fetch_others(self, stored: Iterable[StoredObject]) -> None:
        """Download the files that the folder lacks, or has with another content: by size and ETag.

        Raises:
            StoreError: The store cannot be read.
            OSError: The disk is full or cannot be written.
        """
        _each(self._fetch, [each.name for each in stored if not self._is_same(each)])

    def journals(self, key: str = "") -> dict[Path, bytes]:
        """Return the contents of a video's journals in the store, by the path that each has in the folder.

        Args:
            key: The video's key; all videos by default.

        Raises:
            StoreError: The store cannot be read.
        """
        prefix, names = f"{layout.JOURNALS.as_posix()}/{key and key + '.'}", []
        for each in self._store.objects(layout.JOURNALS.as_posix(), after=prefix if key else ""):
            if not each.name.startswith(prefix):
                break
            names.append(each.name)
        found = zip(names, _each(self._store.get, names), strict=True)
        return {self._folder / name: each[1] for name, each in found if each is not None}

    def _fetch(self, name: str) -> None:
        found = self._store.get(name)
        if found is None:
            return  # reported by who checks the files
        path = self._folder / name
        make_folder(path.parent, self._folder)
        # Not flushed: what a power cut leaves of it has another size, or is found by `verify`.
        with replacing(path, is_durable=False) as file:
            file.write(found[1])

    def _is_same(self, stored: StoredObject) -> bool:
        path = self._folder / stored.name
        try:
            if path.stat().st_size != stored.size_bytes:
                return False
            # The ETag of what was uploaded in parts is no hash; of what a server encrypts it may be any.
            etag = stored.etag.strip('"')
            return "-" in etag or hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() == etag
        except FileNotFoundError:
            return False

    def _has(self, file: NamedFile, *, reads: bool) -> bool:
        path = self._folder / file.path
        try:
            if path.stat().st_size != file.size_bytes:
                return False
            return not reads or content_hash(path.read_bytes()) == file.content_hash
        except FileNotFoundError:
            return False

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _record_path(self, name: str) -> Path:
        return self._folder / _RECORDS / f"{name}.json"  # not .parquet: `metadata` is read as a whole

    def _compared_path(self, key: str) -> Path:
        return self._folder / _COMPARED / key

    def _seen(self, name: str) -> tuple[str, bool]:
        """Return the ETag under which an object was seen last, and whether the file is still that content."""
        try:
            etag, *mark = json.loads(self._record_path(name).read_bytes())
            return str(etag), mark == _mark(self._folder / name)
        except (OSError, ValueError, TypeError):
            return "", False

    def _record(self, path: Path, etag: str) -> None:
        record = self._record_path(self._name(path))
        record.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError), replacing(record, is_durable=False) as file:
            file.write(json.dumps([etag, *_mark(path)]).encode())


def _mark(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _key_of(path: Path) -> str:
    """Return the video that a table, or what is said of a video, belongs to; empty where it is of all."""
    return path.parent.name.partition("=")[2] if path.suffix == ".parquet" else path.stem


_Result = TypeVar("_Result")


def _each(call: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Call a function for each item, so many at a time; the first error is raised when all have ended."""
    chosen = list(items)
    if len(chosen) < 2:
        return [call(each) for each in chosen]
    with ThreadPoolExecutor(min(REQUESTS_AT_A_TIME, len(chosen)), thread_name_prefix="store") as pool:
        return list(pool.map(call, chosen))
