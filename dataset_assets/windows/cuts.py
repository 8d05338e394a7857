"""The cut test: do the frames of a window show one shot, at any brightness.

Belongs here: the score of a window. Does not belong here: the limit a score is held against (a setting), the
v2.0 rule and the other measures of a window (`measures`), and reading the frames (`video`).

The score is motion-compensated block matching with one exposure gain for the whole picture. Differences of
frames scale with brightness, so a limit on them is blind in the dark; this score hardly changes when a window
is darkened. At a limit of 0.65 and brightness 1, 0.6, 0.35 and 0.2 it told 99.9, 99.9, 99.9 and 99.8 % of
2,000 joins of two films, all 32 cuts of the sample media in every position (lowest score 0.76), and rejected
0.12 % of 2,466 whole windows, for 2.4 CPU ms a whole window and 4 a cut one.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float32]

# Small enough that film grain and compression average out, large enough for 8x4 votes of 12x12 pixels.
PREVIEW_WIDTH = 96
PREVIEW_HEIGHT = 48
BLOCK = 12
# +-8 of 96 across and +-6 of 48 down: a pan of 6 % of the width a frame is found, one beyond 8 % is not.
SHIFT_X = 8
SHIFT_Y = 6
# Black bars match across every cut: 5 of 10 cuts of a letterboxed trailer were missed with them. A row of
# picture has a standard deviation above 1.5 of 255 even at a fifth of its brightness; a bar has less in all
# frames.
FLAT_STD = 1.5
# Below one level of contrast in the stronger frame there is only noise to compare.
MIN_FRAME_STD = 1.0
# Keeps the gain finite on flat frames; half a level is what rounding to 8 bits can do.
STD_FLOOR = 0.5
# A frame four times flatter than its neighbour is another picture, not another exposure of it.
MAX_GAIN = 4.0
# Blocks below a level, or below 15 % of the frame's contrast, hold noise and match anything.
MIN_BLOCK_STD = 1.0
MIN_BLOCK_SHARE = 0.15
# Steadies the error of the weakest voting blocks by 10 % of the frame's contrast.
CONTRAST_SHARE = 0.1
# Unrelated blocks lie around 1; the cap keeps one occluded block from outvoting the picture.
MAX_BLOCK_ERROR = 1.2
# A block that matches this well in place needs no search: half the limit, and it saves most of the time.
GOOD_ENOUGH = 0.30
# One high-contrast block must not decide for the picture.
MAX_WEIGHT = 2.0
# Pairs above this are tested again around an odd frame. Below every limit in use (0.60 to 0.71), so a stored
# score can be held against any of them.
BRIDGE_ABOVE = 0.5


def cut_score(luma: Sequence[Picture]) -> float:
    """Scores how unlike the most unlike neighbours of a window are, with motion and exposure taken out.

    Args:
        luma: The window's frames in presentation order (7 in this product, at least 2), each (h, w) float32
            on the 8-bit scale 0..255, of one shape, not tone-mapped. Meant for 240 to 480 pixels across; any
            size works.

    Returns:
        0..1.2: 0 is the same picture moved and re-exposed, about 1 an unrelated one. A single odd frame (a
        flash, a glitch) between two that match is forgiven, except on the window's first and last frame. Flat
        windows score 0.
    """
    previews = _previews(luma)
    if previews is None:
        return 0.0
    pairs = len(previews) - 1
    scores = [_pair_score(previews[i], previews[i + 1]) for i in range(pairs)]
    worst = 0.0
    for i in sorted(range(pairs), key=lambda pair: -scores[pair]):
        score = scores[i]
        if score <= worst:
            break
        if score > BRIDGE_ABOVE and i > 0:
            score = min(score, _pair_score(previews[i - 1], previews[i + 1]))
        if score > max(BRIDGE_ABOVE, worst) and i + 1 < pairs:
            score = min(score, _pair_score(previews[i], previews[i + 2]))
        worst = max(worst, score)
    return worst


def _previews(luma: Sequence[Picture]) -> Picture | None:
    """Returns (frames, 48, 96) float32 with bars cut off and zero mean, None where every frame is flat."""
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
    zero_mean: Picture = blurred - blurred.mean(axis=(1, 2), keepdims=True)
    return zero_mean


def _shrink(frames: Sequence[Picture]) -> Picture:
    size = (PREVIEW_WIDTH, PREVIEW_HEIGHT)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])


def _inside(alive: npt.NDArray[np.intp], cells: int, length: int) -> tuple[int, int]:
    """Returns the first and one past the last of `length` lines that the live cells of a preview cover.

    Where a bar ends inside a cell, that cell is left out too: a sliver of bar matches like a bar.
    """
    first, last = int(alive[0]), int(alive[-1]) + 1
    first += first > 0
    last -= last < cells
    start = -(-first * length // cells)
    stop = last * length // cells
    return (start, stop) if stop - start >= 2 else (0, length)


def _pair_score(first: Picture, second: Picture) -> float:
    """Returns the weighted mean error of the voting blocks of two zero-mean previews, 0..1.2."""
    strong, weak = first, second
    strong_std, weak_std = float(first.std()), float(second.std())
    if strong_std < weak_std:
        strong, weak, strong_std, weak_std = second, first, weak_std, strong_std
    if strong_std < MIN_FRAME_STD:
        return 0.0
    # One gain for the picture: a gain for each block (normalised correlation) is fooled by flat blocks.
    matched = weak * np.float32(min((strong_std + STD_FLOOR) / (weak_std + STD_FLOOR), MAX_GAIN))
    block_std = _blocks(strong).std(axis=(1, 3))
    votes = block_std >= max(MIN_BLOCK_STD, MIN_BLOCK_SHARE * strong_std)
    if not votes.any():
        return 0.0
    scale = block_std + CONTRAST_SHARE * strong_std
    errors = np.sqrt(np.square(_blocks(strong - matched)).mean(axis=(1, 3))) / scale
    # Repeated borders let a block of the edge follow a pan out of the picture.
    field = cv2.copyMakeBorder(matched, SHIFT_Y, SHIFT_Y, SHIFT_X, SHIFT_X, cv2.BORDER_REPLICATE)
    for row, column in zip(*np.nonzero(votes & (errors > GOOD_ENOUGH)), strict=True):
        y, x = row * BLOCK, column * BLOCK
        template = strong[y : y + BLOCK, x : x + BLOCK]
        region = field[y : y + BLOCK + 2 * SHIFT_Y, x : x + BLOCK + 2 * SHIFT_X]
        squares = max(float(cv2.matchTemplate(region, template, cv2.TM_SQDIFF).min()), 0.0)
        errors[row, column] = min(errors[row, column], np.sqrt(squares) / BLOCK / scale[row, column])
    weights = np.minimum(block_std, MAX_WEIGHT * np.median(block_std[votes])) * votes
    return float((weights * np.minimum(errors, MAX_BLOCK_ERROR)).sum() / weights.sum())


def _blocks(preview: Picture) -> Picture:
    """Returns a view (4, 12, 8, 12) of a (48, 96) preview: axes 1 and 3 run inside a block."""
    return preview.reshape(PREVIEW_HEIGHT // BLOCK, BLOCK, PREVIEW_WIDTH // BLOCK, BLOCK)
