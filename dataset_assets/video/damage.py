"""Damage that a decoder does not report, detected by its coding blocks.

HEVC, VP9 and MPEG streams have no checksum. A decoder that lost its position continues to the end of the
picture and reports no error. It outputs blocks whose edges are on the codec's grid of 8 samples, as those of
a filmed picture are not. Here: tests of pixels. Not here: what decoders report (`decode`).

Coarse coding and pixel art, scaled up by 8 or 16, have such edges too, but everywhere in every frame; damage
is somewhere, and seldom in all of a window's frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.video.planes import plane_samples

GRID = 8
# An edge counts from 10 of 255 on beyond the steps on both sides of it: deblocked films have few such edges.
MIN_STEP = 10
# Damage fills a part of the picture, and is thinned out by the rest of it: tiles of 2x2 cells, half over one
# another.
CELL_ROWS, CELL_COLUMNS = 8, 10
# Places of the grid in a picture with tiles, and in one without: among fewer, chance makes such edges.
MIN_TILED_PLACES, MIN_PLACES = 720, 60
# Lines and columns of the grid that are looked at in a large picture: of UHD every eleventh, 4 CPU ms each
# frame.
MAX_LINES = 24
# A straight edge along more of the picture than this belongs to an object: a wall, a test chart.
MAX_LINE_SHARE = 0.5
# Share of a tile's grid places with an edge, beyond the share at the busiest of the 7 other phases. See
# `docs/reliability.md` for the results with damaged and undamaged films.
MAX_EXCESS = 0.09
# Blocks at half the limit in so many tiles of each frame are the film's own. Of 1,610 windows of damaged
# films with blocks none has them in a quarter of the tiles of every frame, 99 % in less than 4 %; pixel art
# has 59 %, MJPEG of the lowest qualities 43 % at least. MPEG-2 and MPEG-4 are coarse in some frames only.
EVEN_SHARE = 0.3


def show_blocks(frames: Sequence[av.VideoFrame]) -> bool:
    """Return whether a part of a window shows coding blocks that the window in general does not.

    Args:
        frames: Its decoded frames, unscaled and uncropped. All of them: damage to a B-frame is in no other.
    """
    excesses = [
        tile_excesses(plane_samples(frame, frame.planes[0]), frame.format.components[0].bits)
        for frame in frames
    ]
    if all(excess.max() <= MAX_EXCESS for excess in excesses):
        return False
    return not all(excess.size > 1 and (excess > MAX_EXCESS / 2).mean() >= EVEN_SHARE for excess in excesses)


def tile_excesses(
    samples: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], bit_depth: int = 8
) -> npt.NDArray[np.float64]:
    """Return the share of edges in each tile of a picture that only the codec's grid explains.

    Args:
        samples: Luma, shape (height, width).
        bit_depth: Bits that are used of each sample.

    Returns:
        Shape (rows, columns) of tiles, -1..1; one tile of 0 for pictures that are too small.
    """
    height, width = samples.shape[0] // GRID, samples.shape[1] // GRID // 2 * 2
    if height * width < MIN_PLACES:
        return np.zeros((1, 1))
    is_tiled = height * width >= MIN_TILED_PLACES
    rows, columns = (min(CELL_ROWS, height), min(CELL_COLUMNS, width)) if is_tiled else (1, 1)
    grid = samples[: height * GRID, : width * GRID]
    lines = grid.reshape(height, GRID, -1)[:: max(1, height // MAX_LINES)].reshape(-1, width * GRID)
    steps = cv2.absdiff(lines[:, 1:], lines[:, :-1]).reshape(-1, GRID, width * GRID - 1)
    across = _tile_shares(_edges(steps.sum(axis=1, dtype=np.float32), bit_depth), rows, columns)
    # Two of the grid's columns at a time, as one item of an array: reading them is what takes the time, and
    # the second lies in the line of the processor's cache that the first brought along.
    pairs = grid.view(f"V{2 * GRID * grid.itemsize}")[:, :: max(1, width // MAX_LINES)]
    pillars = pairs.copy().view(grid.dtype)
    eights = cv2.absdiff(pillars[1:], pillars[:-1]).reshape(-1, GRID)
    sums = cv2.reduce(eights, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32F).reshape(height * GRID - 1, -1)
    down = _tile_shares(_edges(cv2.transpose(sums), bit_depth), columns, rows).transpose(1, 0, 2)
    shares = (across + down) / 2
    excesses: npt.NDArray[np.float64] = shares[..., 0] - shares[..., 1:].max(axis=-1)
    return excesses


def _edges(steps: npt.NDArray[Any], bit_depth: int) -> npt.NDArray[np.bool_]:
    """Return where lines of the grid have an edge, judged by all 8 adjacent samples.

    Args:
        steps: Sum of the 8 steps from each place along a line to the next, shape (lines, places - 1).
        bit_depth: Bits that are used of each sample.

    Returns:
        Shape (lines, places / 8, 8 phases).
    """
    found = np.zeros((steps.shape[0], steps.shape[1] + 1), np.bool_)
    least = (MIN_STEP * GRID) << (bit_depth - 8)
    found[:, 2:-1] = steps[:, 1:-1] - np.maximum(steps[:, :-2], steps[:, 2:]) > least
    found[:, found.mean(axis=0) > MAX_LINE_SHARE] = False
    return found.reshape(steps.shape[0], -1, GRID)


def _tile_shares(edges: npt.NDArray[np.bool_], rows: int, columns: int) -> npt.NDArray[np.float64]:
    """Return the share of places with an edge in each tile of 2x2 cells, shape (..., ..., 8)."""
    # At most 2 * MAX_LINES lines: their sums fit in 8 bits, which numpy adds fastest.
    by_row = np.add.reduceat(edges.view(np.uint8), _starts(edges.shape[0], rows), axis=0)
    found = np.add.reduceat(by_row, _starts(edges.shape[1], columns), axis=1, dtype=np.uint16)
    places = np.outer(_sizes(edges.shape[0], rows), _sizes(edges.shape[1], columns))[..., None]
    shares: npt.NDArray[np.float64] = _over_2x2(found) / np.maximum(_over_2x2(places), 1)
    return shares


def _starts(length: int, parts: int) -> npt.NDArray[np.intp]:
    return np.arange(parts) * length // parts


def _sizes(length: int, parts: int) -> npt.NDArray[np.intp]:
    return np.diff(np.arange(parts + 1) * length // parts)


def _over_2x2(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if min(cells.shape[:2]) == 1:
        return cells
    pairs = cells[1:] + cells[:-1]
    sums: npt.NDArray[Any] = pairs[:, 1:] + pairs[:, :-1]
    return sums
