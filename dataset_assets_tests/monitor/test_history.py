from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal
from uuid import uuid4

import dagster as dg
import pytest
import yaml

from dataset_assets.assets import WINDOWS_TAG
from dataset_assets.config import load_settings
from dataset_assets.dagster_internals import is_initialised, sqlite_folder
from dataset_assets.dataset import AssetStatus, AtWork, Failure, Overview, Progress, TableStore
from dataset_assets.dataset.statistics import add_up
from dataset_assets.definitions import MAKE_PATCHES_JOB, build_defs
from dataset_assets.launch.worker import TAGS
from dataset_assets.monitor import history as history_module
from dataset_assets.monitor.history import History
from dataset_assets.monitor.snapshot import Activity
from dataset_assets.partitions import add_missing
from dataset_assets_tests.command import wait_until
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.generated import Generated
from dataset_assets_tests.monitor import stuck_run

NOW_S = 1e10  # any run is ages old


def overview_of(*keys: str, state: Literal["missing", "stale", "done"] = "missing") -> Overview:
    """A data set of these videos, all in one state."""
    statuses = {key: {"windows": AssetStatus(state, "some reason")} for key in keys}
    return Overview(add_up(TableStore(Path("/nowhere"))), statuses, {}, {}, {})


def read(
    home: Path,
    *keys: str,
    working: tuple[str, ...] = (),
    now_s: float = NOW_S,
    overview: Overview | None = None,
) -> Activity:
    with History(home, keys) as history:
        at_work = {key: AtWork(key, True, Progress(key)) for key in working}
        return history.read(at_work, overview or overview_of(*keys), now_s)


def files(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file with its time and the hash of its bytes."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    home = tmp_path / "dataset/.dagster"
    assert read(home, "film") == Activity()
    assert list(tmp_path.iterdir()) == []
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert read(home, "film") == Activity()
    assert [path.name for path in tmp_path.rglob("*")] == ["dataset", ".dagster", "dagster.yaml"]


def test_a_home_that_another_process_is_just_making_is_left_to_it(tmp_path: Path) -> None:
    for name in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert not is_initialised(tmp_path)
    assert read(tmp_path, "film") == Activity()
    assert {stamp[1] for stamp in files(tmp_path).values()} == {hashlib.sha256(b"").hexdigest()}


def test_looking_writes_nothing(generated: Generated) -> None:
    home = generated.root / ".dagster"
    before = files(home)
    activity = read(home, "alpha", "beta")
    assert activity.last_run is not None
    assert (activity.last_run.job, activity.last_run.state) == ("update_stats", "succeeded")
    assert (activity.runs, activity.failures, activity.problem) == ((), (), "")
    assert files(home) == before


def test_runs_of_another_project_in_the_same_home_are_passed_over(generated: Generated) -> None:
    activity = read(generated.root / ".dagster")
    assert activity.last_run is None or activity.last_run.key == ""


def test_a_damaged_history_is_a_sentence(tmp_path: Path, generated: Generated) -> None:
    (tmp_path / "dagster.yaml").write_text("storage: {nonsense: {}}\n")
    activity = read(tmp_path, "film")
    assert activity.problem.startswith(f"The history in {tmp_path} cannot be read now (")
    assert activity.runs == ()


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        ({}, "home"),
        ({"storage": {"sqlite": {"base_dir": "/elsewhere"}}}, "/elsewhere"),
        ({"storage": {"sqlite": {"base_dir": {"env": "TRIAL_DIR"}}}}, "/by-variable"),
        ({"storage": {"postgres": {"postgres_url": "postgresql://x"}}}, None),
        ({"run_storage": {"module": "m", "class": "C"}}, None),
    ],
)
def test_the_databases_are_looked_for_where_dagster_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, object], folder: str | None
) -> None:
    monkeypatch.setenv("TRIAL_DIR", "/by-variable")
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings))
    wanted = tmp_path if folder == "home" else Path(folder) if folder else None
    assert sqlite_folder(tmp_path) == wanted


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def start_run(home: Path, config: Path, key: str, status: dg.DagsterRunStatus, **tags: str) -> str:
    """Puts a run into the history, as one that was launched and got that far."""
    job = build_defs(config).resolve_job_def(MAKE_PATCHES_JOB)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        add_missing(instance, load_settings(config))
        run = instance.create_run_for_job(job, status=status, tags={"dagster/partition": key} | tags)
        return run.run_id


STARTED = dg.DagsterRunStatus.STARTED


@pytest.fixture
def config(tmp_path: Path) -> Path:
    films = {name: (tmp_path / "absent.mkv", {"general": 1.0}) for name in ("Film", "Other")}
    return write_config(tmp_path, films)


def test_a_run_is_starting_until_its_process_should_have_shown(home: Path, config: Path) -> None:
    run_id = start_run(home, config, "film", dg.DagsterRunStatus.STARTING, **{"dagster/backfill": "abcdefgh"})
    start_run(home, config, "other", dg.DagsterRunStatus.NOT_STARTED)  # its process was killed at once
    start_run(home, config, "not-in-the-configuration", STARTED)
    soon = read(home, "film", "other", now_s=time.time())
    (run,) = soon.runs
    assert (run.key, run.phase, run.run_id) == ("film", "starting", run_id)
    assert (run.launched_by, soon.queued, soon.failures) == ("backfill abcdefgh", 0, ())
    late = read(home, "film", "other")
    assert late.runs == ()
    (failure,) = late.failures
    assert (failure.key, failure.run_id) == ("film", run_id)
    assert failure.sentence.startswith(f"film: Dagster counts run {run_id[:8]} as going on, but no process")
    # A live process writes progress: whatever the history lacks, it runs.
    (run,) = read(home, "film", working=("film",)).runs
    assert run.phase == "working"


def test_who_launched_a_run_is_reported(home: Path, config: Path) -> None:
    launchers = {
        "schedule nightly": {"dagster/schedule_name": "nightly"},
        "sensor retry": {"dagster/sensor_name": "retry"},
        "generate": TAGS,
        "Dagster": {},
    }
    for name, tags in launchers.items():
        start_run(home, config, name, STARTED, **tags)
    runs = read(home, *launchers, working=tuple(launchers)).runs
    assert {run.key: run.launched_by for run in runs} == {name: name for name in launchers}


def test_a_failed_film_has_its_sentence_and_only_its_newest(home: Path, config: Path) -> None:
    job = build_defs(config).resolve_job_def(MAKE_PATCHES_JOB)
    run_ids = []
    with dg.DagsterInstance.from_config(str(home)) as instance:
        add_missing(instance, load_settings(config))
        for _ in range(2):
            run_ids.append(
                job.execute_in_process(instance=instance, partition_key="film", raise_on_error=False).run_id
            )
        dead = instance.create_run_for_job(job, status=STARTED, tags={"dagster/partition": "other"})
        instance.report_run_failed(dead, "The machine went away.")
    activity = read(home, "film", "other")
    other, film = activity.failures
    assert film.run_id == run_ids[-1]
    assert film.sentence.startswith("film (")
    assert "the file does not exist; correct its path" in film.sentence
    assert other.sentence == "other: The machine went away; run it again, it goes on from the last commit"
    assert activity.last_run is not None
    assert (activity.last_run.key, activity.last_run.state) == ("other", "failed")
    assert film.ended_s <= other.ended_s == activity.last_run.ended_s


def test_a_failure_is_over_with_the_next_run_and_does_not_come_back_when_settings_change(
    home: Path, config: Path
) -> None:
    job = build_defs(config).resolve_job_def(MAKE_PATCHES_JOB)
    with dg.DagsterInstance.from_config(str(home)) as instance, History(home, ["film"]) as history:
        add_missing(instance, load_settings(config))

        def failures(overview: Overview) -> list[str]:
            return [failure.run_id for failure in history.read({}, overview, time.time()).failures]

        stale = overview_of("film", state="stale")
        died = instance.create_run_for_job(job, status=STARTED, tags={"dagster/partition": "film"})
        instance.report_run_failed(died, "killed")
        assert failures(stale) == [died.run_id]
        assert failures(overview_of("film", state="done")) == []
        run = instance.create_run_for_job(job, status=STARTED, tags={"dagster/partition": "film"})
        instance.report_dagster_event(
            dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, job_name=job.name), run.run_id
        )
        assert failures(overview_of("film", state="done")) == []
        assert failures(overview_of("film", state="stale")) == []


@pytest.mark.slow
def test_more_films_fail_than_fit_a_page_of_the_history(home: Path, config: Path) -> None:
    job = build_defs(config).resolve_job_def(MAKE_PATCHES_JOB)
    keys = [f"film-{number}" for number in range(60)]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        first, *others = keys
        made = instance.create_run_for_job(job, status=STARTED, tags={"dagster/partition": first})
        # As they would be made, without resolving the job each time: 6 s instead of 23.
        copies = [
            made._replace(run_id=str(uuid4()), tags={**made.tags, "dagster/partition": key}) for key in others
        ]
        for run in (made, *map(instance.add_run, copies)):
            instance.report_run_failed(run, "killed")
    assert sorted(failure.key for failure in read(home, *keys).failures) == sorted(keys)


def test_ended_runs_count_from_the_moment_at_which_they_got_their_slot(home: Path, config: Path) -> None:
    job = build_defs(config).resolve_job_def(MAKE_PATCHES_JOB)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for windows in ("5", "7", None):
            tags = {"dagster/partition": "film"} | ({WINDOWS_TAG: windows} if windows else {})
            run = instance.create_run_for_job(job, status=STARTED, tags=tags)
            for kind in (dg.DagsterEventType.RUN_START, dg.DagsterEventType.RUN_SUCCESS):
                instance.report_dagster_event(dg.DagsterEvent(kind.value, job_name=job.name), run.run_id)
    second, first = read(home, "film").ended
    assert (first.windows, second.windows) == (5, 7)
    assert first.started_s < first.ended_s <= second.started_s < second.ended_s


def test_of_a_video_that_failed_it_is_known_whether_another_run_waits(
    home: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = dg.DagsterRunStatus.NOT_STARTED  # a queued one needs a code location
    monkeypatch.setattr(history_module, "_QUEUED", [waiting])
    kept = {key: Failure(key, "", f"{key}: it failed") for key in ("film", "other")}
    start_run(home, config, "film", waiting)
    start_run(home, config, "third", waiting)
    overview = replace(overview_of("film", "other", "third"), failures=kept)
    found = read(home, "film", "other", "third", overview=overview)
    assert (found.queued, found.queued_again) == (2, frozenset({"film"}))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
def test_phases_follow_the_steps_and_end_with_the_process(home: Path) -> None:
    (home / "dagster.yaml").write_text(
        "concurrency: {pools: {default_limit: 1}}\ntelemetry: {enabled: false}\n"
    )
    with dg.DagsterInstance.from_config(str(home)):
        pass  # made by one process alone
    stuck_at = {"first": "make_triplets", "second": "make_triplets", "third": "source_video"}
    wanted = {"first": "working", "second": "waiting", "third": "probing"}
    processes: list[subprocess.Popen[bytes]] = []
    started: list[str] = []

    def are_known() -> bool:
        runs = opened.read({}, overview_of(*stuck_at), time.time()).runs
        return {run.key: run.phase for run in runs} == {key: wanted[key] for key in started}

    with History(home, stuck_at) as opened:
        try:
            for keys in (["first"], ["second", "third"]):
                for key in keys:
                    command = [sys.executable, stuck_run.__file__, str(home), key, stuck_at[key]]
                    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
                    processes.append(process)
                started += keys
                wait_until(are_known, f"the phases of {started}")
        finally:
            for process in processes:
                process.kill()
                process.communicate()
        activity = opened.read({}, overview_of(*stuck_at), time.time())
    assert activity.runs == ()
    assert sorted(failure.key for failure in activity.failures) == sorted(stuck_at)
    assert all("no process of this machine" in failure.sentence for failure in activity.failures)
