"""Choose and judge windows: where they are tried, what is measured, and why one is rejected.

Here: sampling, measures, rejection rules, and what makes windows of two films the same picture. Not here:
reading films (`video`), crops, Parquet, Dagster.
"""

from dataset_assets.windows.cuts import cut_score
from dataset_assets.windows.duplicates import AcceptedSignatures
from dataset_assets.windows.exclusions import Exclusions, about_time_base, has_frame
from dataset_assets.windows.finding import Tried, WindowFinder
from dataset_assets.windows.measures import SIGNATURE_HEIGHT, SIGNATURE_WIDTH, Preview, signature_from
from dataset_assets.windows.rules import (
    BY_OTHERS,
    DUPLICATE,
    OVERLAP,
    SHOWN_FRAMES,
    UndecidedError,
    judged_again,
    rule_named,
)
from dataset_assets.windows.sampling import CandidateSequence, Placement
from dataset_assets.windows.similarity import (
    ALONE_LIMIT,
    COARSE_LIMIT,
    FINE_LIMIT,
    MAX_BLOCK_ERROR,
    MIN_PEAK,
    SIMILARITY_VERSION,
    ComparablePicture,
    Likeness,
    coarse_vectors,
    fine_vectors,
    likeness,
)

__all__ = [
    "ALONE_LIMIT",
    "BY_OTHERS",
    "COARSE_LIMIT",
    "DUPLICATE",
    "FINE_LIMIT",
    "MAX_BLOCK_ERROR",
    "MIN_PEAK",
    "OVERLAP",
    "SHOWN_FRAMES",
    "SIGNATURE_HEIGHT",
    "SIGNATURE_WIDTH",
    "SIMILARITY_VERSION",
    "AcceptedSignatures",
    "CandidateSequence",
    "ComparablePicture",
    "Exclusions",
    "Likeness",
    "Placement",
    "Preview",
    "Tried",
    "UndecidedError",
    "WindowFinder",
    "about_time_base",
    "coarse_vectors",
    "cut_score",
    "fine_vectors",
    "has_frame",
    "judged_again",
    "likeness",
    "rule_named",
    "signature_from",
]
