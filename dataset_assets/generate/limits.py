"""Limits of processor time, wall time and memory for each step of one video.

A film can make a decoder loop forever or allocate all memory, in native code that no exception reaches. So a
thread watches, and ends the entire process: the limits require one process for each video, as Dagster's runs
and `generate` have. A program that calls `generate_video` itself has no limits.

The limits are 100 times what the most expensive sound films take, so they do not limit speed. Not here: which
process works on which video (`launch`).
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psutil

from dataset_assets.addresses import FilmPath
from dataset_assets.config import Settings, VideoEntry, fitting_remedy
from dataset_assets.dataset import DataSet, Failure
from dataset_assets.errors import LEAVE_OUT
from dataset_assets.machine import usable_memory
from dataset_assets.video import seen

LIMIT_EXIT_CODE: Final = 75
# Of the memory that this process may use.
_MEMORY_SHARE: Final = 0.8
# A sound film of 8K takes less; where films share a machine, none gets less than this.
_LEAST_MEMORY_BYTES: Final = 4e9
POLL_S: Final = 0.5
DAMAGED_REMEDY: Final = f"the file is damaged: replace it, or {LEAVE_OUT}"


@dataclass(frozen=True, slots=True)
class StepLimits:
    """The most that probing a film, or one window of it, may take.

    Attributes:
        cpu_s: CPU seconds of the process. A candidate of 8K film with 10 s from keyframe to keyframe takes
            some 50.
        wall_s: Seconds. A film without an index on a slow disk is read from its start again and again.
        memory_bytes: Memory in use. Three categories of UHD film take 1 GB, each further lane 0.6.
    """

    cpu_s: float
    wall_s: float
    memory_bytes: float


def step_limits(film: FilmPath, lanes: int = 1, places: int = 1) -> StepLimits:
    """Return the limits for a film by its size.

    Args:
        film: The film.
        lanes: Windows of it that are made at a time.
        places: Windows of all films that are made at a time in the memory that this process may use.
    """
    found = seen(film)
    size_bytes = found.size_bytes if found else 0
    usable_bytes = _MEMORY_SHARE * usable_memory().total_bytes
    share_bytes = max(usable_bytes * min(lanes, places) / places, _LEAST_MEMORY_BYTES)
    memory_bytes = min(4e9 + 4e9 * lanes, usable_bytes, share_bytes)
    return StepLimits((900 + size_bytes / 20e6) * lanes, 3600 + size_bytes / 5e6, memory_bytes)


class _Watch:
    def __init__(
        self, settings: Settings, entry: VideoEntry, limits: StepLimits, report: Callable[[str], None]
    ) -> None:
        self._settings, self._entry = settings, entry
        self._limits, self._report = limits, report
        self._ended = threading.Event()
        self.renew()

    def renew(self) -> None:
        """Record that a step is done."""
        self._started_s, self._started_cpu_s = time.monotonic(), _cpu_s()

    def end(self) -> None:
        self._ended.set()

    def look_on(self) -> None:
        while not self._ended.wait(POLL_S):
            passed = self._passed()
            if passed and not self._ended.is_set():
                entry = self._entry
                failure = Failure(
                    entry.key,
                    str(entry.path),
                    f"{entry.key} ({entry.path}): {passed}, far beyond what any sound film takes",
                    fitting_remedy(DAMAGED_REMEDY, self._settings, entry),
                )
                DataSet.of(self._settings).failures.keep(failure)
                with suppress(Exception):  # whatever fails on the way, the process ends
                    self._report(failure.sentence)
                os._exit(LIMIT_EXIT_CODE)

    def _passed(self) -> str:
        limits = self._limits
        if (spent_s := _cpu_s() - self._started_cpu_s) > limits.cpu_s:
            return f"a step of it took {spent_s:.0f} CPU seconds"
        if (spent_s := time.monotonic() - self._started_s) > limits.wall_s:
            return f"a step of it took {spent_s:.0f} seconds"
        if (taken_bytes := psutil.Process().memory_info().rss) > limits.memory_bytes:
            return f"it took {taken_bytes / 1e9:.1f} GB of memory"
        return ""


_current: _Watch | None = None


@contextmanager
def within_limits(
    settings: Settings, entry: VideoEntry, limits: StepLimits, report: Callable[[str], None]
) -> Iterator[None]:
    """End this process if a step of the video exceeds its limits, and keep the failure.

    Args:
        settings: The configuration.
        entry: The video.
        limits: What each step may take.
        report: Called with the message, in another thread, before the process ends.
    """
    global _current
    watch = _current = _Watch(settings, entry, limits, report)
    threading.Thread(target=watch.look_on, name="limits", daemon=True).start()
    try:
        yield
    finally:
        watch.end()
        _current = None


def step_done() -> None:
    """Record that a step of the video is done: the next begins. Without limits it does nothing."""
    if _current is not None:
        _current.renew()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
