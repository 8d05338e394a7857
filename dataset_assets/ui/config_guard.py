"""Hold the queue of runs while the configuration holds a mistake, and report that.

Each run would fail for the same line. Held ones start by themselves once it is corrected, also those that
people launch: their pages say what they wait for. Not here: reading the configuration (`config`), holding the
queue (`dagster_internals`).
"""

from __future__ import annotations

import sys
from typing import TextIO

import dagster as dg

from dataset_assets.config import ConfigReader

# The newest queued runs that get the note: those that somebody has just launched and looks at.
NOTED_RUNS = 10


class ConfigGuard:
    """Decides whether runs may start, and prints a line when that changes."""

    def __init__(self, config: ConfigReader, output: TextIO | None = None) -> None:
        """Read nothing yet.

        Args:
            config: The configuration.
            output: Where lines are printed; standard error by default.
        """
        self._config = config
        self._output = output or sys.stderr
        self._seen = ""
        self._printed = ""
        self._noted: set[str] = set()

    def may_start_runs(self, instance: dg.DagsterInstance) -> bool:
        """Return whether queued runs may start now.

        Args:
            instance: Where they are queued.
        """
        mistake = self._config.mistake()
        # At the second look: an editor may be writing the file at the first.
        if mistake != self._printed and mistake == self._seen:
            self._print(
                f"no run starts until this is corrected: {mistake}" if mistake else "runs start again"
            )
            self._printed = mistake
        self._seen = mistake
        if mistake:
            self._note(instance, mistake)
        else:
            self._noted.clear()
        return not mistake

    def _print(self, line: str) -> None:
        print(f"configuration: {line}", file=self._output, flush=True)

    def _note(self, instance: dg.DagsterInstance, mistake: str) -> None:
        """Write into the logs of queued runs what they wait for."""
        queued = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])
        for run in instance.get_runs(queued, limit=NOTED_RUNS):
            if run.run_id not in self._noted:
                self._noted.add(run.run_id)
                instance.report_engine_event(f"It starts once this is corrected: {mistake}", run)
