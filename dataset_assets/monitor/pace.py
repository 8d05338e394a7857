"""How long the work on a data set still takes, from the runs that ended and those that go on.

Plain arithmetic, no file, no clock. Start-up, probing and checks count: they are a third of a run on a short
film. Not here: the rate of a single pass (`dataset.progress`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import linear_regression

from dataset_assets.dataset import Progress, eta_s, windows_per_s
from dataset_assets.monitor.snapshot import EndedRun

# Runs that ended in the present spell of work, without a longer pause, are preferred: settings and films of
# an earlier one may be others.
LONGEST_PAUSE_S = 120.0
# From so many on, those in their pass included, they suffice.
ENOUGH_RUNS = 1
# So many ended runs, one with so many times the windows of another, show what a run takes in any case.
ENOUGH_TO_FIT, ENOUGH_SPREAD = 3, 3
# A slot that a run has left is filled within that time where runs wait.
REFILL_S = 60.0


@dataclass(frozen=True, slots=True)
class RunningWork:
    """A run that goes on.

    Attributes:
        started_s: When it started, Unix time.
        windows: Windows to work on, as the tables showed at its start.
        progress: Progress of its pass; None before and after.
    """

    started_s: float
    windows: int
    progress: Progress | None

    @property
    def share(self) -> float:
        """Share of its windows that is worked on, 0..1."""
        if self.progress is None:
            return 0.0
        total = self.progress.windows_worked + self.progress.windows_pending
        return self.progress.windows_worked / total if total else 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What a run costs.

    Attributes:
        overhead_s: Seconds that it takes whatever its windows are: its start, its probe, and what ended runs
            show of checks and pages.
        window_s: Seconds for each window.
    """

    overhead_s: float
    window_s: float

    def run_s(self, windows: float) -> float:
        """Return the seconds of a run on so many windows."""
        return self.overhead_s + self.window_s * windows


def pace(ended: Sequence[EndedRun], running: Sequence[RunningWork], now_s: float) -> Pace | None:
    """Return what a run costs at present; None while nothing shows it.

    Args:
        ended: Runs that ended, in any order.
        running: Runs that go on.
        now_s: Unix time.
    """
    in_pass = [work for work in running if work.progress and windows_per_s(work.progress, now_s) is not None]
    starts = [work.progress.started_s - work.started_s for work in in_pass if work.progress]
    overhead_s = max(0.0, sum(starts) / len(starts)) if starts else 0.0
    recent = _recent([run for run in ended if run.windows], running, len(in_pass), now_s)
    overhead_s = max(overhead_s, _overhead_s(recent))
    spent_s = sum(run.ended_s - run.started_s for run in recent)
    spent_s += sum(now_s - work.started_s for work in in_pass)
    windows = sum(run.windows for run in recent) + sum(work.windows * work.share for work in in_pass)
    if windows <= 0:
        return None
    return Pace(overhead_s, max(0.0, spent_s - overhead_s * (len(recent) + len(in_pass))) / windows)


def run_costs(ended: Sequence[EndedRun]) -> Pace | None:
    """Return what a run cost of those that ended; None where none did. Arguments as in `pace`."""
    return pace(ended, (), max((run.ended_s for run in ended), default=0.0))


def time_left_s(
    ended: Sequence[EndedRun], running: Sequence[RunningWork], waiting: Iterable[int], now_s: float
) -> float | None:
    """Return the seconds until all is done; None where nothing runs, or nothing shows the pace yet.

    The runs to come are given in order to the slot that is free first.

    Args:
        ended: Runs that ended, in any order.
        running: Runs that go on.
        waiting: Windows to work on of each video whose turn has yet to come.
        now_s: Unix time.
    """
    found = pace(ended, running, now_s)
    if found is None or not running:
        return None
    free_s = [_left_s(work, found, now_s) for work in running]
    free_s += [0.0] * (_slots(ended, running, now_s) - len(running))
    heapq.heapify(free_s)
    for windows in waiting:
        heapq.heapreplace(free_s, free_s[0] + found.run_s(windows))
    return max(free_s)


def _left_s(work: RunningWork, found: Pace, now_s: float) -> float:
    if work.progress is None:
        return max(0.0, found.run_s(work.windows) - (now_s - work.started_s))
    own = eta_s(work.progress, now_s)
    return found.window_s * work.windows * (1 - work.share) if own is None else own


def _overhead_s(ended: Sequence[EndedRun]) -> float:
    """Return what runs of few windows show that a run takes in any case; 0 where they do not."""
    spent_s = [run.ended_s - run.started_s for run in ended]
    windows = [run.windows for run in ended]
    if len(ended) < ENOUGH_TO_FIT or max(windows) < ENOUGH_SPREAD * min(windows):
        return 0.0
    _, intercept_s = linear_regression(windows, spent_s)
    return min(max(0.0, intercept_s), *spent_s)


def _recent(
    ended: Sequence[EndedRun], running: Sequence[RunningWork], in_pass: int, now_s: float
) -> list[EndedRun]:
    """Return the runs of the present spell of work, or all where these are few with those in their pass."""
    begun_s = min([now_s, *(work.started_s for work in running)])
    recent = []
    for run in sorted(ended, key=lambda each: each.ended_s, reverse=True):
        if run.ended_s < begun_s - LONGEST_PAUSE_S:
            break
        recent.append(run)
        begun_s = min(begun_s, run.started_s)
    return recent if len(recent) + in_pass >= ENOUGH_RUNS else list(ended)


def _slots(ended: Sequence[EndedRun], running: Sequence[RunningWork], now_s: float) -> int:
    """Return how many runs go on at a time; one that has just ended is still counted."""
    last_s = max((run.ended_s for run in ended), default=0.0)
    if now_s - last_s > REFILL_S:
        return len(running)
    before = sum(run.started_s < last_s <= run.ended_s for run in ended)
    return max(len(running), before + sum(work.started_s < last_s for work in running))
