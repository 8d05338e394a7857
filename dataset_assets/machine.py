"""How much of its machine this process may use: cores and memory, within its control groups and affinity.

In a container or a Slurm job that is less than the machine has, which is all that `os` and psutil report.
Both versions of control groups are read; elsewhere than on Linux the machine is the limit. Not here: what
processes use of it (`monitor`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

_PROC: Final = Path("/proc/self")
_UNLIMITED: Final = "max"


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory for this process and those it shares a limit with.

    Attributes:
        total_bytes: The machine's, or the least limit of the process's control groups.
        available_bytes: What may still be taken of it, caches that can be dropped included.
    """

    total_bytes: int
    available_bytes: int


def usable_memory(proc: Path = _PROC) -> Memory:
    """Return the memory that this process may use.

    Args:
        proc: The kernel's folder about the process.
    """
    machine = psutil.virtual_memory()
    total_bytes, available_bytes = machine.total, machine.available
    for group in _groups(proc, "memory"):
        limit_bytes = _number(group, "memory.max", "memory.limit_in_bytes")
        # Without a limit version 1 shows the largest number of pages that there can be.
        if limit_bytes is None or limit_bytes >= machine.total:
            continue
        total_bytes = min(total_bytes, limit_bytes)
        used_bytes = _number(group, "memory.current", "memory.usage_in_bytes") or 0
        cached_bytes = _stat(group / "memory.stat", "total_inactive_file", "inactive_file") or 0
        available_bytes = min(available_bytes, max(0, limit_bytes - used_bytes + cached_bytes))
    return Memory(total_bytes, available_bytes)


def usable_cores(proc: Path = _PROC) -> int:
    """Return the cores that this process may use, a part of one as one.

    Args:
        proc: The kernel's folder about the process.
    """
    quotas = [quota for group in _groups(proc, "cpu") if (quota := _quota(group)) is not None]
    return max(1, math.ceil(min([len(core_numbers()), *quotas])))


def core_numbers() -> list[int]:
    """Return the numbers of the cores that this process may run on, in order."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))  # macOS has no affinity


def limited_cpu_s(proc: Path = _PROC) -> float | None:
    """Return the processor time that the control group has taken whose quota limits this process.

    Args:
        proc: The kernel's folder about the process.

    Returns:
        Seconds; None where no group has a quota below the cores, or it does not count.
    """
    quotas = {quota: group for group in _groups(proc, "cpu") if (quota := _quota(group)) is not None}
    if not quotas or min(quotas) >= len(core_numbers()):
        return None
    group = quotas[min(quotas)]
    used_us = _stat(group / "cpu.stat", "usage_usec")
    if used_us is not None:
        return used_us / 1e6
    used_ns = _number(group, "cpuacct.usage")
    return None if used_ns is None else used_ns / 1e9


def _quota(group: Path) -> float | None:
    """Return the cores' worth of processor time that a group may take; None without a limit."""
    both = _read(group / "cpu.max").split()
    if not both:
        both = [_read(group / name).strip() for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    try:
        quota_us, period_us = map(int, both)
    except ValueError:  # "max", or no such files
        return None
    return quota_us / period_us if quota_us > 0 and period_us > 0 else None


def _groups(proc: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of the process's control groups that may limit something, the innermost first.

    A limit of any of them holds for the process.
    """
    paths = dict(_group_paths(proc))
    for line in _read(proc / "mountinfo").splitlines():
        # Number, parent, device, root, mount point, options, ..., "-", type, source, options of the type.
        mount, _, filesystem = line.partition(" - ")
        root, mount_point = mount.split()[3:5]
        kind, _, options = filesystem.split()[:3]
        is_version_1 = kind == "cgroup" and controller in options.split(",")
        path = paths.get(controller if is_version_1 else "")
        if path is None or not (is_version_1 or kind == "cgroup2"):
            continue
        top = Path(mount_point)
        # In a container the mount shows the group of the container as its root.
        inside = Path(path).relative_to(root) if Path(path).is_relative_to(root) else Path()
        if ".." in inside.parts:
            inside = Path()
        yield from (top / folder for folder in (inside, *inside.parents))


def _group_paths(proc: Path) -> Iterator[tuple[str, str]]:
    """Yield the controllers of version 1, and an empty name for version 2, with the path of the group."""
    for line in _read(proc / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        yield from ((controller, path) for controller in controllers.split(","))


def _number(group: Path, *names: str) -> int | None:
    for name in names:
        text = _read(group / name).strip()
        if text and text != _UNLIMITED:
            return int(text)
    return None


def _stat(path: Path, *names: str) -> int | None:
    numbers = dict(line.split() for line in _read(path).splitlines())
    return next((int(numbers[name]) for name in names if name in numbers), None)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # another system, or a controller that is not there
        return ""
