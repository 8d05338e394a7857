"""What is promised of a video and of the data set, tested: what is measured, and verdicts in words.

`inspection` reads the triplets back, `verdicts` judges. How verdicts are shown does not belong here
(`assets`), nor does the reading back of every file of a data set (`verify`).
"""

from dataset_assets.checks import verdicts
from dataset_assets.checks.inspection import Inspection, inspect_triplets
from dataset_assets.checks.verdicts import ENOUGH_SHARE, MAX_SHARE_BARRED, Verdict

__all__ = [
    "ENOUGH_SHARE",
    "MAX_SHARE_BARRED",
    "Inspection",
    "Verdict",
    "inspect_triplets",
    "verdicts",
]
