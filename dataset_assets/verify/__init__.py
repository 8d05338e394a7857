"""Reading a data set back: whether every table, row and picture is what was written. No Dagster here.

What is wrong is told, and taken away where that is asked for; making it again is the affair of `generate`.
"""

from dataset_assets.verify.findings import Finding, Kind, VideoFindings
from dataset_assets.verify.run import keys_of, verify

__all__ = ["Finding", "Kind", "VideoFindings", "keys_of", "verify"]
