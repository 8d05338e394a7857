"""A backfill over two machines, in which all fails that can: processes, machines, servers, the head."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dataset_assets_tests.command import PATIENCE_S, is_alive, start, wait_until
from dataset_assets_tests.configurations import pictures, tables, write_config
from dataset_assets_tests.engines.cluster import END_S, Cluster, running_cluster
from dataset_assets_tests.films import X264_OPTIONS, Film, Shot, make_film, sdr_frames
from dataset_assets_tests.system.dagster_ui import Run

FILMS = 14
SHOTS = (Shot(1, 90, 2, 2), Shot(2, 110, -2, 2), Shot(3, 100, 2, 0))
WEIGHTS = {"general": 1.0, "space": 0.4}


@pytest.fixture(scope="module")
def film(films_folder: Path) -> Film:
    """1280x720 H.264 BT.709, 300 frames, three shots: some seconds of work."""
    frames = sdr_frames(SHOTS, 1280, 720)
    return make_film(films_folder / "cluster.mp4", frames, SHOTS, size=(1280, 720), options=X264_OPTIONS)


def config_of(folder: Path, film: Film, **base: object) -> Path:
    names = {f"Film {number}": (film.path, WEIGHTS) for number in range(FILMS)}
    settings = {"base_frame_limit": 12, "checkpoint_every": 1, **base}
    return write_config(folder, names, base_settings=settings)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, film: Film) -> Iterator[Cluster]:
    """A head and two workers of a place each, with leases of 3 s."""
    pytest.importorskip("dagster_celery")
    folder = tmp_path_factory.mktemp("many")
    config = config_of(folder / "set", film, machines="many", lease_s=3)
    with running_cluster(folder, config, ["w1", "w2"]) as running:
        yield running


@pytest.mark.slow
def test_a_backfill_ends_well_whatever_happens_to_its_machines(
    cluster: Cluster, film: Film, tmp_path: Path
) -> None:
    alone = config_of(tmp_path, film)
    reference = start("generate", "--config", alone, "--workers", "2")
    try:
        keys = [f"film-{number}" for number in range(FILMS)]
        cluster.head.backfill(*keys)
        process_killed(cluster)
        machine_lost(cluster)
        machine_frozen(cluster)
        servers_restarted(cluster)
        cancelled = run_terminated(cluster)
        head_restarted(cluster)
        worker_ends_when_done(cluster)
        worker_hands_its_film_over(cluster)
        assert newest(cluster, cancelled.video).run_id == cancelled.run_id
        cluster.start_more()
        cluster.head.backfill(cancelled.video)
        cluster.head.wait_until(
            lambda: all(newest(cluster, key).status == "SUCCESS" for key in keys), "every film is made"
        )
        output, _ = reference.communicate(timeout=PATIENCE_S)
        assert reference.returncode == 0, output
    finally:
        reference.kill()
        reference.communicate()
    for key in keys:
        statuses = [each.status for each in cluster.head.runs(key)]
        assert statuses.count("SUCCESS") == 1, f"{key} was made twice: {statuses}"
    root = alone.with_name("dataset")
    assert pictures(cluster.root) == pictures(root)
    assert tables(cluster.root) == tables(root)
    assert files(cluster.root) == files(root)
    assert set(cluster.head.partitions("general_patches")["materialized"]) == set(keys)


def files(root: Path) -> set[str]:
    """The files of a data set but for those that coordinate runs; none may be left over."""
    found = {path.relative_to(root) for path in root.rglob("*") if path.is_file()}
    coordinating = {".dagster", ".machines", ".data_set", ".hosts", ".leases", ".locks", ".progress"}
    coordinating.add(".failures")
    return {str(path) for path in found if not coordinating & set(path.parts)}


def newest(cluster: Cluster, key: str) -> Run:
    return cluster.head.runs(key)[0]


def lost_run(cluster: Cluster, worker: str, lose: Callable[[int], None]) -> Run:
    """The run that a worker loses; returned once it has failed and another took its place."""
    progress = cluster.at_work(cluster.workers[worker])
    lost = newest(cluster, progress.key)
    lose(progress.pid)
    cluster.start_no_more()

    def is_retried() -> bool:
        runs = cluster.head.runs(progress.key)
        status = next(each.status for each in runs if each.run_id == lost.run_id)
        return status == "FAILURE" and runs[0].run_id != lost.run_id

    cluster.head.wait_until(is_retried, f"{progress.key} is started again", END_S)
    return lost


def process_killed(cluster: Cluster) -> None:
    """A film's process is killed, as by the system where memory is short."""
    lost = lost_run(cluster, "w1", lambda pid: os.kill(pid, signal.SIGKILL))
    assert "was terminated by signal 9 (SIGKILL)" in " ".join(cluster.head.messages(lost.run_id))


def machine_lost(cluster: Cluster) -> None:
    """All processes of a machine are gone at once; it is started again."""

    def lose(_: int) -> None:
        cluster.workers["w2"].signal(signal.SIGKILL)
        cluster.workers["w2"].wait()
        cluster.start_worker("w2")

    lost = lost_run(cluster, "w2", lose)
    assert "gave no sign of life for 3 s" in " ".join(cluster.head.messages(lost.run_id))


def machine_frozen(cluster: Cluster) -> None:
    """A machine stands still until another one has taken its film over, and goes on."""
    frozen: list[int] = []

    def lose(pid: int) -> None:
        frozen.append(pid)
        cluster.workers["w1"].signal(signal.SIGSTOP)

    lost_run(cluster, "w1", lose)
    cluster.at_work(cluster.workers["w2"])
    cluster.workers["w1"].signal(signal.SIGCONT)
    wait_until(lambda: not is_alive(frozen[0]), "the frozen process ends itself", END_S)


def servers_restarted(cluster: Cluster) -> None:
    """The broker is killed, the history stopped; the films that are made meanwhile go on."""
    at_work = [cluster.at_work(worker) for worker in cluster.workers.values()]
    going_on = [newest(cluster, progress.key) for progress in at_work]
    cluster.redis.stop(signal.SIGKILL)
    cluster.postgres.stop(signal.SIGINT)
    cluster.postgres.start()
    cluster.redis.start()
    cluster.start_no_more()
    for each in going_on:
        status = cluster.head.wait_for_run(each.run_id)
        assert status == "SUCCESS", cluster.head.messages(each.run_id)[-3:]


def run_terminated(cluster: Cluster) -> Run:
    """A run is terminated in the UI: it is cancelled, and nothing starts it again."""
    progress = cluster.at_work(cluster.workers["w1"])
    cancelled = newest(cluster, progress.key)
    cluster.head.terminate(cancelled.run_id)
    cluster.start_no_more()
    assert cluster.head.wait_for_run(cancelled.run_id) == "CANCELED"
    wait_until(lambda: not is_alive(progress.pid), "its process ends", END_S)
    return cancelled


def head_restarted(cluster: Cluster) -> None:
    """The head is killed and started again, while the workers go on."""
    progress = cluster.at_work(cluster.workers["w1"])
    going_on = newest(cluster, progress.key)
    cluster.kill_head()
    cluster.start_head()
    cluster.head.wait_until_up()
    assert cluster.head.wait_for_run(going_on.run_id) == "SUCCESS"


def assert_takes_no_runs(cluster: Cluster, name: str) -> None:
    """A worker that has ended is sent no further run."""
    from dataset_assets.engines.signs_of_life import connect, places_of_workers

    places = places_of_workers(connect(cluster.redis.url))
    assert not any(name in worker for worker in places), places


def worker_ends_when_done(cluster: Cluster) -> None:
    """A worker that is asked to end makes its film first."""
    worker = cluster.workers["w1"]
    progress = cluster.at_work(worker)
    going_on = newest(cluster, progress.key)
    worker.main.send_signal(signal.SIGTERM)
    cluster.start_no_more()
    worker.wait()
    assert newest(cluster, progress.key).run_id == going_on.run_id
    assert_takes_no_runs(cluster, "w1")
    assert cluster.head.wait_for_run(going_on.run_id) == "SUCCESS"
    cluster.start_worker("w1")


def worker_hands_its_film_over(cluster: Cluster) -> None:
    """A worker that is stopped commits its film, which another one goes on with."""
    worker = cluster.workers["w2"]
    lost_run(cluster, "w2", lambda _: worker.signal(signal.SIGQUIT))
    worker.wait()
    assert_takes_no_runs(cluster, "w2")
    cluster.start_worker("w2")
