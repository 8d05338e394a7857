"""The runs of one `generate`, as an `Activity`: what `history` reads of runs that others launched.

Starting the runs belongs to `launch`.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from dataset_assets.dataset import Failure
from dataset_assets.definitions import MAKE_PATCHES_JOB
from dataset_assets.launch import Outcome
from dataset_assets.monitor.snapshot import ActiveRun, Activity


class LaunchedRuns:
    """The runs that one `generate` launches.

    Attributes:
        failures: Those that failed, in order.
    """

    def __init__(self, keys: Collection[str]) -> None:
        """Nothing runs yet.

        Args:
            keys: Keys of the videos whose turn will come.
        """
        self.failures: list[Failure] = []
        self._waiting = set(keys)
        self._started_s: dict[str, float] = {}

    def ended(self, outcome: Outcome) -> None:
        """Record that a video's run ended just now."""
        self._waiting.discard(outcome.key)
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
                ActiveRun(key, MAKE_PATCHES_JOB, "starting", "generate", "", self._started_s[key])
                for key in running
            ),
            failures=tuple(reversed(self.failures)),
            waiting=frozenset(self._waiting),
        )
