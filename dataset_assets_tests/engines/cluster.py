"""A head and workers over Redis and Postgres, all on this machine, each worker a process group of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from dataset_assets.dataset import Progress
from dataset_assets_tests.command import COMMAND, ROOT, environment, is_alive, obey_ctrl_c, wait_until
from dataset_assets_tests.engines.servers import LOOPBACK, Server, running_postgres, running_redis
from dataset_assets_tests.progress import read_progress
from dataset_assets_tests.system.dagster_ui import DagsterUi, free_port

DEPLOY = ROOT / "configs/deploy/celery"
# Seconds that the tests do not wait for: the product's own are for machines far apart.
QUICK = {
    "alive_s": 3,
    "dequeue_interval_seconds": 1,
    "poll_interval_seconds": 1,
    "free_slots_after_run_end_seconds": 1,
}
END_S = 120.0
UNLIMITED = 100


@dataclass
class Worker:
    """A worker: a "host" of one place.

    Attributes:
        name: Its name.
        process: The command, the leader of its process group.
        log: What it prints.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to all of its processes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    @property
    def main(self) -> psutil.Process:
        """The process that takes runs from the broker."""
        (main,) = psutil.Process(self.process.pid).children()
        return main

    def wait(self) -> None:
        """Waits until all of its processes have ended: the command itself may end before the worker."""
        self.process.wait(END_S)
        wait_until(lambda: not self.pids, f"{self.name} ends", END_S)

    @property
    def pids(self) -> list[int]:
        """Its processes that live."""
        found = []
        for process in psutil.process_iter():
            with suppress(ProcessLookupError):
                if os.getpgid(process.pid) == self.process.pid and is_alive(process.pid):
                    found.append(process.pid)
        return found


@dataclass
class Cluster:
    """Redis, Postgres, the head and its workers.

    Attributes:
        folder: Where homes and logs are.
        config: The configuration.
        redis: The broker.
        postgres: The history.
        port: Of the head's UI.
        seconds: Times in `dagster.yaml` that are other ones than there.
        networks: Network namespaces of workers that have one, by name.
        workers: The living workers by name.
    """

    folder: Path
    config: Path
    redis: Server
    postgres: Server
    seconds: Mapping[str, int]
    networks: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    workers: dict[str, Worker] = field(default_factory=dict)
    ui: DagsterUi | None = None

    @property
    def root(self) -> Path:
        """The data set."""
        return self.config.parent / "dataset"

    @property
    def head(self) -> DagsterUi:
        """The running head."""
        assert self.ui is not None
        return self.ui

    def variables(self, host: str) -> dict[str, str]:
        """The environment of a host, with its Dagster home as `configs/deploy/celery` has it."""
        home = self.folder / host
        home.mkdir(exist_ok=True)
        settings = (DEPLOY / "dagster.yaml").read_text(encoding="utf-8")
        for name, value in self.seconds.items():
            settings, count = re.subn(rf"(?m)^( +{name}): \d+$", rf"\1: {value}", settings)
            assert count == 1, name
        (home / "dagster.yaml").write_text(settings, encoding="utf-8")
        programs = Path(sys.executable).parent  # dagster-celery starts celery by its name
        return environment(
            {
                "PATH": f"{programs}:{os.environ['PATH']}",
                "DAGSTER_HOME": str(home),
                "DATASET_ASSETS_CONFIG": str(self.config),
                "DATASET_ASSETS_POSTGRES": self.postgres.url,
                "DATASET_ASSETS_BROKER": self.redis.url,
                "DATASET_ASSETS_LOGS": str(self.folder / "logs"),
            }
        )

    def start_head(self) -> None:
        """Starts `dataset-assets ui` with its daemon."""
        command = [*COMMAND, "ui", "--config", str(self.config), "--port", str(self.port)]
        # A file: nobody reads a pipe, and one that is full stops who writes into it.
        with (self.folder / "head.log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.variables("head"),
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
                preexec_fn=obey_ctrl_c,
            )
        self.ui = DagsterUi(self.config, self.port, process)

    def kill_head(self) -> None:
        """Kills the process that watches the services, and waits until these have noticed."""
        services = psutil.Process(self.head.process.pid).children(recursive=True)
        self.head.process.kill()
        self.head.process.wait(END_S)
        psutil.wait_procs(services, END_S)

    def start_more(self) -> None:
        """Lets queued runs start."""
        self.head.set_limit(UNLIMITED)

    def start_no_more(self) -> None:
        """Keeps queued runs from starting: there would be no film left for what fails next."""
        self.head.set_limit(0)

    def at_work(self, worker: Worker) -> Progress:
        """Waits until a worker makes a film that has first patches; gives its progress."""
        self.start_more()
        found: list[Progress] = []

        def is_at_work() -> bool:
            for progress in read_progress(self.root / "metadata/.progress"):
                with suppress(ProcessLookupError):
                    is_its = os.getpgid(progress.pid) == worker.process.pid
                    if is_its and progress.committed_s:
                        found.append(progress)
            return bool(found)

        wait_until(is_at_work, f"{worker.name} makes a film", END_S)
        return found[0]

    def start_worker(self, name: str) -> Worker:
        """Starts a worker of one place."""
        command = [
            *(["ip", "netns", "exec", self.networks[name]] if name in self.networks else []),
            *_as_host(name),
            "dagster-celery",
            "worker",
            "start",
            "-A",
            "dataset_assets.engines.celery",
            "-n",
            name,
        ]
        command += ["-y", str(DEPLOY / "worker.yaml"), "--"]
        command += ["--concurrency=1", "--without-gossip", "--without-mingle"]
        log = self.folder / f"{name}.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.variables(name),
                stdout=file,
                stderr=file,
                start_new_session=True,
                preexec_fn=obey_ctrl_c,
            )
        self.workers[name] = worker = Worker(name, process, log)
        return worker

    def stop(self) -> None:
        """Ends everything that was started."""
        for worker in self.workers.values():
            worker.signal(signal.SIGCONT)
            worker.signal(signal.SIGKILL)
            worker.wait()
        if self.ui is not None:
            self.ui.stop()


def _as_host(name: str) -> list[str]:
    """The words before a command that give it a host name of its own, where that is allowed."""
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None:
        return []
    return [unshare, "--uts", "sh", "-c", 'echo "$0" > /proc/sys/kernel/hostname && exec "$@"', name]


@contextmanager
def running_cluster(
    folder: Path,
    config: Path,
    workers: Sequence[str],
    seconds: Mapping[str, int] = QUICK,
    *,
    address: str = LOOPBACK,
    networks: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """A head and workers that are up.

    Args:
        folder: Where homes and logs are.
        config: The configuration.
        workers: Names of the workers.
        seconds: Times in `dagster.yaml` that are other ones than there.
        address: Where Redis and Postgres are reached.
        networks: Network namespaces of workers that have one, by name.
    """
    with running_redis(address) as redis, running_postgres(address) as postgres:
        cluster = Cluster(folder, config, redis, postgres, seconds, networks or {})
        try:
            cluster.start_head()
            for name in workers:
                cluster.start_worker(name)
            cluster.head.wait_until_up()
            yield cluster
        finally:
            cluster.stop()
