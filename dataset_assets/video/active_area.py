"""The active area: the part of the picture inside its black bars.

Works on untouched luma of frames in coded orientation. Not here: where a bar ends (`bar_edges`), formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dataset_assets.video.bar_edges import (
    BAR_LUMA,
    FULL_RANGE_BAR_LUMA,
    Lines,
    bars,
    describe_lines,
    is_full_edge,
    noise_limits,
    sample_places,
)
from dataset_assets.video.geometry import FrameGeometry, Rect

# Lines behind a bar's edge that scaling and chroma smear.
EDGE_LINES = 2
# With fewer lines or columns between its bars it is a stripe on black, not a picture: no bars then.
MIN_ACTIVE_SIDE = 16
# Bars of a single window, against the film's active area, count from this share of the height or width on.
MIN_WINDOW_BAR = 0.02
# Pictures with at most this share lit have no information: each of them is black.
BLACK_SHARE = 0.985
# A column that is lit over less of its length in every picture may be a bar's, with text in it.
MIN_COLUMN_SHARE = 0.25
# Upright video in a wide frame leaves 32 % of the columns lit; less is a lamp in a dark room.
MIN_WIDTH_SHARE = 0.3
# Fewer samples of a line than these are not enough to judge it.
MIN_SAMPLES = 16
# Bars on one side, or of a few lines, must be the same in so many pictures: one alone may be a wall.
MIN_CONSTANT_PICTURES = 3

Luma = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Bars:
    """How many lines are black at each side of a picture."""

    left: int
    top: int
    right: int
    bottom: int

    def beside(self, outer: Bars) -> Bars:
        """Return these bars of a picture inside other lines, as bars of both together."""
        return Bars(
            self.left + outer.left, self.top + outer.top, self.right + outer.right, self.bottom + outer.bottom
        )


def find_bars(pictures: Iterable[npt.NDArray[np.uint8]], *, full_range: bool) -> Bars | None:
    """Return the bars that all pictures share, a few odd ones aside; noise and text in them are allowed.

    Args:
        pictures: Luma pictures of one size, shape (height, width), uint8; at least one. None is kept.
        full_range: Whether black is 0 instead of 16.

    Returns:
        The bars, or None if every picture is black, so that there is no information.
    """
    black = FULL_RANGE_BAR_LUMA if full_range else BAR_LUMA
    samples = _Samples.of(pictures, black)
    if samples.is_black:
        return None
    rows = samples.rows_lines()
    top, bottom = bars(rows)
    left, right = bars(samples.columns_lines(top, bottom))
    return Bars(left, top, right, bottom)


def active_area(bars: Bars, geometry: FrameGeometry) -> Rect:
    """Return the working-frame rectangle inside bars that were measured on coded frames.

    Every edge with a bar is moved in by `EDGE_LINES` working pixels, past what scaling smears across it. The
    entire working frame if almost nothing would be left.
    """
    width, height = geometry.scaled_size
    scale_x, scale_y = geometry.coded_width / width, geometry.coded_height / height
    left, right = _inset(bars.left, scale_x), _inset(bars.right, scale_x)
    top, bottom = _inset(bars.top, scale_y), _inset(bars.bottom, scale_y)
    area = Rect(left, top, width - left - right, height - top - bottom)
    if min(area.width, area.height) < MIN_ACTIVE_SIDE:
        return geometry.working_rect
    return geometry.after_turning(area)


def has_window_bars(pictures: Sequence[Luma], *, full_range: bool, bit_depth: int = 8) -> bool:
    """Return whether a window's own pictures have bars, as a scene in another aspect ratio has.

    Bars are on opposite sides and similar, or the same in all pictures with an edge over the full width.

    Args:
        pictures: Luma of the film's active area, shape (height, width), uint8 or uint16. Of most pictures
            only the outermost lines are read.
        full_range: Whether black is 0 instead of 16.
        bit_depth: Bits of a sample.
    """
    is_constant = len(pictures) >= MIN_CONSTANT_PICTURES
    return any(
        _are_alike(lines, *found) or (is_constant and _are_full(lines, *found))
        for lines, found in _pairs_of_bars(pictures, full_range, bit_depth)
    )


def has_crop_bar(pictures: Sequence[Luma], *, full_range: bool) -> bool:
    """Return whether a black bar with an edge over the full width is along a side of a crop.

    Args:
        pictures: Luma of a crop's frames, shape (height, width), uint8.
        full_range: Whether black is 0 instead of 16.
    """
    return any(_are_full(lines, *found) for lines, found in _pairs_of_bars(pictures, full_range))


def _pairs_of_bars(
    pictures: Sequence[Luma], full_range: bool, bit_depth: int = 8
) -> Iterator[tuple[Lines, tuple[int, int]]]:
    """Yield rows with the bars above and below, then columns with those left and right; nothing if black."""
    black = FULL_RANGE_BAR_LUMA if full_range else BAR_LUMA
    extra_bits = bit_depth - 8
    limit = (black + 1 << extra_bits) - 1
    rows_end_black = _end_black(pictures, (np.s_[0], np.s_[-1]), limit)
    columns_end_black = _end_black(pictures, (np.s_[:, 0], np.s_[:, -1]), limit)
    if not rows_end_black and not columns_end_black:
        return
    samples = _Samples.of(pictures, black, extra_bits)
    if samples.is_black:
        return
    found = (0, 0)
    if rows_end_black:
        rows = samples.rows_lines()
        found = bars(rows)
        yield rows, found
    if columns_end_black:
        columns = samples.columns_lines(*found)
        yield columns, bars(columns)


def _are_alike(lines: Lines, first: int, second: int) -> bool:
    """Return whether bars are on opposite sides and similar."""
    least = MIN_WINDOW_BAR * lines.is_lit.shape[1]
    return bool(min(first, second) >= least and abs(first - second) <= least)


def _are_full(lines: Lines, first: int, second: int) -> bool:
    """Return whether a bar of a pair has an edge over the full width."""
    sides = ((lines, first), (lines.reversed(), second))
    return any(size > 0 and is_full_edge(side, size) for side, size in sides)


def _end_black(pictures: Sequence[Luma], ends: Sequence[Any], limit: int) -> bool:
    """Return whether an outermost line is black in all pictures; mostly none is, and the search ends."""
    return any(all(bool((picture[end] > limit).mean() <= 0.5) for picture in pictures) for end in ends)


@dataclass(frozen=True, slots=True)
class _Samples:
    """Samples of rows and columns of several pictures.

    Attributes:
        rows: Shape (pictures, height, samples).
        columns: Shape (pictures, width, samples).
        row_places: Which rows the samples of columns lie in.
        column_places: Which columns the samples of rows lie in.
        limits: Shape (pictures, 2): up to where black with noise reaches.
    """

    rows: npt.NDArray[np.uint8]
    columns: npt.NDArray[np.uint8]
    row_places: npt.NDArray[np.intp]
    column_places: npt.NDArray[np.intp]
    limits: npt.NDArray[np.int_]

    @classmethod
    def of(cls, pictures: Iterable[Luma], black: int, extra_bits: int = 0) -> _Samples:
        """Take samples, one picture after the other; of more than 8 bits the highest 8."""
        rows, columns, limits = [], [], []
        for picture in pictures:
            height, width = picture.shape
            of_rows, of_columns = picture[:, sample_places(width)], picture[sample_places(height)].T
            rows.append((of_rows >> extra_bits).astype(np.uint8))
            columns.append((of_columns >> extra_bits).astype(np.uint8))
            strips = [each[part] for each in (rows[-1], columns[-1]) for part in (np.s_[:2], np.s_[-2:])]
            limits.append(noise_limits(strips, black))
        places = sample_places(height), sample_places(width)
        return cls(np.stack(rows), np.stack(columns), *places, np.array(limits))

    @property
    def is_black(self) -> bool:
        """Whether nothing is lit in any picture, a speck aside."""
        bright = self.rows > self.limits[:, :1, None]
        return bool(bright.any(axis=0).mean() <= 1 - BLACK_SHARE)

    def rows_lines(self) -> Lines:
        """Return the rows, the uppermost first, within the columns lit somewhere: no bars beside them."""
        is_lit = (self.columns > self.limits[:, 1:, None]).mean(-1).max(axis=0) >= MIN_COLUMN_SHARE
        lit = np.flatnonzero(is_lit)
        if lit.size < MIN_WIDTH_SHARE * len(is_lit):
            return describe_lines(self.rows, self.limits)
        first, last = lit[0], lit[-1]
        return describe_lines(self.rows[..., _between(self.column_places, first, last)], self.limits)

    def columns_lines(self, top: int, bottom: int) -> Lines:
        """Return the columns, the leftmost first, between the bars above and below."""
        last = self.rows.shape[1] - bottom - 1
        return describe_lines(self.columns[..., _between(self.row_places, top, last)], self.limits)


def _between(places: npt.NDArray[np.intp], first: int, last: int) -> npt.NDArray[np.bool_]:
    """Return which places are between two, these included; all of them if hardly any are."""
    inside = (places >= first) & (places <= last)
    return inside if inside.sum() >= min(MIN_SAMPLES, len(places)) else np.ones_like(inside)


def _inset(bar: int, scale: float) -> int:
    return int(np.ceil(bar / scale)) + EDGE_LINES if bar else 0
