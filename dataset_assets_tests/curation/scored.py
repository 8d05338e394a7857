"""Scores as a test wants them in the tables of a data set, or none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dataset_assets.config import Settings
from dataset_assets.curation import score_video
from dataset_assets.dataset import DataSet
from dataset_assets.tables import SCORES, ScoreRow

Change = Callable[[str, ScoreRow], dict[str, Any] | None]


def score_all(settings: Settings, change: Change = lambda _, __: {}) -> None:
    """Scores all patches, and changes what `change` gives for a category and a row; None drops the row."""
    tables = DataSet.of(settings).tables
    for key in tables.video_files():
        score_video(settings, key)
        for category in tables.categories_of(key):
            path = tables.scores_path(category, key)
            provenance = tables.read_provenance(path)
            if provenance is None:
                continue
            rows = [(row, change(category, row)) for row in tables.read_scores(category, key)]
            changed = [replace(row, **values) for row, values in rows if values is not None]
            tables.write(path, SCORES, changed, provenance)


def drop_scores(settings: Settings) -> None:
    """Deletes all scores, as those of a data set of an older release."""
    shutil.rmtree(settings.base.output_base_dir / "metadata/scores", ignore_errors=True)
