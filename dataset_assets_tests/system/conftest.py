"""One UI for all tests of the system, over a configuration with a film for each thing that can happen to one.

Starting the services takes seconds, and the daemon looks at backfills every few seconds: what can go on at
the same time is started here, together.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dataset_assets_tests.command import start
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.system.dagster_ui import BACKFILL_S, DagsterUi, Run, running_ui

# Looked up by GraphQL, stopped, killed, cancelled: each by a test of its own.
BY_COMMAND, DONE, BROKEN, STOPPED, KILLED = "alpha", ("beta", "gamma"), "broken", "stopped", "killed"
HELD = ("held-one", "held-two")
WATCHED = "incoming"
INTERRUPTED = (STOPPED, KILLED, *HELD)


@dataclass(frozen=True)
class Ended:
    """A backfill that has ended."""

    status: str
    runs: list[Run]


@dataclass(frozen=True)
class Reference:
    """A run of the command, and the data set that it makes."""

    root: Path
    process: subprocess.Popen[str]


def system_config(folder: Path, sdr_film: Film, vfr_film: Film, pq_film: Film) -> Path:
    """A configuration whose films commit after each window."""
    broken = folder / "broken.mkv"
    (folder / WATCHED).mkdir()
    broken.write_bytes(b"no film at all " * 1000)
    every = {"general": 1.0, "space": 1.0, "toon": 1.0}
    return write_config(
        folder,
        {
            "Alpha": (sdr_film.path, {"general": 0.4}),
            "Beta": (sdr_film.path, {"toon": 0.5}),
            "Gamma": (vfr_film.path, {"general": 0.4, "space": 0.3, "toon": 0.3}),
            "Broken": (broken, {"general": 1.0}),
            "Stopped": (pq_film.path, every),
            "Killed": (pq_film.path, every),
            "Held one": (sdr_film.path, every),
            "Held two": (sdr_film.path, every),
        },
        base_settings={"base_frame_limit": 8, "checkpoint_every": 1, "sampling": "uniform"},
        watch=[{"folder": WATCHED, "categories": {"toon": 0.5}, "settled_after_s": 0}],
    )


@pytest.fixture(scope="session")
def ui(
    tmp_path_factory: pytest.TempPathFactory, sdr_film: Film, vfr_film: Film, pq_film: Film
) -> Iterator[DagsterUi]:
    """A running UI; the tests change what it holds, each its own films."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc to end what the UI started")
    config = system_config(tmp_path_factory.mktemp("system"), sdr_film, vfr_film, pq_film)
    with running_ui(config) as running:
        yield running


@pytest.fixture(scope="session")
def launched(ui: DagsterUi, reference: Reference) -> tuple[str, str]:
    """Two backfills that run while other tests do: of two films, and of one that is none."""
    return ui.backfill(*DONE), ui.backfill(BROKEN)


@pytest.fixture(scope="session")
def done(ui: DagsterUi, launched: tuple[str, str]) -> Ended:
    """The backfill of two films."""
    return Ended(*ui.wait_for_backfill(launched[0]))


@pytest.fixture(scope="session")
def failed(ui: DagsterUi, launched: tuple[str, str]) -> Ended:
    """The backfill of a film that is none."""
    return Ended(*ui.wait_for_backfill(launched[1]))


@pytest.fixture(scope="session")
def reference(ui: DagsterUi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    """A run of the command on the films that tests interrupt, in another place, beside the other tests."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    (folder / WATCHED).mkdir()
    config = folder / ui.config.name
    shutil.copyfile(ui.config, config)
    process = start("generate", "--config", config, "--videos", ",".join(INTERRUPTED))
    yield Reference(folder / "dataset", process)
    process.kill()
    process.communicate()


@pytest.fixture(scope="session")
def uninterrupted(reference: Reference) -> Path:
    """The data set of a run that nobody interrupted."""
    output, _ = reference.process.communicate(timeout=BACKFILL_S)
    assert reference.process.returncode == 0, output
    return reference.root


@pytest.fixture
def frozen() -> Iterator[set[int]]:
    """Processes that a test has stopped; they go on at its end."""
    pids: set[int] = set()
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
