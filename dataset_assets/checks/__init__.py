"""Tests of the guarantees about a video and the data set: what is measured, and verdicts in words.

`inspection` reads the triplets back, `verdicts` judges. Not here: how verdicts are shown (`assets`), and
reading back all files of a data set (`verify`).
"""

from dataset_assets.checks.inspection import Inspection, inspect_triplets
from dataset_assets.checks.verdicts import (
    ENOUGH_SHARE,
    MAX_SHARE_BARRED,
    Verdict,
    colours_tagged,
    enough_accepted,
    enough_patches,
    enough_windows,
    every_video_done,
    files_match_table,
    format_mix_kept,
    free_of_black_bars,
    free_of_combs,
    no_near_duplicates,
    source_unchanged,
    sources_unchanged,
    triplets_whole,
    true_resolution,
    up_to_date,
    videos_ok,
    windows_uncut,
)

__all__ = [
    "ENOUGH_SHARE",
    "MAX_SHARE_BARRED",
    "Inspection",
    "Verdict",
    "colours_tagged",
    "enough_accepted",
    "enough_patches",
    "enough_windows",
    "every_video_done",
    "files_match_table",
    "format_mix_kept",
    "free_of_black_bars",
    "free_of_combs",
    "inspect_triplets",
    "no_near_duplicates",
    "source_unchanged",
    "sources_unchanged",
    "triplets_whole",
    "true_resolution",
    "up_to_date",
    "videos_ok",
    "windows_uncut",
]
