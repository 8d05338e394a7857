"""What users exclude of a film, and which candidates touch it.

Here: ranges of time from the configuration and windows excluded by hand, held against candidates. Not here:
how ranges are written (`config`), and where windows that were excluded by hand are kept (`dataset`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from dataset_assets.config import TimeRange
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video import Extent, Timeline


def has_frame(pts: Sequence[int], frames: Iterable[int]) -> bool:
    """Return whether a window, given by the PTS of its frames, holds one of these frames."""
    return bool(pts) and any(pts[0] <= frame <= pts[-1] for frame in frames)


def about_time_base(extent: Extent, duration_s: float) -> Fraction:
    """Return about the seconds of a tick of a film that is not probed, given its recorded film time.

    Off by less than a tick in the film, unless probing found another extent since.
    """
    return Fraction(duration_s) / max(1, extent.timeline.length)


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What is excluded of one film.

    Attributes:
        timeline: The film's own time.
        frame_ticks: Ticks that a frame lasts on average.
        time_base: Seconds of a tick.
        ranges: Excluded ranges: ticks of film time, the end not included.
        frames: PTS of the middle frames of windows that were excluded by hand, in order.
    """

    timeline: Timeline
    frame_ticks: int
    time_base: Fraction
    ranges: tuple[tuple[int, int], ...] = ()
    frames: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, extent: Extent, time_base: Fraction, ranges: Iterable[TimeRange], frames: Collection[int]
    ) -> Exclusions:
        """Work out what is excluded of a film.

        Args:
            extent: What its candidates lie in.
            time_base: Seconds of a tick.
            ranges: Excluded ranges of its time.
            frames: PTS of the middle frames of windows that were excluded by hand.
        """
        timeline = extent.timeline
        duration_s = timeline.length * time_base
        in_s = (each.within(duration_s) for each in ranges)
        in_ticks = ((floor(start / time_base), ceil(end / time_base)) for start, end in in_s if start < end)
        return cls(timeline, extent.frame_ticks, time_base, tuple(in_ticks), tuple(sorted(frames)))

    @property
    def length(self) -> int:
        """Ticks of the film that lie in an excluded range."""
        total, reached = 0, 0
        for start, end in sorted(self.ranges):
            total += max(0, end - max(start, reached))
            reached = max(reached, end)
        return total

    def hold_place(self, start: int) -> bool:
        """Return whether a candidate need not be decoded: as long as a frame mostly is, it touches a range.

        Args:
            start: PTS from which its frames would be taken.
        """
        ticks = self.timeline.ticks_at(start)
        return self._touch(ticks, ticks + FRAMES_PER_WINDOW * self.frame_ticks)

    def hold_window(self, pts: Sequence[int]) -> bool:
        """Return whether a window touches a range, or shows a frame that was excluded by hand.

        Args:
            pts: PTS of its frames, in order.
        """
        if has_frame(pts, self.frames):
            return True
        if not pts or not self.ranges:
            return False
        first, last = (self.timeline.ticks_at(each) for each in (pts[0], pts[-1]))
        return self._touch(first, last + self.frame_ticks)

    def time_s(self, pts: int) -> float:
        """Return the seconds of film time at a PTS."""
        return float(self.timeline.ticks_at(pts) * self.time_base)

    def _touch(self, start: int, end: int) -> bool:
        return any(start < last and first < end for first, last in self.ranges)
