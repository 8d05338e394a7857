"""Find windows of different videos whose signatures are alike, among millions, by blocked matrix products.

Here: which pairs are candidates. The product of one block of windows with another is all that is in the
memory at a time. Not here: what makes two signatures alike (`windows`), and what decides on a candidate
(`near_duplicates`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dataset_assets.windows import COARSE_LIMIT, FINE_LIMIT, coarse_vectors, fine_vectors

Indices = npt.NDArray[np.int64]
Signatures = npt.NDArray[np.uint8]

# Windows of a group, so that of 500,000 windows 8 MB of vectors are made at a time.
GROUP_WINDOWS: Final = 8192
# Rows of a product, of 32 MB with a group of columns: smaller ones cost more time, larger ones save none.
PRODUCT_ROWS: Final = 1024
# A still camera makes all windows of two videos alike: the three most alike of a video are looked at.
MOST_OF_VIDEO: Final = 3
# Products of other blocks differ in the last digits: candidates are taken with a margin and measured again.
_MARGIN: Final = 1e-3
_DIGITS: Final = 5
# Candidates whose distances are measured at a time, of 4 MB.
_MEASURED: Final = 1024


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of windows of two videos whose signatures are alike.

    At most three for each window and earlier video, the most alike first.

    Attributes:
        later: Indices of windows of the later video, shape (n,), ascending.
        earlier: Indices of the windows of the earlier one.
        distance: Their coarse distances, at most 0.35.
    """

    later: Indices
    earlier: Indices
    distance: npt.NDArray[np.float64]

    def pairs(self) -> Iterator[tuple[int, int, float]]:
        """Yield them one by one: later window, earlier window, distance."""
        return zip(self.later.tolist(), self.earlier.tolist(), self.distance.tolist(), strict=True)

    def chosen(self, which: npt.NDArray[np.bool_] | Indices) -> Candidates:
        """Return some of them, by a mask or by places."""
        return Candidates(self.later[which], self.earlier[which], self.distance[which])


class SignatureSearch:
    """The signatures of all videos, and which of them are alike."""

    def __init__(self, signatures: Signatures, video_of: Indices) -> None:
        """Store the arguments.

        Args:
            signatures: Shape (n, 576), uint8, video by video in the order of their keys; may be a file.
            video_of: Number of each one's video, shape (n,), ascending.
        """
        self._signatures = signatures
        self._video_of = video_of
        self._starts = np.searchsorted(video_of, np.arange(video_of[-1] + 2 if video_of.size else 1))

    def between(self, new: Sequence[int], old: Sequence[int]) -> Iterator[Candidates]:
        """Compare some videos with one another and with others, which are not compared among themselves.

        Args:
            new: Numbers of the videos.
            old: Numbers of the others.

        Yields:
            The candidates of some pairs of videos each. What is found of a pair does not depend on the
            others.
        """
        groups = [self._group(each) for each in self._grouped(new)]
        others = [self._group(each) for each in self._grouped(old)]
        for place, group in enumerate(groups):
            vectors = coarse_vectors(self._signatures[group])
            for other in (*groups[place:], *others):
                yield self._candidates(group, vectors, other)

    def _grouped(self, videos: Sequence[int]) -> Iterator[list[int]]:
        """Divide videos into groups of at most so many windows, or one video."""
        group: list[int] = []
        windows = 0
        for video in videos:
            count = int(self._starts[video + 1] - self._starts[video])
            if group and windows + count > GROUP_WINDOWS:
                yield group
                group, windows = [], 0
            group.append(video)
            windows += count
        if group:
            yield group

    def _group(self, videos: Sequence[int]) -> Indices:
        ranges = [np.arange(self._starts[video], self._starts[video + 1]) for video in videos]
        return np.concatenate(ranges).astype(np.int64)

    def _candidates(self, group: Indices, vectors: npt.NDArray[np.float32], other: Indices) -> Candidates:
        is_itself = other is group
        compared = vectors if is_itself else coarse_vectors(self._signatures[other])
        later, earlier = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for start in range(0, len(group), PRODUCT_ROWS):
            product = vectors[start : start + PRODUCT_ROWS] @ compared.T
            found = np.flatnonzero(product.ravel() >= 1 - COARSE_LIMIT - _MARGIN)
            rows, columns = np.divmod(found, len(other) or 1)
            first, second = group[start + rows], other[columns]
            is_pair = self._video_of[first] != self._video_of[second]
            if is_itself:
                is_pair &= first < second
            later.append(np.maximum(first, second)[is_pair])
            earlier.append(np.minimum(first, second)[is_pair])
        return self._most_alike(np.concatenate(later), np.concatenate(earlier))

    def _most_alike(self, later: Indices, earlier: Indices) -> Candidates:
        """Return the pairs within both limits, of each window the three most alike of an earlier video."""
        found = Candidates(later, earlier, distances(self._signatures, later, earlier))
        found = found.chosen(found.distance <= COARSE_LIMIT)
        fine = distances(self._signatures, found.later, found.earlier, is_fine=True)
        found = found.chosen(fine <= FINE_LIMIT)
        found = found.chosen(
            np.lexsort((found.earlier, found.distance, self._video_of[found.earlier], found.later))
        )
        of_video = self._video_of[found.earlier]
        starts = np.ones(of_video.size, bool)
        starts[1:] = (np.diff(found.later) != 0) | (np.diff(of_video) != 0)
        places = np.arange(of_video.size)
        rank = places - np.maximum.accumulate(np.where(starts, places, 0))
        return found.chosen(rank < MOST_OF_VIDEO)


def distances(
    signatures: Signatures, first: Indices, second: Indices, *, is_fine: bool = False
) -> npt.NDArray[np.float64]:
    """Return 1 minus the correlation of pairs of signatures, rounded: the same whatever else is compared.

    Args:
        signatures: Shape (n, 576), uint8.
        first: Indices of the one of each pair.
        second: Indices of the other.
        is_fine: Whether fine shapes weigh as much as coarse ones.
    """
    vectors = fine_vectors if is_fine else coarse_vectors
    found = [np.zeros(0)]
    for start in range(0, len(first), _MEASURED):
        pair = [vectors(signatures[each[start : start + _MEASURED]]) for each in (first, second)]
        found.append(np.einsum("ij,ij->i", *(each.astype(np.float64) for each in pair)))
    return np.asarray(np.round(1 - np.concatenate(found), _DIGITS), np.float64)
