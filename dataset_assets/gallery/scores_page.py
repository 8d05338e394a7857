"""What the page of scores shows: of each category the histogram of every score, and what curation leaves out.

Not here: counting (`curation`), HTML (`rendering`).
"""

from __future__ import annotations

from dataclasses import dataclass

from dataset_assets.config import Settings, curation_of
from dataset_assets.curation import Census
from dataset_assets.gallery.histograms import CategoryScores, histograms
from dataset_assets.gallery.video_page import category_order

SCORES_FILE = "scores.html"


@dataclass(frozen=True, slots=True)
class ScoresPage:
    """Everything on the page of scores.

    Attributes:
        categories: The categories that have patches.
        uncounted: Tables of patches that are not counted yet.
    """

    categories: tuple[CategoryScores, ...]
    uncounted: int


def read_scores_page(settings: Settings, census: Census) -> ScoresPage:
    """Return what is to be shown of a census."""
    found = census.categories
    shown = []
    for colour, name in enumerate(category_order(settings, found)):
        counts = found.get(name)
        if counts is not None and counts.patches:
            condition = curation_of(settings.curation, name)
            shown.append(CategoryScores(name, colour, condition, counts, histograms(counts.histograms)))
    return ScoresPage(tuple(shown), census.uncounted)
