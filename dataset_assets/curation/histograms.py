"""Histograms of scores: how many patches lie in each part of a score's range.

The parts are the same for every film and category, so that histograms add up and can be compared. Not here:
how they are shown (`gallery`, `assets`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dataset_assets.tables import ScoreRow

Parts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of a score that is shown, in parts of equal width; what lies beyond is in the outer ones.

    Attributes:
        low: Where the first part begins.
        high: Where the last one ends.
        parts: How many there are.
    """

    low: float
    high: float
    parts: int = 20

    def part_of(self, values: npt.NDArray[np.floating]) -> Parts:
        """Return the part in which each value lies, from 0."""
        places = (values - self.low) * (self.parts / (self.high - self.low))
        # Rounding must not put a value that is a part's lower end into the part below.
        parts: Parts = np.clip(np.floor(places + 1e-6), 0, self.parts - 1).astype(np.int64)
        return parts

    @property
    def is_whole(self) -> bool:
        """Whether each part is a whole number."""
        return self.parts == self.high - self.low

    @property
    def ends(self) -> list[float]:
        """Where each part begins, and where the last one ends."""
        return [float(end) for end in np.linspace(self.low, self.high, self.parts + 1)]


# Chosen by what films were seen to read; the limits of `DEFAULT_CURATION` are ends of parts.
SCALES: Final[Mapping[str, Scale]] = {
    "detail_db": Scale(18, 78),
    "noise_sigma": Scale(0, 5),
    "blockiness": Scale(0, 0.5),
    "flat_share": Scale(0, 1),
    "motion": Scale(0, 10),
    "still_pairs": Scale(0, 7, 7),
    "combing": Scale(0, 0.1),
    "subtitle": Scale(0, 1),
}
"""The scale of each score, by name."""

LENGTH: Final = sum(scale.parts for scale in SCALES.values())


def count_parts(scores: Mapping[str, pa.ChunkedArray], films: npt.NDArray[np.int64], number: int) -> Parts:
    """Count the patches of several films in each part of each score's scale; unknown scores are in none.

    Args:
        scores: Values of each score, by name, for each patch.
        films: Number of each patch's film.
        number: How many films there are.

    Returns:
        int64 (number, LENGTH), the scores in the order of `SCALES`.
    """
    counted = []
    for name, scale in SCALES.items():
        known = scores[name].is_valid().to_numpy()
        parts = scale.part_of(scores[name].drop_null().to_numpy())
        places = films[known] * scale.parts + parts
        counted.append(np.bincount(places, minlength=number * scale.parts).reshape(number, scale.parts))
    return np.concatenate(counted, axis=1).astype(np.int64)


def by_score(parts: Parts) -> dict[str, list[int]]:
    """Return the histogram of each score, by name, of one row of `count_parts` or a sum of several."""
    ends = np.cumsum([scale.parts for scale in SCALES.values()])[:-1]
    return {name: part.tolist() for name, part in zip(SCALES, np.split(parts, ends), strict=True)}


def histograms_of(rows: Sequence[ScoreRow]) -> dict[str, list[int]]:
    """Return the histogram of each score, by name, over the rows of scores tables."""
    columns = {name: pa.array([getattr(row, name) for row in rows], pa.float64()) for name in SCALES}
    values = {name: pa.chunked_array([column]) for name, column in columns.items()}
    return by_score(count_parts(values, np.zeros(len(rows), np.int64), 1)[0])
