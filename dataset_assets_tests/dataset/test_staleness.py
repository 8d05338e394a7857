"""What counts as done, and how a new data set takes the place of an old one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import Category, Format, Settings
from dataset_assets.dataset import SOURCE, WINDOWS, DataSet
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.films import X264_OPTIONS, Film, Shot, interlaced, make_film, sdr_frames
from dataset_assets_tests.generate.interrupting import at_disk_call, interrupt
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    FORMATS,
    KEY,
    WEIGHTS,
    files,
    files_named_by_rows,
    patch_rows,
    pictures,
    raise_version,
    small_settings,
    tables,
)

ALL = {SOURCE, WINDOWS, *CATEGORIES}
PATCHES = set(CATEGORIES)
NEW_MIX = CATEGORIES | {"space": Category(folder="Space/Learn", mix={"square": 0.8, "wide": 0.2})}


@pytest.fixture
def film(sdr_film: Film, tmp_path: Path) -> Path:
    """A copy of a film that a test may change."""
    return Path(shutil.copy2(sdr_film.path, tmp_path / "film.mp4"))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture(scope="module")
def made_film(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film beside the finished data set that was made of it."""
    film = tmp_path_factory.mktemp("made") / "film.mp4"
    shutil.copy2(sdr_film.path, film)
    make(small_settings(film.with_name("out"), film))
    return film


@pytest.fixture
def made_once(made_film: Path) -> Path:
    """The finished data set, to be copied."""
    return made_film.with_name("out")


def make(settings: Settings) -> None:
    probe_video(settings, KEY)
    generate_video(settings, KEY)


def states(settings: Settings) -> dict[str, str]:
    data_set = DataSet.of(settings)
    return {name: status.state for name, status in data_set.statuses(settings, settings.videos[0]).items()}


def not_done(settings: Settings) -> set[str]:
    return {name for name, state in states(settings).items() if state != "done"}


def assert_like_a_fresh_one(settings: Settings, folder: Path) -> None:
    """The data set is, byte for byte, what an empty folder would hold by now."""
    output = settings.base.output_base_dir
    base = settings.base.model_copy(update={"output_base_dir": folder / "fresh"})
    fresh = settings.model_copy(update={"base": base})
    make(fresh)
    assert pictures(output) == pictures(folder / "fresh")
    assert tables(output) == tables(folder / "fresh")
    assert files_named_by_rows(output) == set(pictures(output))


def test_before_anything_is_made_all_is_missing_and_after_it_all_is_done(film: Path, output: Path) -> None:
    settings = small_settings(output, film)
    assert states(settings) == dict.fromkeys(ALL, "missing")
    make(settings)
    assert states(settings) == dict.fromkeys(ALL, "done")


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        ({"seed": 1}, {WINDOWS, *PATCHES}),
        ({"sampling": "uniform"}, {WINDOWS, *PATCHES}),
        ({"max_attempts": 3}, set()),
        ({"cut_rule": "legacy"}, {WINDOWS, *PATCHES}),
        ({"max_cut_score": 0.6}, {WINDOWS, *PATCHES}),
        ({"max_mean_abs_diff": 40.0}, {WINDOWS, *PATCHES}),
        ({"base_frame_limit": 8}, {WINDOWS, "general", "space"}),
        ({"lr_kernel": "area"}, PATCHES),
        ({"categories": NEW_MIX}, {"space"}),
        ({"weights": WEIGHTS | {"toon": 0.5}}, {"toon"}),
        (
            {"formats": FORMATS | {"large": Format(width=189, height=192, folder="Large")}},
            {"general", "space"},
        ),
        ({"max_workers": 7, "checkpoint_every": 3, "min_free_gb": 0.001}, set()),
        # The film is SDR and progressive.
        ({"colour_order": "fast"}, set()),
        ({"interlaced": "deinterlace"}, set()),
        ({"colour_order": "fast", "interlaced": "deinterlace", "lr_kernel": "area"}, PATCHES),
    ],
)
def test_a_setting_makes_stale_what_it_shapes_and_nothing_else(
    made_film: Path, made_once: Path, changes: Mapping[str, Any], stale: set[str]
) -> None:
    assert not_done(small_settings(made_once, made_film)) == set()
    changed = states(small_settings(made_once, made_film, **changes))
    assert {name for name, state in changed.items() if state == "stale"} == stale
    assert set(changed.values()) <= {"done", "stale"}


@pytest.mark.parametrize(
    ("cut_rule", "unused", "used"),
    [
        ("blocks", {"max_mean_abs_diff": 40.0}, {"max_cut_score": 0.6}),
        ("legacy", {"max_cut_score": 0.6}, {"max_mean_abs_diff": 40.0}),
    ],
)
def test_a_threshold_counts_where_the_cut_rule_uses_it(
    tiny_film: Film, output: Path, cut_rule: str, unused: Mapping[str, Any], used: Mapping[str, Any]
) -> None:
    few: dict[str, Any] = {"base_frame_limit": 2, "cut_rule": cut_rule}
    make(small_settings(output, tiny_film.path, **few))
    assert not_done(small_settings(output, tiny_film.path, **few, **unused)) == set()
    assert not_done(small_settings(output, tiny_film.path, **few, **used)) == {WINDOWS, *PATCHES}


def test_what_happens_to_interlaced_films_counts_for_them(tmp_path: Path, output: Path) -> None:
    shots = [Shot(31, 120, 2, 0)]
    moments = interlaced(sdr_frames(shots, 320, 192))
    film = make_film(tmp_path / "film.mkv", moments, shots, size=(320, 192), options=X264_OPTIONS)
    make(small_settings(output, film.path, base_frame_limit=2, interlaced="deinterlace"))
    refusing = small_settings(output, film.path, base_frame_limit=2)
    assert {name for name, state in states(refusing).items() if state == "stale"} == ALL


@pytest.mark.parametrize(
    "changes",
    [
        {
            "categories": CATEGORIES
            | {"toon": Category(folder="Toon/Learn", mix={"square": 0.3, "wide": 0.7})}
        },
        {"lr_kernel": "area"},
        {"seed": 1},
    ],
)
def test_a_category_that_takes_nothing_of_a_film_is_done_whatever_its_settings(
    film: Path, output: Path, changes: dict[str, Any]
) -> None:
    weights = WEIGHTS | {"toon": 0.0}
    make(small_settings(output, film, weights=weights))
    assert states(small_settings(output, film, weights=weights, **changes))["toon"] == "done"


def test_a_partial_table_is_not_a_missing_one(film: Path, output: Path) -> None:
    settings = small_settings(output, film)
    generate_video(settings, KEY, categories=["toon"])
    expected = {SOURCE: "missing", WINDOWS: "done", "general": "missing", "space": "missing", "toon": "done"}
    assert states(settings) == expected


def test_a_new_time_stamp_is_no_new_content(film: Path, output: Path) -> None:
    settings = small_settings(output, film)
    make(settings)
    os.utime(film, (1, 1))
    assert not_done(settings) == set()
    report = generate_video(settings, KEY)
    assert report.made == 0


def test_new_content_makes_everything_stale_and_replaces_it(
    film: Path, output: Path, rotated_film: Film, tmp_path: Path
) -> None:
    settings = small_settings(output, film)
    make(settings)
    shutil.copy2(rotated_film.path, film)
    assert {name for name, state in states(settings).items() if state == "stale"} == ALL
    make(settings)
    assert not_done(settings) == set()
    assert_like_a_fresh_one(settings, tmp_path)


def test_a_film_that_is_gone_leaves_what_was_made_of_it_done(film: Path, output: Path) -> None:
    settings = small_settings(output, film)
    make(settings)
    film.unlink()
    assert not_done(settings) == set()


def test_a_moved_film_needs_only_a_new_row(film: Path, output: Path) -> None:
    make(small_settings(output, film))
    moved = film.rename(film.with_name("moved.mp4"))
    settings = small_settings(output, moved)
    assert not_done(settings) == {SOURCE}
    status = DataSet.of(settings).statuses(settings, settings.videos[0])[SOURCE]
    assert status.reason == f"it was probed as {film}, and is {moved} here"
    make(settings)
    assert not_done(settings) == set()


@pytest.mark.parametrize(
    ("version", "stale"),
    [
        ("SOURCE_VERSION", {SOURCE}),
        ("WINDOWS_VERSION", {WINDOWS, *PATCHES}),
        ("PATCHES_VERSION", PATCHES),
    ],
)
def test_a_new_version_of_the_code_makes_stale_what_that_code_makes(
    made_film: Path, made_once: Path, monkeypatch: pytest.MonkeyPatch, version: str, stale: set[str]
) -> None:
    settings = small_settings(made_once, made_film)
    raise_version(monkeypatch, version)
    found = DataSet(made_once).statuses(settings, settings.videos[0])
    assert {name for name, status in found.items() if status.state == "stale"} == stale
    assert {found[name].reason for name in stale} == {"the code that makes it changed"}


def test_a_new_version_of_the_probe_costs_a_row_of_each_video_and_nothing_else(
    made_film: Path, made_once: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(made_once, output)
    settings = small_settings(output, made_film)
    raise_version(monkeypatch, "SOURCE_VERSION")
    before = files(output)
    probe_video(settings, KEY)
    assert not_done(settings) == set()
    assert generate_video(settings, KEY).made == 0
    after = files(output)
    assert after.keys() == before.keys()
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {f"metadata/videos/video={KEY}/part-0.parquet"}


@pytest.mark.parametrize("version", ["WINDOWS_VERSION", "PATCHES_VERSION"])
def test_a_new_version_of_the_code_rebuilds_patches_one_by_one(
    made_film: Path, made_once: Path, output: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    shutil.copytree(made_once, output)
    settings = small_settings(output, made_film)
    before = {row["settings_hash"] for row in patch_rows(output, "general")}
    raise_version(monkeypatch, version)
    # A run that ends halfway leaves rows of both versions in one table.
    with pytest.raises(KeyboardInterrupt), at_disk_call(120, interrupt):
        generate_video(settings, KEY)
    assert before.intersection(row["settings_hash"] for row in patch_rows(output, "general"))
    assert not before.issuperset(row["settings_hash"] for row in patch_rows(output, "general"))
    generate_video(settings, KEY)
    assert before.isdisjoint(row["settings_hash"] for row in patch_rows(output, "general"))


@pytest.mark.parametrize(
    "changes",
    [
        {"base_frame_limit": 3},
        {"seed": 5},
        {"lr_kernel": "area"},
        {"categories": NEW_MIX},
        {"weights": {"general": 0.4, "space": 1.0}},
        {"formats": FORMATS | {"large": Format(width=192, height=192, folder="Moved/Large")}},
        {"categories": CATEGORIES | {"general": Category(folder="Elsewhere", mix={"square": 1.0})}},
        {
            "categories": {
                "space": Category(folder="Universal/Learn", mix=CATEGORIES["space"].mix),
                "general": Category(folder="Space/Learn", mix=CATEGORIES["general"].mix),
                "toon": CATEGORIES["toon"],
            }
        },
    ],
)
def test_new_settings_leave_nothing_of_the_old_ones(
    film: Path, output: Path, tmp_path: Path, changes: Mapping[str, Any], made_once: Path
) -> None:
    shutil.copytree(made_once, output)
    settings = small_settings(output, film, **changes)
    make(settings)
    assert not_done(settings) == set()
    assert_like_a_fresh_one(settings, tmp_path)
    assert not [path for path in output.rglob("*") if path.is_dir() and empty_of_patches(path)]


def empty_of_patches(folder: Path) -> bool:
    is_ours = "metadata" not in folder.parts and "Val" not in folder.parts
    return is_ours and not any(folder.iterdir())


def test_old_patches_stay_readable_until_new_ones_take_their_place(
    film: Path, output: Path, made_once: Path
) -> None:
    shutil.copytree(made_once, output)
    before = pictures(output)
    generate_video(small_settings(output, film, categories=NEW_MIX), KEY, categories=["space"])
    kept = {name: digest for name, digest in before.items() if not name.startswith("Space")}
    assert {name: digest for name, digest in pictures(output).items() if not name.startswith("Space")} == kept


@pytest.mark.parametrize("at_once", [True, False])
def test_a_category_that_left_the_configuration_leaves_nothing_behind(
    film: Path, output: Path, made_once: Path, at_once: bool
) -> None:
    shutil.copytree(made_once, output)
    mine = output / "Toon/Learn/Val/GT/mine.png"
    mine.write_bytes(b"mine")
    left = {name: category for name, category in CATEGORIES.items() if name != "toon"}
    settings = small_settings(output, film, weights={"general": 1.0, "space": 0.5}, categories=left)
    if at_once:
        film.unlink()
        with DataSet(output).hold(KEY):
            assert DataSet.of(settings).remove_left_categories(settings) == []
        assert DataSet.of(settings).remove_left_categories(settings) == [KEY]
        assert DataSet.of(settings).remove_left_categories(settings) == []
    else:
        generate_video(settings, KEY)
    assert [name for name in pictures(output) if name.startswith("Toon")] == ["Toon/Learn/Val/GT/mine.png"]
    assert not any("category=toon" in path for path in tables(output))
    assert not (output / "Toon/Learn/Square").exists()
    mine.unlink()
    assert files_named_by_rows(output) == set(pictures(output))


def test_a_renamed_category_keeps_the_files_that_it_rebuilt(
    film: Path, output: Path, made_once: Path, tmp_path: Path
) -> None:
    shutil.copytree(made_once, output)
    renamed = {"cartoon" if name == "toon" else name: category for name, category in CATEGORIES.items()}
    weights = {"general": 1.0, "space": 0.5, "cartoon": 1.0}
    settings = small_settings(output, film, weights=weights, categories=renamed)
    make(settings)
    assert patch_rows(output, "cartoon")
    assert_like_a_fresh_one(settings, tmp_path)
