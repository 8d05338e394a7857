"""Choose and judge windows: where they are tried, what is measured, and why one is rejected.

Here: sampling, measures, rejection rules. Not here: reading films (`video`), crops, Parquet, Dagster.
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

__all__ = [
    "BY_OTHERS",
    "DUPLICATE",
    "OVERLAP",
    "SHOWN_FRAMES",
    "SIGNATURE_HEIGHT",
    "SIGNATURE_WIDTH",
    "AcceptedSignatures",
    "CandidateSequence",
    "Exclusions",
    "Placement",
    "Preview",
    "Tried",
    "UndecidedError",
    "WindowFinder",
    "about_time_base",
    "cut_score",
    "has_frame",
    "judged_again",
    "rule_named",
    "signature_from",
]
