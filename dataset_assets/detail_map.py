"""Where a picture holds detail: a small map that a table keeps of each window.

Formats and crops are chosen by it without the film (`patches`). Not here: measuring it on a frame (`video`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
import numpy.typing as npt

# Cells of 60x60 pixels of a working frame of 1920x1080: nine across in the smallest crop by default.
MAP_WIDTH, MAP_HEIGHT = 32, 18
LEVELS_PER_DB: Final = 3
# Of a mean square of 0.001: rounding of decoded samples alone is more.
LOWEST_DB: Final = -30.0


@dataclass(frozen=True)
class DetailMap:
    """What each part of a picture loses when it is scaled down to a third and enlarged again.

    Attributes:
        content: 18 rows of 32 cells, a byte each: 10 log10 of the mean square of what is lost, in thirds of a
            dB from -30 dB on. In levels of 8 bits, so that 0 dB is an error of one level.
    """

    content: bytes

    @classmethod
    def of_mean_squares(cls, cells: npt.NDArray[np.float32]) -> Self:
        """Return the map of mean squares, shape (18, 32), float32, in squares of 8-bit levels."""
        decibels = 10 * np.log10(np.maximum(cells, 10 ** (LOWEST_DB / 10)))
        levels = np.rint(LEVELS_PER_DB * (decibels - LOWEST_DB)).clip(0, 255)
        return cls(levels.astype(np.uint8).tobytes())

    @property
    def fill(self) -> float:
        """How much detail the picture has all over: the mean of its cells in dB.

        One place full of detail in an empty picture lifts it little, detail in every cell lifts it most.
        """
        return sum(self.content) / len(self.content) / LEVELS_PER_DB + LOWEST_DB

    def mean_square(self, left: float, top: float, right: float, bottom: float) -> float:
        """Return the mean square of a part of the picture, whose edges are shares of its size, 0..1."""
        rows = _shares(top * MAP_HEIGHT, bottom * MAP_HEIGHT, MAP_HEIGHT)
        columns = _shares(left * MAP_WIDTH, right * MAP_WIDTH, MAP_WIDTH)
        return float(rows @ self._mean_squares @ columns)

    @cached_property
    def _mean_squares(self) -> npt.NDArray[np.float64]:
        levels = np.frombuffer(self.content, np.uint8).reshape(MAP_HEIGHT, MAP_WIDTH)
        return np.asarray(10.0 ** ((levels / LEVELS_PER_DB + LOWEST_DB) / 10), np.float64)


def _shares(start: float, end: float, count: int) -> npt.NDArray[np.float64]:
    """Return how much of a span from `start` to `end` lies in each of `count` cells; sums to 1."""
    edges = np.clip(np.arange(count + 1), start, end)
    return np.diff(edges) / (end - start)


def quantile(fill: float, fills: Sequence[float]) -> float:
    """Return which share of pictures has less detail all over, 0..1, interpolated between them.

    Args:
        fill: `DetailMap.fill` of a picture.
        fills: The same of pictures spread over its film, ascending, at least 2.
    """
    known, counts = np.unique(fills, return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / len(fills)
    reach = max(fills[-1] - fills[0], 1e-3) / len(fills)
    levels = [known[0] - reach, *known, known[-1] + reach]
    return float(np.interp(fill, levels, [0.0, *middles, 1.0]))
