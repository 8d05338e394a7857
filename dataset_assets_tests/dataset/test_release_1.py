"""A data set that an older release made: opened, counted, verified and extended without redoing anything."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dataset_assets.config import Settings, load_settings
from dataset_assets.curation import find_duplicates, score_video
from dataset_assets.dataset import SOURCE, WINDOWS, DataSet
from dataset_assets.generate import Changes, VideoReport, generate_video, planned_changes, probe_video
from dataset_assets.verify import verify
from dataset_assets_tests.generate.interrupting import at_disk_call, interrupt, kill_at
from dataset_assets_tests.generate.samples import files, pictures, tables

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
    with_base(tmp_path, allow_replacing=True)
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


def assert_sound(settings: Settings, windows: int = 3) -> None:
    """Reading everything back, and every window from its film, finds nothing."""
    for found in verify(settings, workers=2, deep_share=1.0):
        assert (found.findings, found.left_out) == ([], "")
        assert found.windows_compared == windows


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
    found = not_done(settings)
    assert {key: list(each) for key, each in found.items()} == {key: [SOURCE] for key in KEYS}
    for entry in settings.videos:
        why = found[entry.key][SOURCE]
        assert why.startswith("stale: it was probed as /data/films/")
        assert why.endswith(f", and is {entry.path} here")
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
    found = DataSet.of(settings).overview(settings).stats
    totals, sizes = found.totals, [path.stat().st_size for path in (moved / "dataset").rglob("*.png")]
    assert found.problems == []
    assert (totals.videos, totals.windows_target, totals.accepted, totals.candidates) == (3, 9, 9, 11)
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


def test_its_patches_are_scored_and_nothing_else_is_touched(folder: Path) -> None:
    settings = load_settings(folder / "config.json")
    before, stale = files(folder), not_done(settings)
    scored = sum(score_video(settings, key).made for key in KEYS)
    assert scored == sum(1 for _ in DataSet.of(settings).triplets())
    after = files(folder)
    assert {name for name in after if after[name] != before.get(name)} == {
        name for name in after if name.startswith("dataset/metadata/scores/")
    }
    assert not_done(settings) == stale
    assert_sound(settings)


def test_its_videos_are_compared_and_nothing_else_is_touched(folder: Path) -> None:
    settings = load_settings(folder / "config.json")
    before, stale = files(folder), not_done(settings)
    assert find_duplicates(settings).made == len(KEYS)
    after = files(folder)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed - {"dataset/metadata/duplicates/.lock"} == {"dataset/metadata/duplicates/part-0.parquet"}
    assert not_done(settings) == stale
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
    # Patches that are made again have the formats that are planned by now, and scores.
    scores = {name for name in after if name.startswith("metadata/scores/")}
    assert len(after) == len(before) + len(scores)
    assert bool(scores) == bool(changed)
    assert all("hdr-film" in name for name in {*before, *after} if after.get(name) != before.get(name))
    assert not_done(settings) == {}
    assert_sound(settings)


def test_a_stack_is_dropped_and_made_again_without_another_file_being_touched(folder: Path) -> None:
    before = files(folder / "dataset")
    settings = with_base(folder, lr_stacks=[7])
    stale = dict.fromkeys(CATEGORIES, "stale: LR_5frames is not wanted")
    assert not_done(settings) == dict.fromkeys(KEYS, stale)
    for key in KEYS:
        assert generate_video(settings, key).made == 0
    assert not_done(settings) == {}
    assert_sound(settings)
    dropped = files(folder / "dataset")
    kept = {name: state for name, state in before.items() if name.endswith(".png") and "LR_5" not in name}
    assert {name: state for name, state in dropped.items() if name.endswith(".png")} == kept
    settings = with_base(folder, lr_stacks=[5, 7])
    for key in KEYS:
        generate_video(settings, key)
    assert not_done(settings) == {}
    assert_sound(settings)
    assert pictures(folder / "dataset") == {
        name: state[0] for name, state in before.items() if name.endswith(".png")
    }


def test_without_the_row_of_the_film_a_setting_counts_for_it(folder: Path) -> None:
    """Whether a film is HDR is known from its row; where that is absent or of another film, it is not."""
    settings = with_base(folder, colour_order="fast")
    (folder / f"dataset/metadata/videos/video={PLAIN}/part-0.parquet").unlink()
    stale = dict.fromkeys(CATEGORIES, STALE)
    assert not_done(settings)[PLAIN] == {SOURCE: "missing: never made"} | stale
    shutil.copy(folder / "films/hdr.mkv", folder / "films/sdr.mp4")
    assert set(not_done(settings)[PLAIN]) == {SOURCE, WINDOWS, *CATEGORIES}


def test_a_run_that_the_older_release_began_goes_on(folder: Path) -> None:
    """Its rows stay as they are."""
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
    assert not_done(settings) == {}
    assert_sound(settings)


def rows(folder: Path, key: str) -> dict[int, dict[str, Any]]:
    """The windows table of a video by number, without candidates that were passed over or rejected."""
    table = pq.read_table(folder / f"dataset/metadata/windows/video={key}/part-0.parquet")
    return {row["window"]: row for row in table.to_pylist() if row["accepted"]}


def triplets(folder: Path) -> dict[str, tuple[str, int]]:
    return {name: what for name, what in files(folder / "dataset").items() if name.endswith(".png")}


def generate_all(settings: Settings, lanes: int = 1) -> dict[str, VideoReport]:
    return {key: generate_video(settings, key, lanes=lanes) for key in KEYS}


def content(folder: Path) -> Any:
    return pictures(folder / "dataset"), tables(folder / "dataset")


def test_it_grows_in_place(folder: Path) -> None:
    before, older = triplets(folder), {key: rows(folder, key) for key in KEYS}
    settings = with_base(folder, base_frame_limit=5)
    assert not_done(settings) == {
        key: {
            WINDOWS: "stale: 5 wanted instead of 3",
            **{name: f"stale: {wanted} wanted instead of {had}" for name, had, wanted in targets},
        }
        for key, targets in {
            PLAIN: [("general", 3, 5), ("toon", 2, 3)],
            HDR: [("general", 3, 5), ("toon", 2, 3)],
            VARIABLE: [("general", 2, 3), ("toon", 3, 5)],
        }.items()
    }
    reports = generate_all(settings)
    assert {key: report.made for key, report in reports.items()} == dict.fromkeys(KEYS, 3)
    after = triplets(folder)
    assert {name: after.get(name) for name in before} == before
    for key in KEYS:
        found = rows(folder, key)
        assert sorted(found)[:3] == [0, 1, 2]
        assert len(found) == 5
        kept = ("pts", "time_s", "signature")
        assert [[found[number][name] for name in kept] for number in range(3)] == [
            [older[key][number][name] for name in kept] for number in range(3)
        ]
        frames = [pts for row in found.values() for pts in row["pts"]]
        assert len(frames) == len(set(frames))
    assert not_done(settings) == {}
    assert_sound(settings, 5)


def test_it_grows_step_by_step_and_keeps_what_it_has(folder: Path) -> None:
    for limit in (4, 5):
        before = triplets(folder)
        generate_all(with_base(folder, base_frame_limit=limit))
        after = triplets(folder)
        assert {name: after.get(name) for name in before} == before
    stepwise = {key: rows(folder, key) for key in KEYS}
    before = triplets(folder)
    generate_all(with_base(folder, base_frame_limit=4))
    assert triplets(folder).items() <= before.items()
    generate_all(with_base(folder, base_frame_limit=5))
    assert {key: rows(folder, key) for key in KEYS} == stepwise


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_window_is_excluded_in_place_and_comes_back(folder: Path, by_hand: bool) -> None:
    before, older = triplets(folder), rows(folder, PLAIN)
    gone = older[1]

    def exclude(content: dict[str, Any]) -> None:
        content["videos"][0]["exclude"] = [] if by_hand else [f"{gone['time_s']}-{gone['time_s'] + 0.1}"]

    settings = configured(folder, exclude)
    excluded = DataSet.of(settings).excluded_windows
    if by_hand:
        excluded.add(PLAIN, gone["pts"][3])
    states = not_done(settings)
    assert states.keys() == {PLAIN}
    assert states[PLAIN][WINDOWS] == "stale: exclude changed"
    generate_video(settings, PLAIN)
    assert not_done(settings) == {}
    found, after = rows(folder, PLAIN), triplets(folder)
    assert set(found) > {0, 2}
    assert len(found) == 3
    assert not [name for name in after if f"{PLAIN}_000001." in name]
    kept = {name: state for name, state in before.items() if f"{PLAIN}_000001." not in name}
    assert {name: after.get(name) for name in kept} == kept
    assert_sound(settings)
    excluded.forget(PLAIN)
    settings = configured(folder, lambda content: content["videos"][0].update(exclude=[]))
    generate_video(settings, PLAIN)
    assert not_done(settings) == {}
    again = rows(folder, PLAIN)
    assert {each: again[each]["pts"] for each in again} == {each: older[each]["pts"] for each in older}
    assert {name: triplets(folder).get(name) for name in kept} == kept
    assert_sound(settings)


@pytest.mark.parametrize("lanes", [1, 2])
def test_growth_that_is_killed_ends_as_it_would_have(folder: Path, tmp_path: Path, lanes: int) -> None:
    settings = with_base(folder, base_frame_limit=5)
    whole = tmp_path / "whole"
    shutil.copytree(folder / "dataset", whole / "dataset")
    elsewhere = settings.base.model_copy(update={"output_base_dir": whole / "dataset"})
    generate_all(settings.model_copy(update={"base": elsewhere}))
    ends = 0
    for key in KEYS:
        for moment in count(1, 7):
            try:
                with at_disk_call(moment, interrupt):
                    generate_video(settings, key, lanes=lanes)
                break
            except KeyboardInterrupt:
                ends += 1
    assert ends > 6
    assert content(folder) == content(whole)


@pytest.mark.slow
@pytest.mark.parametrize("moments", [[1, 5, 9], [20, 12], [30, 2, 16]])
def test_growth_that_is_killed_hard_ends_as_it_would_have(folder: Path, moments: list[int]) -> None:
    settings = with_base(folder, base_frame_limit=5)
    generate_all(settings)
    whole = content(folder)
    shutil.rmtree(folder / "dataset")
    shutil.copytree(FIXTURE / "dataset", folder / "dataset")
    for key in KEYS:
        probe_video(settings, key)
        kill_at(folder, settings, moments, key)
    generate_all(settings)
    assert content(folder) == whole


def test_it_shrinks_to_windows_that_are_spread_over_the_film(folder: Path) -> None:
    before = triplets(folder)
    settings = with_base(folder, base_frame_limit=2)
    assert {report.made for report in generate_all(settings).values()} == {0}
    after = triplets(folder)
    assert after.items() <= before.items()
    assert {tuple(rows(folder, key)) for key in KEYS} == {(0, 2)}
    assert not_done(settings) == {}
    assert_sound(settings, 2)


def test_a_weight_goes_up_in_place(folder: Path) -> None:
    def raise_weight(content: dict[str, Any]) -> None:
        content["videos"][0]["categories"]["toon"] = 1.0

    before = triplets(folder)
    settings = configured(folder, raise_weight)
    assert not_done(settings) == {PLAIN: {"toon": "stale: 3 wanted instead of 2"}}
    assert generate_video(settings, PLAIN).made == 1
    after = triplets(folder)
    assert {name: after.get(name) for name in before} == before
    assert len(after) == len(before) + 3
    assert not_done(settings) == {}
    assert_sound(settings)


def test_a_change_of_the_mix_makes_one_category_again_and_no_window(folder: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["categories"]["general"]["mix"] = {"square": 0.4, "wide": 0.6}

    before, windows = triplets(folder), {key: rows(folder, key) for key in KEYS}
    settings = configured(folder, change)
    assert not_done(settings) == {key: {"general": STALE} for key in KEYS}
    generate_all(settings)
    after = triplets(folder)
    assert {name for name in before if name.startswith("Toon") and after.get(name) != before[name]} == set()
    assert {key: rows(folder, key) for key in KEYS} == windows
    assert not_done(settings) == {}
    assert_sound(settings)


def test_growth_with_another_kernel_makes_its_patches_again_from_its_windows(folder: Path) -> None:
    windows = {key: rows(folder, key) for key in KEYS}
    settings = with_base(folder, base_frame_limit=4, lr_kernel="area")
    reports = generate_all(settings)
    assert all(
        report.made == sum(len(c.rows) for c in report.categories.values()) for report in reports.values()
    )
    for key in KEYS:
        assert [rows(folder, key)[number]["pts"] for number in range(3)] == [
            windows[key][number]["pts"] for number in range(3)
        ]
    assert not_done(settings) == {}
    assert_sound(settings, 4)


@pytest.mark.parametrize(
    "base", [{}, {"base_frame_limit": 5}, {"base_frame_limit": 2}, {"lr_kernel": "area"}]
)
def test_what_a_run_would_do_to_it_is_known_before(folder: Path, base: dict[str, Any]) -> None:
    settings = with_base(folder, **base)
    data_set = DataSet.of(settings)
    said = sum(
        (each for entry in settings.videos for each in planned_changes(settings, data_set, entry).values()),
        Changes(),
    )
    before = {path: state for path, state in files(folder / "dataset").items() if "/GT/" in path}
    made = sum(generate_video(settings, key).made for key in KEYS)
    after = {path: state for path, state in files(folder / "dataset").items() if "/GT/" in path}
    kept = sum(after.get(path) == state for path, state in before.items())
    # What is made again in another format has another name.
    assert (said.kept, said.remade + said.deleted) == (kept, len(before) - kept)
    assert said.to_make >= made
