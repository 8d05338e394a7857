"""What the Celery launcher says of a run's process, from the signs of life in a Redis of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import LaunchRunContext

from dataset_assets.assets import HOST_TAG, data_set_of, failure_of_run
from dataset_assets.assets.runs import HOST_RUN_TAG
from dataset_assets.config import load_settings
from dataset_assets.dataset import keep_data_set_id
from dataset_assets.errors import DatasetAssetsError
from dataset_assets_tests.automation.samples import add_run
from dataset_assets_tests.command import wait_until
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.engines.servers import Server, running_redis

pytest.importorskip("dagster_celery")

from dagster_celery.launcher import CeleryRunLauncher

from dataset_assets.engines import celery, signs_of_life
from dataset_assets.engines.celery import DatasetCeleryRunLauncher

STARTED = dg.DagsterRunStatus.STARTED
ALIVE_S = 3.0


@pytest.fixture(scope="module")
def redis() -> Iterator[Server]:
    with running_redis() as server:
        yield server


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setattr("dataset_assets.assets.runs.is_shared", lambda _: True)  # as one in Postgres
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def launcher_of(instance: dg.DagsterInstance, url: str) -> DatasetCeleryRunLauncher:
    made = DatasetCeleryRunLauncher(default_queue="dagster", broker=url, backend=url, alive_s=ALIVE_S)
    made.register_instance(instance)
    return made


@pytest.fixture
def launcher(instance: dg.DagsterInstance, redis: Server) -> DatasetCeleryRunLauncher:
    return launcher_of(instance, redis.url)


def started(instance: dg.DagsterInstance, task_id: str) -> dg.DagsterRun:
    return add_run(instance, "film", STARTED, **{"dagster-celery/task_id": task_id})


def looks(launcher: DatasetCeleryRunLauncher, run: dg.DagsterRun, times: int) -> list[str]:
    return [launcher.check_run_worker_health(run).status.name for _ in range(times)]


def sentence(instance: dg.DagsterInstance, run: dg.DagsterRun, message: str | None) -> str:
    instance.report_run_failed(run, f"Detected run worker status FAILED: '{message}'. Marking run as failed.")
    return failure_of_run(instance, run, 0.0).what


def test_a_process_that_gives_signs_of_life_is_alive_and_a_silent_one_is_dead_at_the_third_look(
    instance: dg.DagsterInstance, launcher: DatasetCeleryRunLauncher, redis: Server
) -> None:
    run = started(instance, "silent")
    beat = signs_of_life.beat_of_run(redis.url, 1.0, "silent")

    def is_alive() -> bool:
        return bool(launcher._redis.exists(signs_of_life.run_key("silent")))

    wait_until(is_alive, "it beats")
    assert looks(launcher, run, 3) == ["RUNNING"] * 3
    beat.stop()
    wait_until(lambda: not is_alive(), "nothing is heard")
    assert looks(launcher, run, 2) == ["RUNNING"] * 2
    health = launcher.check_run_worker_health(run)
    assert health.status.name == "FAILED"
    what = sentence(instance, run, health.msg)
    assert what == "film: its process gave no sign of life for 3 s: it or its machine died, or was cut off"


@pytest.mark.parametrize("is_own", [True, False])
def test_the_machine_of_a_silent_run_is_named_unless_it_is_that_of_the_run_before(
    instance: dg.DagsterInstance, launcher: DatasetCeleryRunLauncher, is_own: bool
) -> None:
    run = started(instance, f"silent {is_own}")
    host_run = run.run_id if is_own else "the one before"
    instance.add_run_tags(run.run_id, {HOST_TAG: "w2.example.org", HOST_RUN_TAG: host_run})
    latest = instance.get_run_by_id(run.run_id)
    assert latest is not None
    assert looks(launcher, latest, 2) == ["RUNNING"] * 2
    machine = "its machine w2.example.org" if is_own else "its machine"
    what = sentence(instance, latest, launcher.check_run_worker_health(latest).msg)
    assert what == f"film: its process gave no sign of life for 3 s: it or {machine} died, or was cut off"


@pytest.mark.parametrize(
    ("result", "what"),
    [
        ("Worker exited prematurely: signal 9 (SIGKILL) Job: 3.", "was terminated by signal 9 (SIGKILL)"),
        ("Worker exited prematurely: exitcode 76 Job: 3.", "unexpectedly exited with code 76"),
        ("Postgres is away", "ended before its run (Postgres is away)"),
    ],
)
def test_a_process_that_ended_is_dead_at_the_first_look(
    instance: dg.DagsterInstance, launcher: DatasetCeleryRunLauncher, result: str, what: str
) -> None:
    task = f"ended {result}"
    run = started(instance, task)
    meta = {"status": "FAILURE", "result": {"exc_type": "WorkerLostError", "exc_message": [result]}}
    launcher._redis.set(launcher.celery.backend.get_key_for_task(task), json.dumps(meta))
    health = launcher.check_run_worker_health(run)
    assert health.status.name == "FAILED"
    assert sentence(instance, run, health.msg) == f"film: its process {what}"


def test_a_silent_broker_says_nothing_of_any_run(instance: dg.DagsterInstance) -> None:
    away = launcher_of(instance, "redis://127.0.0.1:1/0")
    assert looks(away, started(instance, "task"), 5) == ["RUNNING"] * 5
    assert away.places() == "the broker does not answer, no run starts until it does"


def test_a_broker_that_refuses_the_password_is_not_said_to_be_silent(instance: dg.DagsterInstance) -> None:
    with running_redis() as guarded:
        own = launcher_of(instance, guarded.url)
        own._redis.config_set("requirepass", "right")
        for given in ("", ":wrong@"):
            launcher = launcher_of(instance, guarded.url.replace("//", f"//{given}"))
            assert launcher.places() == "the broker refuses the password, no run starts until it takes it"


def test_places_are_those_of_living_workers(launcher: DatasetCeleryRunLauncher, redis: Server) -> None:
    beats = [
        signs_of_life.beat_of_worker(redis.url, 0.2, "w1", lambda: 2),
        signs_of_life.beat_of_worker(redis.url, 0.2, "w2", lambda: 3),
    ]
    wait_until(lambda: launcher.places() == {"w1": 2, "w2": 3}, "both are alive")
    beats[0].stop()
    wait_until(lambda: launcher.places() == {"w2": 3}, "one is left")
    beats[1].stop()


def test_a_worker_that_has_ended_takes_no_runs_at_once(
    launcher: DatasetCeleryRunLauncher, redis: Server
) -> None:
    beat = signs_of_life.beat_of_worker(redis.url, 3600.0, "leaving", lambda: 2)
    wait_until(lambda: launcher.places() == {"leaving": 2}, "it is alive")
    beat.stop(wait_s=60.0)
    assert launcher.places() == {}


def test_a_worker_without_its_configuration_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "not mounted" / "config.json"
    monkeypatch.setenv("DATASET_ASSETS_CONFIG", str(config))
    with pytest.raises(SystemExit, match=rf"^{re.escape(str(config))} is not on this machine, .*: mount"):
        celery._prepare(None)


def test_terminating_while_the_broker_is_away_changes_nothing_and_says_so(
    instance: dg.DagsterInstance,
) -> None:
    away, run = launcher_of(instance, "redis://127.0.0.1:1/0"), started(instance, "task")
    assert not away.terminate(run.run_id)
    latest = instance.get_run_by_id(run.run_id)
    assert latest is not None
    assert latest.status is STARTED
    said = instance.all_logs(run.run_id)[-1].message
    assert "the broker does not answer (" in said
    assert said.endswith("press Terminate again once it does")


def test_terminating_asks_the_process_to_stop_and_says_so_first(
    instance: dg.DagsterInstance, launcher: DatasetCeleryRunLauncher
) -> None:
    run = started(instance, "stopped")
    assert launcher.terminate(run.run_id)
    latest = instance.get_run_by_id(run.run_id)
    assert latest is not None
    assert latest.status is dg.DagsterRunStatus.CANCELING
    assert launcher._redis.exists(signs_of_life.stop_key("stopped"))
    assert launcher.get_run_worker_debug_info(run) is None
    ended = add_run(instance, "film", dg.DagsterRunStatus.SUCCESS)
    assert not launcher.terminate(ended.run_id)


def given(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, config: Path
) -> tuple[dg.DagsterRun, list[str]]:
    """A run as the broker is given it, and what its log says of that."""
    monkeypatch.setenv("DATASET_ASSETS_CONFIG", str(config))
    found: list[dg.DagsterRun | None] = []

    def take(_: object, context: LaunchRunContext) -> None:
        found.append(instance.get_run_by_id(context.dagster_run.run_id))

    monkeypatch.setattr(CeleryRunLauncher, "launch_run", take)
    launched = add_run(instance, "film", dg.DagsterRunStatus.STARTING)
    launcher_of(instance, "redis://127.0.0.1:1/0").launch_run(LaunchRunContext(launched, None))
    (run,) = found
    assert run is not None
    return run, [entry.message for entry in instance.all_logs(run.run_id)]


def test_a_run_knows_the_data_set_that_its_worker_has_to_see(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = write_config(tmp_path, {"Film": (tmp_path / "film.mkv", {"general": 1.0})})
    run, _ = given(instance, monkeypatch, config)
    assert data_set_of(run) == keep_data_set_id(load_settings(config)) is not None


def test_a_head_without_the_folder_holds_no_run_up(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    films = {"Film": (tmp_path / "film.mkv", {"general": 1.0})}
    base = {"output_base_dir": str(tmp_path / "file/dataset")}
    run, log = given(instance, monkeypatch, write_config(tmp_path, films, base_settings=base))
    assert data_set_of(run) is None
    (line,) = log
    assert line.startswith("It does not compare its machine's data set: ")
    run, log = given(instance, monkeypatch, tmp_path / "absent.json")
    assert (data_set_of(run), log) == (None, [])


def test_a_broker_that_is_no_redis_is_refused(instance: dg.DagsterInstance) -> None:
    with pytest.raises(DatasetAssetsError, match="give redis://"):
        launcher_of(instance, "pyamqp://guest@localhost//")
