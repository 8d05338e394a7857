"""A data set of one small film in three categories, made once, and copies of it to be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.config import Settings
from dataset_assets_tests.curation.scored import drop_scores
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import copied, small_settings
from dataset_assets_tests.verify.cycle import make


@pytest.fixture(scope="session")
def whole(tiny_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A data set without scores that is only looked at."""
    settings = small_settings(tmp_path_factory.mktemp("unscored") / "out", tiny_film.path)
    make(settings)
    drop_scores(settings)
    return settings


@pytest.fixture
def settings(whole: Settings, tmp_path: Path) -> Settings:
    """A copy to be scored and changed, of the same film."""
    return copied(whole, tmp_path / "out")
