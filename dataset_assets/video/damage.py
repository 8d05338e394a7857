"""Damage that a decoder does not report: what it makes of wrong bits is told by its blocks.

HEVC, VP9 and MPEG streams carry no checksum. A decoder that lost its place goes on to the end of the picture
and calls it sound. What it paints are blocks whose edges lie on the codec's grid of 8 samples, as those of a
filmed picture do not. Only pixels are looked at here; what decoders report is in `decode`.
"""

from __future__ import annotations

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
# Lines and columns of the grid that are looked at in a large picture: of UHD every eleventh, 8 CPU ms each
# frame.
MAX_LINES = 24
# A straight edge along more of the picture than this is a thing's: a wall's, a test chart's.
MAX_LINE_SHARE = 0.5
# Share of a tile's grid places with an edge, beyond the share at the busiest of the 7 other phases. See
# `docs/reliability.md` for what it told of damaged and of sound films.
MAX_EXCESS = 0.09


def looks_damaged(frame: av.VideoFrame) -> bool:
    """Whether a part of a decoded frame, unscaled and uncropped, is made of blocks."""
    return block_excess(plane_samples(frame, frame.planes[0]), frame.format.components[0].bits) > MAX_EXCESS


def block_excess(samples: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], bit_depth: int = 8) -> float:
    """The largest share, of all tiles of a picture, of edges that only the codec's grid explains.

    Args:
        samples: Luma, shape (height, width).
        bit_depth: Bits that are used of each sample.

    Returns:
        -1..1; 0 for pictures too small to tell.
    """
    places = (samples.shape[0] // GRID) * (samples.shape[1] // GRID)
    if places < MIN_PLACES:
        return 0.0
    rows, columns = (CELL_ROWS, CELL_COLUMNS) if places >= MIN_TILED_PLACES else (1, 1)
    across = _tile_shares(_edges(samples, bit_depth), rows, columns)
    down = _tile_shares(_edges(samples.T, bit_depth), columns, rows).transpose(1, 0, 2)
    shares = (across + down) / 2
    return float((shares[..., 0] - shares[..., 1:].max(axis=-1)).max())


def _edges(samples: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], bit_depth: int) -> npt.NDArray[np.bool_]:
    """Where 8 lines of the grid step from one column to the next: (grid rows, grid columns, 8 phases)."""
    rows, columns = samples.shape[0] // GRID, samples.shape[1] // GRID
    chosen = np.arange(0, rows, max(1, rows // MAX_LINES))
    taken = (chosen[:, None] * GRID + np.arange(GRID)).ravel()
    lines = (samples[taken, : columns * GRID] >> (bit_depth - 8)).astype(np.uint8)
    steps = cv2.absdiff(lines[:, 1:], lines[:, :-1]).reshape(len(chosen), GRID, -1)
    step = steps.sum(axis=1, dtype=np.uint16).astype(np.int16)
    found = np.zeros((len(chosen), columns * GRID), np.bool_)
    found[:, 2:-1] = step[:, 1:-1] - np.maximum(step[:, :-2], step[:, 2:]) > MIN_STEP * GRID
    found[:, found.mean(axis=0) > MAX_LINE_SHARE] = False
    return found.reshape(len(chosen), columns, GRID)


def _tile_shares(edges: npt.NDArray[np.bool_], rows: int, columns: int) -> npt.NDArray[np.float64]:
    """Share of places with an edge in each tile of 2x2 cells, in all where there is one: (..., ..., 8)."""
    cells = [np.array_split(strip, columns, axis=1) for strip in np.array_split(edges, rows, axis=0)]
    found = np.array([[cell.sum(axis=(0, 1), dtype=float) for cell in strip] for strip in cells])
    places = np.array([[[cell.shape[0] * cell.shape[1]] for cell in strip] for strip in cells])
    shares: npt.NDArray[np.float64] = _over_2x2(found) / np.maximum(_over_2x2(places), 1)
    return shares


def _over_2x2(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if min(cells.shape[:2]) == 1:
        return cells
    pairs = cells[1:] + cells[:-1]
    sums: npt.NDArray[Any] = pairs[:, 1:] + pairs[:, :-1]
    return sums
