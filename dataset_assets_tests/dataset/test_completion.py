"""How far a data set has come: the same figures on every screen, and they add up."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.assets.dashboard import dashboard
from dataset_assets.cli.views import stats_tables
from dataset_assets.config import Category, Format, Settings
from dataset_assets.curation import Census
from dataset_assets.dataset import Completion, DataSet, Overview
from dataset_assets.errors import VideoError
from dataset_assets.gallery.index_page import read_index_page
from dataset_assets.generate import generate_video, planned_changes, probe_video
from dataset_assets.generate.lane import Lane
from dataset_assets.monitor.collector import SnapshotCollector
from dataset_assets.monitor.snapshot import Activity
from dataset_assets_tests.films import Film, Shot, make_film, sdr_frames
from dataset_assets_tests.generate.interrupting import at_disk_call, interrupt
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    FORMATS,
    KEY,
    WEIGHTS,
    patch_rows,
    small_settings,
    tables,
    window_rows,
)
from dataset_assets_tests.sounds import write_sound

SHOTS = (Shot(31, 70), Shot(32, 70, -3, 1))
LARGE = {"general": Category(folder="Universal/Learn", mix={"square": 1.0})}
TOO_LARGE = {"square": Format(width=384, height=384, folder="Square")}
OTHER_MIX = CATEGORIES | {"general": Category(folder="Universal/Learn", mix={"square": 0.2, "wide": 0.8})}


@pytest.fixture(scope="module")
def film(films_folder: Path) -> Film:
    """320x192 H.264 of 140 frames: room for at most 20 windows."""
    return make_film(films_folder / "completion.mkv", sdr_frames(SHOTS, 320, 192), SHOTS, size=(320, 192))


def seen(settings: Settings) -> Overview:
    return DataSet.of(settings).overview(settings)


def assert_same_everywhere(settings: Settings) -> Mapping[str, Completion]:
    """Every screen shows the sums of the video's completions; gives these."""
    overview = seen(settings)
    (found,) = overview.completions.values()
    (entry,) = settings.videos
    assert DataSet.of(settings).completions(settings, entry, overview.statuses[entry.key]) == found
    total = sum((each for name, each in found.items() if name != "windows"), Completion())
    assert total.done + total.short + total.to_do == total.target
    assert min(total.done, total.short, total.to_do, total.stale) >= 0
    wanted = (total.target, total.done, total.short, total.to_do)
    totals = overview.stats.totals
    assert (
        totals.patches_target,
        totals.patches_done,
        totals.patches_short,
        totals.patches_to_do,
    ) == wanted
    assert overview.stats.formats["expected"].sum() == total.target - total.short
    shown = SnapshotCollector(settings).snapshot(Activity()).overall
    assert (shown.patches_target, shown.patches, shown.patches_short, shown.patches_to_do) == wanted
    census = Census({})
    page = read_index_page(settings, DataSet.of(settings), overview, census)
    cards = sum((each.patches for card in page.cards for each in card.categories), Completion())
    assert cards == total
    metadata = dashboard(settings, overview, census, [])
    names = ("patches_target", "patches", "patches_short", "patches_to_do")
    assert tuple(metadata[name].value for name in names) == wanted
    first_line = str(stats_tables(overview, census, is_cut=False).renderables[0])
    assert f"{total.done} of {total.target} patches, {total.short} short, {total.to_do} to do" in first_line
    return found


def test_a_film_that_was_never_made_is_all_to_do(film: Film, tmp_path: Path) -> None:
    found = assert_same_everywhere(small_settings(tmp_path, film.path))
    assert found["general"] == Completion(6)
    assert {name: each.to_do for name, each in found.items()} == {
        "windows": 6,
        "general": 6,
        "space": 3,
        "toon": 2,
    }


def test_what_a_full_film_cannot_give_is_short(film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, film.path, base_frame_limit=40)
    probe_video(settings, KEY)
    generate_video(settings, KEY)
    accepted = sum(row["accepted"] for row in window_rows(tmp_path))
    assert 20 > accepted > 10
    found = assert_same_everywhere(settings)
    assert found["windows"] == Completion(40, accepted, 40 - accepted)
    assert found["general"] == Completion(40, accepted, 40 - accepted)
    assert found["toon"] == Completion(10, 10)
    assert seen(settings).state(KEY)[0] == "short"
    # More is known to be out of reach; a larger weight of another category is not.
    more = assert_same_everywhere(small_settings(tmp_path, film.path, base_frame_limit=60))
    assert more["general"] == Completion(60, accepted, 60 - accepted)
    assert more["toon"] == Completion(15, 10, 15 - min(15, accepted))


@pytest.mark.parametrize(
    ("changes", "done", "stale"),
    [
        ({"base_frame_limit": 10}, {"windows": 6, "general": 6, "space": 3, "toon": 2}, {}),
        (
            {"base_frame_limit": 4},
            {"windows": 4, "general": 4, "space": 2, "toon": 1},
            {"windows": 2, "general": 2, "space": 1, "toon": 1},
        ),
        ({"categories": OTHER_MIX}, {"windows": 6, "general": 0, "space": 3, "toon": 2}, {"general": 6}),
        (
            {"seed": 5},
            {"windows": 0, "general": 0, "space": 0, "toon": 0},
            {"windows": 6, "general": 6, "space": 3, "toon": 2},
        ),
    ],
)
def test_changed_settings_leave_as_done_what_stays(
    film: Film, tmp_path: Path, changes: dict[str, Any], done: dict[str, int], stale: dict[str, int]
) -> None:
    generate_video(small_settings(tmp_path, film.path), KEY)
    found = assert_same_everywhere(small_settings(tmp_path, film.path, **changes))
    assert {name: each.done for name, each in found.items()} == done
    assert {name: each.stale for name, each in found.items() if each.stale} == stale


def test_rows_of_other_settings_do_not_count_while_a_run_replaces_them(film: Film, tmp_path: Path) -> None:
    generate_video(small_settings(tmp_path, film.path, base_frame_limit=12), KEY)
    before = {row["settings_hash"] for row in patch_rows(tmp_path, "general")}
    settings = small_settings(tmp_path, film.path, base_frame_limit=12, lr_kernel="lanczos")
    with pytest.raises(KeyboardInterrupt), at_disk_call(150, interrupt):
        generate_video(settings, KEY)
    rows = patch_rows(tmp_path, "general")
    current = [row for row in rows if row["settings_hash"] not in before]
    assert 0 < len(current) < len(rows)
    found = assert_same_everywhere(settings)
    assert (found["general"].done, found["general"].stale) == (len(current), len(rows) - len(current))
    generate_video(settings, KEY)
    assert assert_same_everywhere(settings)["general"] == Completion(12, 12)


def test_a_full_film_has_nothing_to_do_for_a_window_that_is_excluded(film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, film.path, base_frame_limit=40)
    probe_video(settings, KEY)
    generate_video(settings, KEY)
    data_set = DataSet(tmp_path)
    before = assert_same_everywhere(settings)
    assert before["general"].short
    shown = [row for row in window_rows(tmp_path) if row["accepted"]]
    data_set.excluded_windows.add(KEY, shown[1]["pts"][3])
    found = assert_same_everywhere(settings)
    changes = planned_changes(settings, data_set, settings.videos[0])
    for name, planned in changes.items():
        figures = (found[name].done, found[name].to_do, found[name].stale)
        assert figures == (planned.kept, planned.added, planned.deleted), name
    assert found["windows"].done == len(shown) - 1
    assert found["general"].to_do == found["windows"].to_do == 0
    generate_video(settings, KEY)
    assert assert_same_everywhere(settings)["general"].done == found["general"].done
    data_set.excluded_windows.take_back(KEY, shown[1]["pts"][0], shown[1]["pts"][-1])
    undone = assert_same_everywhere(settings)["general"]
    assert (undone.done, undone.to_do) == (found["general"].done, 1)
    generate_video(settings, KEY)
    assert assert_same_everywhere(settings) == before


def test_a_film_that_no_format_fits_is_not_decoded_and_not_done(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small_settings(
        tmp_path, film.path, weights={"general": 1.0}, formats=TOO_LARGE, categories=LARGE
    )
    assert seen(settings).state(KEY) == ("missing", "never made")
    probe_video(settings, KEY)
    monkeypatch.setattr(Lane, "_make", lambda lane, job: pytest.fail("decoded"))
    report = generate_video(settings, KEY)
    sentence = "no format fits: the largest crop would be 320x192, at least 384x384 (square) is needed"
    assert report.windows.shortfall == sentence
    assert not any("windows" in path for path in tables(tmp_path))
    assert patch_rows(tmp_path, "general") == []
    assert seen(settings).state(KEY) == ("too_small", sentence)
    found = assert_same_everywhere(settings)
    assert set(found.values()) == {Completion()}
    overall = SnapshotCollector(settings).snapshot(Activity()).overall
    assert (overall.videos_done, overall.videos_too_small, overall.videos_waiting) == (0, 1, 0)
    assert all(
        status.is_done for status in DataSet.of(settings).statuses(settings, settings.videos[0]).values()
    )
    # A format that fits makes it one like any other.
    monkeypatch.undo()
    fitting = small_settings(
        tmp_path, film.path, weights={"general": 1.0}, formats={"square": FORMATS["square"]}, categories=LARGE
    )
    assert assert_same_everywhere(fitting)["general"] == Completion(6)
    generate_video(fitting, KEY)
    assert seen(fitting).state(KEY) == ("done", "")
    # And one that fits no more makes it too small; its patches are deleted.
    assert assert_same_everywhere(settings)["general"] == Completion(stale=6)


def test_a_refused_film_is_no_target_until_it_is_replaced(film: Film, tmp_path: Path) -> None:
    place = write_sound(tmp_path / "film.mkv")
    settings = small_settings(tmp_path / "out", place)
    with pytest.raises(VideoError):
        generate_video(settings, KEY)
    assert set(assert_same_everywhere(settings).values()) == {Completion()}
    shutil.copyfile(film.path, place)
    assert assert_same_everywhere(settings)["general"].to_do == settings.target(settings.videos[0], "general")


def test_a_category_that_no_format_fits_is_left_out_alone(film: Film, tmp_path: Path) -> None:
    categories = CATEGORIES | {"space": Category(folder="Space/Learn", mix={"huge": 1.0})}
    formats = FORMATS | {"huge": Format(width=384, height=192, folder="Huge")}
    settings = small_settings(tmp_path, film.path, formats=formats, categories=categories, weights=WEIGHTS)
    generate_video(settings, KEY)
    assert DataSet.of(settings).statuses(settings, settings.videos[0])["space"].reason == "no format fits"
    probe_video(settings, KEY)
    found = assert_same_everywhere(settings)
    assert (found["general"], found["space"]) == (Completion(6, 6), Completion())
    state, why = seen(settings).state(KEY)
    assert state == "short"
    assert why.startswith("space: no format fits")
