"""How evenly windows lie in a film, and what finding them costs: the candidates' sequence against strata.

Films are made up: 1 h 50 at 24 frames a second, a cut every 7.3 s, 1 % logos, 5 % credits (a tenth usable),
five dark stretches (a third usable), so that 11 % of all places are unusable. No frame is decoded. The
sequence and the rounds are the product's own; strata are the way of the release before: a film is cut into as
many pieces as windows are wanted, and up to ten places are tried in each.

    python -m benchmarks.evenness [N ...]

For each number of windows the mean of 12 films: the largest gap in units of an ideal one (and the worst
film's), the star discrepancy in windows, both over the usable time; candidates tried and frames decoded for
each accepted window; the share of the windows that were found.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.generate.rounds import Rounds
from dataset_assets.tables import WindowRow
from dataset_assets.video import Extent
from dataset_assets.windows import CandidateSequence, Placement

FPS: Final = 24
FRAMES: Final = 6600 * FPS
FILMS: Final = 12
MAX_ATTEMPTS: Final = 10
NUMBERS: Final = (6, 50, 300, 1000, 3000)
CUT_EVERY_S: Final = 7.3
SLOTS_PER_S: Final = 2

Sampling: TypeAlias = Literal["keyframe", "uniform"]
Floats: TypeAlias = npt.NDArray[np.float64]


class Film:
    """A made-up film; a frame is a tick.

    Attributes:
        keyframes: Its keyframes, in order.
    """

    def __init__(self, seed: int, gop_s: tuple[float, float]) -> None:
        rng = np.random.default_rng(seed)
        cuts_s = np.cumsum(rng.exponential(CUT_EVERY_S, 2 * FRAMES // FPS))
        self._cuts = [int(cut * FPS) for cut in cuts_s if cut * FPS < FRAMES]
        gops = np.round(rng.uniform(*gop_s, FRAMES // FPS) * FPS).astype(int)
        self.keyframes = [0, *(int(each) for each in np.cumsum(gops) if each < FRAMES)]
        slots = FRAMES // FPS * SLOTS_PER_S
        usable = np.ones(slots)
        usable[: slots // 100] = 0.0
        usable[-slots // 20 :] = 0.1
        for _ in range(5):
            start = rng.integers(0, slots - 140)
            usable[start : start + rng.integers(40, 140)] *= 0.3
        self._is_usable = rng.random(slots) < usable
        self._usable_time = np.concatenate([[0.0], np.cumsum(usable) / usable.sum()])

    def keyframe_at(self, frame: int) -> int:
        """Return the last keyframe at or before a frame."""
        return self.keyframes[bisect_right(self.keyframes, frame) - 1]

    def accepts(self, start: int) -> bool:
        """Whether a window that starts at a frame is accepted."""
        cut = bisect_right(self._cuts, start)
        crosses = cut < len(self._cuts) and self._cuts[cut] < start + FRAMES_PER_WINDOW
        return not crosses and bool(self._is_usable[start * SLOTS_PER_S // FPS])

    def usable_time(self, starts: Iterable[int]) -> Floats:
        """Return frames as shares of the film's usable time, 0..1, in order."""
        places = np.arange(len(self._usable_time)) * FPS / SLOTS_PER_S
        return np.sort(np.interp(np.fromiter(starts, float), places, self._usable_time))


@dataclass
class Decoder:
    """Counts frames: it goes on inside a GOP, and starts at the keyframe otherwise."""

    film: Film
    frames: int = 0
    _at: int = -1

    def read(self, start: int) -> None:
        """Decode a window."""
        keyframe = self.film.keyframe_at(start)
        begin = self._at if keyframe <= self._at <= start else keyframe
        self.frames += start - begin + FRAMES_PER_WINDOW
        self._at = start + FRAMES_PER_WINDOW

    def rewind(self) -> None:
        """Begin another pass."""
        self._at = -1


@dataclass
class Found:
    """What a way found in a film."""

    starts: list[int]
    candidates: int
    frames: int


def in_strata(film: Film, wanted: int, seed: int, sampling: Sampling) -> Found:
    """Find windows as the release before did."""
    rng = np.random.default_rng(seed)
    decoder, starts, candidates = Decoder(film), [], 0
    edges = [FRAMES * index // wanted for index in range(wanted + 1)]
    for begin, end in pairwise(edges):
        last = max(begin, end - FRAMES_PER_WINDOW)
        first, *others = (int(each) for each in rng.integers(begin, last + 1, MAX_ATTEMPTS))
        order = [first, *sorted(t for t in others if t >= first), *sorted(t for t in others if t < first)]
        tried: set[int] = set()
        for time in order:
            start = max(film.keyframe_at(time), time)
            if sampling == "keyframe":
                at = bisect_right(film.keyframes, time) - 1
                at += film.keyframes[at] < begin
                if at < len(film.keyframes) and begin <= film.keyframes[at] <= last:
                    start = time if film.keyframes[at] in tried else film.keyframes[at]
            if start in tried:
                continue
            tried.add(start)
            candidates += 1
            decoder.read(start)
            if film.accepts(start):
                starts.append(start)
                break
    return Found(starts, candidates, decoder.frames)


@dataclass
class Rows:
    """Rows of candidates, as `Rounds` asks for them."""

    rows: dict[int, WindowRow] = field(default_factory=dict)

    def row(self, number: int) -> WindowRow | None:
        """Return the row of a candidate."""
        return self.rows.get(number)

    def add(self, row: WindowRow) -> None:
        """Record a candidate."""
        self.rows[row.window] = row

    def skips(self, placement: Placement) -> bool:
        """Return whether a candidate is passed over; recorded is nothing: every film is gone through once."""
        return placement.start is None


def in_sequence(film: Film, wanted: int, seed: int, sampling: Sampling) -> Found:
    """Find windows by the product's sequence and rounds."""
    extent = Extent(((0, FRAMES),), 1)
    sequence = CandidateSequence(extent, film.keyframe_at, seed, "film", sampling)
    rows, decoder = Rows(), Decoder(film)
    rounds = Rounds(rows, sequence, wanted * MAX_ATTEMPTS)
    while batch := rounds.next_round(wanted, wanted):
        decoder.rewind()
        for placement in sorted(batch, key=lambda each: each.start or 0):
            decoder.read(placement.start or 0)
            rows.add(_row(placement, film))
        rounds.settle(batch)
    starts = [rows.rows[number].pts[0] for number in rounds.accepted]
    return Found(starts, rounds.tried, decoder.frames)


def _row(placement: Placement, film: Film) -> WindowRow:
    start = placement.start or 0
    is_accepted = film.accepts(start)
    return WindowRow(
        window=placement.number,
        keyframe_pts=placement.keyframe,
        start_pts=start,
        time_s=start / FPS,
        pts=tuple(range(start, start + FRAMES_PER_WINDOW)),
        keyframe=placement.is_at_keyframe,
        mean_abs_diff=None,
        cut_score=None,
        brightness=None,
        contrast=None,
        sharpness=None,
        repeated_frames=None,
        window_combing=None,
        bits_per_pixel=None,
        detail_map=None,
        signature=None,
        accepted=is_accepted,
        reason=None if is_accepted else "cut",
    )


def evenness(film: Film, starts: Sequence[int]) -> tuple[float, float]:
    """Return the largest gap in units of an ideal one, and the star discrepancy in windows."""
    places = film.usable_time(starts)
    count = len(places)
    ranks = np.arange(1, count + 1)
    gap = float(np.max(np.diff(np.concatenate([[0.0], places, [1.0]]))) * count)
    star = max(float(np.max(ranks / count - places)), float(np.max(places - (ranks - 1) / count)))
    return gap, star * count


def lines(numbers: Sequence[int]) -> Iterator[str]:
    """Yield the table, a line at a time."""
    ways: dict[str, Callable[[Film, int, int, Sampling], Found]] = {
        "strata": in_strata,
        "sequence": in_sequence,
    }
    columns = (
        "GOP | sampling | N | way | gap x N (worst) | D* x N | candidates / window | frames / window | found"
    )
    yield f"| {columns} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for gop, gop_s in (("1 s", (1.0, 1.0)), ("2-10 s", (2.0, 10.0))):
        films = [Film(seed, gop_s) for seed in range(FILMS)]
        samplings: tuple[Sampling, ...] = ("keyframe", "uniform")
        for sampling in samplings:
            for wanted in numbers:
                for name, way in ways.items():
                    found = [way(film, wanted, seed, sampling) for seed, film in enumerate(films)]
                    even = [evenness(film, each.starts) for film, each in zip(films, found, strict=True)]
                    gaps = [gap for gap, _ in even]
                    windows = sum(len(each.starts) for each in found)
                    yield (
                        f"| {gop} | {sampling} | {wanted} | {name} | {np.mean(gaps):.2f} ({max(gaps):.1f}) "
                        f"| {np.mean([star for _, star in even]):.1f} "
                        f"| {sum(each.candidates for each in found) / windows:.2f} "
                        f"| {sum(each.frames for each in found) / windows:.1f} "
                        f"| {windows / (wanted * FILMS):.1%} |"
                    )


if __name__ == "__main__":
    for line in lines([int(each) for each in sys.argv[1:]] or NUMBERS):
        print(line, flush=True)
