"""What the machine and the runs' processes use: processor, memory, disks; from `/proc`.

Where there is no `/proc` (macOS) all but the cores and the load is not known. Not here: telling whether a
process is the one that is meant (`generate.process`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from dataset_assets.cli.snapshot import Machine
from dataset_assets.generate.process import PROC, read_stat


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
    ticks: tuple[int, int, int] | None  # in use, waiting for disks, all


class MachineReader:
    """Readings of the machine; what is a rate is over the time since the reading before."""

    def __init__(self, proc: Path = PROC) -> None:
        """Reads nothing yet.

        Args:
            proc: Where the kernel shows itself.
        """
        self._proc = proc
        self._before: _Reading | None = None

    def read(
        self, pids: Collection[int], now_s: float | None = None
    ) -> tuple[Machine, dict[int, ProcessUse]]:
        """Reads the machine and the processes of the runs.

        Args:
            pids: The processes; one that has ended counts for nothing.
            now_s: Any clock in seconds that only goes forward; the machine's by default.

        Returns:
            The machine, and each process that is there.
        """
        now = _Reading(
            time.monotonic() if now_s is None else now_s,
            {pid: process for pid in set(pids) if (process := self._process(pid)) is not None},
            self._ticks(),
        )
        before, self._before = self._before, now
        cpu_percent, io_wait_percent = _shares(before, now)
        memory_bytes, available_bytes = self._memory()
        processes = now.processes.values()
        runs_cpu = _rate(before, now, "cpu_s")
        machine = Machine(
            cpu_count=os.cpu_count() or 1,
            cpu_percent=cpu_percent,
            io_wait_percent=io_wait_percent,
            load_1m=os.getloadavg()[0],
            memory_bytes=memory_bytes,
            memory_available_bytes=available_bytes,
            runs_cpu_percent=None if runs_cpu is None else 100 * runs_cpu,
            runs_memory_bytes=sum(process.memory_bytes for process in processes) if processes else None,
            runs_read_bytes_per_s=_rate(before, now, "read_bytes"),
            runs_written_bytes_per_s=_rate(before, now, "written_bytes"),
        )
        return machine, {pid: _use(before, now, pid) for pid in now.processes}

    def _process(self, pid: int) -> _Process | None:
        stat = read_stat(pid, self._proc)
        if stat is None:
            return None
        counts: dict[str, str] = {}
        try:
            lines = (self._proc / str(pid) / "io").read_text(encoding="ascii").splitlines()
            counts = dict(line.split(": ") for line in lines)
        except OSError:
            pass  # another user's process, or it ended just now
        read, written = counts.get("read_bytes"), counts.get("write_bytes")
        return _Process(
            stat.cpu_s,
            stat.memory_bytes,
            None if read is None else int(read),
            None if written is None else int(written),
        )

    def _ticks(self) -> tuple[int, int, int] | None:
        try:
            line = (self._proc / "stat").read_text(encoding="ascii").splitlines()[0]
        except OSError:
            return None
        # user nice system idle iowait irq softirq steal; guests are counted in the first two already.
        ticks = [int(field) for field in line.split()[1:9]]
        idle, io_wait, whole = ticks[3], ticks[4], sum(ticks)
        return whole - idle - io_wait, io_wait, whole

    def _memory(self) -> tuple[int | None, int | None]:
        try:
            lines = (self._proc / "meminfo").read_text(encoding="ascii").splitlines()
        except OSError:
            return None, None
        kibibytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        return kibibytes["MemTotal"] * 1024, kibibytes["MemAvailable"] * 1024


def _shares(before: _Reading | None, now: _Reading) -> tuple[float | None, float | None]:
    """Processor time in use, and waiting for disks, in percent of all cores."""
    if before is None or before.ticks is None or now.ticks is None:
        return None, None
    used, waiting, whole = (new - old for new, old in zip(now.ticks, before.ticks, strict=True))
    return (100 * used / whole, 100 * waiting / whole) if whole > 0 else (None, None)


def _rate(before: _Reading | None, now: _Reading, name: str) -> float | None:
    """What the processes of both readings did in a second; None where that is not known of any."""
    if before is None or now.moment_s <= before.moment_s:
        return None
    grown = [
        new - old
        for pid, process in now.processes.items()
        if pid in before.processes
        and (new := getattr(process, name)) is not None
        and (old := getattr(before.processes[pid], name)) is not None
    ]
    return sum(grown) / (now.moment_s - before.moment_s) if grown else None


def _use(before: _Reading | None, now: _Reading, pid: int) -> ProcessUse:
    process = now.processes[pid]
    earlier = before.processes.get(pid) if before else None
    if before is None or earlier is None or now.moment_s <= before.moment_s:
        return ProcessUse(None, process.memory_bytes)
    percent = 100 * (process.cpu_s - earlier.cpu_s) / (now.moment_s - before.moment_s)
    return ProcessUse(percent, process.memory_bytes)
