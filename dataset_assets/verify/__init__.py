"""Read a data set back and check that every table, row and picture is what was written.

Here: detecting and reporting damage, and deleting it on request. Not here: rebuilding what is deleted
(`generate`), Dagster.
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
