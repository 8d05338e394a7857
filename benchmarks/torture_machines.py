"""`make torture-machines`: several "hosts" that make one data set, killed, frozen, cut off; and a report.

    python -m benchmarks.torture_machines [--rounds 20] [--data-sets 5] [--seed 0]

Three parts; the last two need root. *Writers*: two processes on one film, with `flock` patched away, so that
only leases keep them apart. *Hosts*: three processes `generate --wait` in namespaces of their own, of which
one after another is killed with all it runs, loses one film's process, or stands still for longer than a
lease.
*Network*: a backfill over Celery, in which a worker that still sees the data set is cut off from Redis and
Postgres, briefly and for longer than its run's retries take. Every data set has to equal that of one machine,
without a stray file. The command ends with 1 where one does not.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from dataset_assets.config import load_settings
from dataset_assets.demo.encode import write_video
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.command import COMMAND, ROOT, environment, run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.engines.cluster import running_cluster
from dataset_assets_tests.films import X264_OPTIONS, Shot, sdr_frames
from dataset_assets_tests.torture.runs import DONE, Order, Runs
from dataset_assets_tests.torture.shared_sets import FORMATS, differences

FILMS = [f"film-{number}" for number in range(1, 10)]
HOSTS = ("w1", "w2", "w3")
LEASE_S = 6.0
HEAD_ADDRESS = "10.77.0.1"
CUTS_S = (5.0, 60.0)
WINDOWS = 12
NAMESPACES = ("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
FAULTS = ("a film's process killed", "a host killed", "a host frozen")


class Host:
    """A "host": one `generate` and all its processes, which see no others."""

    def __init__(self, name: str, config: Path, log: Path) -> None:
        self.name = name
        self._config = config
        self._log = log
        self.boot()

    def boot(self) -> None:
        """Start it, the first time or again."""
        generate = [*COMMAND, "generate", "--config", str(self._config), "--workers", "1", "--wait"]
        command = f"hostname {self.name}; exec {shlex.join(generate)}"
        with self._log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [*NAMESPACES, "bash", "-c", command],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def is_up(self) -> bool:
        """Whether its `generate` has not ended."""
        return self._process.poll() is None

    @property
    def code(self) -> int:
        """How its `generate` ended."""
        return self._process.wait()

    def processes(self) -> list[psutil.Process]:
        """List all that runs on it, the first one first."""
        with suppress(psutil.Error):
            return psutil.Process(self._process.pid).children(recursive=True)
        return []

    def film_process(self) -> psutil.Process | None:
        """Return a process that works on a film: the one that holds most memory."""
        found: dict[psutil.Process, int] = {}
        for each in self.processes():
            with suppress(psutil.Error):
                if "forkserver" in " ".join(each.cmdline()):
                    found[each] = each.memory_info().rss
        return max(found, key=lambda each: found[each], default=None)

    def end(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.wait()

    def freeze(self, seconds: float) -> None:
        """Let all of it stand still."""
        frozen = self.processes()
        for change in (psutil.Process.suspend, psutil.Process.resume):
            for each in frozen:
                with suppress(psutil.Error):
                    change(each)
            if change is psutil.Process.suspend:
                time.sleep(seconds)


def config_of(folder: Path, film: Path, names: list[str], machines: str) -> Path:
    """Write a configuration; return its path."""
    base = {"machines": machines, "lease_s": LEASE_S, "base_frame_limit": WINDOWS, "checkpoint_every": 2}
    films = {name: (film, {"toon": 1.0, "space": 0.5}) for name in names}
    return write_config(folder, films, formats=FORMATS, base_settings=base)


@contextmanager
def one_machine(film: Path, names: list[str]) -> Iterator[Path]:
    """Make the data set on one machine, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(config_of(Path(folder), film, names, "one"))
        for video in settings.videos:
            probe_video(settings, video.key)
            generate_video(settings, video.key)
        yield Path(folder, "dataset")


def two_writers(film: Path, rounds: int, rng: random.Random) -> Iterator[str]:
    """Let two processes begin on one film at nearly the same moment; yield what went wrong."""
    with one_machine(film, ["film"]) as alone, Runs() as first, Runs() as second:
        for number in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                config = config_of(Path(folder), film, ["film"], "many")
                for runs in rng.sample((first, second), 2):
                    runs.start(Order(str(config), "film", has_locks=False))
                    time.sleep(rng.random())
                ends = [runs.wait() for runs in (first, second)]
                wrong = [end.sentence or str(end.code) for end in ends if end.code != DONE]
                wrong += differences(Path(folder, "dataset"), alone)
                yield from (f"writers, round {number}: {each}" for each in wrong)


def hosts_under_fire(film: Path, number: int, rng: random.Random, faults: Counter[str]) -> Iterator[str]:
    """Let three hosts make a data set while faults befall them; yield what went wrong."""
    with tempfile.TemporaryDirectory() as folder, one_machine(film, FILMS) as alone:
        config = config_of(Path(folder), film, FILMS, "many")
        hosts = [Host(name, config, Path(folder, f"{name}.log")) for name in HOSTS]
        try:
            while any(host.is_up for host in hosts):
                time.sleep(rng.uniform(1, 4))
                host, fault = rng.choice([each for each in hosts if each.is_up] or hosts), rng.choice(FAULTS)
                process = host.film_process() if host.is_up else None
                if process is None or sum(faults.values()) >= 12 * (number + 1):
                    continue
                faults[fault] += 1
                print(f"  {fault}: {host.name}", flush=True)
                if fault == "a film's process killed":
                    with suppress(psutil.Error):
                        process.kill()
                elif fault == "a host killed":
                    host.end()
                    host.boot()
                else:
                    host.freeze(1.5 * LEASE_S)
            # A film whose process was killed on each of them is left; the next `generate` makes it.
            last = run("generate", "--config", config, "--wait")
            wrong = [last.stdout + last.stderr] if last.returncode else []
            wrong += differences(Path(folder, "dataset"), alone)
            yield from (f"hosts, data set {number}: {each}" for each in wrong)
        finally:
            for host in hosts:
                host.end()


@contextmanager
def cable(name: str) -> Iterator[Callable[[str], None]]:
    """Make a network namespace with a cable to this one; yield what sets the cable `up` or `down`."""

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True)

    ip("netns", "add", name)
    try:
        ip("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("addr", "add", f"{HEAD_ADDRESS}/24", "dev", f"to-{name}")
        ip("link", "set", f"to-{name}", "up")
        ip("-n", name, "addr", "add", f"{HEAD_ADDRESS}1/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", name, "link", "set", device, "up")
        yield lambda state: ip("link", "set", f"to-{name}", state)
    finally:
        ip("netns", "del", name)


def network_cut(film: Path) -> Iterator[str]:
    """Cut a worker off from the head while it works; yield what went wrong."""
    names = FILMS[:4]
    with (
        tempfile.TemporaryDirectory() as folder,
        one_machine(film, names) as alone,
        cable("cut") as set_cable,
    ):
        Path(folder, "homes").mkdir()
        config = config_of(Path(folder, "set"), film, names, "many")
        with running_cluster(
            Path(folder, "homes"), config, ["w1", "w2"], address=HEAD_ADDRESS, networks={"w2": "cut"}
        ) as cluster:
            cluster.head.backfill(*names)
            for cut_s in CUTS_S:
                progress = cluster.at_work(cluster.workers["w2"])
                if cut_s != CUTS_S[-1]:
                    cluster.start_no_more()  # the other worker would leave no film for the next cut
                set_cable("down")
                print(f"  cut off for {cut_s:g} s: w2, at work on {progress.key}", flush=True)
                time.sleep(cut_s)
                set_cable("up")
            cluster.head.wait_until(
                lambda: all(cluster.head.runs(key)[0].status == "SUCCESS" for key in names),
                "every film is made",
            )
        wrong = differences(Path(folder, "set", "dataset"), alone)
        yield from (f"network: {each}" for each in wrong)


def main() -> int:
    """Run all parts and print the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data-sets", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, faults = random.Random(options.seed), Counter[str]()
    losses: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film.mkv")
        write_video(film, sdr_frames((Shot(31, 60), Shot(32, 64)), 640, 384), keyint=12, options=X264_OPTIONS)
        losses += two_writers(film, options.rounds, rng)
        print(
            f"{options.rounds} rounds of two writers on a film, without flock: {len(losses)} losses",
            flush=True,
        )
        if os.geteuid():
            print("the hosts are left out: namespaces need root")
            options.data_sets = 0
        for number in range(options.data_sets):
            losses += hosts_under_fire(film, number, rng, faults)
            made = f"{number + 1} data sets made by {len(HOSTS)} hosts"
            print(f"{made}: {dict(faults)}, {len(losses)} losses", flush=True)
        if options.data_sets:
            losses += network_cut(film)
            print(f"a worker cut off from the head {len(CUTS_S)} times: {len(losses)} losses", flush=True)
    for loss in losses:
        print(loss)
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
