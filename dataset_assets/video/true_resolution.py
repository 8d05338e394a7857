"""The size that a film had before it was enlarged to its coded size, measured in frames spread over it.

An enlarged line repeats its spectrum, mirrored, above the highest frequency of its source. In the DCT of the
line the signs about that place are opposite, and nowhere else (the idea of resdet). A codec's blocks do the
same at multiples of a sixteenth or a thirty-second of the length, which are left out: so an enlargement from
half or three quarters is not found. Nor is one that the codec has blurred away.

Not here: which frames are taken (`samples`), and what follows for the working frame (`geometry`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from mmap import mmap
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.video.active_area import Bars, Luma

# From this z on an axis counts as enlarged, from SUSPECT_Z on as suspected.
ENLARGED_Z, SUSPECT_Z = 7.0, 5.0
# Lines of a frame that are taken along each axis: all of 1080 find no more, at 4 times the cost.
MOST_LINES = 270
# Frames below which nothing is measured, and lengths of an axis.
MIN_FRAMES, MIN_LENGTH = 3, 320
# Lines behind the edge of a bar, into which a codec smears it: with them a film with bars read z 38.
EDGE_LINES = 4
# Lines that differ by less, in levels of 255, are bars and skies: their signs are those of noise.
MIN_DEVIATION = 1.0
# Coefficients below, in code values, are rounding: it has a deviation of 0.29 in each.
MIN_COEFFICIENT = 0.3
# Pairs about a place whose signs are compared.
PAIRS = 8
# Shares of the length that are searched; above, the film is as good as its coded size.
LEAST_SHARE, MOST_SHARE = 0.3, 0.95
# Places over which the baseline is taken, and left out beside a multiple of a codec's blocks.
BASELINE, BLOCK_MARGIN = 41, 3
# Parts of the length at whose multiples a codec's transforms show: its largest has twice as many samples.
BLOCK_PARTS = 16
WIDE_BLOCK_PARTS = 32
NARROW_BLOCK_CODECS = ("h264", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v3", "vc1", "wmv3", "theora")
# Shares of both axes that differ by less are the same enlargement.
SAME_SHARE = 0.005

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrueResolution:
    """What a film holds.

    Attributes:
        width: Pixels that the coded width holds; the coded width itself where no enlargement was found.
        height: The same of the height.
        z: How far the clearest trace of an enlargement stands out, in deviations of what is around it: of one
            axis, or of both together where they agree.
    """

    width: int
    height: int
    z: float

    @property
    def is_sure(self) -> bool:
        """Whether the trace is clear enough to act on."""
        return self.z >= ENLARGED_Z


@dataclass(frozen=True, slots=True)
class FrameLines:
    """Lines of one frame, untouched luma at its own bit depth.

    Attributes:
        rows: Shape (rows, width), every `row_step`-th row, from half a step on.
        columns: Shape (columns, height), every `column_step`-th column.
        bit_depth: Bits of a sample.
    """

    rows: Luma
    columns: Luma
    bit_depth: int

    @classmethod
    def of(cls, luma: Luma, bit_depth: int) -> FrameLines:
        """Copy some rows and columns of a frame's luma, (height, width); of UHD with 10 bits 3 MB."""
        height, width = luma.shape
        rows, columns = luma[_places(height)], luma[:, _places(width)].T
        return cls(_outside_heap(rows), _outside_heap(columns), bit_depth)

    def between(self, bars: Bars, axis: Literal["x", "y"]) -> npt.NDArray[np.float32]:
        """Return the lines along an axis between the bars, of an even length: (lines, length) float32."""
        height, width = self.columns.shape[1], self.rows.shape[1]
        left, top, right, bottom = (
            each + EDGE_LINES if each else 0 for each in (bars.left, bars.top, bars.right, bars.bottom)
        )
        rows, columns = slice(top, height - bottom), slice(left, width - right)
        lines, size, across, along = (
            (self.rows, height, rows, columns) if axis == "x" else (self.columns, width, columns, rows)
        )
        places = _places(size)
        inside = lines[(places >= across.start) & (places < across.stop), along]
        return inside[:, : inside.shape[1] // 2 * 2].astype(np.float32)


def measure(
    frames: Sequence[FrameLines], bars: Bars, codec: str, *, interlaced: bool
) -> TrueResolution | None:
    """Find out what size a film had before it was enlarged.

    An axis is measured between the bars at its ends, whose edges look like enlargements (720x480 with 8 black
    columns at each side: z 87). A film that was enlarged with its bars is found along the other axis.

    Args:
        frames: Lines of frames spread over the film.
        bars: Its black bars.
        codec: FFmpeg's name of its codec.
        interlaced: Whether frames hold lines of two moments, which hides what there is along the height.

    Returns:
        What it holds; None where that cannot be measured: too few frames, too small, or nothing but black.
    """
    if len(frames) < MIN_FRAMES:
        return None
    parts = BLOCK_PARTS if codec in NARROW_BLOCK_CODECS else WIDE_BLOCK_PARTS
    across = _clearest(frames, bars, "x", parts)
    down = None if interlaced else _clearest(frames, bars, "y", parts)
    found = [each for each in (across, down) if each is not None]
    if not found:
        return None
    best = max(found, key=lambda each: each.z)
    if across is not None and down is not None and _are_alike(across, down):
        best = _Trace(best.share, max(best.z, (across.z + down.z) / sqrt(2)))
    height, width = frames[0].columns.shape[1], frames[0].rows.shape[1]
    held_width = width * _share(across, best, is_hidden=bars.left + bars.right > 0)
    held_height = height * _share(down, best, is_hidden=interlaced or bars.top + bars.bottom > 0)
    return TrueResolution(round(held_width), round(held_height), round(best.z, 1))


@dataclass(frozen=True, slots=True)
class _Trace:
    """The clearest trace of an enlargement along an axis: the source's share of the length, and its z."""

    share: float
    z: float


def _share(trace: _Trace | None, best: _Trace, *, is_hidden: bool) -> float:
    """Return the share of the length that an axis holds, 1 where no enlargement was found.

    Args:
        trace: What was found along it.
        best: What was found along the axis with the clearer trace.
        is_hidden: Whether bars or combs hide what there is; then it holds the same share as the other.
    """
    if best.z < SUSPECT_Z:
        return 1.0
    if is_hidden or trace is None:
        return best.share
    least = ENLARGED_Z if best.z >= ENLARGED_Z else SUSPECT_Z
    return trace.share if _are_alike(trace, best) or trace.z >= least else 1.0


def _are_alike(one: _Trace, other: _Trace) -> bool:
    """Return whether two traces are suspicious and tell of the same enlargement."""
    return min(one.z, other.z) >= SUSPECT_Z and abs(one.share - other.share) < SAME_SHARE


def _outside_heap(lines: Luma) -> Luma:
    """Copy lines to memory that goes back to the system once they are not needed any more.

    On the heap they lie between decoded frames, and what is free about them fits no other frame: six windows
    of UHD in three categories took 791 MiB then, and take 683.
    """
    kept: Luma = np.ndarray(lines.shape, lines.dtype, buffer=mmap(-1, lines.nbytes))
    kept[...] = lines
    return kept


def _places(length: int) -> npt.NDArray[np.intp]:
    """Return at most some `MOST_LINES` places spread evenly over a length."""
    step = max(1, length // MOST_LINES)
    return np.arange(step // 2, length, step)


def _clearest(frames: Sequence[FrameLines], bars: Bars, axis: Literal["x", "y"], parts: int) -> _Trace | None:
    """Return the clearest trace in lines of several frames; None where there are too few of them."""
    length = frames[0].between(bars, axis).shape[1]
    if length < MIN_LENGTH:
        return None
    agreeing, compared = np.zeros(length), np.zeros(length)
    # One frame at a time: as float32 the lines of all would be 100 MB of UHD.
    for frame in frames:
        lines = frame.between(bars, axis)
        lines -= lines.mean(axis=1, keepdims=True)
        lines = lines[lines.std(axis=1) >= MIN_DEVIATION * 2 ** (frame.bit_depth - 8)]
        if len(lines):
            _compare_signs(cv2.dct(lines, flags=cv2.DCT_ROWS), agreeing, compared)
    is_known = compared >= PAIRS * MIN_FRAMES * BASELINE
    place = np.arange(length)
    is_searched = (place >= LEAST_SHARE * length) & (place < MOST_SHARE * length) & is_known
    to_block = np.abs(place - np.rint(place * parts / length) * length / parts)
    is_searched &= to_block > BLOCK_MARGIN
    if is_searched.sum() < BASELINE:
        return None
    # Of signs that have nothing to do with one another the deviation is 1.
    score = -agreeing / np.sqrt(np.maximum(compared, 1))
    score -= _running_median(score)
    deviation = 1.4826 * float(np.median(np.abs(score[is_searched])))
    score[~is_searched] = 0
    best = int(score.argmax())
    return _Trace(best / length, float(score[best]) / max(1.0, deviation))


def _compare_signs(coefficients: npt.NDArray[np.float32], agreeing: _Floats, compared: _Floats) -> None:
    """Count about each place the pairs of coefficients, and those of equal sign less those of opposite sign.

    Args:
        coefficients: (lines, length).
        agreeing: The difference is added to it, (length,).
        compared: The number of pairs is added to it, (length,).
    """
    length = coefficients.shape[1]
    # Eight lines in a byte: a tenth of the time of comparing them as numbers.
    positive = np.packbits(coefficients > 0, axis=0)
    counted = np.packbits(np.abs(coefficients) > MIN_COEFFICIENT, axis=0)
    for offset in range(1, PAIRS + 1):
        below, above = slice(0, length - 2 * offset), slice(2 * offset, length)
        both = counted[:, below] & counted[:, above]
        opposite = (positive[:, below] ^ positive[:, above]) & both
        pairs, unlike = (np.bitwise_count(each).sum(axis=0, dtype=np.int64) for each in (both, opposite))
        agreeing[offset : length - offset] += pairs - 2 * unlike
        compared[offset : length - offset] += pairs


def _running_median(values: _Floats) -> _Floats:
    padded = np.pad(values, BASELINE // 2, mode="reflect")
    medians: _Floats = np.median(np.lib.stride_tricks.sliding_window_view(padded, BASELINE), axis=-1)
    return medians
