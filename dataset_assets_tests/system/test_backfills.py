"""Backfills from launch to end, as people start, stop and repeat them in the UI."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from urllib.parse import urljoin

import pytest

from dataset_assets_tests.command import freeze, run
from dataset_assets_tests.configurations import pictures, tables
from dataset_assets_tests.gallery.pages import Page
from dataset_assets_tests.system.conftest import BROKEN, BY_COMMAND, DONE, HELD, KILLED, STOPPED, Ended
from dataset_assets_tests.system.dagster_ui import PER_VIDEO, DagsterUi, files_of
from dataset_assets_tests.system.labels import DASHBOARD_LABELS, LABELS, MAY_BE_ABSENT

pytestmark = pytest.mark.slow

INLINE_LENGTH = 1000  # what is longer the UI hides behind a click


def is_lost(ui: DagsterUi, uninterrupted: Path, video: str) -> list[str]:
    """What of a video is not as in the data set of a run that nobody interrupted."""
    found = []
    for read in (pictures, tables):
        ours, theirs = (
            {
                name: value
                for name, value in read(root).items()
                if f"/{video}_" in name or f"={video}/" in name
            }
            for root in (ui.root, uninterrupted)
        )
        assert theirs
        found += [name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)]
    return found


def test_a_backfill_of_two_films_is_a_run_for_each(ui: DagsterUi, done: Ended) -> None:
    assert done.status == "COMPLETED_SUCCESS"
    assert sorted(run.video for run in done.runs) == sorted(DONE)
    assert {run.status for run in done.runs} == {"SUCCESS"}
    assert len(files_of(ui.root / "Toon", ["beta"])) == 3 * ui.metadata("toon_patches", "beta")["patches"] > 0


@pytest.mark.parametrize("asset", PER_VIDEO)
def test_every_asset_shows_what_it_made(ui: DagsterUi, done: Ended, asset: str) -> None:
    assert set(DONE) <= set(ui.partitions(asset)["materialized"])
    shown = ui.metadata(asset, "gamma")
    assert [label for label in shown if label not in MAY_BE_ABSENT] == LABELS[asset]
    assert shown["video"] == "gamma"
    shown_inline = [shown[name] for name in ("reject_reasons", "format_mix") if name in shown]
    assert all(len(text) < INLINE_LENGTH for text in shown_inline)


@pytest.mark.parametrize("asset", PER_VIDEO)
def test_every_check_of_an_asset_has_a_result_in_words_for_each_film(
    ui: DagsterUi, done: Ended, asset: str
) -> None:
    checks = ui.checks(asset)
    assert checks
    for check in checks:
        results = ui.check_results(asset, check)
        assert set(DONE) <= results.keys(), check
        assert all(results[video]["description"] for video in DONE)


def test_the_contact_sheet_is_a_picture_of_one_click(ui: DagsterUi, done: Ended) -> None:
    sheet = ui.metadata("general_patches", "gamma")["contact_sheet"]
    assert sheet.startswith("![contact sheet](data:image/jpeg;base64,")


def test_the_gallery_of_a_backfill_is_served_beside_dagster(ui: DagsterUi, done: Ended) -> None:
    page = ui.root / "gallery/videos/gamma.html"
    address, served = ui.get(ui.metadata("toon_patches", "gamma")["gallery"].partition("#")[0])
    assert served == page.read_bytes()
    for file in Page(page).files():
        assert ui.get(urljoin(address, os.path.relpath(file, page.parent)))[1] == file.read_bytes()


def test_a_run_of_the_command_is_in_the_same_history(ui: DagsterUi) -> None:
    made = run("generate", "--config", ui.config, "--videos", BY_COMMAND)
    assert made.returncode == 0, made.stdout + made.stderr
    (run_of_command,) = ui.runs(BY_COMMAND)
    assert run_of_command.status == "SUCCESS"
    assert run_of_command.tags["dataset_assets/launched_by"] == "generate"
    assert BY_COMMAND in ui.partitions("general_patches")["materialized"]


def sentence_of_broken(ui: DagsterUi) -> str:
    return (
        f"broken ({ui.config.parent}/broken.mkv): it cannot be opened as a film "
        "(Invalid data found when processing input); replace the file"
    )


def test_a_film_that_is_none_fails_its_run_with_one_sentence(ui: DagsterUi, failed: Ended) -> None:
    assert failed.status == "COMPLETED_FAILED"
    (failed_run,) = failed.runs
    assert ui.failure(failed_run.run_id) == [sentence_of_broken(ui)]
    assert BROKEN in ui.partitions("source_video")["failed"]


def test_the_statistics_name_the_failed_film_with_its_sentence_and_run(
    ui: DagsterUi, done: Ended, failed: Ended
) -> None:
    assert ui.wait_for_run(ui.launch("update_stats")) == "SUCCESS"
    shown = ui.metadata("dataset_stats")
    assert list(shown) == DASHBOARD_LABELS
    assert shown["patches"] > 0
    assert sentence_of_broken(ui).replace("; ", " | ") in shown["failed_videos"]
    assert f"/runs/{failed.runs[0].run_id}" in shown["failed_videos"]
    for check in ui.checks("dataset_stats"):
        (result,) = ui.check_results("dataset_stats", check).values()
        assert result["description"]
    (headline,) = ui.check_results("dataset_stats", "videos_ok").values()
    assert (headline["success"], headline["severity"]) == (False, "ERROR")


@pytest.mark.slow
def test_terminate_stops_a_run_in_the_middle_and_a_new_backfill_loses_nothing(
    ui: DagsterUi, uninterrupted: Path
) -> None:
    backfill = ui.backfill(STOPPED)
    ui.wait_for_first_patches(STOPPED)
    (stopped,) = ui.runs(STOPPED)
    ui.terminate(stopped.run_id)
    assert ui.wait_for_run(stopped.run_id) == "CANCELED"
    ui.wait_for_backfill(backfill)
    kept = {path: path.stat().st_mtime_ns for path in files_of(ui.root, [STOPPED])}
    assert kept
    assert is_lost(ui, uninterrupted, STOPPED)

    status, _ = ui.wait_for_backfill(ui.backfill(STOPPED))
    assert status == "COMPLETED_SUCCESS"
    assert is_lost(ui, uninterrupted, STOPPED) == []
    made_again = [path for path, moment in kept.items() if path.stat().st_mtime_ns != moment]
    assert len(made_again) <= 9  # the triplets of a window that was not committed


@pytest.mark.slow
def test_a_killed_run_gives_its_place_to_its_retry(ui: DagsterUi, uninterrupted: Path) -> None:
    ui.set_limit(1)
    try:
        killed = ui.launch("make_patches", KILLED)
        os.kill(ui.wait_for_first_patches(KILLED).pid, signal.SIGKILL)
        assert ui.wait_for_run(killed) == "FAILURE"
        # It needs the place that the killed one had, for there is no other.
        ui.wait_until(lambda: len(ui.runs(KILLED)) > 1, "the retry")
        assert ui.wait_for_run(ui.runs(KILLED)[0].run_id) == "SUCCESS"
    finally:
        ui.set_limit(2)
    assert is_lost(ui, uninterrupted, KILLED) == []


@pytest.mark.slow
def test_the_pools_limit_counts_at_once_and_cancel_stops_what_runs(
    ui: DagsterUi, uninterrupted: Path, frozen: set[int]
) -> None:
    ui.set_limit(1)
    try:
        backfill = ui.backfill(*HELD)
        first = ui.wait_for_first_patches(*HELD)
        freeze(first.pid)
        frozen.add(first.pid)
        # A dequeuing daemon that would take it too has had its turn once a later run has ended.
        assert ui.wait_for_run(ui.launch("update_stats")) == "SUCCESS"
        assert sorted(run.status for run in ui.runs(*HELD)) == ["QUEUED", "STARTED"]
    finally:
        ui.set_limit(2)
    (other,) = {*HELD} - {first.key}
    second = ui.wait_for_first_patches(other)
    freeze(second.pid)
    frozen.add(second.pid)
    assert {run.status for run in ui.runs(*HELD)} == {"STARTED"}

    ui.cancel(backfill)
    # The daemon cancels within seconds, in which runs that go on would end; it gives up frozen ones.
    ui.wait_until(
        lambda: not {run.status for run in ui.runs(*HELD)}.isdisjoint({"CANCELING", "CANCELED"}),
        "the first run is cancelled",
    )
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    frozen.clear()
    status, runs = ui.wait_for_backfill(backfill)
    assert status == "CANCELED"
    assert {run.status for run in runs} == {"CANCELED"}
    assert len(runs) == len(HELD)

    status, _ = ui.wait_for_backfill(ui.backfill(*HELD))
    assert status == "COMPLETED_SUCCESS"
    assert [name for video in HELD for name in is_lost(ui, uninterrupted, video)] == []


def test_a_second_backfill_makes_nothing_that_is_there(ui: DagsterUi, done: Ended) -> None:
    kept = {path: path.stat().st_mtime_ns for path in files_of(ui.root, DONE)}
    assert kept
    status, _ = ui.wait_for_backfill(ui.backfill(*DONE))
    assert status == "COMPLETED_SUCCESS"
    assert {path: path.stat().st_mtime_ns for path in files_of(ui.root, DONE)} == kept
    for video in DONE:
        assert ui.metadata("toon_patches", video)["patches_made_now"] == 0
