"""A backfill over several workers, all whose faults happen in one: Redis, Postgres, the head and the workers."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_assets_tests.command import run, start, wait_until
from dataset_assets_tests.configurations import pictures, tables, write_config
from dataset_assets_tests.engines.cluster import Cluster, Worker, running_cluster
from dataset_assets_tests.films import X264_OPTIONS, Film, Shot, make_film, sdr_frames
from dataset_assets_tests.system.dagster_ui import Run

FILMS = 9
SHOTS = (Shot(1, 90, 2, 2), Shot(2, 110, -2, 2), Shot(3, 100, 2, 0))
WEIGHTS = {"general": 1.0, "space": 0.4}


@pytest.fixture(scope="module")
def film(films_folder: Path) -> Film:
    """1280x720 H.264 BT.709, 300 frames, three shots: some seconds of work."""
    frames = sdr_frames(SHOTS, 1280, 720)
    return make_film(films_folder / "cluster.mp4", frames, SHOTS, size=(1280, 720), options=X264_OPTIONS)


def config_of(folder: Path, film: Film, **base: object) -> Path:
    names = {f"Film {number}": (film.path, WEIGHTS) for number in range(FILMS)}
    settings = {"base_frame_limit": 16, "checkpoint_every": 1, **base}
    return write_config(folder, names, base_settings=settings)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, film: Film) -> Iterator[Path]:
    """The data set that `generate` makes on one machine, meanwhile."""
    config = config_of(tmp_path_factory.mktemp("one"), film)
    process = start("generate", "--config", config, "--workers", "1")
    yield config.parent / "dataset"
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, film: Film) -> Iterator[Cluster]:
    """Two workers of a place each, with leases of 3 s."""
    pytest.importorskip("dagster_celery")
    folder = tmp_path_factory.mktemp("many")
    config = config_of(folder / "set", film, machines="many", lease_s=3)
    with running_cluster(folder, config, ["w1", "w2"]) as running:
        yield running


def test_a_backfill_ends_well_whatever_happens_to_its_machines(cluster: Cluster) -> None:
    ui = cluster.head
    keys = [f"film-{number}" for number in range(FILMS)]
    ui.backfill(*keys)
    for fault in (process_killed, machine_lost, machine_frozen):
        fault(cluster)
    print([(r.video, r.status) for r in ui.runs()])
    wait_until(lambda: all(newest(cluster, key).status == "SUCCESS" for key in keys), "all done", 200)
    print([(r.video, r.status) for r in ui.runs()])


def newest(cluster: Cluster, key: str) -> Run:
    return cluster.head.runs(key)[0]


def wait_for_retry(cluster: Cluster, key: str, lost: Run) -> None:
    """Waits until a run has failed and another one has taken its place."""

    def is_retried() -> bool:
        runs = cluster.head.runs(key)
        return {each.run_id: each.status for each in runs}[lost.run_id] == "FAILURE" and runs[0] != lost

    cluster.head.wait_until(is_retried, f"{key} is started again")


def process_killed(cluster: Cluster) -> None:
    """A film's process is killed, as by the system where memory is short."""
    progress = cluster.at_work(cluster.workers["w1"])
    lost = newest(cluster, progress.key)
    import os, time
    os.kill(progress.pid, signal.SIGKILL)
    t=time.time()
    wait_for_retry(cluster, progress.key, lost)
    print("killed noticed", time.time()-t, [m for m in cluster.head.messages(lost.run_id)][-6:])


def machine_lost(cluster: Cluster) -> None:
    """All processes of a machine are gone; it is started again."""
    worker = cluster.workers["w2"]
    progress = cluster.at_work(worker)
    lost = newest(cluster, progress.key)
    import time
    worker.signal(signal.SIGKILL)
    worker.wait()
    t=time.time()
    cluster.start_worker("w2")
    wait_for_retry(cluster, progress.key, lost)
    print("lost noticed", time.time()-t, [m for m in cluster.head.messages(lost.run_id)][-6:])


def machine_frozen(cluster: Cluster) -> None:
    """A machine stands still until another one has taken its film over, and goes on."""
    worker = cluster.workers["w1"]
    progress = cluster.at_work(worker)
    lost = newest(cluster, progress.key)
    import time
    worker.signal(signal.SIGSTOP)
    t=time.time()
    wait_for_retry(cluster, progress.key, lost)
    print("frozen noticed", time.time()-t, [m for m in cluster.head.messages(lost.run_id)][-6:])
    taken = cluster.at_work(cluster.workers["w2"])
    worker.signal(signal.SIGCONT)
    print(taken)
    wait_until(lambda: not __import__("dataset_assets_tests.command",fromlist=["is_alive"]).is_alive(progress.pid), "the frozen process ends itself", 60)
