"""Where windows are tried: one sequence of candidates through a film, the same however many are taken.

Candidate i lies at frac(phase + i / golden ratio) of the film, so that any number of them, counted from the
first on, is spread evenly. Where it starts is a function of the film and of the candidates before it,
whatever came of these. So the windows for N are the first N accepted ones, and more windows move none that is
there.
Reading frames and judging them does not belong here.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from dataset_assets.draws import draw_int
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video import Extent, Span

CIRCLE: Final = 1 << 64
# 2**64 over the golden ratio: in whole numbers every machine draws the same.
STEP: Final = 0x9E3779B97F4A7C15
# A further window inside a GOP waits until the candidates so far are this many times as dense as its distance
# to its neighbours: at 1,000 windows of 1,100 GOPs 11 frames are decoded for each window, at once 32.
SPREAD: Final = 2
# So many times as many candidates in a row as the film has cells leave no cell without one: their largest gap
# is 1.9 times as long as an even one at most.
ROUND: Final = 2


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a candidate lies.

    Attributes:
        number: Its number in the sequence.
        keyframe: PTS of the keyframe at or before its time, which decoding starts from; None where the film
            has none.
        start: PTS from which its frames are taken; None where it is passed over, too near to another one.
    """

    number: int
    keyframe: int | None
    start: int | None

    @property
    def is_at_keyframe(self) -> bool:
        """Whether its frames begin with the keyframe."""
        return self.start is not None and self.start == self.keyframe


class CandidateSequence:
    """The candidates of a film, in the order of their numbers; iterate to place the next one.

    Ends where the film has no place left.

    Attributes:
        number: Number of the next candidate.
    """

    def __init__(
        self,
        extent: Extent,
        keyframe_at: Callable[[int], int | None],
        seed: int,
        key: str,
        sampling: Literal["keyframe", "uniform"],
        *,
        known: Mapping[int, Placement] | None = None,
        taken: Iterable[int] = (),
        first: int = 0,
    ) -> None:
        """Place nothing yet.

        Args:
            extent: What the candidates lie in.
            keyframe_at: Gives the last keyframe at or before a PTS, else the film's first, None without one.
            seed: The configuration's seed.
            key: The video's key.
            sampling: Whether windows start at keyframes while there are free ones.
            known: Placements of an earlier run by number, which are not looked up again.
            taken: PTS at which other windows start.
            first: Number of the first candidate.
        """
        self.number = first
        self._timeline = extent.timeline
        self._needed = FRAMES_PER_WINDOW * extent.frame_ticks
        lengths = [end - start for start, end in extent.spans]
        self._rooms = [length if length >= self._needed else 0 for length in lengths]
        if not any(self._rooms):
            # A film of just 7 frames, whose last one may last less than the others.
            self._rooms[lengths.index(max(lengths))] = 1
        self._keyframe_at = keyframe_at
        self._phase = draw_int(1 << 53, seed, key, "phase") << 11
        self._sampling = sampling
        self._known = known or {}
        self._starts = sorted(self._timeline.ticks_at(pts) for pts in taken)
        self._passed_over = 0

    def __iter__(self) -> Iterator[Placement]:
        return self

    def __next__(self) -> Placement:
        if self._is_full():
            raise StopIteration
        number, self.number = self.number, self.number + 1
        placement = self._known.get(number) or self._place(number)
        if placement.start is None:
            self._passed_over += 1
        else:
            self._passed_over = 0
            insort(self._starts, self._timeline.ticks_at(placement.start))
        return placement

    def _place(self, number: int) -> Placement:
        time, span = self._time(number)
        if self._distance(time) == 0:
            return Placement(number, None, None)
        keyframe = self._keyframe_at(time)
        if keyframe is None:
            return Placement(number, None, None)
        start, distance = time, 0
        match self._sampling:
            case "keyframe":
                if span[0] <= keyframe <= time:
                    if self._is_free(keyframe, span, 0):
                        return Placement(number, keyframe, keyframe)
                    start = self._cell(time, keyframe)
                distance = SPREAD * self._timeline.length // (number + 1)
            case "uniform":
                pass
            case _:
                assert_never(self._sampling)
        start = max(start, keyframe)
        return Placement(number, keyframe, start if self._is_free(start, span, distance) else None)

    def _time(self, number: int) -> tuple[int, Span]:
        """Return where the cell of its span starts that a candidate is drawn in, and the span."""
        place = (self._phase + number * STEP) % CIRCLE * sum(self._rooms) >> 64
        for span, room in zip(self._timeline.spans, self._rooms, strict=True):
            if place < room:
                return self._cell(span[0] + place, span[0]), span
            place -= room
        raise AssertionError("a place beyond all rooms")

    def _cell(self, time: int, origin: int) -> int:
        """Return the start of the cell of 7 frames, counted from `origin`, that a time lies in.

        Windows at free times would fill only 65 to 83 % of a short film. Of the cells of a GOP each holds the
        start of one cell of its span, so all are reached.
        """
        return origin + (time - origin) // self._needed * self._needed

    def _is_free(self, start: int, span: Span, distance: int) -> bool:
        """Whether a window fits at a PTS, at least `distance` ticks from every other start."""
        fits = start + self._needed <= span[1] or start == span[0]
        return fits and self._distance(start) >= max(self._needed, distance)

    def _distance(self, pts: int) -> int:
        """Return the ticks from a PTS to the nearest start."""
        ticks = self._timeline.ticks_at(pts)
        at = bisect_left(self._starts, ticks)
        return min((abs(ticks - each) for each in self._starts[max(0, at - 1) : at + 1]), default=CIRCLE)

    def _is_full(self) -> bool:
        """Whether every cell was drawn since the last window was placed, and could have been taken."""
        drawn = min(self._passed_over, self.number - SPREAD * self._timeline.length // self._needed)
        return drawn > ROUND * sum(self._rooms) // self._needed
