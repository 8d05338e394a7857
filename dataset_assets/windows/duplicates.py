"""The pictures of a film's accepted windows, so that none is accepted twice.

Here: which signatures are known and how they are searched. Not here: what makes two signatures the same
(`measures`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dataset_assets.windows import measures


class AcceptedSignatures:
    """The signatures of a film's accepted windows, searchable without a full comparison with each.

    One thread may add while others search: they see the windows that were added before they began, or more.
    """

    def __init__(self) -> None:
        self._count = 0
        self._means = np.zeros(64)
        self._signatures = np.zeros((64, measures.SIGNATURE_HEIGHT, measures.SIGNATURE_WIDTH), np.uint8)

    def add(self, signature: npt.NDArray[np.uint8]) -> None:
        """Remember an accepted window."""
        if self._count == len(self._means):
            self._means = np.concatenate([self._means, self._means])
            self._signatures = np.concatenate([self._signatures, self._signatures])
        self._means[self._count] = signature.mean()
        self._signatures[self._count] = signature
        self._count += 1

    def contains_like(self, signature: npt.NDArray[np.uint8]) -> bool:
        """Return whether an accepted window shows the same picture.

        Pictures cannot differ less than their means do; in a dark film, where the means are all alike, one
        subtraction for all of them takes 2 ms for 1,000 windows and one for each takes 20.
        """
        limit = measures.DUPLICATE_MEAN_DIFF
        count = self._count  # read before the arrays, which another thread may replace by longer ones
        near = np.flatnonzero(np.abs(self._means[:count] - signature.mean()) <= limit)
        if not near.size:
            return False
        known = self._signatures[near]
        diffs = np.abs(known.astype(np.int16) - signature).mean(axis=(1, 2))
        return any(measures.is_duplicate(each, signature) for each in known[diffs <= limit])
