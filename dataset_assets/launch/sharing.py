"""Which videos are this machine's to work on, where many machines make a data set.

Each machine takes what nobody holds; leases in the data set prevent two from taking the same video. Not here:
the order of the videos, and starting them (`supervisor`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from enum import Enum, auto

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, Failure
from dataset_assets.launch.tasks import Task, pending_task


class Turn(Enum):
    """Whether a video is worked on.

    Attributes:
        NOW: By this machine.
        LATER: Another one works on it.
        NEVER: Another one has finished it, or failed.
    """

    NOW = auto()
    LATER = auto()
    NEVER = auto()


class SharedVideos:
    """The videos that other machines take meanwhile.

    Attributes:
        failures: Runs of other machines that failed since this was made.
        finished: Keys of the videos that other machines have finished.
    """

    def __init__(self, settings: Settings, categories: Sequence[str], *, force: bool) -> None:
        """Read nothing yet.

        Args:
            settings: The configuration.
            categories: The chosen categories; all where empty.
            force: Whether what is up to date is rebuilt.
        """
        self.failures: list[Failure] = []
        self.finished: list[str] = []
        self._settings = settings
        self._data_set = DataSet.of(settings)
        self._categories = categories
        self._force = force
        self._started_s = time.time()

    def turn_of(self, task: Task) -> Turn:
        """Return whether a video is worked on, by what its lease and its tables say now."""
        if self._data_set.is_held(task.key):
            return Turn.LATER
        self._data_set.copy.refresh_video(task.key)
        entry = self._settings.video(task.key)
        statuses = self._data_set.statuses(self._settings, entry)
        if pending_task(self._settings, entry, statuses, self._categories, force=self._force) is None:
            self.finished.append(task.key)
            return Turn.NEVER
        failure = self._data_set.failures.read_one(task.key)
        if failure is not None and failure.ended_s > self._started_s and not failure.was_killed:
            self.failures.append(failure)
            return Turn.NEVER
        return Turn.NOW

    def holders(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Return which machine works on each of these videos; without those that nobody works on."""
        beats = self._data_set.beats()
        return {key: beats[key].holder.host for key in keys if key in beats}

    def is_any_held(self) -> bool:
        """Return whether a machine still works on a video of the data set."""
        return any(run.is_alive for run in self._data_set.at_work().values())
