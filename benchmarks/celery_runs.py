"""Measures a run of the UI over Celery, with the settings of `configs/deploy/celery`, on this machine.

    python -m benchmarks.celery_runs [--rounds 5]

Redis and Postgres (Debian's packages), the head and two workers start on the loopback: seconds from launch to
start and end of a run with nothing to do, its rows and bytes in Postgres, and the time until a killed process
and a killed machine are noticed.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from sqlalchemy import create_engine, text

from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.engines.cluster import Cluster, running_cluster
from dataset_assets_tests.films import X264_OPTIONS, Shot, make_film, sdr_frames

SHOTS = tuple(Shot(number, 100, 2, 2) for number in range(1, 10))
RUN_TIMES = """query Times($id: ID!) { runOrError(runId: $id) { ... on Run {
  creationTime startTime endTime eventConnection { events { ... on MessageEvent { eventType timestamp } } }
} } }"""
DATABASE = "select xact_commit, sessions, pg_database_size(datname) from pg_stat_database where datname = "


def main() -> None:
    """Start a cluster, measure, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = make_film(
            folder / "film.mp4", sdr_frames(SHOTS, 1280, 720), SHOTS, size=(1280, 720), options=X264_OPTIONS
        )
        films = {"Short": (film.path, {"general": 0.02}), "Long": (film.path, {"general": 1.0})}
        base = {"base_frame_limit": 100, "checkpoint_every": 1, "machines": "many", "lease_s": 3}
        config = write_config(folder / "set", films, base_settings=base)
        with running_cluster(folder, config, ["w1", "w2"], seconds={}) as cluster:
            run_to_end(cluster)
            measure_runs(cluster, options.rounds)
            measure_losses(cluster)


def run_to_end(cluster: Cluster) -> str:
    """Make the short film by a run of its own, as its page launches it; return the run's id."""
    run_id = cluster.head.launch("make_patches", "short")
    assert cluster.head.wait_for_run(run_id) == "SUCCESS"
    return run_id


def measure_runs(cluster: Cluster, rounds: int) -> None:
    """Launch runs with nothing to do."""
    starts_s, ends_s, events = [], [], []
    before = database(cluster)
    for _ in range(rounds):
        launched_s = time.time()
        run_id = run_to_end(cluster)
        found = cluster.head.ask(RUN_TIMES, id=run_id)["runOrError"]
        starts_s.append(found["startTime"] - launched_s)
        ends_s.append(found["endTime"] - launched_s)
        events.append(len(found["eventConnection"]["events"]))
    after = database(cluster)
    commits, connections, size = ((last - first) / rounds for first, last in zip(before, after, strict=True))
    print(f"a run with nothing to do: starts {median(starts_s):.1f} s after its launch,")
    print(f"ends {median(ends_s):.1f} s ({min(ends_s):.1f} to {max(ends_s):.1f}) after it")
    print(f"Postgres a run, the idle head included: {median(events):.0f} events, {size / 1e3:.0f} kB,")
    print(f"{commits:.0f} commits, {connections:.0f} connections")


def database(cluster: Cluster) -> tuple[int, ...]:
    """Return commits, connections and bytes of the history so far."""
    engine = create_engine(cluster.postgres.url)
    with engine.connect() as connection:
        time.sleep(1.0)  # Postgres counts a second late
        row = connection.execute(text(f"{DATABASE} 'postgres'")).one()
    engine.dispose()
    return tuple(row)


def measure_losses(cluster: Cluster) -> None:
    """Kill a film's process, then all processes of the worker that goes on with it."""
    cluster.head.backfill("long")

    def lose(what: str, kill: Callable[[int, str], None]) -> None:
        found: list[tuple[int, str]] = []

        def is_at_work() -> bool:
            progress = cluster.head.progress("long")
            if progress is not None and progress.committed_s:
                owner = os.getpgid(progress.pid)
                found.extend(
                    (progress.pid, name)
                    for name, worker in cluster.workers.items()
                    if worker.process.pid == owner
                )
            return bool(found)

        cluster.head.wait_until(is_at_work, "the film is made")
        lost = cluster.head.runs("long")[0]
        kill(*found[0])
        killed_s = time.monotonic()
        cluster.head.wait_until(lambda: cluster.head.runs("long")[0].run_id != lost.run_id, "noticed")
        print(f"{what} is noticed, and its run started again, after {time.monotonic() - killed_s:.0f} s")

    lose("a killed process", lambda pid, _: os.kill(pid, signal.SIGKILL))
    lose("a lost machine", lambda _, name: cluster.workers[name].signal(signal.SIGKILL))


if __name__ == "__main__":
    main()
