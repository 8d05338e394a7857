from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from dataset_assets.monitor.machine import MachineReader, ProcessUse

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def show(proc: Path, pid: int, cpu_s: float, written_bytes: int | None) -> None:
    """Have the kernel show a process of 1000 pages."""
    fields = ["R", *"0" * 10, str(round(cpu_s * TICKS_PER_S)), "0", *"0" * 6, "5", *"0" * 30]
    (proc / str(pid)).mkdir(parents=True, exist_ok=True)
    (proc / str(pid) / "stat").write_text(f"{pid} (python) {' '.join(fields)}\n")
    (proc / str(pid) / "statm").write_text("5000 1000 10 10 0 10 0\n")
    if written_bytes is not None:
        counts = f"rchar: 9\nwchar: 9\nsyscr: 1\nsyscw: 1\nread_bytes: 0\nwrite_bytes: {written_bytes}\n"
        (proc / str(pid) / "io").write_text(counts)


def show_machine(proc: Path, used: int, idle: int, waiting: int) -> None:
    """Have the kernel show the machine; ticks since it started."""
    (proc / "stat").write_text(f"cpu  {used - 1} 0 1 {idle} {waiting} 0 0 0 0 0\nbtime 1700000000\n")
    sizes = {"MemTotal": 8000, "MemFree": 100, "MemAvailable": 3000, "Buffers": 0, "Cached": 0}
    more = dict.fromkeys(("Shmem", "Active", "Inactive", "Slab"), 0)
    (proc / "meminfo").write_text("".join(f"{name}: {kib} kB\n" for name, kib in (sizes | more).items()))


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that psutil takes for the kernel's."""
    if not psutil.LINUX:
        pytest.skip("needs /proc")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    return tmp_path


def test_rates_are_over_the_time_between_two_readings(proc: Path) -> None:
    reader = MachineReader()
    show_machine(proc, used=100, idle=900, waiting=0)
    show(proc, 7, cpu_s=10.0, written_bytes=1_000_000)
    show(proc, 8, cpu_s=5.0, written_bytes=None)
    first, uses = reader.read([7, 8, 9], now_s=50.0)
    assert (first.cpu_percent, first.io_wait_percent, first.runs_cpu_percent) == (None, None, None)
    assert (first.memory_bytes, first.memory_available_bytes) == (8000 * 1024, 3000 * 1024)
    assert first.runs_memory_bytes == 2000 * PAGE_BYTES
    assert uses == {7: ProcessUse(None, 1000 * PAGE_BYTES), 8: ProcessUse(None, 1000 * PAGE_BYTES)}

    show_machine(proc, used=160, idle=1020, waiting=20)
    show(proc, 7, cpu_s=11.0, written_bytes=5_000_000)
    show(proc, 8, cpu_s=8.0, written_bytes=None)
    show(proc, 9, cpu_s=100.0, written_bytes=0)  # new: nothing is known of what it did before
    second, uses = reader.read([7, 8, 9], now_s=52.0)
    assert (second.cpu_percent, second.io_wait_percent) == (30.0, 10.0)
    assert second.runs_cpu_percent == 200.0
    assert second.runs_written_bytes_per_s == 2_000_000
    assert second.runs_read_bytes_per_s == 0
    assert {pid: use.cpu_percent for pid, use in uses.items()} == {7: 50.0, 8: 150.0, 9: None}


def test_a_process_that_ended_counts_for_nothing(proc: Path) -> None:
    reader = MachineReader()
    show_machine(proc, used=1, idle=1, waiting=0)
    show(proc, 7, cpu_s=10.0, written_bytes=0)
    reader.read([7], now_s=0.0)
    machine, uses = reader.read([], now_s=1.0)
    assert (machine.runs_cpu_percent, machine.runs_memory_bytes, uses) == (None, None, {})


def test_this_machine_is_read() -> None:
    reader = MachineReader()
    reader.read([os.getpid()])
    machine, uses = reader.read([os.getpid()])
    assert 0 < machine.memory_available_bytes < machine.memory_bytes
    assert 0 < uses[os.getpid()].memory_bytes < machine.memory_bytes
