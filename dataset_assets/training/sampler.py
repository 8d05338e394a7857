"""The order in which an epoch visits the patches.

Here: shuffling, and the share of each film. Not here: which crop of a patch is read (`dataset`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.training.dataset import TripletDataset

Indices = NDArray[np.int64]


class TripletSampler:
    """Indices of a `TripletDataset` in a new random order in every epoch, for `DataLoader(sampler=...)`.

    The epoch is in the index: an index is `draw * len(dataset) + patch`, and the data set draws another crop
    for another `draw`. Workers therefore need no message about the epoch, also persistent ones, which a
    `set_epoch` of the data set would never reach. An order is a function of the data set's seed, the epoch
    and the selection alone.

    Each loop over the sampler, and so over its loader, is the next epoch. To continue a training after epoch
    k, set `epoch = k + 1`.

    Attributes:
        epoch: Number of the epoch that the next loop visits, from 0.
    """

    def __init__(self, dataset: TripletDataset, *, weights: Literal["patch", "video"] = "patch") -> None:
        """Store the arguments.

        Args:
            dataset: The data set.
            weights: `patch`: an epoch visits every patch once, so that a film has the share of its patches;
                `draw` is the epoch. `video`: every film gets the same number of visits, within one, and an
                epoch still has `len(dataset)` of them; a film with fewer patches repeats them with other
                crops, one with more shows others in the next epoch. Without it the longest films decide what
                a model learns.

        Raises:
            DatasetAssetsError: `weights` is neither.
        """
        if weights not in ("patch", "video"):
            raise DatasetAssetsError(f"weights is {weights!r}", "choose 'patch' or 'video'.")
        self.epoch = 0
        self._seed = dataset.seed
        self._count = len(dataset)
        if weights == "patch":
            self._films = [np.arange(self._count)]
        else:
            _, film_of = np.unique(dataset.videos, return_inverse=True)
            self._films = [np.flatnonzero(film_of == film) for film in range(film_of.max() + 1)]

    def __len__(self) -> int:
        """Return the indices of an epoch, as many as the data set has patches."""
        return self._count

    def __iter__(self) -> Iterator[int]:
        """Begin the next epoch: iterate over its indices."""
        order = self._order(self.epoch)
        self.epoch += 1
        return iter(order.tolist())

    def _order(self, epoch: int) -> Indices:
        rng = np.random.default_rng((self._seed, epoch))
        share, rest = divmod(self._count, len(self._films))
        visits = np.full(len(self._films), share)
        visits[rng.permutation(len(self._films))[:rest]] += 1
        # Of the same patch in one epoch; the same for all epochs, so that no two draws share a number.
        repeats = -(-(share + (rest > 0)) // min(len(film) for film in self._films))
        parts = [
            _draws(film, int(count), epoch * repeats, self._count, rng)
            for film, count in zip(self._films, visits, strict=True)
        ]
        return rng.permutation(np.concatenate(parts))


def _draws(film: Indices, count: int, first_draw: int, patches: int, rng: np.random.Generator) -> Indices:
    """Return `count` indices of a film's patches: all of them in random order, over and over."""
    rounds = -(-count // len(film))
    parts = [rng.permutation(film) + (first_draw + number) * patches for number in range(rounds)]
    return np.concatenate([*parts, np.empty(0, np.int64)])[:count]
