"""Updates of the statistics in a process that goes on: one at a time, and few enough that they cost little.

Here: what is kept from one update to the next. Not here: when one is due (`stats_sensor`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import dagster as dg

from dataset_assets.assets import StatisticsUpdate, update_without_run
from dataset_assets.config import Settings
from dataset_assets.dataset import COPY_AGE_S, DataSet

# Between updates while runs go on: what they show is not older.
WHILE_RUNS_GO_ON_S = 120.0
# An update is followed by a pause of so many times its own processor time: at most 2% of a core.
PAUSE_PER_UPDATE = 49
# While partitions are left to be marked as stale or up to date, which ends.
WHILE_UNMARKED_S = 60.0
# The first update of 5,000 finished videos takes 30 CPU s, later ones 8, which need not wait for 25 minutes.
LONGEST_PAUSE_S = 600.0


class Updates:
    """Updates the statistics and remembers what they cost.

    Footers of tables are kept, since most tables are the same at the next update.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Update nothing yet.

        Args:
            clock: Seconds since some moment.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._data_set: DataSet | None = None
        self._ended_s: float | None = None
        self._cost_s = 0.0

    def wait_s(self, *, runs_go_on: bool, has_unmarked: bool) -> float:
        """Return the seconds until the next update may begin, at most 0 where it may now.

        Args:
            runs_go_on: Whether it would be out of date again soon.
            has_unmarked: Whether partitions are left to be marked as stale or up to date.
        """
        if self._ended_s is None:
            return 0.0
        pause_s = min(PAUSE_PER_UPDATE * self._cost_s, LONGEST_PAUSE_S)
        pause_s = max(pause_s, WHILE_RUNS_GO_ON_S if runs_go_on else 0.0)
        return self._ended_s + (min(pause_s, WHILE_UNMARKED_S) if has_unmarked else pause_s) - self._clock()

    def update(self, settings: Settings, instance: dg.DagsterInstance) -> StatisticsUpdate | None:
        """Update the index, and return the statistics as events.

        Returns:
            The update; None while another update goes on, as after a tick that Dagster has given up.

        Raises:
            DatasetAssetsError: A table is from a newer release.
            OSError: The disk cannot be read.
        """
        if not self._lock.acquire(blocking=False):
            return None
        began_s = time.thread_time()
        try:
            DataSet.of(settings).copy.refresh(COPY_AGE_S)
            return update_without_run(settings, self._data_set_of(settings), instance)
        finally:
            self._cost_s = time.thread_time() - began_s
            self._ended_s = self._clock()
            self._lock.release()

    def _data_set_of(self, settings: Settings) -> DataSet:
        folder = settings.base.output_base_dir
        if self._data_set is None or self._data_set.folder != folder:
            self._data_set = DataSet(folder, caches_footers=True)
        return self._data_set
