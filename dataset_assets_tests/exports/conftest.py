"""A data set of two films and two categories, and copies of it to be changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dataset_assets.config import Settings, load_settings
from dataset_assets_tests.generated import Generated


@pytest.fixture(scope="session")
def whole(generated: Generated) -> Settings:
    """A data set that is only looked at."""
    assert generated.done.returncode == 0, generated.done.stderr
    return load_settings(generated.config)


@pytest.fixture
def settings(whole: Settings, tmp_path: Path) -> Settings:
    """A copy to be changed, of the same films."""
    shutil.copytree(
        whole.base.output_base_dir, tmp_path / "dataset", ignore=shutil.ignore_patterns(".dagster", "gallery")
    )
    base = whole.base.model_copy(update={"output_base_dir": tmp_path / "dataset"})
    return whole.model_copy(update={"base": base})
