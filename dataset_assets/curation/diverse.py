"""Choose few of many patches so that they differ: in scores, in how they look, in film and time.

Here: what patches are compared by, and the choice. Not here: which patches may be chosen (`proposing`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dataset_assets.windows import SIGNATURE_HEIGHT, SIGNATURE_WIDTH

Vectors = NDArray[np.float32]

# Standard deviations: an outlier must not take a cluster to itself.
LARGEST_SCORE: Final = 3.0
# Of a picture in 9 x 16 parts; on 11 real films they hold three quarters of its variance.
LOOK_COMPONENTS: Final = 8
# What the look counts for beside each score, which counts 1.
LOOK_WEIGHT: Final = 3.0
LOOK_SAMPLE: Final = 5000
ATTEMPTS: Final = 5
ITERATIONS: Final = 100
SEED: Final = 0


def vectors_of(scores: NDArray[np.float64], signatures: NDArray[np.uint8]) -> Vectors:
    """Return what patches are compared by.

    Args:
        scores: Scores of each patch, of any units and more or less normally distributed: (patches, scores).
        signatures: The signature of each patch's window: (patches, 18 * 32), luma 0..255.

    Returns:
        Vectors of equal weight in each score, and the look of the window whatever its brightness and
        contrast: (patches, scores + 8 at most).
    """
    deviations = scores.std(axis=0)
    standard = (scores - scores.mean(axis=0)) / np.where(deviations > 0, deviations, 1.0)
    return np.hstack([np.clip(standard, -LARGEST_SCORE, LARGEST_SCORE), _looks(signatures)]).astype(
        np.float32
    )


def diverse(
    vectors: Vectors,
    films: Sequence[str],
    times_s: Sequence[float],
    count: int,
    *,
    chosen: Sequence[int] = (),
    span_s: float = 0.0,
) -> list[int]:
    """Choose patches: of each of so many clusters the one in its middle, spread over the films.

    No film gives more than its share, and no two are within a span of the same film, unless a cluster has no
    other patch.

    Args:
        vectors: What patches are compared by, see `vectors_of`.
        films: The film of each patch.
        times_s: Its place in the film, seconds.
        count: How many are wanted, those that are chosen already included.
        chosen: Indices of patches that are chosen already: their clusters give no other.
        span_s: Seconds of a film in which one patch is enough.

    Returns:
        Indices of the others, ascending; fewer than wanted where there are too few patches. The same
        arguments give the same indices.
    """
    wanted = min(count, len(vectors)) - len(chosen)
    if wanted <= 0:
        return []
    labels, centres = _clusters(vectors, min(count, len(vectors)))
    taken = {int(labels[index]) for index in chosen}
    sizes = Counter(labels.tolist())
    clusters = sorted(sizes.keys() - taken, key=lambda each: (-sizes[each], each))[:wanted]
    most = math.ceil(count / len(set(films)))
    found = list(chosen)
    for cluster in clusters:
        members = np.flatnonzero(labels == cluster)
        distances = np.linalg.norm(vectors[members] - centres[cluster], axis=1)
        ordered = [int(each) for each in members[np.argsort(distances, kind="stable")]]
        found.append(_first(ordered, found, films, times_s, most, span_s))
    return sorted(found[len(chosen) :])


def _first(
    ordered: Sequence[int],
    found: Sequence[int],
    films: Sequence[str],
    times_s: Sequence[float],
    most: int,
    span_s: float,
) -> int:
    """Return the first patch of a film that has not given its share, and far from those that it gave."""
    given = Counter(films[each] for each in found)
    distant = [
        each
        for each in ordered
        if not any(
            films[each] == films[other] and abs(times_s[each] - times_s[other]) <= span_s for other in found
        )
    ]
    for candidates in (distant, ordered):
        of_others = [each for each in candidates if given[films[each]] < most]
        if of_others:
            return of_others[0]
    return (distant or ordered)[0]


def _clusters(vectors: Vectors, count: int) -> tuple[NDArray[np.int32], Vectors]:
    """Return the cluster of each patch, and the centre of each cluster."""
    # The order of additions, and with it the last bits, must not depend on the cores.
    cv2.setNumThreads(1)
    cv2.setRNGSeed(SEED)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, ITERATIONS, 1e-4)
    given = np.zeros((len(vectors), 1), np.int32)
    _, labels, centres = cv2.kmeans(vectors, count, given, criteria, ATTEMPTS, cv2.KMEANS_PP_CENTERS)
    return np.ravel(labels).astype(np.int32), np.asarray(centres, np.float32)


def _looks(signatures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the principal components of what pictures look like: (patches, 8 at most)."""
    shape = (len(signatures), SIGNATURE_HEIGHT // 2, 2, SIGNATURE_WIDTH // 2, 2)
    parts = signatures.reshape(shape).mean(axis=(2, 4)).reshape(len(signatures), -1)
    parts -= parts.mean(axis=1, keepdims=True)
    parts /= np.maximum(parts.std(axis=1, keepdims=True), 1.0)
    parts -= parts.mean(axis=0)
    sample = parts[:: max(1, len(parts) // LOOK_SAMPLE)]
    # Largest last.
    _, directions = np.linalg.eigh(sample.T @ sample)
    looks: NDArray[np.float64] = parts @ directions[:, ::-1][:, :LOOK_COMPONENTS]
    variance = float(looks.var(axis=0).sum())
    return looks * math.sqrt(LOOK_WEIGHT / variance) if variance > 0 else looks
