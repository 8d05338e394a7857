"""Runs as the buttons of the UI and the command launch them, on films of their own."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_assets_tests.command import freeze, run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.system.dagster_ui import PER_VIDEO, DagsterUi, running_ui
from dataset_assets_tests.system.test_automation import edited

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/environ").exists(), reason="needs /proc to end what the UI started"
    ),
]

BY_COMMAND, BY_PREVIEW, QUEUED = "by-command", "by-preview", ("first", "second", "third")
EVERY = {"general": 1.0, "space": 1.0, "toon": 1.0}
BASE = {"base_frame_limit": 4, "checkpoint_every": 1, "sampling": "uniform", "max_workers": 1}


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory, sdr_film: Film, pq_film: Film) -> Iterator[DagsterUi]:
    """A UI whose configuration allows one video at a time."""
    films = {"By command": (sdr_film.path, {"general": 1.0}), "By preview": (sdr_film.path, {"toon": 1.0})}
    films |= dict.fromkeys(QUEUED, (pq_film.path, EVERY))
    config = write_config(tmp_path_factory.mktemp("launching"), films, base_settings=BASE)
    with running_ui(config) as running:
        yield running


@pytest.fixture(scope="module")
def previewed(ui: DagsterUi) -> str:
    """The run that the preview of a night launched for a video that was never made."""
    requests = [
        request
        for request in ui.preview("nightly")
        if {"key": "dagster/partition", "value": BY_PREVIEW} in request["tags"]
    ]
    (run_id,) = ui.launch_all(requests)
    assert ui.wait_for_run(run_id) == "SUCCESS", ui.failure(run_id)
    return run_id


def test_the_preview_of_a_night_launches_a_video_that_was_never_made(ui: DagsterUi, previewed: str) -> None:
    assert [ui.check_results(asset, ui.checks(asset)[0]).keys() for asset in PER_VIDEO] == [{BY_PREVIEW}] * 5
    assert [text for text in ui.warnings(previewed) if "not selected" in text] == []


@pytest.mark.slow
def test_the_preview_of_a_night_launches_what_is_stale_without_a_warning(
    ui: DagsterUi, previewed: str
) -> None:
    toon = {"folder": "Toon/ToonModel/Learn", "mix": {"small_540": 0.5, "medium_169": 0.5}}
    with edited(ui, categories={"toon": toon}):
        (request,) = [
            each
            for each in ui.preview("nightly")
            if {"key": "dagster/partition", "value": BY_PREVIEW} in each["tags"]
        ]
        assert request["assetSelection"] == [{"path": ["toon_patches"]}]
        (run_id,) = ui.launch_all([request])
        assert ui.wait_for_run(run_id) == "SUCCESS"
    assert [text for text in ui.warnings(run_id) if "not selected" in text] == []

    def up_to_date() -> dict[str, list[str]]:
        return ui.check_partitions("toon_patches", "up_to_date")

    # It was made with a mix that is not wanted now.
    ui.wait_until(lambda: up_to_date().get("failed") == [BY_PREVIEW], "the stale partition fails its check")
    assert BY_PREVIEW not in up_to_date().get("succeeded", ())
    with edited(ui, categories={"toon": toon}):
        ui.wait_until(lambda: BY_PREVIEW in up_to_date().get("succeeded", ()), "it passes its check again")
        assert "failed" not in up_to_date()


def test_runs_of_the_command_are_on_the_front_page_with_who_launched_them(ui: DagsterUi) -> None:
    made = run("generate", "--config", ui.config, "--videos", BY_COMMAND)
    assert made.returncode == 0, made.stdout + made.stderr
    by_command = {
        found["pipelineName"]
        for found in ui.timeline().values()
        if {"key": "user", "value": "generate"} in found["tags"]
    }
    assert by_command == {"make_patches", "update_stats"}


def test_checks_alone_are_refused_in_a_sentence_before_there_is_a_run(ui: DagsterUi, previewed: str) -> None:
    def state() -> object:
        return [each.run_id for each in ui.runs()], ui.check_partitions("toon_patches", "triplets_whole")

    before = state()
    assert BY_PREVIEW in ui.check_partitions("toon_patches", "triplets_whole")["succeeded"]
    assert ui.execute_checks("toon_patches") == (
        "checks cannot run on their own: a run that makes a video evaluates them; materialize its partition: "
        "what is up to date is checked and not made again"
    )
    assert state() == before


def test_a_run_of_no_video_is_refused_in_a_sentence(ui: DagsterUi) -> None:
    run_id = ui.launch("make_patches")
    assert ui.wait_for_run(run_id) == "FAILURE"
    assert ui.failure(run_id) == ["this run is of no video; launch it for partitions"]


@pytest.mark.slow
def test_max_workers_of_the_configuration_holds_at_once(ui: DagsterUi) -> None:
    assert ui.limit() == 1
    run_ids = [ui.launch("make_patches", video) for video in QUEUED]
    frozen = {ui.wait_for_first_patches(*QUEUED).pid}
    try:
        for pid in frozen:
            freeze(pid)
        # The queue has been looked at since, once a later run has ended.
        assert ui.wait_for_run(ui.launch("update_stats")) == "SUCCESS"
        assert sorted(each.status for each in ui.runs(*QUEUED)) == ["QUEUED", "QUEUED", "STARTED"]
        with edited(
            ui, base_settings=BASE | {"max_workers": 2, "min_free_gb": 0, "output_base_dir": "dataset"}
        ):
            ui.wait_until(lambda: ui.limit() == 2, "the limit follows")
            ui.wait_until(
                lambda: sorted(each.status for each in ui.runs(*QUEUED)) == ["QUEUED", "STARTED", "STARTED"],
                "a second video starts",
            )
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    assert {ui.wait_for_run(run_id) for run_id in run_ids} == {"SUCCESS"}


def test_a_second_ui_on_the_same_home_is_refused(ui: DagsterUi) -> None:
    done = run("ui", "--config", ui.config, "--port", "1")
    assert (done.returncode, done.stdout) == (1, "")
    home = ui.root / ".dagster"
    assert done.stderr == (
        f"error A UI on {home} is running already, at {ui.address}; open that one, or stop it first.\n"
    )


def test_runs_launched_on_a_broken_configuration_wait_until_it_is_corrected(ui: DagsterUi) -> None:
    mistake = f"{ui.config}:1 base_settings.max_workers: "
    base = json.loads(ui.config.read_text(encoding="utf-8"))["base_settings"]
    with edited(ui, base_settings=base | {"max_workers": "all"}):
        run_id = ui.launch("update_stats")
        ui.wait_until(
            lambda: any(mistake in text for text in ui.messages(run_id)), "the run says what it waits for"
        )
        assert [each.status for each in ui.runs() if each.run_id == run_id] == ["QUEUED"]
        assert f"No run starts: {mistake}".encode() in ui.get("/gallery")[1]
    assert ui.wait_for_run(run_id) == "SUCCESS"
    assert b"No run starts" not in ui.get("/gallery")[1]
