"""Taking away what is broken, so that the next `generate` makes it again.

Rows go before files, and files are noted before their rows go: a repair that is killed leaves no file without
a note, as a run does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dataset_assets.errors import BusyError
from dataset_assets.generate.journal import Journal
from dataset_assets.generate.lock import video_lock
from dataset_assets.generate.video import LOCK_FOLDER
from dataset_assets.patches.triplets import TripletPaths
from dataset_assets.tables import PATCHES, WINDOWS, TableStore
from dataset_assets.verify.findings import Mend
from dataset_assets.verify.tables import own_files

Marks = Sequence[tuple[Path, int, int, int]]


def table_marks(store: TableStore, key: str) -> Marks:
    """Tells the tables of a video from what a run would put in their place."""
    paths = [store.video_path(key), store.windows_path(key)]
    paths += [store.patches_path(category, key) for category in store.categories()]
    stats = [(path, path.stat()) for path in paths if path.exists()]
    return [(path, stat.st_ino, stat.st_mtime_ns, stat.st_size) for path, stat in stats]


def take_away(store: TableStore, key: str, mend: Mend, marks: Marks) -> None:
    """Delete what is broken of a video.

    Args:
        store: The data set's tables.
        key: The video's key.
        mend: What goes.
        marks: The tables as they were when it was found.

    Raises:
        BusyError: A run works on the video, or has changed it since.
        DatasetAssetsError: A table that should be kept cannot be read.
        OSError: The disk is full or cannot be written.
    """
    with video_lock(store.root / LOCK_FOLDER, key):
        if table_marks(store, key) != marks:
            raise BusyError(f"{key}: a run has changed its tables meanwhile; verify it again")
        # Not `journal_kept`: it reads every table to clear away what a killed run left; one may be damaged.
        journal = Journal(store, key)
        journal.make()
        journal.note([*mend.triplets, *_files_of_rows(store, key, mend)])
        for path in mend.tables:
            store.remove(path)
        for category in store.categories():
            _rewrite_patches(store, category, key, mend)
        _rewrite_windows(store, key, mend)
        journal.settle()
        for path in mend.leftovers:
            path.unlink(missing_ok=True)
        journal.end()


def _files_of_rows(store: TableStore, key: str, mend: Mend) -> list[TripletPaths]:
    files = []
    for category, positions in mend.rows.items():
        rows = store.read_patches(category, key)
        files += [own for position in positions if (own := own_files(key, rows[position])) is not None]
    return files


def _rewrite_patches(store: TableStore, category: str, key: str, mend: Mend) -> None:
    path, broken = store.patches_path(category, key), mend.rows.get(category, ())
    provenance = store.read_provenance(path) if broken or path in mend.reopened else None
    if provenance is not None and path not in mend.tables:
        rows = store.read_patches(category, key)
        kept = [row for position, row in enumerate(rows) if position not in broken]
        store.write(path, PATCHES, kept, replace(provenance, complete=False))


def _rewrite_windows(store: TableStore, key: str, mend: Mend) -> None:
    path = store.windows_path(key)
    provenance = store.read_provenance(path) if mend.windows or path in mend.reopened else None
    if provenance is not None and path not in mend.tables:
        kept = [row for row in store.read_windows(key) if row.window not in mend.windows]
        store.write(path, WINDOWS, kept, replace(provenance, complete=False))
