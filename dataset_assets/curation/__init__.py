"""Curation: the scores of a data set's patches, kept in tables of their own, and what conditions leave out.

By them patches are proposed for validation. Nothing here deletes a patch or makes one stale. Not here: what a
score is (`scores`), and Dagster.

Example:
    from dataset_assets.curation import score_video

    for key in data_set.tables.patches_files("general"):
        print(score_video(settings, key).made, "patches scored")
"""

from dataset_assets.curation.previewing import CategoryPreview, ClausePreview, Near, preview
from dataset_assets.curation.proposing import NEIGHBOURS_S, PROPOSED_COUNT, Proposal, propose
from dataset_assets.curation.reports import SCORES, CategoryScores, ScoringReport, Summary
from dataset_assets.curation.scoring import score_video

__all__ = [
    "NEIGHBOURS_S",
    "PROPOSED_COUNT",
    "SCORES",
    "CategoryPreview",
    "CategoryScores",
    "ClausePreview",
    "Near",
    "Proposal",
    "ScoringReport",
    "Summary",
    "preview",
    "propose",
    "score_video",
]
