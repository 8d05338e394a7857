"""Two shots in one frame: blended cuts, as standards conversion and interpolation leave them.

A cut with 1 to 3 blended frames has no pair of unrelated neighbours: each step is a part of the way. Two
things betray it. A blended frame is the sum of the frames around it, where a frame of a pan, a zoom or
something passing by is one of them moved (`mixture`). And where a window begins or ends with the last of the
blend, the other shot is a ghost all over that frame and in no other (`ghost`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt

from dataset_assets.windows.matching import SHIFT, STD_FLOOR, Picture, block_errors, pair_score

# Below these scores of neighbours there is no blend: with three blended frames each step has 0.25 or more
# between shots of similar contrast.
MIN_STEP = 0.15
# Half of what any limit in use lets pass; less is not worth the time it takes to measure.
MIN_MIXTURE = 0.1
MIN_GHOST = 0.03
# The search continues down to here, as 0.05 of the contrast is what grain leaves: what is left of a pan
# unsearched would look like a step of a blend.
GOOD_ENOUGH = 0.05
# Over two to four frames a pan goes further than between neighbours.
FAR_SHIFT = (12, 8)
# Both shots have at least this share of the contrast in a blended frame.
MIN_SHARE = 0.1
# Frames that match each other add up to the same picture with less grain, which is no blend.
MIN_APART = 0.4
# Keeps the fit of two frames that are almost the same finite.
RIDGE = 1e-3


def mixture(previews: Picture, scores: Sequence[float]) -> float:
    """Measure how much better a frame is explained by a sum of two others than by one of them moved.

    Args:
        previews: Shape (frames, 48, 96), zero mean.
        scores: `pair_score` of the neighbours.

    Returns:
        0..1.2: the smaller score of the frame with the two, less the share of its contrast that their best
        weighted sum leaves over; the largest of all frames. 0 where it is less than `MIN_MIXTURE`.
    """
    count = len(previews)
    flat = previews.reshape(count, -1).astype(np.float64)
    products = flat @ flat.T / flat.shape[1]

    @cache
    def score(first: int, second: int) -> float:
        shift = SHIFT if second - first == 1 else FAR_SHIFT
        return pair_score(previews[first], previews[second], shift, GOOD_ENOUGH)

    best = MIN_MIXTURE
    for middle in range(1, count - 1):
        if min(scores[middle - 1], scores[middle]) < MIN_STEP:
            continue
        for first, last in product((middle - 1, middle - 2), (middle + 1, middle + 2)):
            if first < 0 or last >= count:
                continue
            left = _left_over(products, first, middle, last)
            # In the order of what they cost and how often they decide.
            if (
                score(first, middle) - left > best
                and score(middle, last) - left > best
                and score(first, last) >= MIN_APART
            ):
                best = min(score(first, middle), score(middle, last)) - left
    return best if best > MIN_MIXTURE else 0.0


def ghost(previews: Picture, means: Picture, scores: Sequence[float]) -> float:
    """Measure how much the first or the last frame differs from a window that otherwise shows one shot.

    Args:
        previews: Shape (frames, 48, 96), zero mean.
        means: The mean that each of them had, shape (frames,).
        scores: `pair_score` of the neighbours.

    Returns:
        0..1.2: by how much the errors of that frame's blocks exceed those of the same blocks in every other
        pair of neighbours; the weighted median, since an object that enters covers less than half. 0 where
        it is less than `MIN_GHOST`.
    """

    @cache
    def errors(pair: int) -> tuple[Picture, Picture] | None:
        first, second = previews[pair], previews[pair + 1]
        found = block_errors(first, second, SHIFT, GOOD_ENOUGH)
        if found is None:
            return None
        # An object that enters changes the frame's mean and contrast: what it does not cover is the same
        # without them.
        first, second = first + means[pair], second + means[pair + 1]
        unchanged = block_errors(first, second, SHIFT, GOOD_ENOUGH, same_exposure=True)
        return found if unchanged is None else (np.minimum(found[0], unchanged[0]), found[1])

    pairs = range(len(scores))
    best = MIN_GHOST
    for end in (pairs[0], pairs[-1]):
        found = errors(end) if scores[end] >= MIN_STEP and len(pairs) > 2 else None
        if found is None or _weighted_median(*found) <= best:
            continue
        rise, weights = found
        # The neighbour first: it is the most likely to be as high.
        for other in sorted(set(pairs) - {end}, key=lambda pair: abs(pair - end)):
            others = errors(other)
            if others is None:
                break
            rise = np.minimum(rise, found[0] - others[0])
            if _weighted_median(rise, weights) <= best:
                break
        else:
            best = _weighted_median(rise, weights)
    return best if best > MIN_GHOST else 0.0


def _left_over(products: npt.NDArray[np.float64], first: int, middle: int, last: int) -> float:
    """Return the share of a frame's contrast that the best weighted sum of two others does not explain.

    Args:
        products: Mean products of all pairs of frames, shape (frames, frames).
        first: One of the others.
        middle: The frame.
        last: The other one.

    Returns:
        0..1; 1 where one of the two has next to no part in it.
    """
    ends = [first, last]
    stds = np.sqrt(products.diagonal())
    if min(stds[first], stds[middle], stds[last]) < STD_FLOOR:
        return 1.0
    own, towards = products[np.ix_(ends, ends)], products[ends, middle]
    parts = np.linalg.solve(own + RIDGE * own.trace() * np.eye(2), towards)
    if (parts * stds[ends] < MIN_SHARE * stds[middle]).any():
        return 1.0
    squares = products[middle, middle] - 2 * parts @ towards + parts @ own @ parts
    return float(np.sqrt(max(squares, 0.0)) / (stds[middle] + STD_FLOOR))


def _weighted_median(values: Picture, weights: Picture) -> float:
    order = np.argsort(values, axis=None)
    reached = np.cumsum(weights.ravel()[order])
    return float(values.ravel()[order][np.searchsorted(reached, reached[-1] / 2)])
