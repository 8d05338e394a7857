"""A copy of the generated data set, to be changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dataset_assets.config import Settings, load_settings
from dataset_assets_tests.curation.scored import drop_scores
from dataset_assets_tests.generated import Generated


@pytest.fixture
def settings(generated: Generated, tmp_path: Path) -> Settings:
    """The settings of the copy, which has no scores."""
    ignored = shutil.ignore_patterns(".dagster")
    shutil.copytree(generated.config.parent, tmp_path / "copy", ignore=ignored)
    settings = load_settings(tmp_path / "copy" / generated.config.name)
    drop_scores(settings)
    return settings
