"""What a process may use of a machine, by files whose names and forms are the kernel's."""

from __future__ import annotations

import math
import os
from pathlib import Path

import psutil
import pytest

from dataset_assets.generate import step_limits
from dataset_assets.machine import core_numbers, limited_cpu_s, usable_cores, usable_memory

UNLIMITED_1 = 9223372036854771712


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """The kernel's folder about a process without control groups."""
    (tmp_path / "proc").mkdir()
    return tmp_path / "proc"


def mount(proc: Path, kind: str, options: str, root: str = "/") -> Path:
    """Mounts control groups; gives where."""
    mount_point = proc.parent / f"{kind}-{options}"
    mount_point.mkdir()
    with (proc / "mountinfo").open("a", encoding="utf-8") as mounts:
        mounts.write(f"33 31 0:29 {root} {mount_point} rw,relatime - {kind} {kind} rw,{options}\n")
    return mount_point


def write(group: Path, **numbers: str | int) -> None:
    """Writes the files of a control group; a dot in a name is two underscores."""
    group.mkdir(parents=True, exist_ok=True)
    for name, number in numbers.items():
        (group / name.replace("__", ".", 1)).write_text(f"{number}\n", encoding="utf-8")


def test_without_control_groups_the_machine_is_the_limit(proc: Path) -> None:
    assert usable_memory(proc).total_bytes == psutil.virtual_memory().total
    assert usable_cores(proc) == len(core_numbers())
    assert limited_cpu_s(proc) is None


def test_the_least_limit_of_a_group_and_those_around_it_holds(proc: Path) -> None:
    top = mount(proc, "cgroup2", "nsdelegate")
    (proc / "cgroup").write_text("0::/slurm/job_7/task_0\n", encoding="utf-8")
    write(top / "slurm/job_7/task_0", memory__max="max", cpu__max="max 100000")
    write(
        top / "slurm/job_7",
        memory__max=2_000_000_000,
        memory__current=1_500_000_000,
        memory__stat="anon 5\ninactive_file 400000000",
        cpu__max="50000 100000",
        cpu__stat="usage_usec 2500000\nuser_usec 5",
    )
    write(top / "slurm", memory__max=3_000_000_000, memory__current=0, cpu__max="300000 100000")
    memory = usable_memory(proc)
    assert (memory.total_bytes, memory.available_bytes) == (2_000_000_000, 900_000_000)
    assert usable_cores(proc) == 1
    assert limited_cpu_s(proc) == 2.5


def test_groups_of_version_1_are_read(proc: Path) -> None:
    memory_top, cpu_top = mount(proc, "cgroup", "memory"), mount(proc, "cgroup", "cpu,cpuacct")
    (proc / "cgroup").write_text("4:memory:/pod\n2:cpu,cpuacct:/pod\n0::/\n", encoding="utf-8")
    write(memory_top, memory__limit_in_bytes=UNLIMITED_1)
    write(
        memory_top / "pod",
        memory__limit_in_bytes=1_000_000_000,
        memory__usage_in_bytes=800_000_000,
        memory__stat="inactive_file 1\ntotal_inactive_file 300000000",
    )
    write(cpu_top, **{"cpu__cfs_quota_us": -1, "cpu__cfs_period_us": 100_000})
    write(cpu_top / "pod", cpu__cfs_quota_us=60_000, cpu__cfs_period_us=100_000, cpuacct__usage=7_000_000_000)
    memory = usable_memory(proc)
    assert (memory.total_bytes, memory.available_bytes) == (1_000_000_000, 500_000_000)
    assert usable_cores(proc) == 1
    assert limited_cpu_s(proc) == 7.0


@pytest.mark.parametrize(("root", "path"), [("/docker/abc", "/docker/abc"), ("/", "/../../docker/abc")])
def test_a_container_sees_its_own_group_as_the_root(proc: Path, root: str, path: str) -> None:
    top = mount(proc, "cgroup2", "nsdelegate", root)
    (proc / "cgroup").write_text(f"0::{path}\n", encoding="utf-8")
    write(top, memory__max=4_000_000, memory__current=1_000_000)
    assert usable_memory(proc).total_bytes == 4_000_000


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs affinity")
def test_cores_that_a_process_may_not_run_on_are_not_counted(proc: Path) -> None:
    allowed = os.sched_getaffinity(0)
    chosen = min(allowed)
    os.sched_setaffinity(0, {chosen})
    try:
        assert (core_numbers(), usable_cores(proc)) == ([chosen], 1)
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize(
    ("usable", "lanes", "places", "limit"),
    [
        (100e9, 1, 1, 8e9),  # the most that one window at a time may take
        (2e9, 1, 1, 1.6e9),  # a container's limit
        (20e9, 1, 2, 8e9),
        (15e9, 1, 2, 6e9),  # half of what may be used
        (15e9, 2, 2, 12e9),  # the last film gets both places
        (15e9, 1, 8, 4e9),  # no less than a film of 8K takes
    ],
)
def test_memory_of_a_film_is_its_share_of_what_may_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usable: float, lanes: int, places: int, limit: float
) -> None:
    memory = usable_memory(tmp_path)
    fake = type(memory)(int(usable), 0)
    monkeypatch.setattr("dataset_assets.generate.limits.usable_memory", lambda: fake)
    found = step_limits(tmp_path / "film.mkv", lanes, places).memory_bytes
    assert math.isclose(found, limit)
