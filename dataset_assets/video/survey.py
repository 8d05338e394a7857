"""Sample places spread over a film: its keyframes, its steps, and the gaps in its time stamps.

All positions are PTS in the video stream's time base. A gap is found at sampled places and in the container's
index, without reading the entire film. Not here: decoding (`samples`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dataset_assets.video.timeline import Span, Timeline

# Places looked at; to decode their keyframes costs 1.5 CPU s of UHD at 44 Mbit/s, a window 0.9.
SAMPLES = 12
# Packets read at each of them, without decoding, for the steps.
STAMPS = 32
# Time steps that differ by more than this are a variable frame rate; Matroska's whole milliseconds give 5 %.
RATE_TOLERANCE = 0.2
# A step of this many typical ones (a second) is a gap. Recordings of a screen pause for seconds, which is no
# gap: at a variable frame rate it takes ten times as many.
GAP_STEPS, PAUSE_STEPS = 24, 240
# Gaps below this share of a film are not looked for: a window in a hundred is lost to ten of them.
GAP_SHARE = 1000
# Intervals of an index above this share of a film (24 s of two hours) are no group of pictures.
LONG_INTERVAL_SHARE, MAX_LONG_INTERVALS = 300, 8
# Rounds of looking: each finds the gaps that hold one of its places.
MAX_ROUNDS = 20


class FilmIndex(Protocol):
    """What a survey needs of a film."""

    def keyframe_at(self, pts: int) -> int | None:
        """Return the last keyframe at or before `pts`, else the film's first; None where there is none."""

    def stamps(self, keyframe: int, count: int) -> list[int]:
        """Return the PTS of `count` frames from a keyframe on, in order; fewer at the film's end."""

    def step_at(self, pts: int) -> Span | None:
        """Return the last frame's PTS at or before `pts` and the next one's; None where one is missing."""

    def indexed(self) -> Sequence[int]:
        """Return the places in the container's index, in order; none if it has no complete index."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found.

    Attributes:
        timeline: Where the film has frames.
        keyframes: The keyframes at places spread over it, in order.
        steps: Ticks from frame to frame behind these keyframes, gaps left out; shape (n,), int64.
    """

    timeline: Timeline
    keyframes: tuple[int, ...]
    steps: npt.NDArray[np.int64]

    @property
    def typical_step(self) -> int:
        """The median step in ticks."""
        return int(np.median(self.steps))

    @property
    def varies(self) -> bool:
        """Whether the frame rate varies."""
        return bool(np.ptp(self.steps) > RATE_TOLERANCE * np.median(self.steps) + 1)


def survey(film: FilmIndex, whole: Timeline) -> Survey:
    """Find a film's spans and its steps.

    Args:
        film: The film's packets; at least two frames.
        whole: From its first frame to where its last one ends; a span for each part that has its own clock.

    Returns:
        What was found.
    """
    found, distances = _look(film, whole)
    for _ in range(MAX_ROUNDS):
        shortest = _shortest_gap(found)
        suspects = [place for place, distance in distances.items() if distance >= shortest]
        suspects += _long_intervals(film.indexed(), found.timeline, shortest)
        steps = {step for step in map(film.step_at, suspects) if step is not None}
        gaps = [(last + found.typical_step, after) for last, after in steps if after - last >= shortest]
        narrower = found.timeline.without(gaps)
        if narrower == found.timeline:
            break
        found, distances = _look(film, narrower)
    return found


def _look(film: FilmIndex, timeline: Timeline) -> tuple[Survey, dict[int, int]]:
    """Sample a timeline, and return how far each place lies behind its keyframe too."""
    places = [(place, film.keyframe_at(place)) for place in timeline.spread(SAMPLES)]
    distances = {place: place - keyframe for place, keyframe in places if keyframe is not None}
    keyframes = sorted({place - distance for place, distance in distances.items()})
    steps = np.concatenate([np.diff(film.stamps(keyframe, STAMPS)) for keyframe in keyframes])
    without_pauses = Survey(timeline, tuple(keyframes), steps[steps < GAP_STEPS * np.median(steps)])
    if not without_pauses.varies:
        return without_pauses, distances
    return Survey(timeline, tuple(keyframes), steps[steps < PAUSE_STEPS * np.median(steps)]), distances


def _shortest_gap(found: Survey) -> int:
    steps = PAUSE_STEPS if found.varies else GAP_STEPS
    return max(steps * found.typical_step, found.timeline.length // GAP_SHARE)


def _long_intervals(indexed: Sequence[int], timeline: Timeline, shortest: int) -> list[int]:
    """Return places in the longest intervals of an index that are no group of pictures and no known gap."""
    least = max(shortest, timeline.length // LONG_INTERVAL_SHARE)
    intervals = ((after - before, (before + after) // 2) for before, after in pairwise(indexed))
    long = [
        (length, middle)
        for length, middle in intervals
        if length >= least and any(start <= middle < end for start, end in timeline.spans)
    ]
    return [middle for _, middle in sorted(long, reverse=True)[:MAX_LONG_INTERVALS]]
