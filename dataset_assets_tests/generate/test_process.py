"""Telling processes apart that have had the same number."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dataset_assets.generate.process import process_age_s, process_identity, read_stat

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def proc_with(
    folder: Path, pid: int, started_ticks: int, *, command: str = "python", boot: str = "b1"
) -> Path:
    """What a kernel shows of one process that used 350 ticks of the processor and 1000 pages."""
    fields = ["S", *"0" * 10, "300", "50", *"0" * 6, str(started_ticks), "0", "1000"]
    (folder / str(pid)).mkdir(parents=True)
    (folder / str(pid) / "stat").write_text(f"{pid} ({command}) {' '.join(fields)}\n")
    (folder / "self").symlink_to(str(pid))
    (folder / "sys/kernel/random").mkdir(parents=True)
    (folder / "sys/kernel/random/boot_id").write_text(f"{boot}\n")
    (folder / "uptime").write_text("1000.00 1500.00\n")
    return folder


def test_a_process_keeps_its_identity_and_has_none_after_its_end() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        identity = process_identity(process.pid)
        assert identity
        assert process_identity(process.pid) == identity != process_identity(os.getpid())
        process.kill()
        process.wait()
    assert process_identity(process.pid) is None


@needs_proc
def test_a_killed_process_that_nobody_waited_for_has_ended() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_identity(process.pid) is None
        assert read_stat(process.pid) is None


def test_the_same_number_at_another_time_or_after_another_boot_is_another_process(tmp_path: Path) -> None:
    first = process_identity(77, proc_with(tmp_path / "a", 77, 5000))
    assert first == process_identity(77, proc_with(tmp_path / "b", 77, 5000))
    assert first != process_identity(77, proc_with(tmp_path / "c", 77, 5001))
    assert first != process_identity(77, proc_with(tmp_path / "d", 77, 5000, boot="b2"))
    assert process_identity(78, tmp_path / "a") is None


def test_brackets_and_blanks_in_the_command_mislead_nobody(tmp_path: Path) -> None:
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    proc = proc_with(tmp_path, 9, 4 * ticks_per_s, command="a) S 1 (b")
    stat = read_stat(9, proc)
    assert stat is not None
    assert (stat.state, stat.started_s, stat.cpu_s) == ("S", 4.0, 350 / ticks_per_s)
    assert stat.memory_bytes == 1000 * os.sysconf("SC_PAGE_SIZE")
    assert process_age_s(9, proc) == 996.0


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps")
def test_without_proc_ps_tells(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    identity = process_identity(os.getpid(), tmp_path)
    assert identity
    assert identity == process_identity(os.getpid(), tmp_path)
    assert process_identity(ended.pid, tmp_path) is None
    assert process_age_s(os.getpid(), tmp_path) is None
