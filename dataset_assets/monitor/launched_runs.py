"""The runs of one `generate`, as an `Activity`: what `history` reads of runs that others launched.

Starting the runs belongs to `launch`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from dataset_assets.dataset import Failure
from dataset_assets.definitions import MAKE_PATCHES_JOB
from dataset_assets.launch import Outcome
from dataset_assets.monitor.snapshot import ActiveRun, Activity, EndedRun

# The newest runs, by which the time left is estimated.
MOST_ENDED = 200


class LaunchedRuns:
    """The runs that one `generate` launches.

    Attributes:
        failures: Those that failed, in order.
    """

    def __init__(self, windows: Mapping[str, int], *, force: bool = False) -> None:
        """Nothing runs yet.

        Args:
            windows: Windows to work on, by key of the videos whose turn will come.
            force: Whether they are rebuilt though nothing of them is missing; else what another machine
                finishes meanwhile does not wait any more.
        """
        self._force = force
        self.failures: list[Failure] = []
        self._windows = windows
        self._waiting = set(windows)
        self._started_s: dict[str, float] = {}
        self._ended: list[EndedRun] = []

    def ended(self, outcome: Outcome) -> None:
        """Record that a video's run ended just now."""
        now_s = time.time()
        self._waiting.discard(outcome.key)
        started_s = self._started_s.get(outcome.key, now_s)
        windows = 0 if outcome.failure is not None else self._windows[outcome.key]
        self._ended.append(EndedRun(started_s, now_s, windows))
        if outcome.failure is not None:
            self.failures.append(outcome.failure)

    def activity(self, running: Collection[str]) -> Activity:
        """Return the runs that go on, and those that failed.

        Args:
            running: Keys of the videos that are worked on.
        """
        now_s = time.time()
        for key in running:
            self._waiting.discard(key)
            self._started_s.setdefault(key, now_s)
        return Activity(
            runs=tuple(
                ActiveRun(
                    key,
                    MAKE_PATCHES_JOB,
                    "starting",
                    "generate",
                    "",
                    self._started_s[key],
                    self._windows[key],
                )
                for key in running
            ),
            failures=tuple(reversed(self.failures)),
            ended=tuple(self._ended[-MOST_ENDED:]),
            waiting=frozenset(self._waiting),
            is_forced=self._force,
        )
