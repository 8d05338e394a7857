"""The cut test: do the frames of a window show one shot, at any brightness.

Here: the score of a window. Not here: how two pictures are compared (`matching`), how blended frames are
detected (`blends`), the limit of the score (a setting), the v2.0 rule and the other measures of a window
(`measures`), and reading the frames (`video`).

The score is motion-compensated block matching with one exposure gain for the entire picture. Differences of
frames scale with brightness, so a limit on them fails in the dark; this score hardly changes when a window is
darkened. At a limit of 0.65 and brightness 1, 0.6, 0.35 and 0.2 it detects 99.9, 99.9, 99.9 and 99.8 % of
2,000 joins of two films and all 32 cuts of the sample media in every position (lowest score 0.76).

Where 1, 2 or 3 blended frames lie between the shots, 99.7, 99.6 and 100 % of 800 windows with unblended
frames of both are detected (neighbours alone: 96, 85 and 66 %). Of 760 windows that begin or end inside the
blend, with a quarter or more of the other shot in a frame, 84 to 95 % are (neighbours alone: 25 to 67 %). Of
5,654 windows of 60 sample films without a cut 0.6 % are rejected (neighbours alone: 0.1 %), of pans up to 6 %
of the width a frame and of zooms none, of dissolves over 10 frames 73 %, over 24 frames 15 %. All of it takes
3.5 CPU ms for a window without a cut, 1.3 of them for blends.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.windows.blends import ghost, mixture
from dataset_assets.windows.matching import (
    MAX_BLOCK_ERROR,
    PREVIEW_HEIGHT,
    PREVIEW_WIDTH,
    Picture,
    pair_score,
)

# Black bars match across every cut: 5 of 10 cuts of a letterboxed trailer were missed with them. A row of
# picture has a standard deviation above 1.5 of 255 even at a fifth of its brightness; a bar has less in all
# frames.
FLAT_STD = 1.5
# Pairs above this are tested again around an odd frame. Below every limit in use (0.60 to 0.71), so a stored
# score can be compared with any of them.
BRIDGE_ABOVE = 0.5
# Neighbours above every limit in use are a cut, whatever the other frames show.
BLENDS_BELOW = 0.71
# Bring both measures of blends to the scale of the block test: a mixture of 0.22 and a ghost of 0.06 lie at
# its limit of 0.65. Each rejects 0.2 to 0.4 % of the windows without a cut of the sample films there.
MIXTURE_SCALE = 2.95
GHOST_SCALE = 10.8


def cut_score(luma: Sequence[Picture]) -> float:
    """Score how much a window looks like more than one shot, with motion and exposure compensated.

    The largest of two measures on one scale: how unlike the most unlike neighbours are, and how much a frame
    looks like two blended shots.

    Args:
        luma: The window's frames in presentation order (7 in this product, at least 2), each (h, w) float32
            on the 8-bit scale 0..255, of one shape, not tone-mapped. Meant for 240 to 480 pixels across; any
            size works.

    Returns:
        0..1.2: 0 is the same picture moved and re-exposed, about 1 an unrelated one. A single odd frame (a
        flash, a glitch) between two that match is forgiven, except on the window's first and last frame. Flat
        windows score 0.
    """
    found = _previews(luma)
    if found is None:
        return 0.0
    previews, means = found
    scores = [pair_score(first, second) for first, second in pairwise(previews)]
    score = _neighbours_score(previews, scores)
    if score >= BLENDS_BELOW:
        return score
    blended = max(MIXTURE_SCALE * mixture(previews, scores), GHOST_SCALE * ghost(previews, means, scores))
    return min(max(score, blended), MAX_BLOCK_ERROR)


def _neighbours_score(previews: Picture, scores: Sequence[float]) -> float:
    """Return the largest score of two neighbours, a single odd frame forgiven."""
    pairs = len(scores)
    worst = 0.0
    for i in sorted(range(pairs), key=lambda pair: -scores[pair]):
        score = scores[i]
        if score <= worst:
            break
        if score > BRIDGE_ABOVE and i > 0:
            score = min(score, pair_score(previews[i - 1], previews[i + 1]))
        if score > max(BRIDGE_ABOVE, worst) and i + 1 < pairs:
            score = min(score, pair_score(previews[i], previews[i + 2]))
        worst = max(worst, score)
    return worst


def _previews(luma: Sequence[Picture]) -> tuple[Picture, Picture] | None:
    """Return (frames, 48, 96) float32, bars cut off, of zero mean, and the means; None if all are flat."""
    stack = _shrink(luma)
    rows = np.flatnonzero((stack.std(axis=2) > FLAT_STD).any(axis=0))
    columns = np.flatnonzero((stack.std(axis=1) > FLAT_STD).any(axis=0))
    if rows.size == 0 or columns.size == 0:
        return None
    height, width = luma[0].shape
    top, bottom = _inside(rows, PREVIEW_HEIGHT, height)
    left, right = _inside(columns, PREVIEW_WIDTH, width)
    if bottom - top < height or right - left < width:
        stack = _shrink([frame[top:bottom, left:right] for frame in luma])
    blurred = np.stack([cv2.GaussianBlur(frame, (3, 3), 0) for frame in stack])
    means = blurred.mean(axis=(1, 2))
    return blurred - means[:, None, None], means


def _shrink(frames: Sequence[Picture]) -> Picture:
    size = (PREVIEW_WIDTH, PREVIEW_HEIGHT)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])


def _inside(alive: npt.NDArray[np.intp], cells: int, length: int) -> tuple[int, int]:
    """Return the first and one past the last of `length` lines that the live cells of a preview cover.

    Where a bar ends inside a cell, that cell is left out too: a sliver of bar matches like a bar.
    """
    first, last = int(alive[0]), int(alive[-1]) + 1
    first += first > 0
    last -= last < cells
    start = -(-first * length // cells)
    stop = last * length // cells
    return (start, stop) if stop - start >= 2 else (0, length)
