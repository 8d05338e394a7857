"""Choose and judge windows: where they are tried, what is measured, and why one is rejected.

Here: sampling, measures, rejection rules. Not here: reading films (`video`), crops, Parquet, Dagster.
"""

from dataset_assets.windows.cuts import cut_score
from dataset_assets.windows.duplicates import AcceptedSignatures
from dataset_assets.windows.finding import Attempt, WindowFinder
from dataset_assets.windows.measures import SIGNATURE_HEIGHT, SIGNATURE_WIDTH, Preview, signature_from
from dataset_assets.windows.rules import SHOWN_FRAMES, rule_named
from dataset_assets.windows.sampling import Stratum, strata

__all__ = [
    "SHOWN_FRAMES",
    "SIGNATURE_HEIGHT",
    "SIGNATURE_WIDTH",
    "AcceptedSignatures",
    "Attempt",
    "Preview",
    "Stratum",
    "WindowFinder",
    "cut_score",
    "rule_named",
    "signature_from",
    "strata",
]
