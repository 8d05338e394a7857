"""Telling processes apart that have had the same number."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psutil
import pytest

from dataset_assets import process as process_module
from dataset_assets.process import process_age_s, process_identity

needs_proc = pytest.mark.skipif(not psutil.LINUX, reason="needs /proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def show(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    pid: int,
    started_ticks: int,
    *,
    booted_s: int = 1_700_000_000,
    boot: str = "b1",
) -> None:
    """Have the kernel show one process, and when and in which boot it started."""
    fields = ["S", *"0" * 18, str(started_ticks), *"0" * 30]
    (folder / str(pid)).mkdir(parents=True)
    (folder / str(pid) / "stat").write_text(f"{pid} (python) {' '.join(fields)}\n")
    (folder / str(pid) / "status").write_text("State:\tS (sleeping)\n")
    (folder / "stat").write_text(f"cpu  1 1 1 1\nbtime {booted_s}\n")
    (folder / "boot_id").write_text(f"{boot}\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(folder))
    monkeypatch.setattr(process_module, "_BOOT_ID", folder / "boot_id")


def test_a_process_keeps_its_identity_and_has_none_after_its_end() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        identity = process_identity(process.pid)
        assert identity
        assert process_identity(process.pid) == identity != process_identity(os.getpid())
        process.kill()
        process.wait()
    assert process_identity(process.pid) is None
    assert process_age_s(process.pid) is None


def test_a_killed_process_that_nobody_waited_for_has_ended() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_identity(process.pid) is None
        assert process_age_s(process.pid) is None


@needs_proc
def test_the_same_number_at_another_time_or_after_another_boot_is_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(tmp_path / "a", monkeypatch, 77, 5000)
    first = process_identity(77)
    assert process_identity(78) is None
    show(tmp_path / "b", monkeypatch, 77, 5000)
    assert process_identity(77) == first
    show(tmp_path / "c", monkeypatch, 77, 5001)
    assert process_identity(77) != first
    show(tmp_path / "d", monkeypatch, 77, 5000, boot="b2")
    assert process_identity(77) != first


@needs_proc
def test_a_clock_that_is_set_makes_no_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    show(tmp_path / "a", monkeypatch, 77, 5003)
    first = process_identity(77)
    show(tmp_path / "b", monkeypatch, 77, 5003, booted_s=1_800_000_000)
    assert process_identity(77) == first


@needs_proc
def test_the_age_counts_from_the_start_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(tmp_path, monkeypatch, 9, 4 * TICKS_PER_S)
    monkeypatch.setattr("time.time", lambda: 1_700_001_000.0)
    assert process_age_s(9) == 996.0
