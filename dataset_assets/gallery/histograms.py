"""Histograms of scores as pages show them: bars of an inline picture, each with its range and count.

Not here: counting (`curation`), and HTML (`rendering`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dataset_assets.config import Settings, curation_of
from dataset_assets.curation import SCALES, PatchCounts, Scale, count_films
from dataset_assets.dataset import DataSet


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a score's scale.

    Attributes:
        height: Its share of the highest bar, 0..1.
        label: Its range and how many patches lie in it.
    """

    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """The histogram of a score.

    Attributes:
        name: The score.
        low: Where its scale begins.
        high: Where it ends.
        bars: Its parts.
    """

    name: str
    low: float
    high: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class CategoryScores:
    """The scores of a category.

    Attributes:
        name: The category.
        colour: Number of its colour.
        condition: What curation asks for; None where it takes all.
        counts: How many patches are left out, and not scored.
        histograms: The histograms of its scores.
    """

    name: str
    colour: int
    condition: str | None
    counts: PatchCounts
    histograms: tuple[Histogram, ...]


def histograms(found: Mapping[str, Sequence[int]]) -> tuple[Histogram, ...]:
    """Return the histograms of scores, by name, as they are shown."""
    shown = []
    for name, counts in found.items():
        scale, most = SCALES[name], max(counts) or 1
        labels = _labels(scale)
        bars = [Bar(count / most, f"{label}: {count:,}") for label, count in zip(labels, counts, strict=True)]
        high = scale.high - 1 if scale.is_whole else scale.high
        shown.append(Histogram(name, scale.low, high, tuple(bars)))
    return tuple(shown)


def _labels(scale: Scale) -> list[str]:
    ends = scale.ends
    if scale.is_whole:
        return [f"{low:.0f}" for low in ends[:-1]]
    labels = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(ends)]
    labels[-1] = f"{ends[-2]:.4g} and more"
    if scale.low:
        labels[0] = f"below {ends[1]:.4g}"
    return labels


def scores_of(settings: Settings, data_set: DataSet, key: str, category: str, colour: int) -> CategoryScores:
    """Return the scores of a video's patches in a category.

    Raises:
        DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
    """
    condition = curation_of(settings.curation, category)
    counts = count_films(data_set, category, [key], condition)[key]
    return CategoryScores(category, colour, condition, counts, histograms(counts.histograms))
