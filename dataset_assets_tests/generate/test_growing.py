"""A data set that grows, shrinks or gets other settings: nothing is made twice, and it equals a fresh one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import Category, Format, Settings
from dataset_assets.generate import generate_video
from dataset_assets.generate.lane import Job
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.interrupting import at_disk_call, interrupt, kill_at
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    FORMATS,
    KEY,
    WEIGHTS,
    assert_same,
    files,
    files_named_by_rows,
    patch_rows,
    pictures,
    small_settings,
    tables,
    window_rows,
)

LIMITS = (6, 9, 30, 12)
MORE_SPACE = WEIGHTS | {"space": 1.0}
WINDOWS_TABLE = f"metadata/windows/video={KEY}/part-0.parquet"
OTHER_MIX = CATEGORIES | {
    "general": Category(folder="Universal/Learn", mix={"square": 0.4, "wide": 0.4, "large": 0.2})
}

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def fresh(film: Film, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Gives the data set that one run makes in an empty folder; nobody changes it."""

    @cache
    def made(limit: int, space: float = 0.5, **base: Any) -> Path:
        output = tmp_path_factory.mktemp("fresh")
        generate_video(configured(output, film, limit, WEIGHTS | {"space": space}, **base), KEY)
        return output

    return made


def configured(
    output: Path, film: Film, limit: int, weights: Mapping[str, float] = WEIGHTS, **changes: Any
) -> Settings:
    return small_settings(output, film.path, base_frame_limit=limit, weights=weights, **changes)


def copied(source: Path, target: Path) -> Path:
    """A copy of a data set, times included."""
    return Path(shutil.copytree(source, target))


def is_patch(name: str) -> bool:
    return not name.startswith("metadata/")


def assert_kept(before: Mapping[str, tuple[str, int]], output: Path) -> int:
    """Every patch that is still there has its bytes and its time; gives their number."""
    after = files(output)
    kept = [name for name in before if is_patch(name) and name in after]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    return len(kept)


def test_the_film_has_every_kind_of_candidate(fresh: Make) -> None:
    """What the tests below are worth."""
    reasons = {row["reason"] for row in window_rows(fresh(30))}
    assert {None, "cut", "near_black", "duplicate", "passed_over"} <= reasons


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_growing_and_shrinking_touch_nothing_that_stays(
    film: Film, fresh: Make, tmp_path: Path, count: int
) -> None:
    before: dict[str, tuple[str, int]] = {}
    for limit, weights in [*((limit, WEIGHTS) for limit in LIMITS), (12, MORE_SPACE), (12, WEIGHTS)]:
        generate_video(configured(tmp_path, film, limit, weights), KEY, lanes=count)
        whole = fresh(limit, weights["space"])
        assert_same(tmp_path, whole)
        stays = set(pictures(whole)) & {name for name in before if is_patch(name)}
        assert assert_kept(before, tmp_path) == len(stays)
        assert not before or stays
        before = files(tmp_path)


@pytest.mark.parametrize("sampling", ["keyframe", "uniform"])
def test_a_larger_number_tries_new_candidates_alone(
    film: Film, fresh: Make, tmp_path: Path, begun: list[Job], sampling: str
) -> None:
    output = copied(fresh(6, sampling=sampling), tmp_path / "out")
    known = {row["window"] for row in window_rows(output)}
    begun.clear()
    generate_video(configured(output, film, 9, sampling=sampling), KEY)
    tried = [job.placement.number for job in begun if job.recorded is None]
    assert tried
    assert known.isdisjoint(tried)
    # The others are replayed for categories that take more of them.
    replayed = [job for job in begun if job.recorded is not None]
    assert {name for job in replayed for name in job.plans} <= {"space", "toon"}


def test_a_smaller_number_opens_no_film(film: Film, fresh: Make, tmp_path: Path, begun: list[Job]) -> None:
    output = copied(fresh(12), tmp_path / "out")
    begun.clear()
    generate_video(configured(output, film, 6), KEY)
    assert begun == []
    assert_same(output, fresh(6))


@pytest.mark.slow
@pytest.mark.parametrize(("first", "then"), [(6, 12), (12, 6), (9, 30)])
def test_a_killed_run_from_one_number_to_another_goes_on(
    film: Film, fresh: Make, tmp_path: Path, first: int, then: int
) -> None:
    output = copied(fresh(first), tmp_path / "out")
    settings = configured(output, film, then)
    moments = [2, 5, 8, 13, 21, 34, 55, 89, 3, 11, 144, 7, 60]
    ends = kill_at(tmp_path, settings, moments)
    assert list(ends.values()).count("killed") >= 4
    generate_video(settings, KEY)
    assert_same(output, fresh(then))


@pytest.mark.parametrize("count", [1, 2])
def test_runs_that_are_stopped_on_a_way_up_and_down_end_like_a_fresh_one(
    film: Film, fresh: Make, tmp_path: Path, count: int
) -> None:
    """None of the steps but the last is ever finished."""
    stopped = 0
    for step, limit in enumerate([9, 30, 6, 30, 12, 9, 12]):
        settings = configured(tmp_path, film, limit, MORE_SPACE if step % 2 else WEIGHTS)
        with pytest.raises(KeyboardInterrupt), at_disk_call(30 + 17 * step, interrupt):
            generate_video(settings, KEY, lanes=count)
        stopped += 1
        files_named_by_rows(tmp_path)
    assert stopped == 7
    generate_video(configured(tmp_path, film, 12), KEY, lanes=count)
    assert_same(tmp_path, fresh(12))


def test_what_was_made_before_a_kill_is_not_made_again(film: Film, fresh: Make, tmp_path: Path) -> None:
    output = copied(fresh(6), tmp_path / "out")
    with pytest.raises(KeyboardInterrupt), at_disk_call(120, interrupt):
        generate_video(configured(output, film, 30), KEY)
    before = files(output)
    assert len(files_named_by_rows(output)) > len(files_named_by_rows(fresh(6)))
    generate_video(configured(output, film, 30), KEY)
    assert assert_kept(before, output) == sum(map(is_patch, before))
    assert_same(output, fresh(30))


def test_a_change_of_the_mix_makes_patches_of_other_formats_again_and_no_window(
    film: Film, fresh: Make, tmp_path: Path, begun: list[Job]
) -> None:
    output = copied(fresh(30), tmp_path / "out")
    before, formats = files(output), {row["patch_id"]: row["format"] for row in patch_rows(output, "general")}
    begun.clear()
    pending: list[int] = []
    settings = configured(output, film, 30, categories=OTHER_MIX)
    generate_video(settings, KEY, on_progress=lambda progress: pending.append(progress.windows_pending))
    rows = patch_rows(output, "general")
    changed = {row["window"] for row in rows if row["format"] != formats[row["patch_id"]]}
    assert 0 < len(changed) < len(rows) / 3
    assert {job.placement.number for job in begun} == changed
    assert pending == list(range(len(changed)))[::-1]
    assert all(set(job.plans) == {"general"} for job in begun)
    assert assert_kept(before, output) == len(pictures(output)) - 3 * len(changed)
    assert files(output)[WINDOWS_TABLE] == before[WINDOWS_TABLE]
    generate_video(configured(tmp_path / "fresh", film, 30, categories=OTHER_MIX), KEY)
    assert_same(output, tmp_path / "fresh")


def test_another_size_of_a_format_makes_its_patches_again_and_no_others(
    film: Film, fresh: Make, tmp_path: Path
) -> None:
    output = copied(fresh(12), tmp_path / "out")
    before = files(output)
    formats = FORMATS | {"large": Format(width=189, height=189, folder="Large")}
    generate_video(configured(output, film, 12, formats=formats), KEY)
    after = files(output)
    assert {name for name in before if is_patch(name) and after[name] != before[name]} == {
        name for name in before if "/Large/" in name
    }
    generate_video(configured(tmp_path / "fresh", film, 12, formats=formats), KEY)
    assert_same(output, tmp_path / "fresh")


@pytest.mark.parametrize("changes", [{"max_cut_score": 0.2}, {"max_mean_abs_diff": 12.0}])
def test_a_stricter_limit_judges_recorded_scores_and_decodes_no_window_that_was_tried(
    film: Film, fresh: Make, tmp_path: Path, begun: list[Job], changes: dict[str, Any]
) -> None:
    output = copied(fresh(12), tmp_path / "out")
    before = files(output)
    known = {row["window"] for row in window_rows(output) if row["accepted"]}
    begun.clear()
    generate_video(configured(output, film, 12, **changes), KEY)
    rows = {row["window"]: row for row in window_rows(output)}
    lost = {number for number in known if not rows[number]["accepted"]}
    assert lost
    assert {rows[number]["reason"] for number in lost} == {"cut"}
    assert known.isdisjoint(job.placement.number for job in begun if job.recorded is None)
    assert assert_kept(before, output) > 0
    generate_video(configured(tmp_path / "fresh", film, 12, **changes), KEY)
    assert_same(output, tmp_path / "fresh")


def test_a_looser_limit_tries_again_what_was_a_cut_and_nothing_else(
    film: Film, fresh: Make, tmp_path: Path, begun: list[Job]
) -> None:
    strict = fresh(12, max_cut_score=0.1)
    output = copied(strict, tmp_path / "out")
    before, known = files(output), {row["window"]: row["reason"] for row in window_rows(output)}
    begun.clear()
    generate_video(configured(output, film, 12), KEY)
    again = [job.placement.number for job in begun if job.recorded is None and job.placement.number in known]
    assert again
    assert {known[number] for number in again} == {"cut"}
    assert_kept(before, output)
    assert_same(output, fresh(12))


def test_another_kernel_makes_all_patches_again_and_no_window(
    film: Film, fresh: Make, tmp_path: Path, begun: list[Job]
) -> None:
    output = copied(fresh(9), tmp_path / "out")
    before = files(output)
    begun.clear()
    generate_video(configured(output, film, 9, lr_kernel="area"), KEY)
    assert begun
    assert all(job.recorded is not None for job in begun)
    after = files(output)
    assert after[WINDOWS_TABLE] == before[WINDOWS_TABLE]
    assert all(after[name][1] != before[name][1] for name in before if is_patch(name))
    generate_video(configured(tmp_path / "fresh", film, 9, lr_kernel="area"), KEY)
    assert_same(output, tmp_path / "fresh")


def test_another_seed_makes_everything_again(film: Film, fresh: Make, tmp_path: Path) -> None:
    output = copied(fresh(9), tmp_path / "out")
    generate_video(configured(output, film, 9, seed=3), KEY)
    assert_same(output, fresh(9, seed=3))


def test_more_tries_go_on_where_fewer_ended(film: Film, fresh: Make, tmp_path: Path) -> None:
    output = copied(fresh(9, max_attempts=1), tmp_path / "out")
    assert sum(row["accepted"] for row in window_rows(output)) < 9
    before = files(output)
    generate_video(configured(output, film, 9), KEY)
    assert assert_kept(before, output) == sum(map(is_patch, before))
    assert pictures(output) == pictures(fresh(9))
    for path, (rows, _) in tables(fresh(9)).items():
        assert tables(output)[path][0] == rows
    generate_video(configured(output, film, 9, max_attempts=1), KEY)
    assert_same(output, fresh(9, max_attempts=1))


@pytest.mark.parametrize("categories", [["general"], ["toon", "space"]])
def test_categories_grow_one_after_the_other(
    film: Film, fresh: Make, tmp_path: Path, categories: list[str]
) -> None:
    output = copied(fresh(6), tmp_path / "out")
    settings = configured(output, film, 12)
    before = files(output)
    generate_video(settings, KEY, categories=categories)
    others = [name for name in CATEGORIES if name not in categories]
    generate_video(settings, KEY, windows=False, categories=others)
    assert assert_kept(before, output) == sum(map(is_patch, before))
    assert_same(output, fresh(12))


def test_windows_alone_grow_and_leave_patches_as_they_are(film: Film, fresh: Make, tmp_path: Path) -> None:
    output = copied(fresh(12), tmp_path / "out")
    before = pictures(output)
    generate_video(configured(output, film, 6), KEY, categories=[])
    assert pictures(output) == before
    generate_video(configured(output, film, 12), KEY)
    assert_same(output, fresh(12))
