"""Delete what is broken, so that the next `generate` rebuilds it.

Files are recorded in the journal before their rows are deleted, and rows are deleted before files, as in a
run: a repair that is killed leaves no file that is not recorded. Not here: deciding what is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dataset_assets.dataset import DataSet, TripletPaths, VideoWork
from dataset_assets.errors import BusyError
from dataset_assets.tables import PATCHES, WINDOWS
from dataset_assets.verify.findings import RepairPlan
from dataset_assets.verify.patches import own_files
from dataset_assets.verify.tables import strata_below

Marks = Sequence[tuple[Path, int, int, int]]


def table_marks(data_set: DataSet, key: str) -> Marks:
    """Return marks of a video's tables that a run would change."""
    paths = [data_set.tables.video_path(key), data_set.tables.windows_path(key)]
    for category in data_set.tables.categories():
        paths += [
            data_set.tables.patches_path(category, key),
            data_set.tables.degradations_path(category, key),
        ]
    stats = [(path, path.stat()) for path in paths if path.exists()]
    return [(path, stat.st_ino, stat.st_mtime_ns, stat.st_size) for path, stat in stats]


def delete_broken(data_set: DataSet, key: str, plan: RepairPlan, marks: Marks) -> None:
    """Delete what is broken in a video.

    Args:
        data_set: The data set.
        key: The video's key.
        plan: What is deleted.
        marks: The tables as they were when the damage was detected.

    Raises:
        BusyError: A run works on the video, or has changed it since.
        DatasetAssetsError: A table that should be kept cannot be read.
        OSError: The disk is full or cannot be written.
    """
    with data_set.hold(key) as work:
        if table_marks(data_set, key) != marks:
            raise BusyError(f"{key}: a run has changed its tables meanwhile", "verify it again")
        _add_rows_of_strata(data_set, key, plan)
        # Not `work_on`: it reads every table to remove what a killed run left; one may be damaged.
        journal = work.journal
        journal.make()
        journal.note([*plan.triplets, *_files_of_rows(data_set, key, plan)])
        for category, patches in plan.degraded.items():
            work.withdraw_degraded(category, patches)
        for category in data_set.tables.categories():
            if data_set.tables.patches_path(category, key) in plan.tables:
                work.remove_table(data_set.tables.degradations_path(category, key))
        for path in plan.tables:
            work.remove_table(path)
        for category in data_set.tables.categories():
            _rewrite_patches(data_set, category, key, plan, work)
        _rewrite_windows(data_set, key, plan, work)
        journal.settle()
        for path in plan.leftovers:
            path.unlink(missing_ok=True)
        journal.end()


def _add_rows_of_strata(data_set: DataSet, key: str, plan: RepairPlan) -> None:
    """Delete the patches of deleted windows in strata too: no run finds these windows again."""
    path = data_set.tables.windows_path(key)
    made = data_set.tables.read_provenance(path) if plan.windows and path not in plan.tables else None
    gone = {window for window in plan.windows if made is not None and window < strata_below(made)}
    for category in data_set.tables.categories() if gone else ():
        if data_set.tables.patches_path(category, key) not in plan.tables:
            rows = data_set.tables.read_patches(category, key)
            plan.rows[category].update(position for position, row in enumerate(rows) if row.window in gone)


def _files_of_rows(data_set: DataSet, key: str, plan: RepairPlan) -> list[TripletPaths]:
    files = []
    for category, positions in plan.rows.items():
        rows = data_set.tables.read_patches(category, key)
        files += [own for position in positions if (own := own_files(key, rows[position])) is not None]
    return files


def _rewrite_patches(data_set: DataSet, category: str, key: str, plan: RepairPlan, work: VideoWork) -> None:
    path, broken = data_set.tables.patches_path(category, key), plan.rows.get(category, ())
    provenance = data_set.tables.read_provenance(path) if broken or path in plan.reopened else None
    if provenance is not None and path not in plan.tables:
        rows = data_set.tables.read_patches(category, key)
        kept = [row for position, row in enumerate(rows) if position not in broken]
        work.withdraw_degraded(category, [rows[position] for position in broken])
        work.write_table(path, PATCHES, kept, replace(provenance, complete=False))


def _rewrite_windows(data_set: DataSet, key: str, plan: RepairPlan, work: VideoWork) -> None:
    path = data_set.tables.windows_path(key)
    provenance = data_set.tables.read_provenance(path) if plan.windows or path in plan.reopened else None
    if provenance is not None and path not in plan.tables:
        kept = [row for row in data_set.tables.read_windows(key) if row.window not in plan.windows]
        work.write_table(path, WINDOWS, kept, replace(provenance, complete=False))
