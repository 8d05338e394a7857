"""Telling a process from another that was given the same number later.

Belongs here: identity and age of processes of this machine, from `/proc`, and from `ps` where there is no
`/proc` (macOS). Not here: what a process uses of the machine; the command line measures that.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
ENDED_STATES = ("Z", "X")  # a zombie, and one that is just being removed


class ProcStat(NamedTuple):
    """What `/proc/<pid>/stat` tells of a process.

    Attributes:
        state: A letter, see proc(5).
        cpu_s: CPU seconds spent by all its threads.
        started_s: Seconds from the start of the machine to its own.
        memory_bytes: Memory in use (resident set).
    """

    state: str
    cpu_s: float
    started_s: float
    memory_bytes: int


def process_identity(pid: int, proc: Path = PROC) -> str | None:
    """Tells a process of this machine from any other, earlier or later, that has the same number.

    Args:
        pid: Number of the process.
        proc: Where the kernel shows processes.

    Returns:
        A text to compare; None where there is no such process, or it has ended.
    """
    if not (proc / "self").exists():
        return _ps(pid)
    stat = read_stat(pid, proc)
    if stat is None:
        return None
    return f"{_boot(proc)} {stat.started_s:.2f}"


def process_age_s(pid: int, proc: Path = PROC) -> float | None:
    """Gives the seconds that a process has been there; None where it is not, or there is no `/proc`."""
    stat = read_stat(pid, proc)
    if stat is None:
        return None
    uptime_s = float((proc / "uptime").read_text(encoding="ascii").split()[0])
    return uptime_s - stat.started_s


def read_stat(pid: int, proc: Path = PROC) -> ProcStat | None:
    """Reads `/proc/<pid>/stat`; None where there is no such process, or it has ended."""
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the command in brackets and may hold blanks and brackets itself.
    fields = text.rpartition(")")[2].split()
    if fields[0] in ENDED_STATES:
        return None
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    return ProcStat(
        state=fields[0],
        cpu_s=(int(fields[11]) + int(fields[12])) / ticks_per_s,
        started_s=int(fields[19]) / ticks_per_s,
        memory_bytes=int(fields[21]) * os.sysconf("SC_PAGE_SIZE"),
    )


def _boot(proc: Path) -> str:
    try:
        return (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""  # some sandboxes hide it


def _ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"}
        )
    except OSError:
        return None
    state, _, started = done.stdout.strip().partition(" ")
    return started.strip() if state and state[0] not in ENDED_STATES else None
