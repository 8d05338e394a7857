from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_assets.config import Settings, load_settings
from dataset_assets.dataset import DataSet, Failure, Progress, ProgressFile
from dataset_assets.monitor.collector import SnapshotCollector
from dataset_assets.monitor.live_view import render
from dataset_assets.monitor.plain_text import status_line
from dataset_assets.monitor.snapshot import ActiveRun, Activity, EndedRun, Snapshot, to_json
from dataset_assets_tests.generated import Generated
from dataset_assets_tests.terminal import screen_of


@pytest.fixture
def settings(generated: Generated) -> Settings:
    return load_settings(generated.config)


def other_seed(settings: Settings) -> Settings:
    return settings.model_copy(update={"base": settings.base.model_copy(update={"seed": 99})})


def test_a_data_set_at_rest_adds_up_as_its_statistics_and_its_files(
    generated: Generated, settings: Settings
) -> None:
    found = SnapshotCollector(settings).snapshot(Activity())
    assert (found.state, found.overall.videos, found.overall.videos_done) == ("idle", 2, 2)
    assert (found.overall.share, found.overall.eta_s, found.videos) == (1.0, None, ())
    stats = DataSet(generated.root).overview(settings).stats
    for row in stats.categories.to_dict("records"):
        (category,) = [each for each in found.categories if each.category == row["category"]]
        for name in ("patches", "candidates", "accepted", "size_bytes", "patches_target", "patches_short"):
            assert getattr(category, name) == row[name], (category.category, name)
    on_disk = sum(path.stat().st_size for path in generated.root.rglob("*.png"))
    assert found.disk.used_bytes == found.disk.projected_bytes == on_disk
    assert (found.failures, found.interrupted, found.problems) == ((), (), ())


def test_what_is_stale_is_to_do_again(settings: Settings) -> None:
    found = SnapshotCollector(other_seed(settings)).snapshot(Activity())
    assert (found.overall.videos_done, found.overall.videos_waiting) == (0, 2)
    assert (found.overall.share, found.overall.patches) == (0.0, 0)
    assert sum(category.patches_stale for category in found.categories) > 0
    # They take the place of those that are there.
    assert found.disk.used_bytes < found.disk.projected_bytes < 2 * found.disk.used_bytes


@pytest.mark.parametrize(("target", "is_grown"), [(9, True), (2, False)])
def test_what_only_grows_or_shrinks_keeps_what_is_there(
    settings: Settings, target: int, is_grown: bool
) -> None:
    base = settings.base.model_copy(update={"base_frame_limit": target})
    before = SnapshotCollector(settings).snapshot(Activity()).categories
    found = SnapshotCollector(settings.model_copy(update={"base": base})).snapshot(Activity())
    for earlier, category in zip(before, found.categories, strict=True):
        assert category.patches + category.patches_stale == earlier.patches
        assert category.patches == min(earlier.patches, category.patches_target)
    assert (found.disk.projected_bytes > found.disk.used_bytes) is is_grown


def test_what_waits_to_be_rebuilt_is_not_done_yet(settings: Settings) -> None:
    activity = Activity(waiting=frozenset({"alpha"}), is_forced=True)
    found = SnapshotCollector(settings).snapshot(activity)
    assert (found.overall.videos_done, found.overall.videos_waiting) == (1, 1)
    assert 0 < found.overall.share < 1


def test_what_another_machine_has_finished_meanwhile_waits_no_longer(settings: Settings) -> None:
    run = ActiveRun("beta", "make_patches", "starting", "generate", "", time.time())
    activity = Activity(
        runs=(run,), waiting=frozenset({"alpha"}), ended=(EndedRun(0.0, 60.0, 6), EndedRun(0.0, 60.0, 6))
    )
    collector = SnapshotCollector(settings)
    found = collector.snapshot(activity)
    assert (found.overall.videos_done, found.overall.videos_waiting) == (1, 0)
    alone = collector.snapshot(replace(activity, waiting=frozenset()))
    assert found.overall.eta_s == pytest.approx(alone.overall.eta_s, abs=1)


def test_only_some_videos_and_categories_can_be_looked_at(settings: Settings) -> None:
    found = SnapshotCollector(settings, ["beta"], ["toon"]).snapshot(Activity())
    assert (found.overall.videos, [each.category for each in found.categories]) == (1, ["toon"])
    whole = SnapshotCollector(settings).snapshot(Activity())
    assert found.disk.used_bytes == whole.disk.used_bytes


def test_a_film_that_failed_is_reported(settings: Settings) -> None:
    activity = Activity(failures=(Failure("alpha", "", "alpha: it failed", ended_s=1.0),))
    found = SnapshotCollector(other_seed(settings)).snapshot(activity)
    assert found.failures == activity.failures
    assert (found.overall.videos_failed, found.overall.videos_waiting) == (1, 1)


def test_a_film_that_failed_and_is_queued_again_counts_in_the_time_left(settings: Settings) -> None:
    activity = Activity(
        failures=(Failure("alpha", "", "alpha: it failed", ended_s=1.0),),
        runs=(ActiveRun("beta", "make_patches", "starting", "Dagster", "", time.time()),),
        ended=(EndedRun(0.0, 60.0, 6),),
    )
    collector = SnapshotCollector(other_seed(settings))
    alone = collector.snapshot(activity).overall.eta_s
    both = collector.snapshot(replace(activity, queued=1, queued_again=frozenset({"alpha"}))).overall.eta_s
    assert alone is not None
    assert both is not None
    assert both == pytest.approx(alone + 10 * 6, abs=1)


@pytest.fixture
def empty(tmp_path: Path, settings: Settings) -> Settings:
    """The same films, and nothing made of them yet."""
    return settings.model_copy(
        update={"base": settings.base.model_copy(update={"output_base_dir": tmp_path / "dataset"})}
    )


def write_progress(settings: Settings, progress: Progress) -> None:
    ProgressFile(settings.base.output_base_dir / "metadata/.progress", progress).update()


def test_a_pass_shows_what_it_has_made_though_it_is_not_committed(empty: Settings) -> None:
    progress = Progress(
        "alpha",
        windows_target=6,
        windows_done=4,
        windows_worked=4,
        windows_pending=2,
        windows_uncommitted=1,
        candidates=8,
        accepted=3,
        patches={"general": 3, "space": 0, "toon": 0},
        patches_target={"general": 6, "space": 0, "toon": 0},
        patches_bytes={"general": 3000, "space": 0, "toon": 0},
        committed_s=5.0,
    )
    write_progress(empty, progress)
    found = SnapshotCollector(empty).snapshot(Activity())
    (video,) = found.videos
    assert (found.state, video.key, video.pid) == ("running", "alpha", os.getpid())
    assert (video.phase, video.launched_by) == ("working", "Python")
    assert (video.windows_done, video.windows_uncommitted, video.committed_s) == (4, 1, 5.0)
    assert (video.acceptance_rate, video.patches, video.size_bytes) == (3 / 8, 3, 3000)
    assert video.eta_s is not None
    assert found.overall.eta_s is not None
    assert found.overall.eta_s > video.eta_s  # the other film waits
    assert (found.categories[0].patches, found.categories[0].size_bytes) == (3, 3000)
    assert found.disk.used_bytes == 3000
    assert found.machine.runs_memory_bytes == video.memory_bytes


def test_a_run_without_progress_shows_its_phase(empty: Settings) -> None:
    run = ActiveRun("alpha", "make_patches", "probing", "backfill abcdefgh", "id", 1.0)
    found = SnapshotCollector(empty).snapshot(Activity(runs=(run, replace(run, key="", job="update_stats"))))
    (video,) = found.videos
    assert (video.phase, video.updated_s, video.pid, video.eta_s) == ("probing", None, None, None)
    assert (found.state, found.overall.videos_running) == ("running", 1)


def test_a_run_past_its_pass_is_finishing_and_another_run_of_the_video_is_not(empty: Settings) -> None:
    run = ActiveRun("alpha", "make_patches", "starting", "generate", "", 1.0)
    collector = SnapshotCollector(empty)

    def phase(run: ActiveRun) -> str:
        (video,) = collector.snapshot(Activity(runs=(run,))).videos
        return video.phase

    assert phase(run) == "starting"
    write_progress(empty, Progress("alpha", windows_target=6, windows_done=6))
    assert phase(run) == "working"
    for path in empty.base.output_base_dir.rglob("alpha.json"):
        path.unlink()
    assert phase(run) == "finishing"
    assert phase(replace(run, phase="stopping")) == "stopping"
    assert phase(replace(run, started_s=2.0)) == "starting"


def test_a_film_that_is_away_under_a_run_is_shown(empty: Settings) -> None:
    run = ActiveRun("alpha", "make_patches", "working", "generate", "", 1.0)
    write_progress(empty, Progress("alpha", windows_target=6, windows_done=3, film_away_s=5.0))
    for activity in (Activity(runs=(run,)), Activity()):
        found = SnapshotCollector(empty).snapshot(activity)
        (video,) = found.videos
        assert video.phase == "film away"
    (line,) = (line for line in screen_of(render(found, 80, 24, ""), 80, 24) if line.startswith("alpha"))
    assert "film away" in line
    assert "retrying" in line
    assert ", 1 film away, retrying; " in status_line(found)


def test_a_film_that_is_away_while_it_is_probed_is_shown_and_then_probed_again(empty: Settings) -> None:
    run = ActiveRun("alpha", "make_patches", "probing", "generate", "", 1.0)
    collector = SnapshotCollector(empty)

    def taken(*runs: ActiveRun) -> Snapshot:
        return collector.snapshot(Activity(runs=runs))

    before = taken(run)
    write_progress(empty, Progress("alpha", film_away_s=5.0, is_probe=True))
    away = taken(run)
    assert [video.phase for video in (*away.videos, *taken().videos)] == ["film away", "film away"]
    assert ", 1 film away, retrying; " in status_line(away)
    assert (away.overall.patches_to_do, away.overall.eta_s) == (before.overall.patches_to_do, None)
    for path in empty.base.output_base_dir.rglob("alpha.json"):
        path.unlink()
    assert [video.phase for video in taken(run).videos] == ["probing"]


def test_what_a_killed_run_left_is_interrupted_and_never_running(empty: Settings) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    write_progress(empty, Progress("alpha", pid=ended.pid, windows_target=6, windows_done=3))
    recycled = Progress("beta", pid=os.getpid(), process="another process")
    write_progress(empty, recycled)
    found = SnapshotCollector(empty).snapshot(Activity())
    assert (found.state, found.videos, found.interrupted) == ("idle", (), ("alpha", "beta"))
    assert (found.overall.videos_interrupted, found.overall.videos_waiting) == (2, 0)


def test_a_video_that_ends_between_two_looks_is_read_at_once(
    generated: Generated, settings: Settings
) -> None:
    run = ActiveRun("alpha", "make_patches", "working", "generate", "", 1.0)
    collector = SnapshotCollector(settings)
    assert collector.snapshot(Activity(runs=(run,))).overall.videos_done == 1
    assert collector.snapshot(Activity()).overall.videos_done == 2


def test_an_unreadable_table_and_history_are_reported(empty: Settings) -> None:
    path = DataSet.of(empty).tables.windows_path("alpha")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"nonsense")
    found = SnapshotCollector(empty).snapshot(Activity(problem="The history is away."))
    assert found.problems[0].startswith(f"The windows table of alpha ({path}) is damaged")
    assert found.problems[1:] == ("The history is away.",)


def test_a_snapshot_is_plain_json(settings: Settings) -> None:
    found = json.loads(to_json(SnapshotCollector(settings).snapshot(Activity())))
    assert found["schema_version"] == 2
    assert found["categories"][0]["category"] == "general"
    assert found["machine"]["cpu_percent"] is None
