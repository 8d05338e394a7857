"""The time left, held against a simulated history whose end is known."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass

import pytest

from dataset_assets.dataset import Progress
from dataset_assets.monitor.pace import RunningWork, time_left_s
from dataset_assets.monitor.snapshot import EndedRun

WORST = 0.3


@dataclass(frozen=True)
class Run:
    """What becomes of one video: when each part of its run begins, seconds from the start of all."""

    started_s: float
    pass_s: float
    checks_s: float
    ended_s: float
    windows: int
    worked: int


@dataclass(frozen=True)
class Films:
    """Kinds of films, and how they are run."""

    count: int
    slots: int
    windows: tuple[int, int]
    window_s: tuple[float, float]
    # Of so many films a window costs five times as much, as UHD does in the place of HD.
    uhd: float = 0.0
    start_s: tuple[float, float] = (3.0, 6.0)
    probe_s: tuple[float, float] = (1.0, 12.0)
    checks_s: tuple[float, float] = (1.0, 6.0)
    failing: float = 0.05
    # Windows that turn out to need no work, such as those whose format a change of the mix left alone.
    kept: float = 0.0
    # Before them the films were made, at so many seconds a window, and then refused: a run of a second each.
    made_s: float = 0.0


KINDS = {
    "alike": Films(40, 4, windows=(500, 500), window_s=(0.5, 1.0)),
    "short": Films(100, 2, windows=(5, 40), window_s=(0.1, 0.4)),
    "one at a time": Films(100, 1, windows=(100, 500), window_s=(0.3, 1.0)),
    "grown": Films(100, 4, windows=(50, 50), window_s=(0.2, 1.0)),
    "of another mix": Films(100, 4, windows=(500, 500), window_s=(0.1, 0.4), kept=0.6),
    "remake": Films(12, 2, (60, 70), (0.6, 0.8), probe_s=(1.0, 4.0), failing=0.0, kept=0.6, made_s=3.0),
    "remake of few windows": Films(
        30, 2, (2, 70), (0.3, 0.6), probe_s=(2.0, 6.0), checks_s=(2.0, 5.0), failing=0.0, kept=0.6, made_s=3.0
    ),
    "HD and UHD": Films(300, 4, windows=(500, 500), window_s=(0.15, 0.25), uhd=0.4),
}


def simulated(films: Films, seed: int) -> list[Run]:
    """Give the runs, each in the slot that is free first, in an order by chance, as partitions are."""
    chance = random.Random(seed)
    free_s = [0.0] * films.slots
    runs = []
    for _ in range(films.count):
        started_s = heapq.heappop(free_s)
        windows = chance.randint(*films.windows)
        worked = round(windows * (1 - films.kept * chance.uniform(0.8, 1.2)))
        pass_s = started_s + chance.uniform(*films.start_s) + chance.uniform(*films.probe_s)
        if chance.random() < films.failing:
            worked = round(worked * chance.random())
        window_s = chance.uniform(*films.window_s) * (5 if chance.random() < films.uhd else 1)
        checks_s = pass_s + worked * window_s
        ended_s = checks_s + chance.uniform(*films.checks_s)
        runs.append(Run(started_s, pass_s, checks_s, ended_s, windows, worked))
        heapq.heappush(free_s, ended_s)
    return runs


def earlier(films: Films) -> list[EndedRun]:
    """The runs of an earlier spell."""
    if not films.made_s:
        return []
    windows = films.windows[0]
    made = [-9000.0 + number * films.made_s * windows for number in range(films.count)]
    refused = [-300.0 + number for number in range(films.count)]
    return [EndedRun(start, start + films.made_s * windows, windows) for start in made] + [
        EndedRun(start, start + 1.0, 0) for start in refused
    ]


def seen(films: Films, runs: list[Run], now_s: float) -> float | None:
    """What is estimated at a moment."""
    ended = earlier(films) + [
        EndedRun(run.started_s, run.ended_s, run.windows) for run in runs if run.ended_s <= now_s
    ]
    running = []
    for run in runs:
        if not run.started_s <= now_s < run.ended_s:
            continue
        progress = None
        if run.pass_s <= now_s < run.checks_s:
            worked = math.floor(run.worked * (now_s - run.pass_s) / (run.checks_s - run.pass_s))
            pending = run.worked - worked
            progress = Progress(
                "a-film", 1, "p", windows_worked=worked, windows_pending=pending, started_s=run.pass_s
            )
        running.append(RunningWork(run.started_s, run.windows, progress))
    waiting = [run.windows for run in runs if run.started_s > now_s]
    newest = sorted(ended, key=lambda run: run.ended_s)[-200:]
    return time_left_s(newest, running, waiting, now_s)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_the_estimate_is_within_30_percent_from_a_fifth_of_the_work_on(kind: str, seed: int) -> None:
    films = KINDS[kind]
    runs = simulated(films, seed)
    end_s = max(run.ended_s for run in runs)
    errors = {}
    for percent in range(20, 100):
        now_s = end_s * percent / 100
        estimate = seen(films, runs, now_s)
        assert estimate is not None
        # The cost of the last few films is their own: there 30% is of the last fifth.
        errors[percent] = abs(estimate - (end_s - now_s)) / max(end_s / 5, end_s - now_s)
    assert max(errors.values()) <= WORST, errors


def test_nothing_is_estimated_before_anything_shows_the_pace() -> None:
    starting = RunningWork(0.0, 100, None)
    assert time_left_s([], [starting], [100], 5.0) is None
    assert time_left_s([EndedRun(0.0, 10.0, 10)], [], [100], 20.0) is None


def test_an_earlier_spell_of_work_shows_the_pace_until_the_present_one_does() -> None:
    earlier = [EndedRun(float(start), start + 10.0, 10) for start in range(0, 100, 10)]
    now_s = 10_000.0
    started = RunningWork(now_s - 2, 50, None)
    assert time_left_s(earlier, [started], [], now_s) == 50 - 2
    present = [EndedRun(now_s - 2 - 30 * number, now_s + 28 - 30 * number, 10) for number in range(1, 4)]
    assert time_left_s([*earlier, *present], [started], [], now_s) == 150 - 2


def test_a_slot_that_is_just_free_takes_the_next_video() -> None:
    ended = [EndedRun(0.0, 100.0, 100), EndedRun(100.0, 200.0, 100)]
    running = [RunningWork(150.0, 100, None)]
    assert time_left_s(ended, running, [100, 100], 200.0) == 150.0
    # After a minute nothing has taken it.
    assert time_left_s(ended, [RunningWork(250.0, 100, None)], [100, 100], 261.0) == 289.0
