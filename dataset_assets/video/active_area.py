"""The active area: the part of the picture inside its black bars.

Works on untouched luma of frames in coded orientation; knows nothing of formats or crops.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from dataset_assets.video.geometry import FrameGeometry, Rect

# Limited-range black is 16; encoders leave a few codes of noise on bars (Sintel's reach 18, a phone's 20).
BAR_LUMA = 22
FULL_RANGE_BAR_LUMA = 7
# Share of a line's samples that must be black: a logo or a burnt-in subtitle in a bar is no picture.
BLACK_SHARE = 0.985
# A bar ends at a straight edge: right behind it, at least this share is lit of what is lit elsewhere in the
# picture (of a starry sky 2 %, of a landscape all).
PICTURE_SHARE = 0.5
# Lines behind a bar's edge that scaling and chroma smear.
EDGE_LINES = 2
# A picture of fewer lines or columns between its bars is none, but a stripe on black: no bars then.
MIN_ACTIVE_SIDE = 16
# Bars of a single window, against the film's active area, count from this share of the height or width on.
MIN_WINDOW_BAR = 0.02


@dataclass(frozen=True, slots=True)
class Bars:
    """How many lines are black at each side of a picture."""

    left: int
    top: int
    right: int
    bottom: int

    def beside(self, outer: Bars) -> Bars:
        """These bars of a picture that lies inside other lines, as bars of the whole."""
        return Bars(
            self.left + outer.left, self.top + outer.top, self.right + outer.right, self.bottom + outer.bottom
        )


def find_bars(pictures: Iterable[npt.NDArray[np.uint8]], *, full_range: bool) -> Bars | None:
    """The bars that all pictures share.

    Args:
        pictures: Luma pictures of one size, shape (height, width), uint8; at least one.
        full_range: Whether black is 0 instead of 16.

    Returns:
        The bars, or None where every picture is black, so that nothing can be said.
    """
    limit = FULL_RANGE_BAR_LUMA if full_range else BAR_LUMA
    # The brightest code of each place tells as much as all pictures do, and none of them is kept.
    brightest = reduce(np.maximum, pictures)
    bright = brightest > limit
    if bright.mean() <= 1 - BLACK_SHARE:
        return None
    rows = bright.mean(axis=1)
    top, bottom = _bar(rows), _bar(rows[::-1])
    # Rows inside the horizontal bars only, else a letterboxed picture's columns never look bright enough.
    columns = np.mean(bright[top : bright.shape[0] - bottom], axis=0)
    return Bars(_bar(columns), top, _bar(columns[::-1]), bottom)


def _bar(bright_shares: npt.NDArray[np.floating]) -> int:
    """Lines of black before the picture; 0 where it starts gradually, as a planet before black sky does."""
    lit = bright_shares > 1 - BLACK_SHARE
    if not lit.any():
        return 0
    picture_share = PICTURE_SHARE * min(1.0, float(np.median(bright_shares[lit])))
    starts, full = int(np.argmax(lit)), int(np.argmax(bright_shares > picture_share))
    soft_lines = max(4, len(bright_shares) // 100)
    return full if starts and full - starts <= soft_lines else 0


def active_area(bars: Bars, geometry: FrameGeometry) -> Rect:
    """The working-frame rectangle inside bars that were measured on coded frames.

    Every edge with a bar is moved in by `EDGE_LINES` working pixels, past what scaling smears across it. The
    whole working frame where next to nothing would be left.
    """
    width, height = geometry.scaled_size
    scale_x, scale_y = geometry.coded_width / width, geometry.coded_height / height
    left, right = _inset(bars.left, scale_x), _inset(bars.right, scale_x)
    top, bottom = _inset(bars.top, scale_y), _inset(bars.bottom, scale_y)
    area = Rect(left, top, width - left - right, height - top - bottom)
    if min(area.width, area.height) < MIN_ACTIVE_SIDE:
        return geometry.working_rect
    return geometry.after_turning(area)


def has_window_bars(pictures: Sequence[npt.NDArray[np.uint8]], *, full_range: bool) -> bool:
    """Whether a window's own pictures have bars on opposite sides, as a scene in another aspect ratio has.

    Args:
        pictures: Luma of the film's active area, shape (height, width), uint8.
        full_range: Whether black is 0 instead of 16.
    """
    bars = find_bars(pictures, full_range=full_range)
    if bars is None:
        return False
    height, width = pictures[0].shape
    for first, second, length in ((bars.top, bars.bottom, height), (bars.left, bars.right, width)):
        if min(first, second) >= MIN_WINDOW_BAR * length and abs(first - second) <= MIN_WINDOW_BAR * length:
            return True
    return False


def _inset(bar: int, scale: float) -> int:
    return int(np.ceil(bar / scale)) + EDGE_LINES if bar else 0
