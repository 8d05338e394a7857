"""CPU seconds of a command with everything it starts, also what it leaves behind for others to wait for."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command cost, and what it printed.

    Attributes:
        cpu_s: User and system time of all its processes.
        wall_s: Time until the last of them had ended.
        max_rss_mib: Largest resident set of any process measured so far in this program.
        output: Standard output.
    """

    cpu_s: float
    wall_s: float
    max_rss_mib: float
    output: str


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Runs a command to its end.

    `generate` forks its workers from a server process that nobody waits for; this process adopts such
    orphans, so that their time is counted.

    Raises:
        SystemExit: The command failed.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before, started_s = _children_cpu_s(), time.perf_counter()
    done = subprocess.run(
        command,
        env=os.environ | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    _wait_for_orphans()
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Measured(
        _children_cpu_s() - before, time.perf_counter() - started_s, usage.ru_maxrss / 1024, done.stdout
    )


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _wait_for_orphans() -> None:
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
