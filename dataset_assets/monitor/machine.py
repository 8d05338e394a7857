"""What the machine and the runs' processes use: processor, memory, disks.

Not here: what of the machine may be used (`dataset_assets.machine`), and whether a process is the one that is
meant (`process`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import psutil

from dataset_assets.machine import core_numbers, limited_cpu_s, usable_cores, usable_memory
from dataset_assets.monitor.snapshot import Machine


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """What one process uses.

    Attributes:
        cpu_percent: Processor time since the reading before; 100 is one core. None at the first reading.
        memory_bytes: Memory in use.
    """

    cpu_percent: float | None
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class _Process:
    cpu_s: float
    memory_bytes: int
    read_bytes: int | None
    written_bytes: int | None


@dataclass(frozen=True, slots=True)
class _Reading:
    moment_s: float
    processes: Mapping[int, _Process]
    limited_cpu_s: float | None


class MachineReader:
    """Readings of the machine; what is a rate is over the time since the reading before."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._before: _Reading | None = None

    def read(
        self, pids: Collection[int], now_s: float | None = None
    ) -> tuple[Machine, dict[int, ProcessUse]]:
        """Read the machine and the processes of the runs.

        Args:
            pids: The processes; one that has ended counts for nothing.
            now_s: Any clock in seconds that only goes forward; the machine's by default.

        Returns:
            The machine, and each process that is there.
        """
        now = _Reading(
            time.monotonic() if now_s is None else now_s,
            {pid: process for pid in set(pids) if (process := _process(pid)) is not None},
            limited_cpu_s(),
        )
        before, self._before = self._before, now
        # psutil's percentages are since its last reading, of which the first has none.
        busy_percent, cpu_shares = _busy_percent(), psutil.cpu_times_percent()
        cores = usable_cores()
        memory = usable_memory()
        processes = now.processes.values()
        machine = Machine(
            cpu_count=cores,
            cpu_percent=None if before is None else _used_percent(before, now, cores, busy_percent),
            io_wait_percent=None if before is None else getattr(cpu_shares, "iowait", None),
            load_1m=os.getloadavg()[0],
            memory_bytes=memory.total_bytes,
            memory_available_bytes=memory.available_bytes,
            runs_cpu_percent=_cpu_percent(before, now, now.processes),
            runs_memory_bytes=sum(process.memory_bytes for process in processes) if processes else None,
            runs_read_bytes_per_s=_rate(before, now, now.processes, "read_bytes"),
            runs_written_bytes_per_s=_rate(before, now, now.processes, "written_bytes"),
        )
        uses = {
            pid: ProcessUse(_cpu_percent(before, now, [pid]), process.memory_bytes)
            for pid, process in now.processes.items()
        }
        return machine, uses


def _busy_percent() -> float:
    """Return the processor time in use of the cores that this process may run on, since the last call."""
    each = psutil.cpu_percent(percpu=True)
    usable = [each[number] for number in core_numbers() if number < len(each)]
    return sum(usable) / len(usable) if usable else psutil.cpu_percent()


def _used_percent(before: _Reading, now: _Reading, cores: int, busy_percent: float) -> float:
    """Return the processor time in use; in a container with a quota, what the container took of its cores."""
    if before.limited_cpu_s is None or now.limited_cpu_s is None or now.moment_s <= before.moment_s:
        return busy_percent
    used_s = now.limited_cpu_s - before.limited_cpu_s
    return 100 * used_s / (now.moment_s - before.moment_s) / cores


def _process(pid: int) -> _Process | None:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times, memory_bytes = process.cpu_times(), process.memory_info().rss
    except psutil.Error:
        return None
    try:
        moved = process.io_counters()
    except (psutil.Error, OSError, AttributeError):  # another user's, or it ended just now; none on macOS
        return _Process(times.user + times.system, memory_bytes, None, None)
    return _Process(times.user + times.system, memory_bytes, moved.read_bytes, moved.write_bytes)


def _cpu_percent(before: _Reading | None, now: _Reading, pids: Collection[int]) -> float | None:
    cores = _rate(before, now, pids, "cpu_s")
    return None if cores is None else 100 * cores


def _rate(before: _Reading | None, now: _Reading, pids: Collection[int], name: str) -> float | None:
    """Return what processes in both readings did in a second; None where that is not known of any."""
    if before is None or now.moment_s <= before.moment_s:
        return None
    grown = [
        new - old
        for pid in pids
        if pid in before.processes
        and (new := getattr(now.processes[pid], name)) is not None
        and (old := getattr(before.processes[pid], name)) is not None
    ]
    return sum(grown) / (now.moment_s - before.moment_s) if grown else None
