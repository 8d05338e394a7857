"""Scores of patches: what a crop teaches, and what may be wrong with it, measured on its pictures.

`score_patch` takes all of them, each is also a function by itself. Every score is stored and none deletes
anything. Not here: reading files (`dataset`), which patches are scored and the table (`curation`), and
windows, whose scores are measured on the film (`windows`).

Laplacian variance, edge density, banding and spectral roll-off are no scores: noise and coding blocks move
them as much as detail does.
"""

from dataset_assets.scores.detail import detail_db, flat_share
from dataset_assets.scores.neighbours import motion, still_pairs
from dataset_assets.scores.noise import blockiness, noise_sigma
from dataset_assets.scores.patch import SCORES_VERSION, PatchScores, luma, score_patch
from dataset_assets.scores.subtitles import CropPlace, subtitle

__all__ = [
    "SCORES_VERSION",
    "CropPlace",
    "PatchScores",
    "blockiness",
    "detail_db",
    "flat_share",
    "luma",
    "motion",
    "noise_sigma",
    "score_patch",
    "still_pairs",
    "subtitle",
]
