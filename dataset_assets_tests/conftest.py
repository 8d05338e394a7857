"""Films that several tests read: each is encoded once in a session, by the process that first wants it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

from dataset_assets_tests.command import run
from dataset_assets_tests.encode import BT2020_HLG, BT2020_PQ, StaticHdrMetadata
from dataset_assets_tests.film_places import http_films, moto_films, nothing_read, s3_films  # noqa: F401
from dataset_assets_tests.films import (
    SHARED,
    X264_OPTIONS,
    X265_OPTIONS,
    Film,
    Shot,
    hlg_frames,
    make_film,
    pq_frames,
    sdr_frames,
)
from dataset_assets_tests.generated import Generated, two_films_config

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A busy machine is no defect: Hypothesis would fail an example that takes longer than 200 ms.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Cuts at 17, 31, 54: of the windows that start at a keyframe (every 12 frames), those at 12 and 48 hold one.
SHOTS = (Shot(1, 17), Shot(2, 14, -4, 2), Shot(3, 23, 2, 0), Shot(4, 18, 6, -2))
VFR_TIME_BASE = Fraction(1, 600)
SHORT_SHOTS = (Shot(5, 21), Shot(6, 15, -2, 2))
TINY_SHOTS = (Shot(31, 40), Shot(32, 44))
DARK_SHOTS = tuple(Shot(10 + i, frames, exposure=0.08) for i, frames in enumerate((15, 11, 10, 9, 17, 7, 15)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts those first that wait for services most of the time: the other processes work meanwhile."""
    items.sort(key=lambda item: "system" not in item.path.parts)


@pytest.fixture(scope="session")
def films_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the worker processes of a test session share."""
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    films = folder / "films"
    films.mkdir(exist_ok=True)
    return films


@pytest.fixture(scope="session")
def pq_film(films_folder: Path) -> Film:
    """1920x1080 HEVC Main10 PQ with MaxCLL and mastering display, 72 frames, 24/s, four shots."""
    return make_film(
        films_folder / "pq.mkv",
        pq_frames(SHOTS, 1920, 1080),
        SHOTS,
        size=(1920, 1080),
        codec="libx265",
        pix_fmt="yuv420p10le",
        colour=BT2020_PQ,
        static_hdr=StaticHdrMetadata(max_cll_nits=800, max_fall_nits=120, mastering_max_nits=4000),
        options=X265_OPTIONS,
    )


@pytest.fixture(scope="session")
def hlg_film(films_folder: Path) -> Film:
    """1280x720 HEVC Main10 HLG, 36 frames, 24/s, two shots."""
    return make_film(
        films_folder / "hlg.mp4",
        hlg_frames(SHORT_SHOTS, 1280, 720),
        SHORT_SHOTS,
        size=(1280, 720),
        codec="libx265",
        pix_fmt="yuv420p10le",
        colour=BT2020_HLG,
        options=X265_OPTIONS,
    )


@pytest.fixture(scope="session")
def sdr_film(films_folder: Path) -> Film:
    """1280x720 H.264 BT.709, 72 frames, 24/s, four shots."""
    return make_film(
        films_folder / "sdr.mp4",
        sdr_frames(SHOTS, 1280, 720),
        SHOTS,
        size=(1280, 720),
        options=X264_OPTIONS,
    )


@pytest.fixture(scope="session")
def tiny_film(films_folder: Path) -> Film:
    """320x192 H.264 BT.709, 84 frames, 24/s, two shots: for tests that run a film again and again."""
    return make_film(
        films_folder / "tiny.mkv",
        sdr_frames(TINY_SHOTS, 320, 192),
        TINY_SHOTS,
        size=(320, 192),
        options=X264_OPTIONS,
    )


@pytest.fixture(scope="session")
def letterboxed_film(films_folder: Path) -> Film:
    """1920x1080 H.264 BT.709 with 138 black lines above and below, 36 frames, 24/s, two shots."""
    return make_film(
        films_folder / "letterboxed.mkv",
        sdr_frames(SHORT_SHOTS, 1920, 1080, bars=138),
        SHORT_SHOTS,
        size=(1920, 1080),
        bars=138,
        options=X264_OPTIONS,
    )


@pytest.fixture(scope="session")
def vfr_film(films_folder: Path) -> Film:
    """1280x720 H.264 BT.709 in ticks of 1/600 s, 72 frames of 10 to 50 ticks each, four shots."""
    steps = np.random.default_rng(0).integers(1, 6, 72) * 10
    return make_film(
        films_folder / "vfr.mp4",
        sdr_frames(SHOTS, 1280, 720),
        SHOTS,
        size=(1280, 720),
        pts=np.cumsum(steps).tolist(),
        time_base=VFR_TIME_BASE,
        options=X264_OPTIONS,
    )


@pytest.fixture(scope="session")
def rotated_film(films_folder: Path) -> Film:
    """1280x720 H.264 BT.709 that a player turns by a quarter, 36 frames, 24/s, two shots."""
    return make_film(
        films_folder / "rotated.mp4",
        sdr_frames(SHORT_SHOTS, 1280, 720),
        SHORT_SHOTS,
        size=(1280, 720),
        rotation_degrees=90,
        options=X264_OPTIONS,
    )


@pytest.fixture(scope="session")
def dark_cuts_film(films_folder: Path) -> Film:
    """1280x720 H.264 BT.709 at 0.35 of the usual brightness, 84 frames, 24/s, seven shots."""
    return make_film(
        films_folder / "dark-cuts.mp4",
        sdr_frames(DARK_SHOTS, 1280, 720),
        DARK_SHOTS,
        size=(1280, 720),
        options=X264_OPTIONS,
    )


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """The folder of sample media."""
    if not (SHARED / "media" / "MANIFEST.tsv").is_file():
        pytest.skip("the sample media (shared/media) are not on this machine")
    return SHARED / "media"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium; what uses it skips where there is none."""
    from dataset_assets_tests.browser import chromium  # few tests need Playwright

    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory, sdr_film: Film, vfr_film: Film) -> Generated:
    """Two films, two workers; tests look at it and do not change it."""
    folder = tmp_path_factory.mktemp("generated")
    config = two_films_config(folder, sdr_film, vfr_film)
    return Generated(config, folder / "dataset", run("generate", "--config", config, "--workers", "2"))
