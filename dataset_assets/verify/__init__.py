"""Reading a data set back: whether every table, row and picture is what was written. No Dagster here.

What is wrong is reported, and deleted where that is asked for; rebuilding it belongs to `generate`.
"""

from dataset_assets.verify.findings import Finding, Kind, VideoFindings
from dataset_assets.verify.run import keys_of, verify

__all__ = [
    "Finding",
    "Kind",
    "VideoFindings",
    "keys_of",
    "verify",
]
