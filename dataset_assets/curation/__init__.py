"""Curation: scores, degraded stacks and near-duplicates of a data set, in tables of their own.

All is made from what is in the data set; no film is read. Conditions leave patches out.

By scores patches are proposed for validation. Nothing here deletes a patch or makes one stale. Not here: what
a score is (`scores`), what degrading does to pixels (`degradation`), and Dagster.

Example:
    from dataset_assets.curation import score_video

    for key in data_set.tables.patches_files("general"):
        print(score_video(settings, key).made, "patches scored")
"""

from dataset_assets.curation.census import Census, PatchCounts, count_films, take_census
from dataset_assets.curation.degrading import degrade_patch, degrade_video, refuse_missing_encoders
from dataset_assets.curation.duplicate_reports import DuplicatesReport, VideoPair, video_pairs
from dataset_assets.curation.histograms import SCALES, Scale, histograms_of
from dataset_assets.curation.near_duplicates import find_duplicates
from dataset_assets.curation.previewing import CategoryPreview, ClausePreview, Near, preview
from dataset_assets.curation.proposing import NEIGHBOURS_S, PROPOSED_COUNT, Proposal, propose
from dataset_assets.curation.reports import (
    SCORES,
    CategoryDegradations,
    CategoryScores,
    DegradingReport,
    ScoringReport,
    Summary,
)
from dataset_assets.curation.scoring import recorded_scores, score_video

__all__ = [
    "NEIGHBOURS_S",
    "PROPOSED_COUNT",
    "SCALES",
    "SCORES",
    "CategoryDegradations",
    "CategoryPreview",
    "CategoryScores",
    "Census",
    "ClausePreview",
    "DegradingReport",
    "DuplicatesReport",
    "Near",
    "PatchCounts",
    "Proposal",
    "Scale",
    "ScoringReport",
    "Summary",
    "VideoPair",
    "count_films",
    "degrade_patch",
    "degrade_video",
    "find_duplicates",
    "histograms_of",
    "preview",
    "propose",
    "recorded_scores",
    "refuse_missing_encoders",
    "score_video",
    "take_census",
    "video_pairs",
]
