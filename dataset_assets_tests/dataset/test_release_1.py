"""A data set that an older release made: opened, counted, verified and extended without redoing anything."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import Settings, load_settings
from dataset_assets.dataset import SOURCE, WINDOWS, DataSet
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.verify import verify
from dataset_assets_tests.generate.samples import files

FIXTURE = Path(__file__).parents[1] / "fixtures" / "release_1"
PLAIN, HDR, VARIABLE = KEYS = ("plain-film", "hdr-film", "variable-film")
CATEGORIES = {"general", "toon"}
STALE = "stale: its settings changed"


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """A copy of the data set, its films in another folder than they were probed in."""
    shutil.copytree(FIXTURE, tmp_path, dirs_exist_ok=True)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace("/data/films", str(tmp_path / "films")))
    return tmp_path


@pytest.fixture
def folder(moved: Path) -> Path:
    """The copy, its films probed where they lie now."""
    settings = load_settings(moved / "config.json")
    for key in KEYS:
        probe_video(settings, key)
    return moved


def configured(folder: Path, change: Callable[[dict[str, Any]], None]) -> Settings:
    """The settings after a change of the configuration file."""
    path = folder / "config.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return load_settings(path)


def with_base(folder: Path, **base: Any) -> Settings:
    return configured(folder, lambda content: content["base_settings"].update(base))


def not_done(settings: Settings) -> dict[str, dict[str, str]]:
    """State and reason of every table that is not done, by video."""
    data_set = DataSet.of(settings)
    found = {entry.key: data_set.statuses(settings, entry) for entry in settings.videos}
    return {
        key: {
            name: f"{status.state}: {status.reason}" for name, status in states.items() if not status.is_done
        }
        for key, states in found.items()
        if not all(status.is_done for status in states.values())
    }


def assert_sound(settings: Settings) -> None:
    """Reading everything back, and every window from its film, finds nothing."""
    for found in verify(settings, workers=2, deep_share=1.0):
        assert (found.findings, found.left_out) == ([], "")
        assert found.windows_compared == 3


@pytest.mark.parametrize(
    ("base", "stale"),
    [
        ({}, {}),
        ({"interlaced": "deinterlace"}, {}),
        ({"colour_order": "fast"}, {HDR: dict.fromkeys(CATEGORIES, STALE)}),
        ({"colour_order": "fast", "interlaced": "deinterlace"}, {HDR: dict.fromkeys(CATEGORIES, STALE)}),
        ({"lr_kernel": "area"}, {key: dict.fromkeys(CATEGORIES, STALE) for key in KEYS}),
    ],
)
def test_only_settings_that_count_make_stale_where_the_films_were(
    tmp_path: Path, base: dict[str, Any], stale: dict[str, dict[str, str]]
) -> None:
    """The films are not there, and so count as unchanged."""
    shutil.copytree(FIXTURE, tmp_path, dirs_exist_ok=True)
    assert not_done(with_base(tmp_path, **base)) == stale


def test_moved_films_make_their_own_rows_stale_and_nothing_else(moved: Path) -> None:
    settings = load_settings(moved / "config.json")
    assert not_done(settings) == {key: {SOURCE: STALE} for key in KEYS}
    assert_sound(settings)
    before = files(moved / "dataset")
    for key in KEYS:
        probe_video(settings, key)
    assert not_done(settings) == {}
    after = files(moved / "dataset")
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {f"metadata/videos/video={key}/part-0.parquet" for key in KEYS}


def test_what_it_holds_is_counted(moved: Path) -> None:
    settings = load_settings(moved / "config.json")
    found = DataSet.of(settings).statistics(settings)
    totals, sizes = found.totals, [path.stat().st_size for path in (moved / "dataset").rglob("*.png")]
    assert found.problems == []
    assert (totals.videos, totals.windows_target, totals.accepted, totals.attempts) == (3, 9, 9, 11)
    assert totals.reject_reasons == {"cut": 2}
    assert (totals.patches, totals.patches_target, totals.size_bytes) == (15, 15, sum(sizes))
    assert dict(found.categories[["category", "patches"]].itertuples(index=False)) == {
        "general": 8,
        "toon": 7,
    }


def test_making_it_again_makes_nothing_and_touches_no_file(folder: Path) -> None:
    settings = load_settings(folder / "config.json")
    before = files(folder / "dataset")
    for key in KEYS:
        report = generate_video(settings, key)
        assert (report.made, report.windows.accepted) == (0, 3)
    assert files(folder / "dataset") == before
    assert_sound(settings)


def test_a_category_is_added_from_the_windows_that_are_there(folder: Path) -> None:
    def add(content: dict[str, Any]) -> None:
        content["categories"]["space"] = {"folder": "Space", "mix": {"wide": 1.0}}
        for video in content["videos"]:
            video["categories"]["space"] = 1.0

    settings = configured(folder, add)
    assert not_done(settings) == {key: {"space": "missing: never made"} for key in KEYS}
    before = files(folder / "dataset")
    made = [generate_video(settings, key, windows=False, categories=["space"]).made for key in KEYS]
    assert made == [3, 3, 3]
    after = files(folder / "dataset")
    assert {name: after.get(name) for name in before} == before
    assert not_done(settings) == {}
    assert_sound(settings)


def test_a_film_is_added(folder: Path) -> None:
    shutil.copy(folder / "films/sdr.mp4", folder / "films/fourth.mp4")
    video = {"name": "Fourth Film", "path": "films/fourth.mp4", "categories": {"general": 1.0, "toon": 1.0}}
    settings = configured(folder, lambda content: content["videos"].append(video))
    before = files(folder / "dataset")
    probe_video(settings, "fourth-film")
    assert generate_video(settings, "fourth-film").made == 6
    after = files(folder / "dataset")
    assert {name: after.get(name) for name in before} == before
    assert not_done(settings) == {}
    assert_sound(settings)


@pytest.mark.parametrize(
    "base",
    [{"colour_order": "fast"}, {"interlaced": "deinterlace"}, {"lr_kernel": "bicubic", "max_workers": 5}],
)
def test_a_setting_without_effect_on_a_film_makes_nothing_stale(folder: Path, base: dict[str, Any]) -> None:
    settings = with_base(folder, **base)
    changed = {HDR} if "colour_order" in base else set()
    assert not_done(settings) == dict.fromkeys(changed, dict.fromkeys(CATEGORIES, STALE))
    before = files(folder / "dataset")
    made = {key: generate_video(settings, key).made for key in KEYS}
    assert made == dict.fromkeys(KEYS, 0) | dict.fromkeys(changed, 5)
    after = files(folder / "dataset")
    assert after.keys() == before.keys()
    assert all("hdr-film" in name for name in after if after[name] != before[name])
    assert not_done(settings) == {}
    assert_sound(settings)


def test_without_the_row_of_the_film_a_setting_counts_for_it(folder: Path) -> None:
    """Whether a film is HDR is known from its row; where that is absent or of another film, it is not."""
    settings = with_base(folder, colour_order="fast")
    (folder / f"dataset/metadata/videos/video={PLAIN}/part-0.parquet").unlink()
    stale = dict.fromkeys(CATEGORIES, STALE)
    assert not_done(settings)[PLAIN] == {SOURCE: "missing: never made"} | stale
    shutil.copy(folder / "films/hdr.mkv", folder / "films/sdr.mp4")
    assert set(not_done(settings)[PLAIN]) == {SOURCE, WINDOWS, *CATEGORIES}


def test_a_run_that_the_older_release_began_goes_on(folder: Path) -> None:
    """Its rows stay as they are, and the finished table is of one settings hash."""
    settings = load_settings(folder / "config.json")
    tables = DataSet.of(settings).tables
    path = tables.patches_path("general", PLAIN)
    made = tables.read_provenance(path)
    assert made is not None
    rows = tables.read_patches("general", PLAIN)
    tables.write(path, rows[0].schema, rows[:2], replace(made, complete=False))
    assert generate_video(settings, PLAIN).made == 1
    again = tables.read_patches("general", PLAIN)
    assert [row.created_at for row in again[:2]] == [row.created_at for row in rows[:2]]
    assert len({row.settings_hash for row in again}) == 1
    assert not_done(settings) == {}
    assert_sound(settings)
