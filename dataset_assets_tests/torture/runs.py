"""Dagster runs in processes of their own, as the UI's run workers are, and where they are to end.

`Runs` starts this file as a script once. It imports everything, and forks a process for each run: a start
takes milliseconds instead of seconds.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from unittest.mock import patch

import dagster as dg
from dagster._utils.interrupts import setup_interrupt_handlers

from dataset_assets.assets.failures import failure_of_events
from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.definitions import MAKE_PATCHES_JOB, build_defs
from dataset_assets.launch.concurrency_slots import free_concurrency_slots
from dataset_assets.launch.home import entered_home
from dataset_assets.launch.worker import QUIET
from dataset_assets.partitions import add_missing
from dataset_assets_tests.command import ROOT, environment, obey_ctrl_c
from dataset_assets_tests.torture.places import Place, ended_at, failing_from

DONE, FAILED, STOPPED = 0, 3, 130


@dataclass(frozen=True)
class Order:
    """A run, and how it is to end; by itself where nothing is said.

    Attributes:
        config: The configuration.
        key: The video's key.
        place: Where it gets a signal.
        number: The how manyth time it comes there, or the how manyth call fails, counted from 1.
        signal: The signal.
        error: The error with which the disk fails.
        has_locks: Whether `flock` works, as it does not on every network file system.
    """

    config: str
    key: str
    place: Place | None = None
    number: int = 0
    signal: int = 0
    error: int = 0
    has_locks: bool = True


@dataclass(frozen=True)
class End:
    """How a run ended.

    Attributes:
        code: `DONE`, `FAILED`, `STOPPED`, or the signal that killed it, negative.
        sentence: Why it failed.
    """

    code: int
    sentence: str


class Runs:
    """Starts runs, one at a time."""

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "dataset_assets_tests.torture.runs"],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            preexec_fn=obey_ctrl_c,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.communicate(timeout=60)

    def start(self, order: Order) -> int:
        """Starts a run; gives its process."""
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(asdict(order)) + "\n")
        return int(self._line())

    def wait(self) -> End:
        """Waits until the run that was started last has ended."""
        return End(**json.loads(self._line()))

    def run(self, order: Order) -> End:
        """Runs to the end."""
        self.start(order)
        return self.wait()

    def _line(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline()


def _serve() -> None:
    with tempfile.TemporaryDirectory() as home, dg.DagsterInstance.local_temp(home):
        pass  # imports half of Dagster, a CPU second that every run would spend
    gc.freeze()
    for line in sys.stdin:
        order = Order(**json.loads(line))
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            os.dup2(2, 1)
            code, sentence = _run(order)
            os.write(writing, sentence.encode())
            os._exit(code)
        os.close(writing)
        print(child, flush=True)
        with open(reading, encoding="utf-8") as pipe:  # noqa: PTH123  # a descriptor
            sentence = pipe.read()
        _, status = os.waitpid(child, 0)
        print(json.dumps(asdict(End(os.waitstatus_to_exitcode(status), sentence))), flush=True)


def _run(order: Order) -> tuple[int, str]:
    try:
        setup_interrupt_handlers()
        config = Path(order.config)
        settings = load_settings(config)
        job = build_defs(config).resolve_job_def(MAKE_PATCHES_JOB)
        with entered_home(settings, config), dg.DagsterInstance.get() as instance:
            add_missing(instance, settings)
            # The daemon does so, a minute after a kill.
            free_concurrency_slots(instance, DataSet.of(settings))
            with _end(order, settings.base.output_base_dir):
                result = job.execute_in_process(
                    instance=instance, partition_key=order.key, run_config=QUIET, raise_on_error=False
                )
            if result.success:
                return DONE, ""
            return FAILED, failure_of_events(
                order.key, result.all_events, result.run_id, time.time()
            ).sentence
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        return STOPPED, ""
    except Exception as error:
        return FAILED, f"{type(error).__name__}: {error}"


@contextmanager
def _without_locks() -> Iterator[None]:
    with patch("fcntl.flock"):
        yield


def _end(order: Order, root: Path) -> AbstractContextManager[None]:
    if not order.has_locks:
        return _without_locks()
    if order.place is not None:
        return ended_at(order.place, order.number, order.signal)
    return failing_from(order.number, order.error, root) if order.error else nullcontext()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _serve()
