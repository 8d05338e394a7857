"""What of a run is shown: windows with a category's crops, the rejected with their reasons, one triplet."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.gallery.sheets import rejected_strip, sample_triplet, windows_sheet
from dataset_assets.generate import VideoReport, generate_video
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, patch_rows, small_settings, window_rows

Run = tuple[Settings, VideoReport]


@pytest.fixture(scope="module")
def run(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Run:
    settings = small_settings(tmp_path_factory.mktemp("sheets"), sdr_film.path)
    return settings, generate_video(settings, KEY, categories=["general", "space"])


def seen(jpeg: bytes | None) -> NDArray[np.int_]:
    assert jpeg is not None
    assert len(jpeg) <= 25_000
    picture = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).astype(int)
    assert picture.shape[1] <= 990
    return picture


def test_every_window_of_the_category_has_its_crop_where_it_lies(run: Run) -> None:
    settings, report = run
    rows = patch_rows(settings.base.output_base_dir, "general")
    plain, sheet = (
        seen(windows_sheet(settings, DataSet.of(settings), report, names)) for names in ([], ["general"])
    )
    assert sheet.shape == plain.shape == (90 + 14, 165 * len(rows) - 5, 3)
    drawn = np.abs(sheet - plain).max(axis=2) > 50
    for index, row in enumerate(rows):
        cell = drawn[:90, 165 * index : 165 * index + 160]
        left, right = (round(x * 160 / 1280) for x in (row["x"], row["x"] + row["width"]))
        top, bottom = (round(y * 90 / 720) for y in (row["y"], row["y"] + row["height"]))
        for y, x in (((top + bottom) // 2, left), ((top + bottom) // 2, right), (top, (left + right) // 2)):
            assert cell[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].any(), (index, y, x)
        cell[max(0, top - 3) : bottom + 4, max(0, left - 3) : right + 4] = False
        assert cell.mean() < 0.01


def test_several_categories_have_a_legend(run: Run) -> None:
    settings, report = run
    one, both = (
        seen(windows_sheet(settings, DataSet.of(settings), report, names))
        for names in (["general"], ["general", "space"])
    )
    assert both.shape[0] == one.shape[0] + 19
    assert both[:14].max() > 150


def test_only_rejected_candidates_are_on_the_strip(run: Run) -> None:
    settings, report = run
    rejected = [row for row in window_rows(settings.base.output_base_dir) if not row["accepted"]]
    assert rejected
    width = seen(rejected_strip(DataSet.of(settings), report)).shape[1]
    assert width <= 165 * min(6, len(rejected)) - 5


def test_without_pictures_there_is_no_sheet(run: Run, tmp_path: Path) -> None:
    _, report = run
    elsewhere = small_settings(tmp_path, report.info.path)
    assert windows_sheet(elsewhere, DataSet.of(elsewhere), report, ["general"]) is None
    assert rejected_strip(DataSet.of(elsewhere), report) is None
    assert sample_triplet(DataSet.of(elsewhere), report.categories["general"]) is None


def test_the_sample_is_a_triplet_of_the_category(run: Run) -> None:
    settings, report = run
    jpeg = sample_triplet(DataSet.of(settings), report.categories["general"])
    assert jpeg is not None
    with Image.open(io.BytesIO(jpeg)) as picture:
        sizes = {
            (row["width"], row["height"]) for row in patch_rows(settings.base.output_base_dir, "general")
        }
        assert ((picture.width - 5) // 2, picture.height - 14) in sizes
