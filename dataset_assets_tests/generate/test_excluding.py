"""Excluded ranges of time and single windows: the data set equals a fresh one, and little is remade."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError, ReplacingError
from dataset_assets.generate import Changes, generate_video, planned_changes, probe_video
from dataset_assets.generate.lane import Job
from dataset_assets.tables import WINDOWS
from dataset_assets.verify import verify
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.interrupting import at_disk_call, interrupt, kill_at
from dataset_assets_tests.generate.samples import (
    KEY,
    assert_same,
    files,
    files_named_by_rows,
    patch_rows,
    pictures,
    small_settings,
    window_rows,
)

RATE = 24
# Of the 20 s, in three spellings of the same ranges.
OPENING_AND_CREDITS = ("0:00-0:04.5", "-3-end")
OTHER_SPELLINGS = (("-0:03-end", "0-4.5"), ("00:00:00-00:00:04.50", " -3.0 - end "))
LIMIT = 12

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def fresh(film: Film, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Gives the data set that one run makes in an empty folder; nobody changes it."""

    @cache
    def made(limit: int, exclude: Sequence[str] = (), frames: Sequence[int] = (), **base: Any) -> Path:
        output = tmp_path_factory.mktemp("fresh")
        for frame in frames:
            DataSet(output).excluded_windows.add(KEY, frame)
        generate_video(configured(output, film, limit, exclude, **base), KEY)
        return output

    return made


def configured(output: Path, film: Film, limit: int, exclude: Sequence[str] = (), **changes: Any) -> Settings:
    return small_settings(output, film.path, base_frame_limit=limit, exclude=exclude, **changes)


def copied(source: Path, target: Path) -> Path:
    """A copy of a data set, times included."""
    return Path(shutil.copytree(source, target))


def of_patches(output: Path) -> dict[str, tuple[str, int]]:
    return {name: state for name, state in files(output).items() if not name.startswith("metadata/")}


def seconds_of(row: dict[str, Any]) -> tuple[float, float]:
    """When the first and the last frame of a window are shown; the film is Matroska, in milliseconds."""
    return row["pts"][0] / 1000, row["pts"][-1] / 1000


def windows_of(output: Path) -> dict[int, dict[str, Any]]:
    return {row["window"]: row for row in window_rows(output) if row["accepted"]}


def middle(row: dict[str, Any]) -> int:
    return int(row["pts"][3])


def test_no_window_touches_an_excluded_range_and_others_take_their_place(fresh: Make) -> None:
    before = list(windows_of(fresh(LIMIT)).values())
    assert any(seconds_of(row)[0] < 4.5 for row in before)
    assert any(seconds_of(row)[1] > 17 for row in before)
    after = fresh(LIMIT, OPENING_AND_CREDITS)
    windows = list(windows_of(after).values())
    assert len(windows) == LIMIT
    assert all(seconds_of(row)[0] >= 4.5 and seconds_of(row)[1] < 17 for row in windows)
    assert len(patch_rows(after, "general")) == LIMIT
    excluded = [row for row in window_rows(after) if row["reason"] == "excluded"]
    assert excluded
    # They are not decoded.
    assert all(row["pts"] == [] and row["cut_score"] is None for row in excluded)
    assert all(row["time_s"] < 4.5 or row["time_s"] > 16.7 for row in excluded)


def test_spellings_of_the_same_ranges_are_the_same(film: Film, fresh: Make, tmp_path: Path) -> None:
    output = copied(fresh(LIMIT, OPENING_AND_CREDITS), tmp_path / "out")
    before = files(output)
    for spelling in OTHER_SPELLINGS:
        settings = configured(output, film, LIMIT, spelling)
        statuses = DataSet(output).statuses(settings, settings.videos[0])
        del statuses["source"]
        assert all(status.is_done for status in statuses.values())
        generate_video(settings, KEY)
    assert files(output) == before


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("sampling", ["keyframe", "uniform"])
def test_excluding_a_range_keeps_the_other_windows_and_undoing_it_brings_all_back(
    film: Film, fresh: Make, tmp_path: Path, begun: list[Job], sampling: str, count: int
) -> None:
    whole, without = fresh(9, sampling=sampling), fresh(9, OPENING_AND_CREDITS, sampling=sampling)
    output = copied(whole, tmp_path / "out")
    before, known = of_patches(output), {row["window"] for row in window_rows(output)}
    begun.clear()
    generate_video(configured(output, film, 9, OPENING_AND_CREDITS, sampling=sampling), KEY, lanes=count)
    assert_same(output, without)
    stays = set(pictures(without)) & set(before)
    assert stays
    assert {name: of_patches(output)[name] for name in stays} == {name: before[name] for name in stays}
    tried = [job.placement.number for job in begun if job.recorded is None]
    assert tried
    assert known.isdisjoint(tried)
    generate_video(configured(output, film, 9, sampling=sampling), KEY, lanes=count)
    assert_same(output, whole)
    assert {name: of_patches(output)[name] for name in stays} == {name: before[name] for name in stays}


def test_a_data_set_with_exclusions_grows_and_shrinks(film: Film, fresh: Make, tmp_path: Path) -> None:
    frame = middle(windows_of(fresh(6, OPENING_AND_CREDITS))[max(windows_of(fresh(6, OPENING_AND_CREDITS)))])
    DataSet(tmp_path).excluded_windows.add(KEY, frame)
    before: dict[str, tuple[str, int]] = {}
    for limit in (6, 9, 20, 12, 6):
        generate_video(configured(tmp_path, film, limit, OPENING_AND_CREDITS), KEY)
        assert_same(tmp_path, fresh(limit, OPENING_AND_CREDITS, (frame,)))
        after = of_patches(tmp_path)
        kept = after.keys() & before.keys()
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
        assert not before or kept
        before = after


def test_a_window_excluded_by_hand_goes_and_another_place_is_tried(
    film: Film, fresh: Make, tmp_path: Path, begun: list[Job]
) -> None:
    output = copied(fresh(LIMIT), tmp_path / "out")
    before, windows = of_patches(output), windows_of(output)
    number = sorted(windows)[4]
    frame = middle(windows[number])
    excluded = DataSet(output).excluded_windows
    assert excluded.add(KEY, frame) == {frame}
    settings = configured(output, film, LIMIT)
    statuses = DataSet(output).statuses(settings, settings.videos[0])
    assert {statuses[name].reason for name in ("windows", "general", "space", "toon")} == {"exclude changed"}
    without = fresh(LIMIT, (), (frame,))
    begun.clear()
    generate_video(settings, KEY)
    assert number not in {job.placement.number for job in begun}
    assert_same(output, without)
    row = next(row for row in window_rows(output) if row["window"] == number)
    assert row == windows[number] | {"accepted": False, "reason": "excluded"}
    assert set(windows) - {number} < set(windows_of(output))
    assert len(windows_of(output)) == LIMIT
    after = of_patches(output)
    gone = {name for name in before if name not in after}
    assert {name for name in before if f"_{number:06d}." in name} <= gone
    assert all(after[name] == before[name] for name in before.keys() & after.keys())
    assert excluded.take_back(KEY, *(windows[number]["pts"][index] for index in (0, -1))) == frozenset()
    generate_video(settings, KEY)
    assert_same(output, fresh(LIMIT))
    assert not excluded.path(KEY).exists()


def test_what_shows_the_same_does_not_take_the_place_of_an_excluded_window(
    film: Film, fresh: Make, tmp_path: Path
) -> None:
    """The film shows a still picture three times, and one window of it."""

    def still(row: dict[str, Any]) -> bool:
        frames = [round(time * RATE) for time in seconds_of(row)]
        return any(first <= frames[0] and frames[1] < first + 40 for first in (61, 221, 313))

    windows = windows_of(fresh(30))
    (shown,) = [row for row in windows.values() if still(row)]
    after = fresh(30, (), (middle(shown),))
    assert not any(map(still, windows_of(after).values()))


@pytest.mark.parametrize("undoes", [False, True])
def test_a_killed_run_on_changed_exclusions_goes_on(
    film: Film, fresh: Make, tmp_path: Path, undoes: bool
) -> None:
    frame = middle(windows_of(fresh(LIMIT))[max(windows_of(fresh(LIMIT)))])
    changed = fresh(LIMIT, OPENING_AND_CREDITS, (frame,))
    first, then = (changed, fresh(LIMIT)) if undoes else (fresh(LIMIT), changed)
    output = copied(first, tmp_path / "out")
    if undoes:
        DataSet(output).excluded_windows.take_back(KEY, frame, frame)
    else:
        DataSet(output).excluded_windows.add(KEY, frame)
    settings = configured(output, film, LIMIT, () if undoes else OPENING_AND_CREDITS)
    ends = kill_at(tmp_path, settings, [2, 5, 8, 13, 21, 34, 55, 3, 11, 60])
    assert list(ends.values()).count("killed") >= 4
    generate_video(settings, KEY)
    assert_same(output, then)


@pytest.mark.parametrize("count", [1, 2])
def test_runs_that_are_stopped_while_exclusions_change_end_like_a_fresh_one(
    film: Film, fresh: Make, tmp_path: Path, count: int
) -> None:
    frames = [middle(row) for row in windows_of(fresh(9)).values()][2:5]
    excluded = DataSet(tmp_path).excluded_windows
    changes: list[Sequence[str]] = [(), ("0-3",), (), OPENING_AND_CREDITS, ("8-9", "-1-end"), ()]
    for step, exclude in enumerate(changes):
        if step % 2:
            excluded.add(KEY, frames[step // 2])
        elif step:
            excluded.take_back(KEY, frames[step // 2 - 1], frames[step // 2 - 1])
        with pytest.raises(KeyboardInterrupt), at_disk_call(40 + 19 * step, interrupt):
            generate_video(configured(tmp_path, film, 20, exclude), KEY, lanes=count)
        files_named_by_rows(tmp_path)
    excluded.add(KEY, frames[0])
    generate_video(configured(tmp_path, film, 9, ("8-9",)), KEY, lanes=count)
    assert_same(tmp_path, fresh(9, ("8-9",), (frames[0], frames[2])))


def test_ranges_beyond_the_end_exclude_nothing_and_a_whole_film_gives_no_window(
    film: Film, fresh: Make, tmp_path: Path
) -> None:
    generate_video(configured(tmp_path, film, 6, ("1:00:00-2:00:00", "25-end")), KEY)
    assert pictures(tmp_path) == pictures(fresh(6))
    report = generate_video(configured(tmp_path, film, 6, ("-9:00:00-end",)), KEY)
    assert report.windows.accepted == report.windows.candidates == 0
    assert pictures(tmp_path) == {}
    assert {row["reason"] for row in window_rows(tmp_path)} <= {"excluded", "passed_over"}


def test_exclusions_count_neither_as_tries_nor_as_rejected(film: Film, fresh: Make, tmp_path: Path) -> None:
    """With one try for each window, excluded ones cost none."""
    settings = configured(tmp_path, film, 6, OPENING_AND_CREDITS, max_attempts=1)
    frame = middle(next(iter(windows_of(fresh(6, OPENING_AND_CREDITS)).values())))
    DataSet(tmp_path).excluded_windows.add(KEY, frame)
    report = generate_video(settings, KEY)
    rows = window_rows(tmp_path)
    assert sum(row["reason"] == "excluded" and bool(row["pts"]) for row in rows) == 1
    assert report.windows.candidates == 6
    assert "excluded" not in report.windows.rejected
    made = DataSet(tmp_path).tables.read_footer(DataSet(tmp_path).tables.windows_path(KEY))
    assert made is not None
    assert made[1].candidates == 6


def planned(settings: Settings) -> Changes:
    changes = planned_changes(settings, DataSet.of(settings), settings.videos[0])
    return sum(changes.values(), Changes())


@pytest.mark.parametrize("change", ["by hand", "range", "undone"])
def test_what_is_announced_is_what_happens(film: Film, fresh: Make, tmp_path: Path, change: str) -> None:
    shown = list(windows_of(fresh(20)).values())[6]
    first_s, last_s = seconds_of(shown)
    ranges = (f"{first_s}-{last_s}",)
    output = copied(fresh(20, ranges if change == "undone" else ()), tmp_path / "out")
    settings = configured(output, film, 20, ranges if change == "range" else (), allow_replacing=False)
    probe_video(settings, KEY)
    if change == "by hand":
        DataSet(output).excluded_windows.add(KEY, middle(shown))
    before = of_patches(output)
    announced = planned(settings)
    generate_video(settings, KEY, may_replace=True)
    after = of_patches(output)
    assert announced.kept * 3 == len(before.keys() & after.keys()) > 0
    assert announced.deleted * 3 == len(before.keys() - after.keys()) > 0
    assert announced.added * 3 == len(after.keys() - before.keys()) > 0
    assert announced.remade == 0
    assert announced.reasons == ("exclude changed",)


def test_of_a_film_whose_tries_are_used_up_an_excluded_window_leaves_one(film: Film, tmp_path: Path) -> None:
    settings = configured(tmp_path, film, LIMIT, max_attempts=1)
    probe_video(settings, KEY)
    report = generate_video(settings, KEY).windows
    assert report.candidates == LIMIT > report.accepted
    data_set, entry = DataSet(tmp_path), settings.videos[0]
    data_set.excluded_windows.add(KEY, middle(next(iter(windows_of(tmp_path).values()))))
    found = data_set.completions(settings, entry, data_set.statuses(settings, entry))
    assert (found["general"].done, found["general"].to_do) == (report.accepted - 1, 1)
    changes = planned_changes(settings, data_set, entry)
    for name, each in changes.items():
        assert (each.kept, each.added, each.deleted) == (
            found[name].done,
            found[name].to_do,
            found[name].stale,
        )


def test_a_range_that_many_patches_touch_is_refused_unless_it_is_allowed(
    film: Film, fresh: Make, tmp_path: Path
) -> None:
    output = copied(fresh(20), tmp_path / "out")
    before = of_patches(output)
    with pytest.raises(ReplacingError, match="exclude changed"):
        generate_video(configured(output, film, 20, ("0-10",), allow_replacing=False), KEY)
    assert of_patches(output) == before


def test_other_videos_stay_as_they_are(film: Film, tmp_path: Path) -> None:
    settings = configured(tmp_path, film, 6)
    other = settings.videos[0].model_copy(update={"name": "Other"})
    settings = settings.model_copy(update={"videos": (*settings.videos, other)})
    for entry in settings.videos:
        generate_video(settings, entry.key)
    changed = settings.videos[0].model_copy(update={"exclude": ["0-3"]})
    settings = settings.model_copy(update={"videos": (changed, other)})
    DataSet(tmp_path).excluded_windows.add(KEY, 1)
    statuses = DataSet(tmp_path).statuses(settings, other)
    del statuses["source"]
    assert all(status.is_done for status in statuses.values())


def test_verify_finds_nothing_wrong_with_exclusions(film: Film, fresh: Make, tmp_path: Path) -> None:
    frame = middle(windows_of(fresh(LIMIT))[max(windows_of(fresh(LIMIT)))])
    output = copied(fresh(LIMIT, OPENING_AND_CREDITS, (frame,)), tmp_path / "out")
    settings = configured(output, film, LIMIT, OPENING_AND_CREDITS)
    probe_video(settings, KEY)
    (found,) = verify(settings, deep_share=1.0)
    assert found.findings == []
    assert found.windows_compared == LIMIT
    assert found.notes == []


def test_a_damaged_file_of_excluded_windows_is_reported_and_stops_the_run(
    film: Film, fresh: Make, tmp_path: Path
) -> None:
    output = copied(fresh(6), tmp_path / "out")
    excluded = DataSet(output).excluded_windows
    excluded.add(KEY, 5)
    excluded.path(KEY).write_text('{"middle_frames": ["5"]}')
    settings = configured(output, film, 6)
    status = DataSet(output).statuses(settings, settings.videos[0])["windows"]
    assert "is no list of excluded windows" in status.reason
    with pytest.raises(DatasetAssetsError, match="delete it to exclude none by hand"):
        generate_video(settings, KEY)


@pytest.mark.parametrize("accepts", [True, False])
def test_verify_detects_a_wrong_exclusion_and_the_next_run_corrects_it(
    film: Film, fresh: Make, tmp_path: Path, accepts: bool
) -> None:
    frame = middle(windows_of(fresh(LIMIT))[max(windows_of(fresh(LIMIT)))])
    whole = fresh(LIMIT, OPENING_AND_CREDITS, (frame,))
    output = copied(whole, tmp_path / "out")
    settings = configured(output, film, LIMIT, OPENING_AND_CREDITS)
    store = DataSet(output).tables
    path, rows = store.windows_path(KEY), store.read_windows(KEY)
    made = store.read_provenance(path)
    assert made is not None
    wrong = next(row for row in rows if row.pts and (row.reason == "excluded" if accepts else row.accepted))
    right = replace(wrong, accepted=accepts, reason=None if accepts else "excluded")
    store.write(path, WINDOWS, [right if row is wrong else row for row in rows], made)
    (found,) = verify(settings, [KEY], deep_share=0.1, repair=True)
    assert any("excluded" in finding.what for finding in found.findings)
    generate_video(settings, KEY)
    assert_same(output, whole)
