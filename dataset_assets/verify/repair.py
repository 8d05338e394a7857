"""Deleting what is broken, so that the next `generate` rebuilds it.

Rows go before files, and files are noted before their rows go: a repair that is killed leaves no file without
a note, as a run does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dataset_assets.dataset import DataSet, TripletPaths
from dataset_assets.errors import BusyError
from dataset_assets.tables import PATCHES, WINDOWS
from dataset_assets.verify.findings import Mend
from dataset_assets.verify.tables import own_files

Marks = Sequence[tuple[Path, int, int, int]]


def table_marks(data_set: DataSet, key: str) -> Marks:
    """Return marks of a video's tables that a run would change."""
    paths = [data_set.tables.video_path(key), data_set.tables.windows_path(key)]
    paths += [data_set.tables.patches_path(category, key) for category in data_set.tables.categories()]
    stats = [(path, path.stat()) for path in paths if path.exists()]
    return [(path, stat.st_ino, stat.st_mtime_ns, stat.st_size) for path, stat in stats]


def delete_broken(data_set: DataSet, key: str, mend: Mend, marks: Marks) -> None:
    """Delete what is broken of a video.

    Args:
        data_set: The data set.
        key: The video's key.
        mend: What goes.
        marks: The tables as they were when it was found.

    Raises:
        BusyError: A run works on the video, or has changed it since.
        DatasetAssetsError: A table that should be kept cannot be read.
        OSError: The disk is full or cannot be written.
    """
    with data_set.lock(key):
        if table_marks(data_set, key) != marks:
            raise BusyError(f"{key}: a run has changed its tables meanwhile", "verify it again")
        # Not `work_on`: it reads every table to remove what a killed run left; one may be damaged.
        journal = data_set.journal(key)
        journal.make()
        journal.note([*mend.triplets, *_files_of_rows(data_set, key, mend)])
        for path in mend.tables:
            data_set.tables.remove(path)
        for category in data_set.tables.categories():
            _rewrite_patches(data_set, category, key, mend)
        _rewrite_windows(data_set, key, mend)
        journal.settle()
        for path in mend.leftovers:
            path.unlink(missing_ok=True)
        journal.end()


def _files_of_rows(data_set: DataSet, key: str, mend: Mend) -> list[TripletPaths]:
    files = []
    for category, positions in mend.rows.items():
        rows = data_set.tables.read_patches(category, key)
        files += [own for position in positions if (own := own_files(key, rows[position])) is not None]
    return files


def _rewrite_patches(data_set: DataSet, category: str, key: str, mend: Mend) -> None:
    path, broken = data_set.tables.patches_path(category, key), mend.rows.get(category, ())
    provenance = data_set.tables.read_provenance(path) if broken or path in mend.reopened else None
    if provenance is not None and path not in mend.tables:
        rows = data_set.tables.read_patches(category, key)
        kept = [row for position, row in enumerate(rows) if position not in broken]
        data_set.tables.write(path, PATCHES, kept, replace(provenance, complete=False))


def _rewrite_windows(data_set: DataSet, key: str, mend: Mend) -> None:
    path = data_set.tables.windows_path(key)
    provenance = data_set.tables.read_provenance(path) if mend.windows or path in mend.reopened else None
    if provenance is not None and path not in mend.tables:
        kept = [row for row in data_set.tables.read_windows(key) if row.window not in mend.windows]
        data_set.tables.write(path, WINDOWS, kept, replace(provenance, complete=False))
