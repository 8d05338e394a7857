"""Data sets of the release before, with one window in each stratum: as they are, grown, and damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import Settings, load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.tables import PATCHES, WINDOWS, PatchRow, WindowRow
from dataset_assets.verify import VideoFindings, verify

FIXTURE = Path(__file__).parents[1] / "fixtures" / "release_1"
PLAIN, HDR, VARIABLE = KEYS = ("plain-film", "hdr-film", "variable-film")
RETRIED = HDR
"""A film with a window that was accepted at the second try."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a copy of the data set, its films probed where they lie."""
    shutil.copytree(FIXTURE, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "config.json"
    path.write_text(path.read_text().replace("/data/films", str(tmp_path / "films")))
    for key in KEYS:
        probe_video(load_settings(path), key)
    return path


def changed(config: Path, change: Callable[[dict[str, Any]], None]) -> Settings:
    content = json.loads(config.read_text())
    change(content)
    config.write_text(json.dumps(content))
    return load_settings(config)


def with_windows(config: Path, count: int) -> Settings:
    return changed(config, lambda content: content["base_settings"].update(base_frame_limit=count))


def make(settings: Settings) -> None:
    for key in KEYS:
        generate_video(settings, key, may_replace=True)


def only(settings: Settings, key: str, *, repair: bool = False, deep_share: float = 0.0) -> VideoFindings:
    (found,) = verify(settings, [key], repair=repair, deep_share=deep_share)
    return found


def assert_sound(settings: Settings, windows: int) -> None:
    for found in verify(settings, workers=2, deep_share=1.0):
        assert (found.findings, found.notes, found.left_out) == ([], [], "")
        assert found.windows_compared == windows


def change_windows(
    settings: Settings, key: str, change: Callable[[list[WindowRow]], Sequence[WindowRow]]
) -> None:
    tables = DataSet.of(settings).tables
    path = tables.windows_path(key)
    made = tables.read_provenance(path)
    assert made is not None
    tables.write(path, WINDOWS, change(tables.read_windows(key)), made)


def change_patches(
    settings: Settings, key: str, change: Callable[[list[PatchRow]], Sequence[PatchRow]]
) -> None:
    tables = DataSet.of(settings).tables
    path = tables.patches_path("general", key)
    made = tables.read_provenance(path)
    assert made is not None
    tables.write(path, PATCHES, change(tables.read_patches("general", key)), made)


@pytest.mark.slow
def test_it_is_sound_however_it_grows_and_shrinks(config: Path) -> None:
    assert_sound(load_settings(config), 3)
    for count in (5, 2, 4):
        settings = with_windows(config, count)
        make(settings)
        assert_sound(settings, count)


def test_it_is_sound_after_a_change_of_the_mix(config: Path) -> None:
    make(with_windows(config, 5))
    mix = {"square": 0.9, "wide": 0.1}
    settings = changed(config, lambda content: content["categories"]["general"].update(mix=mix))
    make(settings)
    assert_sound(settings, 5)


def doubled_accepted(rows: list[WindowRow]) -> list[WindowRow]:
    return [*rows, rows[-1]]


def tries_in_another_order(rows: list[WindowRow]) -> list[WindowRow]:
    return rows[::-1]


def of_no_stratum(rows: list[WindowRow]) -> list[WindowRow]:
    return [*rows[:-1], replace(rows[-1], window=3)]


def overlapping(rows: list[WindowRow]) -> list[WindowRow]:
    return [*rows[:-1], replace(rows[-1], pts=rows[0].pts)]


def without_signature(rows: list[WindowRow]) -> list[WindowRow]:
    return [*rows[:-1], replace(rows[-1], signature=None)]


@pytest.mark.parametrize(
    "change", [doubled_accepted, tries_in_another_order, of_no_stratum, overlapping, without_signature]
)
def test_damaged_windows_are_found_and_others_take_their_place(
    config: Path, change: Callable[[list[WindowRow]], list[WindowRow]]
) -> None:
    settings = load_settings(config)
    change_windows(settings, RETRIED, change)
    found = only(settings, RETRIED, repair=True)
    assert "window" in {finding.kind.value for finding in found.findings}
    assert found.repaired
    make(settings)
    assert_sound(settings, 3)


@pytest.mark.parametrize("is_grown", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        lambda row: replace(row, x=row.x + 1),
        lambda row: replace(row, kernel="area"),
        lambda row: replace(row, settings_hash="0" * 16),
    ],
    ids=["crop", "kernel", "settings"],
)
def test_a_damaged_row_is_found_and_made_again(
    config: Path, is_grown: bool, change: Callable[[PatchRow], PatchRow]
) -> None:
    settings = with_windows(config, 5) if is_grown else load_settings(config)
    make(settings)
    change_patches(settings, PLAIN, lambda rows: [change(rows[0]), *rows[1:]])
    (finding,) = only(settings, PLAIN, repair=True).findings
    assert finding.kind.value == "row"
    make(settings)
    assert_sound(settings, 5 if is_grown else 3)


def test_a_row_that_is_missing_after_growth_is_found(config: Path) -> None:
    settings = with_windows(config, 5)
    make(settings)
    change_patches(settings, PLAIN, lambda rows: rows[1:])
    (finding, *others) = only(settings, PLAIN, repair=True).findings
    assert finding.what == "the row of window 0 is missing"
    assert {finding.kind.value for finding in others} == {"extra"}
    make(settings)
    assert_sound(settings, 5)
