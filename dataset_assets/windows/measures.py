"""Measures of a window besides the cut score: motion, repeats, light, contrast, focus, similarity.

Here: the measures, each a pure function of pictures, and their default limits. Not here: the cut test
(`cuts`), the rules that reject a window (`rules`), and making the pictures (`candidate`).

A *preview* is the luma of a tone-mapped frame, (h, w) uint8 full range, some 240 to 480 pixels across.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

Preview = npt.NDArray[np.uint8]
Luma = npt.NDArray[np.uint8] | npt.NDArray[np.float32]

# Most sample films lie at 125 and above, so at 25 and above when darkened to a fifth, their darkest shot at
# 17; the ends of fades, one line of small text on black and a recording of a dark screen lie at 0 to 9.
MIN_BRIGHTNESS = 16.0
# Most sample films lie at 12 and above, so at 2.4 and above when darkened to a fifth, all at 7 and above,
# frames with nothing in them at 0 to 1.5; a sky with 0.1 % stars lies at 5.
MIN_CONTRAST = 2.0
# Of 1,461 frames of the sample films one lies below (a face blurred all over by motion, 0.28), the next at
# 0.44. Of 108 HD frames upscaled by 3: that one; blurred by a Gaussian of sigma 4: 90 %, of sigma 6: all.
MIN_SHARPNESS = 0.36

# Samples along a side of the cells in which two frames are compared: small things that move fill one.
REPEAT_CELL = 16
# Two frames are the same picture where they differ by less than this in the mean and in every cell: slides
# and held drawings as H.264, HEVC and MPEG-2 keep them, 89 to 99 % of their pairs (MPEG-2: 74). Grain of
# sigma 3 that a codec kept differs by 0.3 to 1.4 and by 2.4 to 4.7.
REPEAT_MEAN_DIFF = 0.3
REPEAT_CELL_DIFF = 1.5
# Or where they differ by a small part of what the window's other frames do: a repeated frame is coded once
# more, better or worse than the one before. Of 24p film repeated to 60p as x264 CRF 16, MPEG-2 and MPEG-4
# 98 % of the repeats are counted, as HEVC CRF 26 88 %, as x264 CRF 28 75 %, and 1 % of the others in films
# without repeats, most of them still in truth.
REPEAT_MAX_CELL_DIFF = 8.0
REPEAT_CELL_SHARE = 0.3
REPEAT_MEAN_SHARE = 0.6

# The brightest 0.5 % decide, so a black sky with 1 % stars is not near black.
BRIGHT_QUANTILE = 0.995

# Wide enough to hold both sides of an edge blurred by sigma 6, small enough for several tiles on a face.
TILE = 32
# 16 tiles along a side already find what is in focus; every second tile of more costs a quarter.
MANY_TILES = 16
# In 8-bit levels after 2x2 averaging: compression and rounding noise of a flat tile stay below.
MIN_TILE_RANGE = 4.0
# Tiles with less range are background, noise, or the tail of a blurred edge, whose steps look steep: at a
# quarter of the strongest range 79 % of the frames blurred by sigma 4 are detected, at 0.4 90 %.
TILE_RANGE_SHARE = 0.4
# The sharpest 3 % of the tiles with contrast: a shallow focus on a small thing is in focus.
SHARP_QUANTILE = 0.97

SIGNATURE_WIDTH = 32
SIGNATURE_HEIGHT = 18
# Mean and largest difference of two signatures, in 8-bit levels. Of 170 stills with grain of sigma 8 98 %
# stay within both, of stills as JPEG of quality 60 and 25 99 %; neighbouring windows of a still camera over
# traffic differ by 44 in some cell, of a slowly turning planet by 6.
DUPLICATE_MEAN_DIFF = 1.25
DUPLICATE_MAX_DIFF = 4.0
# In the dark a moving star changes a cell by 2 or 3 levels: there the largest difference allowed shrinks to 1
# (rounding) plus this share of the signature's range. A range of 60 has the full limit.
DUPLICATE_RANGE_SHARE = 0.05


def mean_abs_diff(first: Luma, last: Luma) -> float:
    """Return mean |first - last| of two pictures of one shape and dtype, in their own levels.

    The v2.0 rule compares this, for the previews of a window's first and last frame, with 45.
    """
    return float(cv2.norm(first, last, cv2.NORM_L1)) / first.size


def repeated_frames(luma: Sequence[Preview]) -> int:
    """Return how many neighbours of a window show the same picture but for the noise of coding.

    24p film in 60p has 3 or 4 in a window, animation on threes 4, a slide 6. A locked camera over a still
    scene has none while its grain differs from frame to frame.

    Args:
        luma: The window's frames in presentation order, each (h, w) uint8, of one shape, some 480 to 960
            samples across; not averaged, since grain and motion must not fade.

    Returns:
        0 to one less than there are frames.
    """
    cells = [_cell_diffs(first, second) for first, second in pairwise(luma)]
    means = np.array([each.mean() for each in cells])
    worst = np.array([each.max() for each in cells])
    same = (means <= REPEAT_MEAN_DIFF) & (worst <= REPEAT_CELL_DIFF)
    same |= (means <= REPEAT_MEAN_SHARE * means.max()) & (
        worst <= min(REPEAT_MAX_CELL_DIFF, REPEAT_CELL_SHARE * worst.max())
    )
    return int(same.sum())


def _cell_diffs(first: Preview, second: Preview) -> npt.NDArray[np.float32]:
    """Return the mean absolute difference of two pictures in each cell."""
    height, width = first.shape
    size = (max(1, width // REPEAT_CELL), max(1, height // REPEAT_CELL))
    diff = cv2.absdiff(first, second).astype(np.float32)
    return np.asarray(cv2.resize(diff, size, interpolation=cv2.INTER_AREA), np.float32)


def brightness(preview: Preview) -> float:
    """Return the 99.5th percentile of a preview, 0..255: low only where nothing in the picture is bright."""
    counts = np.cumsum(np.bincount(preview.ravel(), minlength=256))
    return float(np.searchsorted(counts, BRIGHT_QUANTILE * preview.size))


def contrast(preview: Preview) -> float:
    """Return the standard deviation of a preview, 0..127.5."""
    return float(cv2.meanStdDev(preview)[1][0, 0])


def sharpness(luma: Luma) -> float:
    """Return how sharp the sharpest edges of a picture are, independent of brightness and contrast.

    In tiles of 32x32 pixels, averaged 2x2 against noise, the steepest step between neighbours is divided by
    the tile's range: about 1 for an edge in focus, 1 / (sigma x 1.25) for one blurred by a Gaussian of sigma
    pixels.

    Args:
        luma: (h, w) uint8 or float32 on the 8-bit scale 0..255 at working scale, without black bars (their
            edges are sharp in a picture that is not).

    Returns:
        0..1, the 97th percentile of the tiles that hold contrast; 0 for a picture that holds none, or that is
        smaller than 8x8.
    """
    tiles = _half_scale_tiles(luma)
    if tiles.size == 0:
        return 0.0
    ranges = tiles.max(axis=(0, 1)) - tiles.min(axis=(0, 1))
    chosen = ranges >= max(MIN_TILE_RANGE, TILE_RANGE_SHARE * float(ranges.max()))
    if not chosen.any():
        return 0.0
    tiles = np.ascontiguousarray(tiles[:, :, chosen])
    down = np.abs(tiles[1:] - tiles[:-1]).max(axis=(0, 1))
    across = np.abs(tiles[:, 1:] - tiles[:, :-1]).max(axis=(0, 1))
    return float(np.quantile(np.maximum(down, across) / ranges[chosen], SHARP_QUANTILE))


def _half_scale_tiles(luma: Luma) -> npt.NDArray[np.float32]:
    """Return (side, side, tiles) float32: tiles spread over the picture, averaged 2x2."""
    height, width = luma.shape
    tile = min(TILE, height // 2 * 2, width // 2 * 2)
    if tile < 8:
        return np.zeros((0, 0, 0), np.float32)
    rows, columns = height // tile, width // tile
    grid = luma[: rows * tile, : columns * tile].reshape(rows, tile, columns, tile)
    grid = grid[:: 2 if rows >= MANY_TILES else 1, :, :: 2 if columns >= MANY_TILES else 1]
    rows, _, columns, _ = grid.shape
    picture = np.ascontiguousarray(grid).reshape(rows * tile, columns * tile).astype(np.float32)
    side = tile // 2
    half = cv2.resize(picture, (columns * side, rows * side), interpolation=cv2.INTER_AREA)
    # Tiles last: reductions over a tile then run along whole lines of tiles, three times as fast.
    split = half.reshape(rows, side, columns, side).transpose(1, 3, 0, 2)
    return np.asarray(split, np.float32).reshape(side, side, rows * columns)


def signature(preview: Preview) -> Preview:
    """Return the preview's means over 32x18 cells, (18, 32) uint8: what `is_duplicate` compares."""
    size = (SIGNATURE_WIDTH, SIGNATURE_HEIGHT)
    return np.asarray(cv2.resize(preview, size, interpolation=cv2.INTER_AREA), np.uint8)


def signature_from(content: bytes) -> Preview:
    """Return the signature (18, 32) whose bytes a table keeps."""
    return np.frombuffer(content, np.uint8).reshape(SIGNATURE_HEIGHT, SIGNATURE_WIDTH)


def is_duplicate(first: Preview, second: Preview) -> bool:
    """Return whether two signatures show the same picture but for noise and compression.

    A small thing that moved, or another moment of the same pan, makes a different picture.
    """
    diff = cv2.absdiff(first, second)
    value_range = max(np.ptp(first), np.ptp(second))
    max_diff = min(DUPLICATE_MAX_DIFF, 1.0 + DUPLICATE_RANGE_SHARE * float(value_range))
    return float(diff.mean()) <= DUPLICATE_MEAN_DIFF and float(diff.max()) <= max_diff
