"""Film time: a film's spans between the gaps in its time stamps, joined.

All positions are PTS in the video stream's time base. Not here: finding the spans (`survey`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Extent:
    """What candidates for windows are placed in: a film's own time, and how long a frame lasts in it.

    Attributes:
        spans: The spans of its timeline.
        frame_ticks: Ticks that a frame lasts on average, at least 1.
    """

    spans: tuple[Span, ...]
    frame_ticks: int

    @property
    def timeline(self) -> Timeline:
        """The film's own time."""
        return Timeline(self.spans)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A film's own time: its spans joined.

    Attributes:
        spans: (PTS of the first frame, PTS at which the last one ends) of every part without a gap, in
            order; at least one, none overlapping.
    """

    spans: tuple[Span, ...]

    @property
    def start(self) -> int:
        """PTS of the first frame."""
        return self.spans[0][0]

    @property
    def end(self) -> int:
        """PTS at which the last frame ends."""
        return self.spans[-1][1]

    @property
    def length(self) -> int:
        """Ticks of film, gaps left out."""
        return sum(end - start for start, end in self.spans)

    def pts_at(self, ticks: int) -> int:
        """Return the PTS at `ticks` of film time, 0 to `length` - 1."""
        for start, end in self.spans:
            if ticks < end - start:
                return start + ticks
            ticks -= end - start
        return self.end

    def ticks_at(self, pts: int) -> int:
        """Return the film time at a PTS, below 0 before the start; the inverse of `pts_at`."""
        start, _ = next(span for span in reversed(self.spans) if span[0] <= pts or span[0] == self.start)
        return sum(min(end, start) - first for first, end in self.spans if first < start) + pts - start

    def end_of_span(self, pts: int) -> int:
        """Return the PTS at which the span that holds `pts`, or the last one before it, ends."""
        return next((end for start, end in reversed(self.spans) if start <= pts), self.spans[0][1])

    def spread(self, count: int) -> list[int]:
        """Return `count` PTS at equal distances in film time, the first at the start."""
        return [self.pts_at(self.length * index // count) for index in range(count)]

    def from_pts(self, pts: int) -> Timeline:
        """Return the timeline from a PTS on, which is before the end."""
        first, *others = [span for span in self.spans if span[1] > pts]
        return Timeline(((pts, first[1]), *others))

    def without(self, gaps: Iterable[Span]) -> Timeline:
        """Return the timeline without gaps: (PTS at which the frame before ends, PTS of the next frame)."""
        spans = self.spans
        for first, last in gaps:
            spans = tuple(piece for span in spans for piece in _cut(span, first, last))
        return Timeline(spans) if spans else self


def _cut(span: Span, first: int, last: int) -> Iterator[Span]:
    start, end = span
    if last <= start or first >= end:
        yield span
        return
    if first > start:
        yield start, first
    if last < end:
        yield last, end
