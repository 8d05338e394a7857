from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.dataset import Progress
from dataset_assets_tests.command import is_alive, processes_of, run, start, wait_until
from dataset_assets_tests.configurations import pictures, tables, write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.progress import read_progress

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to see processes"
)

SECONDS_TO_STOP = 30.0  # of a busy machine; 3 on an idle one


@dataclass
class Run:
    """A `generate` that was started, in a folder of its own."""

    config: Path
    process: subprocess.Popen[str]

    @property
    def root(self) -> Path:
        return self.config.parent / "dataset"

    def progress(self) -> list[Progress]:
        return read_progress(self.root / "metadata" / ".progress")

    def wait_for_the_first_patches(self) -> int:
        """Waits until patches are committed while the worker goes on; gives the worker's process."""
        patches = self.root / "metadata/patches/category=general/video=film/part-0.parquet"
        wait_until(lambda: patches.exists() and bool(self.progress()), "the first patches")
        return self.progress()[0].pid


def config_in(folder: Path, film: Film) -> Path:
    """A film that takes several seconds, committed after every window."""
    weights = {"general": 1.0, "space": 1.0, "toon": 1.0}
    base = {"base_frame_limit": 10, "checkpoint_every": 1, "sampling": "uniform"}
    return write_config(folder, {"Film": (film.path, weights)}, base_settings=base)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, pq_film: Film) -> Path:
    """The data set of a run that nobody stopped."""
    config = config_in(tmp_path_factory.mktemp("undisturbed"), pq_film)
    done = run("generate", "--config", config)
    assert done.returncode == 0, done.stdout
    return config.parent / "dataset"


@pytest.fixture
def running(tmp_path: Path, pq_film: Film) -> Run:
    config = config_in(tmp_path, pq_film)
    return Run(config, start("generate", "--config", config))


def run_states(root: Path) -> list[dg.DagsterRunStatus]:
    """States of the film's runs, the newest first."""
    with dg.DagsterInstance.from_config(str(root / ".dagster")) as instance:
        return [each.status for each in instance.get_runs(dg.RunsFilter(job_name="make_patches"))]


def finish(stopped: Run, undisturbed: Path) -> None:
    """Goes on with a stopped run, which ends as if nobody had stopped it."""
    committed = pictures(stopped.root)
    moments = {name: (stopped.root / name).stat().st_mtime_ns for name in committed}
    wanted = pictures(undisturbed)
    assert 0 < len(committed) < len(wanted)
    done = run("generate", "--config", stopped.config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert pictures(stopped.root) == wanted
    assert tables(stopped.root) == tables(undisturbed)
    kept = [name for name, moment in moments.items() if (stopped.root / name).stat().st_mtime_ns == moment]
    assert len(kept) >= len(committed) - 9  # all but the triplets of a window that was not committed


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_stops_in_order_and_the_next_generate_goes_on(
    number: signal.Signals, running: Run, undisturbed: Path
) -> None:
    worker = running.wait_for_the_first_patches()
    running.process.send_signal(number)
    output, _ = running.process.communicate(timeout=SECONDS_TO_STOP)
    assert running.process.returncode == 130, output
    sentence = "stopped; what was committed stays, the next generate resumes there"
    assert output.splitlines()[1:] == [sentence]
    assert not is_alive(worker)
    wait_until(lambda: processes_of(running.config) == [], "an orphan ends", SECONDS_TO_STOP)
    assert run_states(running.root) == [dg.DagsterRunStatus.CANCELED]
    finish(running, undisturbed)
    assert run_states(running.root) == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.CANCELED]


@pytest.mark.slow
def test_a_killed_parent_takes_its_workers_along(running: Run) -> None:
    worker = running.wait_for_the_first_patches()
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.communicate(timeout=SECONDS_TO_STOP)
    wait_until(lambda: not is_alive(worker), "the worker stops", SECONDS_TO_STOP)
    wait_until(lambda: processes_of(running.config) == [], "an orphan ends", SECONDS_TO_STOP)
    assert run_states(running.root) == [dg.DagsterRunStatus.CANCELED]


@pytest.mark.slow
def test_a_killed_worker_is_reported_and_loses_only_what_was_not_committed(
    running: Run, undisturbed: Path
) -> None:
    os.kill(running.wait_for_the_first_patches(), signal.SIGKILL)
    output, _ = running.process.communicate(timeout=SECONDS_TO_STOP)
    assert running.process.returncode == 1
    assert "failed film: its process was killed (SIGKILL), by the system if memory ran out;" in output
    assert run_states(running.root) == [dg.DagsterRunStatus.FAILURE]
    finish(running, undisturbed)
