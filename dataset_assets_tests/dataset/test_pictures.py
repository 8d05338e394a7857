"""The small pictures of candidates: they show what the patches show, cost no run anything, and last."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dataset_assets.dataset import VideoPictures, picture_name
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.video.fingerprint import Fingerprint
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import X264_OPTIONS, Film, Shot, make_film, sdr_frames
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    KEY,
    patch_rows,
    pictures,
    small_settings,
    tables,
    window_rows,
)

FOLDER = f"metadata/pictures/video={KEY}"
SHOTS = (Shot(5, 21), Shot(6, 15, -2, 2))


@pytest.fixture(scope="module")
def wide_pixel_film(films_folder: Path) -> Film:
    """720x576 H.264 with pixels of 64:45, 36 frames, two shots."""
    return make_film(
        films_folder / "wide-pixels.mkv",
        sdr_frames(SHOTS, 720, 576),
        SHOTS,
        size=(720, 576),
        sample_aspect=Fraction(64, 45),
        options=X264_OPTIONS,
    )


def seen(path: Path, size: tuple[int, int]) -> Any:
    return np.asarray(Image.open(path).convert("RGB").resize(size, Image.Resampling.BOX)).astype(float)


@pytest.mark.parametrize("film_name", ["pq_film", "letterboxed_film", "rotated_film", "wide_pixel_film"])
def test_a_picture_shows_the_active_area_upright_and_each_patch_in_its_place(
    film_name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    film: Film = request.getfixturevalue(film_name)
    settings = small_settings(tmp_path, film.path, base_frame_limit=2)
    video = probe_video(settings, KEY)
    generate_video(settings, KEY)
    windows = {row["window"]: row["pts"] for row in window_rows(tmp_path) if row["accepted"]}
    rows = [row for category in CATEGORIES for row in patch_rows(tmp_path, category)]
    assert len(rows) >= 2
    for row in rows:
        name = picture_name(video.source_fingerprint, windows[row["window"]], None)
        assert name is not None
        picture = Image.open(tmp_path / FOLDER / name)
        scale = picture.width / video.active_width
        assert abs(picture.height - scale * video.active_height) <= 1
        left, top = (row["x"] - video.active_x) * scale, (row["y"] - video.active_y) * scale
        box = (left, top, left + row["width"] * scale, top + row["height"] * scale)
        size = (row["width"] // 12, row["height"] // 12)
        part = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX, box)).astype(float)
        gt = seen(tmp_path / row["gt_path"], size)
        assert np.abs(part - gt).mean() < 6
        assert np.corrcoef(part.ravel(), gt.ravel())[0, 1] > 0.9


def test_only_the_first_rejected_candidates_have_a_picture(tmp_path: Path) -> None:
    film = tmp_path / "black.mp4"
    frames = (np.zeros((360, 640, 3), np.uint8) for _ in range(120))
    write_video(film, frames, rate=24, keyint=8, options=X264_OPTIONS)
    settings = small_settings(tmp_path / "out", film, base_frame_limit=2)
    generate_video(settings, KEY)
    rows = [row for row in window_rows(tmp_path / "out") if row["start_pts"] is not None]
    assert {row["reason"] for row in rows} == {"near_black"}
    assert max(row["window"] for row in rows) > 6
    files = list((tmp_path / "out" / FOLDER).iterdir())
    assert len(files) == sum(row["window"] < 6 for row in rows)
    assert all(VideoPictures(path.parent).find(path.name) for path in files)


def test_a_picture_is_named_by_what_it_shows() -> None:
    pts = (10, 20, 30, 40, 50, 60, 70)
    name = picture_name(Fingerprint.parse("100-5-abc"), pts, None)
    assert name is not None
    assert name.endswith("-40.jpg")
    assert picture_name(Fingerprint.parse("100-6-abc"), pts, "blurred") == name
    others = {
        picture_name(Fingerprint.parse("100-5-abd"), pts, None),
        picture_name(Fingerprint.parse("100-5-abc"), [each + 1 for each in pts], None),
        picture_name(Fingerprint.parse("100-5-abc"), pts, "cut"),
        name,
    }
    assert len(others) == 4
    assert picture_name(Fingerprint.parse("100-5-abc"), pts[:6], "too_few_frames") is None
    assert picture_name(Fingerprint.parse("100-5-abc"), pts, "corrupt") is None


def test_a_run_gets_through_where_no_picture_can_be_written(sdr_film: Film, tmp_path: Path) -> None:
    with_pictures, without = tmp_path / "with", tmp_path / "without"
    generate_video(small_settings(with_pictures, sdr_film.path), KEY)
    (without / "metadata").mkdir(parents=True)
    (without / "metadata/pictures").touch()
    generate_video(small_settings(without, sdr_film.path), KEY)
    assert tables(without) == tables(with_pictures)
    assert pictures(without) == pictures(with_pictures)
    assert list((with_pictures / FOLDER).iterdir())
