"""Data sets whose runs are killed again and again until one gets through, and what must hold meanwhile.

A life is one data set: run after run is killed, each goes on from what those before it committed, until one
ends by itself. Then every byte is held against the data set of a run that nobody killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Literal

import pyarrow.parquet as pq

from dataset_assets_tests.command import is_alive, processes_of, run, start, wait_until
from dataset_assets_tests.configurations import tables, write_config
from dataset_assets_tests.generate.samples import files_named_by_rows
from dataset_assets_tests.progress import read_progress
from dataset_assets_tests.torture.places import PLACES
from dataset_assets_tests.torture.runs import DONE, End, Order, Runs

KEY = "film"
CHECKPOINT_EVERY = 2
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# As the default formats, but for a film of 320x192.
SIZES = {
    "small_540": (96, 96, "Patches"),
    "medium_169": (144, 81, "Patches_Medium169"),
    "large_720": (192, 192, "Patches_Large"),
    "xlarge_1440": (192, 108, "Patches_XLarge169"),
    "fullhd_1920": (288, 162, "Patches_FullHD"),
}
WEIGHTS = {"general": 1.0, "space": 0.5, "toon": 0.25}
# How often a run comes to each place that has half of 6 windows and 11 triplets yet to make.
TIMES = dict(zip(PLACES, (15, 15, 8, 8, 3), strict=True))

Mode = Literal["generate", "dagster"]


@dataclass
class Report:
    """What was tried.

    Attributes:
        kills: Runs killed, by what was run and how it was killed.
        lives: Data sets that were finished and found whole.
        most_redone: Most windows that a kill cost.
    """

    kills: Counter[str] = field(default_factory=Counter)
    lives: int = 0
    most_redone: int = 0


def film_config(folder: Path, film: Path, **base_settings: Any) -> Path:
    """The configuration of a life."""
    formats = {
        name: {"width": width, "height": height, "folder": place}
        for name, (width, height, place) in SIZES.items()
    }
    base = {"checkpoint_every": CHECKPOINT_EVERY} | base_settings
    return write_config(folder, {"Film": (film, WEIGHTS)}, base_settings=base, formats=formats)


def tree(root: Path) -> dict[str, str]:
    """Hash of every file of a data set but tables, locks and Dagster's; of pages the names only."""
    found = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_dir() or name.startswith((".dagster/", "metadata/.locks/")) or name.endswith(".parquet"):
            continue
        is_page = name.startswith("gallery/")
        found[name] = "" if is_page else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


class Victims:
    """Data sets of one film whose runs are killed."""

    def __init__(self, folder: Path, film: Path, runs: Runs) -> None:
        """Makes the data set that the others are held against.

        Args:
            folder: Where data sets go.
            film: The film.
            runs: Starts Dagster runs.
        """
        self.report = Report()
        self._folder = folder
        self._film = film
        self._runs = runs
        # The first brings imports that no other pays for.
        for name in ("first", "whole"):
            config = film_config(folder / name, self._film)
            started_s = time.monotonic()
            assert runs.run(Order(str(config), KEY)).code == DONE
            self._run_s = time.monotonic() - started_s
        self._whole = config.parent / "dataset"

    def live(self, mode: Mode, kills: int, rng: random.Random) -> None:
        """Kills runs on a new data set until one gets through, or so many were killed.

        Args:
            mode: What is run.
            kills: Kills at most.
            rng: Draws moments, places and signals.

        Raises:
            AssertionError: Something was lost.
        """
        config = film_config(self._folder / f"life-{self.report.lives}-{mode}", self._film)
        root = config.parent / "dataset"
        kill: Callable[[Path, random.Random], str | None] = (
            self._kill_generate if mode == "generate" else self._kill_dagster
        )
        kept: dict[str, tuple[int, int]] = {}
        for _ in range(kills):
            how = kill(config, rng)
            if how is None:
                break
            self.report.kills[how] += 1
            kept |= self._hold(root, kept)
        if mode == "generate":
            done = run("generate", "--config", config)
            assert done.returncode == 0, done.stdout + done.stderr
        else:
            end = self._runs.run(Order(str(config), KEY))
            assert end.code == DONE, end
        self._hold(root, kept)
        self._compare(root)
        self.report.lives += 1

    def fail(self, number: int, error: int) -> End:
        """Lets the disk fail from a call on, and makes room again.

        Returns:
            How the run ended that it failed under.
        """
        # The same call may be drawn twice.
        config = film_config(Path(mkdtemp(dir=self._folder, prefix="disk-")), self._film)
        root = config.parent / "dataset"
        root.mkdir()
        end = self._runs.run(Order(str(config), KEY, number=number, error=error))
        kept = self._hold(root, {})
        assert self._runs.run(Order(str(config), KEY)).code == DONE
        self._hold(root, kept)
        self._compare(root)
        return end

    def _kill_dagster(self, config: Path, rng: random.Random) -> str | None:
        number = rng.choice(SIGNALS)
        if rng.random() < 0.6:
            place = rng.choice(PLACES)
            times = rng.randint(1, TIMES[place])
            end = self._runs.run(Order(str(config), KEY, place, times, number))
            where: str = place
        else:
            pid = self._runs.start(Order(str(config), KEY))
            time.sleep(rng.uniform(0, self._run_s))
            _send(pid, number)
            end = self._runs.wait()
            where = "at a random moment"
        return None if end.code == DONE else f"Dagster run, {number.name}, {where}"

    def _kill_generate(self, config: Path, rng: random.Random) -> str | None:
        number = rng.choice(SIGNALS)
        process = start("generate", "--config", config)
        # It imports for about as long as a run takes, and so does its first worker.
        with suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.5, 3) * self._run_s)
        workers = read_progress(config.parent / "dataset/metadata/.progress")
        victim = "worker" if workers and rng.random() < 0.5 else "parent"
        if victim == "worker":
            _send(workers[0].pid, number)
        elif process.poll() is None:
            process.send_signal(number)
        output, _ = process.communicate(timeout=120)
        wait_until(lambda: processes_of(config) == [], "an orphan ends")
        assert not any(is_alive(worker.pid) for worker in workers)
        assert "Traceback" not in output, output
        return None if process.returncode == 0 else f"generate, {number.name}, {victim}"

    def _hold(self, root: Path, kept: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        """Holds what is there against the promises; gives inode and time of the files that rows name."""
        named = files_named_by_rows(root)
        for name, moment in kept.items():
            assert name in named, f"{name} was committed, and its row is lost"
            assert _moment(root / name) == moment, f"{name} was committed, and made again"
        redone = _uncommitted(root)
        assert redone <= CHECKPOINT_EVERY, f"{redone} windows are lost"
        self.report.most_redone = max(self.report.most_redone, redone)
        return {name: _moment(root / name) for name in named}

    def _compare(self, root: Path) -> None:
        assert tables(root) == tables(self._whole)
        assert tree(root) == tree(self._whole)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has ended by itself


def _moment(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns


def _uncommitted(root: Path) -> int:
    """Windows of which files were written, and that are in no table."""
    noted: set[str] = set()
    for journal in (root / "metadata/.journals").glob("*"):
        for line in journal.read_text(encoding="utf-8").splitlines():
            try:
                noted.update(Path(name).stem for name in json.loads(line))
            except ValueError:
                continue
    committed: set[Any] = set()
    for path in root.glob("metadata/patches/*/*/*.parquet"):
        committed.update(pq.ParquetFile(path).read(["patch_id"]).column("patch_id").to_pylist())
    return len(noted - committed)
