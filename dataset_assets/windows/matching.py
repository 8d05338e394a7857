"""Block matching: how different two small pictures are after compensating motion and exposure.

Here: the error of each block of one picture in another. Not here: the previews that are compared and the
score of a window (`cuts`, `blends`).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float32]

# Small enough that film grain and compression average out, large enough for 8x4 votes of 12x12 pixels.
PREVIEW_WIDTH = 96
PREVIEW_HEIGHT = 48
BLOCK = 12
# +-8 of 96 across and +-6 of 48 down: a pan of 6 % of the width a frame is found, one beyond 8 % is not.
SHIFT = (8, 6)
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


def block_errors(
    first: Picture,
    second: Picture,
    shift: tuple[int, int] = SHIFT,
    good_enough: float = GOOD_ENOUGH,
    *,
    same_exposure: bool = False,
) -> tuple[Picture, Picture] | None:
    """Find each block of the picture with more contrast in the other one.

    Args:
        first: Shape (48, 96), zero mean; untouched where the exposure is the same.
        second: The picture to compare it with, of the same shape.
        shift: How far a block is searched across and down, in pixels.
        good_enough: Error in place from which on a block is not searched.
        same_exposure: Whether to compare them as they are, without a gain.

    Returns:
        Error of each block, 0 (the same) to 1.2, about 1 where unrelated; and its weight, 0 where it has
        no information; both of shape (4, 8). None if no block has any.
    """
    strong, weak = first, second
    strong_std, weak_std = float(first.std()), float(second.std())
    if strong_std < weak_std:
        strong, weak, strong_std, weak_std = second, first, weak_std, strong_std
    if strong_std < MIN_FRAME_STD:
        return None
    # One gain for the picture: a gain for each block (normalised correlation) is fooled by flat blocks.
    gain = 1.0 if same_exposure else min((strong_std + STD_FLOOR) / (weak_std + STD_FLOOR), MAX_GAIN)
    matched = weak * np.float32(gain)
    block_std = _blocks(strong).std(axis=(1, 3))
    votes = block_std >= max(MIN_BLOCK_STD, MIN_BLOCK_SHARE * strong_std)
    if not votes.any():
        return None
    scale = block_std + CONTRAST_SHARE * strong_std
    errors = np.sqrt(np.square(_blocks(strong - matched)).mean(axis=(1, 3))) / scale
    # Repeated borders let a block of the edge follow a pan out of the picture.
    across, down = shift
    field = cv2.copyMakeBorder(matched, down, down, across, across, cv2.BORDER_REPLICATE)
    for row, column in zip(*np.nonzero(votes & (errors > good_enough)), strict=True):
        y, x = row * BLOCK, column * BLOCK
        template = strong[y : y + BLOCK, x : x + BLOCK]
        region = field[y : y + BLOCK + 2 * down, x : x + BLOCK + 2 * across]
        squares = max(float(cv2.matchTemplate(region, template, cv2.TM_SQDIFF).min()), 0.0)
        errors[row, column] = min(errors[row, column], np.sqrt(squares) / BLOCK / scale[row, column])
    weights = np.minimum(block_std, MAX_WEIGHT * np.median(block_std[votes])) * votes
    return np.minimum(errors, MAX_BLOCK_ERROR), weights


def pair_score(
    first: Picture, second: Picture, shift: tuple[int, int] = SHIFT, good_enough: float = GOOD_ENOUGH
) -> float:
    """Return the weighted mean error of the blocks of two pictures, 0..1.2; arguments of `block_errors`."""
    found = block_errors(first, second, shift, good_enough)
    if found is None:
        return 0.0
    errors, weights = found
    return float((weights * errors).sum() / weights.sum())


def _blocks(preview: Picture) -> Picture:
    """Return a view (4, 12, 8, 12) of a (48, 96) preview: axes 1 and 3 run inside a block."""
    return preview.reshape(PREVIEW_HEIGHT // BLOCK, BLOCK, PREVIEW_WIDTH // BLOCK, BLOCK)
