"""This machine's copy of a data set that is in an object store, as commands need it.

Views and plans need the tables of all videos (`refresh`), exports and trainers their files too (`pull`),
`verify` that nothing else is there or missing (`compare`). A run brings its own video up to date itself
(`DataSet.hold`). A video that a run of this machine works on is skipped: its copy is newer. Not here:
requests, and what counts as different (`mirror`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

from dataset_assets import layout
from dataset_assets.dataset.degraded import named_degraded
from dataset_assets.dataset.holding import Holding, refuse_to_wait
from dataset_assets.dataset.mirror import REQUESTS_AT_A_TIME, Mirror, NamedFile
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.triplets import FILE_NAME
from dataset_assets.errors import BusyError
from dataset_assets.frames import DEGRADED_FOLDER, FileKind
from dataset_assets.object_store import StoredObject

# How many seconds old the copy may be that a view shows.
COPY_AGE_S: Final = 30.0
# When this process last refreshed the copy in a folder, by its monotonic clock.
_refreshed_s: Final[dict[Path, float]] = {}


class Copy:
    """Brings this machine's copy up to date; does nothing where a data set is in its folder alone."""

    def __init__(self, folder: Path, mirror: Mirror | None, holding: Holding, tables: TableStore) -> None:
        """Read nothing yet.

        Args:
            folder: The folder of the copy.
            mirror: The data set in the object store; None where it is in its folder.
            holding: Who holds its videos.
            tables: The tables of the copy.
        """
        self._folder = folder
        self._mirror = mirror
        self._holding = holding
        self._tables = tables

    def begin(self) -> None:
        """Record that this machine makes the data set, and refresh its copy: at the start of a command.

        Raises:
            StoreError: The store cannot be read or written, or does not do what leases need.
            DatasetAssetsError: The folder is no copy of it.
            OSError: The disk is full or cannot be written.
        """
        if self._mirror is not None:
            self._holding.record()
            self.refresh()

    def refresh(self, max_age_s: float = 0.0) -> None:
        """Make the tables of all videos, and what is said of them, those of the store.

        Args:
            max_age_s: Nothing is done where this process did so within so many seconds.

        Raises:
            StoreError: The store cannot be read.
            DatasetAssetsError: The folder is no copy of it.
            OSError: The disk is full or cannot be written.
        """
        now_s = time.monotonic()
        if self._mirror is None or now_s - _refreshed_s.get(self._folder, -max_age_s) < max_age_s:
            return
        self._holding.record_here()
        self._mirror.fetch_others(self._mirror.files_in(layout.HOSTS))
        pull, stale = partial(self._pull_small, self._mirror), self._mirror.stale()
        with ThreadPoolExecutor(REQUESTS_AT_A_TIME, thread_name_prefix="refresh") as pool:
            list(pool.map(pull, stale, stale.values()))
        _refreshed_s[self._folder] = now_s

    def refresh_video(self, key: str) -> None:
        """Make the tables of a video, and what is said of it, those of the store.

        Raises:
            StoreError: The store cannot be read.
            OSError: The disk is full or cannot be written.
        """
        if self._mirror is None:
            return
        self._holding.record_here()
        with suppress(BusyError), self._holding.copy_locked(key, waits=False):
            self._mirror.pull_film(key)

    @contextmanager
    def hold_here(self, key: str) -> Iterator[None]:
        """Hold a video as far as this machine goes: for what it has of a video and others have not.

        Raises:
            BusyError: A run works on it.
            OSError: The disk cannot be written.
        """
        is_copy = self._mirror is not None
        holding = self._holding
        with holding.copy_locked(key, waits=False) if is_copy else holding.hold(key, refuse_to_wait):
            yield

    def pull(
        self, keys: Collection[str] | None = None, on_video: Callable[[str], None] = lambda _: None
    ) -> None:
        """Download what the copy lacks, also files.

        Args:
            keys: Keys of the videos whose files are wanted; all that have tables by default.
            on_video: Called with the key of each that is complete.

        Raises:
            StoreError: The store cannot be read.
            DatasetAssetsError: A table is damaged, or the folder is no copy of the store.
            OSError: The disk is full or cannot be written.
        """
        if self._mirror is None:
            return
        self.refresh()
        for key in self._tables.keys() if keys is None else keys:
            with suppress(BusyError), self._holding.copy_locked(key, waits=False):
                self._mirror.pull_files(key, files_of_rows(self._tables, key))
            on_video(key)

    def compare(self, folders: Iterable[Path], keys: Collection[str]) -> None:
        """Make the copy of videos what the store has, also files that no row names, and damaged ones.

        Args:
            folders: The categories' folders, relative to the data set's.
            keys: Keys of the videos.

        Raises:
            StoreError: The store cannot be read.
            DatasetAssetsError: A table is damaged, or the folder is no copy of the store.
            OSError: The disk is full or cannot be written.
        """
        if self._mirror is None:
            return
        self.refresh()
        for key in keys:
            self._mirror.distrust_files(key)
        for folder in dict.fromkeys(folders):
            self._compare_folder(self._mirror, folder, keys)
        self.pull(keys)

    def _compare_folder(self, mirror: Mirror, folder: Path, keys: Collection[str]) -> None:
        left = set(_kinds_folders(self._folder, folder))
        for parent, found in groupby(mirror.files_in(folder), lambda each: Path(each.name).parent):
            if not _is_users(folder, parent):
                self._compare_names(mirror, parent, {Path(each.name).name: each for each in found}, keys)
                left.discard(parent)
        for parent in left:
            self._compare_names(mirror, parent, {}, keys)

    def _compare_names(
        self, mirror: Mirror, parent: Path, stored: Mapping[str, StoredObject], keys: Collection[str]
    ) -> None:
        names = {name: _key_of(name) for name in stored.keys() | _names(self._folder / parent)}
        # Files of no video, too: `verify` reports them.
        wanted = [name for name, key in names.items() if name in stored and (key is None or key in keys)]
        mirror.fetch_others([stored[name] for name in wanted])
        for name, key in names.items():
            if name in stored or key is None or key not in keys:
                continue
            with suppress(BusyError), self._holding.copy_locked(key, waits=False):
                # Looked for once more: a run of this machine may have uploaded it after the list was made.
                if not mirror.has(parent / name):
                    (self._folder / parent / name).unlink(missing_ok=True)

    def _pull_small(self, mirror: Mirror, key: str, paths: Collection[Path]) -> None:
        with suppress(BusyError), self._holding.copy_locked(key, waits=False):
            for path in paths:
                mirror.pull_small(path)


def files_of_rows(tables: TableStore, key: str) -> list[NamedFile]:
    """Return the files that the rows of a video name, degraded stacks last.

    Raises:
        DatasetAssetsError: A table is damaged, or from a newer release.
    """
    categories = tables.categories()
    rows = (row for name in categories for row in tables.read_patches(name, key))
    degraded = (row for name in categories for row in named_degraded(tables, name, key))
    return [*(file for row in rows for file in row.files), *degraded]


def _kinds_folders(root: Path, folder: Path) -> Iterator[Path]:
    """Yield the folders of triplets below a category's folder, relative to the data set's."""
    for kind in (*FileKind, DEGRADED_FOLDER):
        for path in (root / folder).glob(f"*/{kind}"):
            if not _is_users(folder, path.relative_to(root)):
                yield path.relative_to(root)


def _is_users(folder: Path, parent: Path) -> bool:
    """Return whether a folder below a category's is the user's own."""
    return parent.relative_to(folder).parts[:1] == layout.VALIDATION.parts[:1]


def _key_of(name: str) -> str | None:
    """Return the video that a file belongs to; None where it is no finished file of one."""
    match = FILE_NAME.fullmatch(name)
    return None if match is None or match["temporary"] else match["key"]


def _names(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return set()
