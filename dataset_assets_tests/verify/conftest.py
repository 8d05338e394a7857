"""A sound data set, made once, and copies of it to be damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.config import Settings
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import copied, small_settings
from dataset_assets_tests.verify.cycle import make


@pytest.fixture(scope="session")
def whole(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A sound data set that is only looked at."""
    # So few windows that the film has them, and so many that candidates are passed over before the last one.
    settings = small_settings(tmp_path_factory.mktemp("whole") / "out", sdr_film.path, base_frame_limit=4)
    make(settings)
    return settings


@pytest.fixture
def settings(whole: Settings, tmp_path: Path) -> Settings:
    """A copy to be damaged, of the same film."""
    return copied(whole, tmp_path / "out")
