"""CPU seconds of a command with everything it starts, also what it leaves behind for others to wait for."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command cost, and what it printed.

    Attributes:
        cpu_s: User and system time of all its processes.
        wall_s: Time until the last of them had ended.
        max_rss_mib: Largest resident set of any of its processes.
        output: What it wrote to standard output and standard error.
    """

    cpu_s: float
    wall_s: float
    max_rss_mib: float
    output: str


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command to its end.

    `generate` forks its workers from a server process that nobody waits for; this process adopts such
    orphans, so that their time is counted.

    Raises:
        SystemExit: The command failed.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started_s = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(
            command, env=os.environ | dict(environment or {}), stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        usages = [usage, *_usage_of_orphans()]
        output.seek(0)
        text = output.read()
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{text}")
    return Measured(
        sum(each.ru_utime + each.ru_stime for each in usages),
        time.perf_counter() - started_s,
        max(each.ru_maxrss for each in usages) / 1024,
        text,
    )


def apart(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """Call a function in a process of its own.

    Linux starts the peak of a new process with the memory of the one that starts it, so what measures peaks
    must not have grown itself. Forked, since spawning leaves a process behind that `measure` would wait for.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(function, *arguments, **options).result()


def _usage_of_orphans() -> Iterator[resource.struct_rusage]:
    while True:
        try:
            yield os.wait4(-1, 0)[2]
        except ChildProcessError:
            return
