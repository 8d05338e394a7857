"""A data set of one small film with cuts and a black shot, and its gallery."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dataset_assets.config import Settings
from dataset_assets.gallery import refresh_gallery
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.films import X264_OPTIONS, Film, Shot, make_film, sdr_frames
from dataset_assets_tests.generate.samples import KEY, small_settings

SHOTS = (Shot(1, 19), Shot(2, 14, -4, 2), Shot(3, 30, exposure=0.0), Shot(4, 29, 2, -2), Shot(5, 52, -2, 0))


@pytest.fixture(scope="session")
def shown_film(films_folder: Path) -> Film:
    """640x360 H.264 BT.709, 144 frames, 24/s, five shots, the third of them black."""
    return make_film(
        films_folder / "shown.mp4",
        sdr_frames(SHOTS, 640, 360),
        SHOTS,
        size=(640, 360),
        options=X264_OPTIONS,
    )


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory, shown_film: Film) -> Settings:
    """A data set that tests look at and do not change."""
    settings = small_settings(tmp_path_factory.mktemp("shown"), shown_film.path, base_frame_limit=10)
    probe_video(settings, KEY)
    generate_video(settings, KEY)
    refresh_gallery(settings)
    return settings


@pytest.fixture
def copied(tmp_path: Path, shown: Settings, shown_film: Film) -> Settings:
    """The same data set somewhere else, to be changed."""
    output = tmp_path / "copy"
    shutil.copytree(shown.base.output_base_dir, output)
    return small_settings(output, shown_film.path, base_frame_limit=10)
