"""The promises put to the test: kept by what is made, and seen to be broken where it was tampered with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_assets.config import Settings
from dataset_assets.generate import CategoryReport, VideoReport, WindowsReport, generate_video
from dataset_assets.generate.checking import (
    enough_patches,
    enough_windows,
    format_mix_kept,
    triplets_whole,
)
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, small_settings


@pytest.fixture(scope="module")
def made_once(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, VideoReport]:
    output = tmp_path_factory.mktemp("made")
    return output, generate_video(small_settings(output, sdr_film.path), KEY, categories=["general"])


@pytest.fixture
def made(made_once: tuple[Path, VideoReport], sdr_film: Film, tmp_path: Path) -> tuple[Settings, VideoReport]:
    """A data set that a test may tamper with, and the report of how it was made."""
    output, report = made_once
    shutil.copytree(output, tmp_path, dirs_exist_ok=True)
    return small_settings(tmp_path, sdr_film.path), report


def test_what_is_made_keeps_its_promises(made: tuple[Settings, VideoReport]) -> None:
    settings, report = made
    general = report.categories["general"]
    assert general.rows
    assert triplets_whole(settings, general).passed
    assert format_mix_kept(general).passed


@pytest.mark.parametrize(("accepted", "passed"), [(9, True), (8, False), (10, True)])
def test_nine_tenths_of_the_windows_are_enough(accepted: int, passed: bool) -> None:
    verdict = enough_windows(WindowsReport(target=10, room=10, accepted=accepted, attempts=20, rejected={}))
    assert (verdict.passed, verdict.number) == (passed, accepted / 10)


def test_of_no_windows_wanted_none_is_enough() -> None:
    assert enough_windows(WindowsReport(0, 0, 0, 0, {})).passed
    assert enough_patches(CategoryReport(0, 0, 0, (), {}, ())).passed


def test_too_few_patches_name_the_formats_without_room(made: tuple[Settings, VideoReport]) -> None:
    _, report = made
    few = replace(report.categories["general"], rows=(), left_out=("large",))
    verdict = enough_patches(few)
    assert not verdict.passed
    assert "no room for large" in verdict.description


def test_a_mix_far_off_its_shares_is_told(made: tuple[Settings, VideoReport]) -> None:
    _, report = made
    general = report.categories["general"]
    row = replace(general.rows[0], format="large")
    verdict = format_mix_kept(replace(general, rows=(row,) * 20))
    assert not verdict.passed
    assert verdict.number == pytest.approx(20 * 0.8)
    assert verdict.description.startswith("large")


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def replaced_by_another_size(path: Path) -> None:
    size_bytes = path.stat().st_size
    Image.fromarray(np.zeros((3, 3, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes().ljust(size_bytes, b"\0"))


def overwritten(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize("kind", ["gt", "lr5", "lr7"])
@pytest.mark.parametrize("tamper", [Path.unlink, shortened, replaced_by_another_size, overwritten])
def test_a_file_that_is_not_what_its_row_says_is_told(
    made: tuple[Settings, VideoReport], tmp_path: Path, kind: str, tamper: Callable[[Path], None]
) -> None:
    settings, report = made
    general = report.categories["general"]
    row = general.rows[-1]
    tamper(tmp_path / getattr(row, kind))
    verdict = triplets_whole(settings, general)
    assert (verdict.passed, verdict.number) == (False, 1)
    assert row.patch_id in verdict.description
