"""Detect whether the process that had a number is the one that has it now.

Here: identity and age of processes of this machine. Not here: what a process uses of the machine (`monitor`).
"""

from __future__ import annotations

import socket
import time
from pathlib import Path

import psutil

_ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
# Between a process's own start, to a second, and another time of the same clock.
_CLOCK_SLACK_S = 2.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PROCESS_NUMBERS = Path("/proc/self/ns/pid")


def process_identity(pid: int) -> str | None:
    """Return a text that distinguishes a process from earlier and later ones with the same number.

    Returns:
        A text to compare; None where there is no such process, or it has ended.
    """
    created_s = _created_s(pid)
    if created_s is None:
        return None
    if psutil.LINUX:
        # Linux counts from the boot, and the time of the boot moves whenever the clock is set.
        created_s -= psutil.boot_time()
    return f"{boot_identity()} {created_s:.2f}"


def process_age_s(pid: int) -> float | None:
    """Return the seconds since a process started, to a second; None where there is no such process."""
    created_s = _created_s(pid)
    return None if created_s is None else time.time() - created_s


def was_running(pid: int, seconds_ago: float) -> bool:
    """Return whether the process that had this number so many seconds ago still has it."""
    age_s = process_age_s(pid)
    return age_s is not None and age_s + _CLOCK_SLACK_S >= seconds_ago


def _created_s(pid: int) -> float | None:
    """Unix time at which a process started; None where there is none of the number, or it has ended."""
    try:
        process = psutil.Process(pid)
        return None if process.status() in _ENDED else process.create_time()
    except psutil.NoSuchProcess:
        return None


def host_name() -> str:
    """Return the name by which the other machines know this one."""
    return socket.gethostname()


def boot_identity() -> str:
    """Return the name of this start of a Linux machine; empty elsewhere, and in sandboxes that hide it."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def machine_identity() -> str:
    """Return the name of this start of a machine, and of the container whose processes this one sees.

    Two processes with the same identity see each other's numbers. Empty where that cannot be known.
    """
    boot = boot_identity()
    try:
        return f"{boot} {_PROCESS_NUMBERS.readlink()}" if boot else ""
    except OSError:
        return ""
