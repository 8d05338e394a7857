"""Finished tables that were written since the history last heard of them, found at little cost.

Other machines make tables whose runs are in no history (Slurm, SSH), or whose history was away when they
ended. Here: which these are. Not here: recording them (`assets`), when (`register_tables`).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from pathlib import Path

import dagster as dg

from dataset_assets.assets import FinishedTable, is_finished, tables_of
from dataset_assets.config import Settings
from dataset_assets.dagster_internals import last_materialized_s
from dataset_assets.dataset import COPY_AGE_S, DataSet

_Mark = tuple[int, int]


class NewTables:
    """Finds tables that changed since it last looked, and of which the history has heard nothing since.

    It remembers the inode and time of each table's file. To find 25,000 of them unchanged takes 0.4 CPU s.

    Attributes:
        lock: Held by whoever looks, and records what is found.
    """

    def __init__(self) -> None:
        """Know of no table."""
        self.lock = threading.Lock()
        self._settled: dict[Path, _Mark] = {}

    def find(
        self, instance: dg.DagsterInstance, settings: Settings, in_work: Collection[str]
    ) -> list[FinishedTable]:
        """Return the finished tables that are newer than the last record of each.

        Args:
            instance: Where the history is.
            settings: The configuration.
            in_work: Keys of videos that a run works on, which will report itself.

        Raises:
            DatasetAssetsError: The store that the data set is in cannot be read.
            OSError: The disk is full or cannot be written.
        """
        data_set = DataSet.of(settings)
        data_set.copy.refresh(COPY_AGE_S)
        is_copy = settings.base.output_url is not None  # whose times are those of copying
        recorded_s: dict[str, dict[str, float]] = {}
        found = []
        for table, mark in self._changed(settings, data_set):
            if table.key in in_work:
                continue
            if table.asset not in recorded_s:
                recorded_s[table.asset] = last_materialized_s(instance, table.asset)
            of_asset = recorded_s[table.asset]
            is_recorded = table.key in of_asset and (is_copy or mark[1] / 1e9 <= of_asset[table.key])
            if is_recorded or not is_finished(data_set, table):
                self._settled[table.path] = mark
            elif not data_set.is_held(table.key):
                found.append(table)
        return found

    def _changed(self, settings: Settings, data_set: DataSet) -> Iterator[tuple[FinishedTable, _Mark]]:
        for table in tables_of(settings, data_set):
            try:
                stat = table.path.stat()
            except OSError:
                continue  # removed meanwhile
            mark = (stat.st_ino, stat.st_mtime_ns)
            if self._settled.get(table.path) != mark:
                yield table, mark
