from __future__ import annotations

import os
from pathlib import Path

import pytest

from dataset_assets.cli.machine import MachineReader, ProcessUse

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def show(proc: Path, pid: int, cpu_s: float, written_bytes: int | None) -> None:
    """Has the kernel show a process of 1000 pages."""
    ticks = round(cpu_s * TICKS_PER_S)
    fields = ["R", *"0" * 10, str(ticks), "0", *"0" * 6, "5", "0", "1000"]
    (proc / str(pid)).mkdir(parents=True, exist_ok=True)
    (proc / str(pid) / "stat").write_text(f"{pid} (python) {' '.join(fields)}\n")
    if written_bytes is not None:
        counts = f"rchar: 9\nread_bytes: 0\nwrite_bytes: {written_bytes}\ncancelled_write_bytes: 0\n"
        (proc / str(pid) / "io").write_text(counts)


def show_machine(proc: Path, used: int, idle: int, waiting: int) -> None:
    """Has the kernel show the machine; ticks since it started."""
    proc.mkdir(exist_ok=True)
    (proc / "stat").write_text(f"cpu  {used - 1} 0 1 {idle} {waiting} 0 0 0 77 0\ncpu0 1 1 1 1\n")
    (proc / "meminfo").write_text("MemTotal:  8000 kB\nMemFree:  100 kB\nMemAvailable:   3000 kB\n")


def test_rates_are_over_the_time_between_two_readings(tmp_path: Path) -> None:
    reader = MachineReader(tmp_path)
    show_machine(tmp_path, used=100, idle=900, waiting=0)
    show(tmp_path, 7, cpu_s=10.0, written_bytes=1_000_000)
    show(tmp_path, 8, cpu_s=5.0, written_bytes=None)
    first, uses = reader.read([7, 8, 9], now_s=50.0)
    assert (first.cpu_percent, first.io_wait_percent, first.runs_cpu_percent) == (None, None, None)
    assert (first.memory_bytes, first.memory_available_bytes) == (8000 * 1024, 3000 * 1024)
    assert first.runs_memory_bytes == 2000 * PAGE_BYTES
    assert uses == {7: ProcessUse(None, 1000 * PAGE_BYTES), 8: ProcessUse(None, 1000 * PAGE_BYTES)}

    show_machine(tmp_path, used=160, idle=1020, waiting=20)
    show(tmp_path, 7, cpu_s=11.0, written_bytes=5_000_000)
    show(tmp_path, 8, cpu_s=8.0, written_bytes=None)
    show(tmp_path, 9, cpu_s=100.0, written_bytes=0)  # new: nothing is known of what it did before
    second, uses = reader.read([7, 8, 9], now_s=52.0)
    assert (second.cpu_percent, second.io_wait_percent) == (30.0, 10.0)
    assert second.runs_cpu_percent == 200.0
    assert second.runs_written_bytes_per_s == 2_000_000
    assert second.runs_read_bytes_per_s == 0
    assert {pid: use.cpu_percent for pid, use in uses.items()} == {7: 50.0, 8: 150.0, 9: None}


def test_a_process_that_ended_counts_for_nothing(tmp_path: Path) -> None:
    reader = MachineReader(tmp_path)
    show_machine(tmp_path, used=1, idle=1, waiting=0)
    show(tmp_path, 7, cpu_s=10.0, written_bytes=0)
    reader.read([7], now_s=0.0)
    machine, uses = reader.read([], now_s=1.0)
    assert (machine.runs_cpu_percent, machine.runs_memory_bytes, uses) == (None, None, {})


def test_without_proc_only_the_cores_and_the_load_are_known(tmp_path: Path) -> None:
    reader = MachineReader(tmp_path / "none")
    for _ in range(2):
        machine, uses = reader.read([os.getpid()])
    assert (machine.cpu_percent, machine.memory_bytes, machine.runs_cpu_percent) == (None, None, None)
    assert machine.cpu_count == os.cpu_count()
    assert machine.load_1m >= 0
    assert uses == {}


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="needs /proc")
def test_this_machine_is_read() -> None:
    reader = MachineReader()
    reader.read([os.getpid()])
    machine, uses = reader.read([os.getpid()])
    assert machine.memory_bytes is not None
    assert machine.memory_available_bytes is not None
    assert 0 < machine.memory_available_bytes < machine.memory_bytes
    assert 0 < uses[os.getpid()].memory_bytes < machine.memory_bytes
