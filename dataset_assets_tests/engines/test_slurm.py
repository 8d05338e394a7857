"""Runs as Slurm jobs, by commands that stand in for Slurm's and start processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.code_pointer import FileCodePointer, ModuleCodePointer
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.events import EngineEventData
from dagster._core.launcher import LaunchRunContext, WorkerStatus
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin

from dataset_assets.assets import close_dead_runs, data_set_of, failure_of_run, slurm_job_of
from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet, keep_data_set_id
from dataset_assets.engines.slurm import SlurmRunLauncher
from dataset_assets.engines.slurm_jobs import SlurmUnreachableError
from dataset_assets_tests.command import ROOT, obey_ctrl_c, wait_until
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.engines import stand_in, waiting_job

SCRIPT = ROOT / "configs/deploy/slurm/films.sbatch"
STATUS = dg.DagsterRunStatus


@dataclass(frozen=True)
class Cluster:
    """A cluster of stand-ins, and a history whose runs are its jobs.

    Attributes:
        folder: Where the commands are, and the files that say how the cluster is.
        instance: The history.
        config: The configuration.
    """

    folder: Path
    instance: dg.DagsterInstance
    config: Path

    @property
    def launcher(self) -> SlurmRunLauncher:
        launcher = self.instance.run_launcher
        assert isinstance(launcher, SlurmRunLauncher)
        return launcher

    def job(self, run: dg.DagsterRun) -> Path:
        number = slurm_job_of(self.latest(run))
        assert number is not None
        return self.folder / "jobs" / number

    def latest(self, run: dg.DagsterRun) -> dg.DagsterRun:
        found = self.instance.get_run_by_id(run.run_id)
        assert found is not None
        return found

    def add(self, command: str, key: str = "film", **tags: str) -> dg.DagsterRun:
        """A run whose process is a shell command."""
        entry = ["sh", "-c", command]
        code = RepositoryPythonOrigin(sys.executable, ModuleCodePointer("none", "none"), None, entry)
        run = dg.DagsterRun(
            job_name="make_patches",
            status=STATUS.STARTING,
            tags={"dagster/partition": key, **tags},
            job_code_origin=JobPythonOrigin("make_patches", code),
        )
        return self.instance.add_run(run)

    def launch(self, run: dg.DagsterRun) -> dg.DagsterRun:
        self.launcher.launch_run(LaunchRunContext(run, None))
        return self.latest(run)

    def started(self, command: str, key: str = "film") -> dg.DagsterRun:
        """A run whose process has begun, and reported that."""
        run = self.launch(self.add(command, key))
        wait_until(lambda: (self.job(run) / "pid").exists(), "the job starts", 60)
        self.instance.report_dagster_event(
            dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name), run.run_id
        )
        return self.latest(run)

    def health(self, run: dg.DagsterRun) -> WorkerStatus:
        self.launcher._states.forget()
        return self.launcher.check_run_worker_health(self.latest(run)).status

    def end(self) -> None:
        """Ends what goes on."""
        for job in (self.folder / "jobs").iterdir():
            (job / "cancelled").touch()
            if (job / "pid").exists() and not (job / "status").exists():
                os.killpg(int((job / "pid").read_text(encoding="utf-8")), signal.SIGKILL)
        for name in ("asked", "controlled", "full", "silent"):
            (self.folder / name).unlink(missing_ok=True)
        for run in self.instance.get_runs(dg.RunsFilter(statuses=[STATUS.STARTING, STATUS.STARTED])):
            self.instance.report_run_canceled(run)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The commands in PATH, and a history; made once, since its databases take 2 s."""
    root = tmp_path_factory.mktemp("slurm")
    folder = root / "bin"
    (folder / "jobs").mkdir(parents=True)
    source = Path(stand_in.__file__).read_text(encoding="utf-8")
    for name in ("sbatch", "squeue", "scancel", "scontrol"):
        (folder / name).write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
        (folder / name).chmod(0o755)
    launcher = {
        "module": "dataset_assets.engines.slurm",
        "class": "SlurmRunLauncher",
        "config": {"sbatch": "--partition=films --mem=2G", "logs": str(root / "50% logs")},
    }
    with dg.DagsterInstance.local_temp(str(root), overrides={"run_launcher": launcher}) as instance:
        yield Cluster(folder, instance, write_config(root, {"Film": (root / "film.mkv", {"general": 1.0})}))


@pytest.fixture
def cluster(installed: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("PATH", f"{installed.folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DATASET_ASSETS_CONFIG", str(installed.config))
    installed.launcher._states.forget()
    yield installed
    installed.end()


def test_a_run_is_one_job_by_the_name_of_its_video(cluster: Cluster) -> None:
    run = cluster.launch(cluster.add("echo made", "a-film"))
    arguments = (cluster.job(run) / "arguments").read_text(encoding="utf-8").splitlines()
    assert {"--job-name=a-film", "--no-requeue", "--partition=films", "--mem=2G"} <= set(arguments)
    printed = cluster.folder.parent / "50% logs" / f"{run.run_id}.txt"
    wait_until(lambda: printed.exists() and "made" in printed.read_text(encoding="utf-8"), "it prints", 60)


def test_a_job_knows_the_data_set_that_its_node_has_to_see(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, known = SlurmRunLauncher._submit, []

    def look(launcher: SlurmRunLauncher, run: dg.DagsterRun) -> str:
        known.append(data_set_of(cluster.latest(run)))
        return submit(launcher, run)

    monkeypatch.setattr(SlurmRunLauncher, "_submit", look)
    cluster.launch(cluster.add("true"))
    assert known == [keep_data_set_id(load_settings(cluster.config))]


def test_a_job_that_waits_or_runs_is_healthy(cluster: Cluster) -> None:
    (cluster.folder / "full").touch()
    run = cluster.launch(cluster.add("sleep 600"))
    assert cluster.health(run) is WorkerStatus.RUNNING
    (cluster.folder / "full").unlink()
    wait_until(lambda: (cluster.job(run) / "pid").exists(), "the job starts", 60)
    assert cluster.health(run) is WorkerStatus.RUNNING


@pytest.mark.parametrize(
    ("state", "what", "remedy"),
    [
        ("OUT_OF_MEMORY", "ran out of memory", "--mem"),
        ("TIMEOUT", "reached its time limit", "--time"),
        ("NODE_FAIL", "was lost with its node", "goes on from the last commit"),
        ("CANCELLED", "was cancelled by scancel or an administrator", "goes on from the last commit"),
        ("FORGOTTEN", "is unknown to Slurm by now", "what it printed is in"),
    ],
)
def test_why_a_job_ended_is_one_sentence_with_a_remedy(
    cluster: Cluster, state: str, what: str, remedy: str
) -> None:
    run = cluster.started("sleep 600")
    (cluster.job(run) / "state").write_text(state, encoding="utf-8")
    check = cluster.launcher.check_run_worker_health(run)
    assert check.status is WorkerStatus.FAILED
    cluster.instance.report_run_failed(run, f"Detected run worker status {check}.")
    failure = failure_of_run(cluster.instance, cluster.latest(run), 0.0)
    assert failure.what == f"film: its Slurm job {cluster.job(run).name} {what}"
    assert remedy in failure.remedy


@pytest.mark.parametrize(("command", "how"), [("exit 3", "exit code 3"), ("kill -KILL $$", "SIGKILL")])
def test_a_process_that_dies_is_noticed(cluster: Cluster, command: str, how: str) -> None:
    run = cluster.started(command)
    wait_until(lambda: (cluster.job(run) / "status").exists(), "the job ends", 60)
    check = cluster.launcher.check_run_worker_health(run)
    assert check.status is WorkerStatus.FAILED
    assert check.msg is not None
    assert f"ended as FAILED with {how}" in check.msg


def test_a_run_that_reported_its_end_is_healthy(cluster: Cluster) -> None:
    run = cluster.started("true")
    cluster.instance.report_run_failed(run, "its own message")
    wait_until(lambda: (cluster.job(run) / "status").exists(), "the job ends", 60)
    assert cluster.health(run) is WorkerStatus.SUCCESS


def test_a_controller_that_does_not_answer_ends_no_run_and_keeps_those_that_wait(cluster: Cluster) -> None:
    run = cluster.started("sleep 600")
    (cluster.folder / "silent").touch()
    assert cluster.health(run) is WorkerStatus.RUNNING
    with pytest.raises(SlurmUnreachableError):
        cluster.launcher.terminate(run.run_id)
    assert cluster.latest(run).status is STATUS.STARTED
    waiting = cluster.add("true", "other")
    # For this error alone Dagster's queue tries again.
    with pytest.raises(DagsterUserCodeUnreachableError, match="could not reach Slurm's controller"):
        cluster.launch(waiting)
    assert cluster.latest(waiting).status is STATUS.STARTING


def test_options_that_slurm_refuses_fail_the_run_with_one_sentence(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster.launcher, "_sbatch", ["--partition=nope"])
    run = cluster.launch(cluster.add("true"))
    assert run.status is STATUS.FAILURE
    failure = failure_of_run(cluster.instance, run, 0.0)
    assert failure.what == (
        "film: Slurm refuses its job: sbatch: Batch job submission failed: Invalid partition name specified"
    )
    assert "run_launcher.config.sbatch" in failure.remedy


def test_all_runs_are_asked_for_at_once(cluster: Cluster) -> None:
    runs = [cluster.started("sleep 600", f"film-{number}") for number in range(4)]
    cluster.launcher._states.forget()
    for run in runs:
        assert cluster.launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert (cluster.folder / "asked").read_text(encoding="utf-8") == "."


def test_a_waiting_run_is_cancelled_at_once(cluster: Cluster) -> None:
    (cluster.folder / "full").touch()
    run = cluster.launch(cluster.add("true"))
    assert cluster.launcher.terminate(run.run_id)
    assert cluster.latest(run).status is STATUS.CANCELED
    assert not cluster.launcher.terminate(run.run_id)


def test_a_run_whose_job_has_ended_is_cancelled_at_once(cluster: Cluster) -> None:
    run = cluster.started("true")
    wait_until(lambda: (cluster.job(run) / "status").exists(), "the job ends", 60)
    assert cluster.launcher.terminate(run.run_id)
    assert cluster.latest(run).status is STATUS.CANCELED


def working(cluster: Cluster, folder: Path) -> dg.DagsterRun:
    """A run of Dagster, as its own process, that works."""
    pointer = FileCodePointer(waiting_job.__file__, "waiting")
    entry = [sys.executable, "-m", "dagster"]
    code = RepositoryPythonOrigin(sys.executable, pointer, None, entry)
    run = cluster.instance.create_run_for_job(
        waiting_job.waiting,
        run_config={"ops": {"wait_for_interrupt": {"config": {"folder": str(folder)}}}},
        status=STATUS.STARTING,
        job_code_origin=JobPythonOrigin("waiting", code),
    )
    cluster.launch(run)
    wait_until((folder / "begun").exists, "the run works", 120)
    return run


def test_a_running_run_commits_and_is_cancelled(cluster: Cluster, tmp_path: Path) -> None:
    run = working(cluster, tmp_path)
    assert cluster.launcher.terminate(run.run_id)
    wait_until(lambda: cluster.latest(run).is_finished, "the run ends", 60)
    assert cluster.latest(run).status is STATUS.CANCELED
    assert (tmp_path / "committed").exists()


def test_a_run_at_its_time_limit_commits_and_fails_with_one_sentence(
    cluster: Cluster, tmp_path: Path
) -> None:
    run = working(cluster, tmp_path)
    # As Slurm does, which says no more to the process.
    os.kill(int((cluster.job(run) / "pid").read_text(encoding="utf-8")), signal.SIGTERM)
    wait_until(lambda: cluster.latest(run).is_finished, "the run ends", 60)
    assert cluster.latest(run).status is STATUS.FAILURE
    assert (tmp_path / "committed").exists()
    failure = failure_of_run(cluster.instance, cluster.latest(run), 0.0)
    assert failure.what == "waiting: its process was asked to end, by a shutdown, a time limit or scancel"
    assert failure.remedy == "run it again, it goes on from the last commit"


def test_a_job_that_is_cancelled_while_it_waits_is_noticed(cluster: Cluster, tmp_path: Path) -> None:
    (cluster.folder / "full").touch()
    run = cluster.launch(cluster.add("true"))
    (cluster.job(run) / "cancelled").touch()
    close_dead_runs(cluster.instance, DataSet(tmp_path / "dataset"))
    assert cluster.latest(run).status is STATUS.FAILURE
    failure = failure_of_run(cluster.instance, cluster.latest(run), 0.0)
    job = cluster.job(run).name
    assert failure.what == f"film: its Slurm job {job} was cancelled by scancel or an administrator"


def test_a_run_on_another_machine_is_not_taken_for_dead(cluster: Cluster, tmp_path: Path) -> None:
    run = cluster.started("sleep 600")
    # As the process reports it that works on a run; here no process has the number.
    data = EngineEventData({"pid": 2**22 + 1})
    cluster.instance.report_engine_event("Started process for run", run, data)
    close_dead_runs(cluster.instance, DataSet(tmp_path / "dataset"))
    assert cluster.latest(run).status is STATUS.STARTED


def test_a_run_that_is_no_job_is_left_alone(cluster: Cluster) -> None:
    """As those of `generate`, which Dagster's monitoring asks for too."""
    run = cluster.add("true")
    assert cluster.health(run) is WorkerStatus.RUNNING


def test_a_run_that_is_started_again_is_not_the_job_of_the_first(cluster: Cluster) -> None:
    run = cluster.launch(cluster.add("true"))
    retry = cluster.add("true", **dict(run.tags))
    assert slurm_job_of(retry) is None
    assert cluster.health(retry) is WorkerStatus.RUNNING


def options_of(script: Path) -> dict[str, str]:
    lines = script.read_text(encoding="utf-8").splitlines()
    given = [line.removeprefix("#SBATCH --") for line in lines if line.startswith("#SBATCH ")]
    return {name: value for name, _, value in (each.partition("=") for each in given)}


def test_the_array_may_be_requeued_and_is_warned_of_its_time_limit() -> None:
    options = options_of(SCRIPT)
    assert options["requeue"] == ""
    assert options["open-mode"] == "append"
    assert options["signal"].startswith("B:USR1@")
    subprocess.run(["bash", "-n", SCRIPT], check=True)


@pytest.mark.parametrize(
    ("sent", "requeued"), [(signal.SIGUSR1, "requeue 7"), (signal.SIGTERM, ""), (None, "")]
)
def test_a_task_commits_at_a_signal_and_goes_on_after_its_time_limit(
    cluster: Cluster, tmp_path: Path, sent: signal.Signals | None, requeued: str
) -> None:
    """The script waits for `generate`, hands a signal to it, and ends with its exit code."""
    generate = cluster.folder / "dataset-assets"
    waits = "trap 'touch committed; exit 130' TERM; touch begun; while :; do sleep 0.05; done"
    body = (
        waits
        if sent
        else 'echo "$@" > given; touch begun; test -z "$DAGSTER_HOME" || exit 5; touch "$TMPDIR/left"; exit 1'
    )
    generate.write_text(f"#!/bin/sh\ncd {tmp_path}\n{body}\n", encoding="utf-8")
    generate.chmod(0o755)
    variables = os.environ | {
        "SLURM_JOB_ID": "7",
        "SLURM_CPUS_PER_TASK": "3",
        "TMPDIR": str(tmp_path),
        "DAGSTER_HOME": "/home",
    }
    task = subprocess.Popen(["bash", SCRIPT, "/data/config.json"], env=variables, preexec_fn=obey_ctrl_c)
    wait_until((tmp_path / "begun").exists, "generate works", 60)
    if sent:
        task.send_signal(sent)
    assert task.wait(60) == (130 if sent else 1)
    assert (tmp_path / "committed").exists() == bool(sent)
    controlled = cluster.folder / "controlled"
    assert (controlled.read_text(encoding="utf-8") if controlled.exists() else "") == requeued
    assert [*tmp_path.glob("films-*")] == []
    if not sent:
        given = (tmp_path / "given").read_text(encoding="utf-8").split()
        assert given == ["generate", "--config", "/data/config.json", "--workers", "3"]
