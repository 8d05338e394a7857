"""Runs that are killed in any way, at any moment, until one gets through; 500 of them by `make torture`."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets_tests.films import Film
from dataset_assets_tests.torture.kills import Mode, Victims
from dataset_assets_tests.torture.runs import Runs

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to see processes"
)


@pytest.mark.parametrize(
    ("mode", "seed", "kills"), [("dagster", 1, 10), ("dagster", 2, 9), ("generate", 3, 6)]
)
def test_killed_runs_end_in_the_bytes_of_one_that_nobody_killed(
    tiny_film: Film, tmp_path: Path, mode: Mode, seed: int, kills: int
) -> None:
    with Runs() as runs:
        victims = Victims(tmp_path, tiny_film, runs, seed)
        while (left := kills - victims.report.kills.total()) > 0:
            victims.live(mode, left)
    assert victims.report.kills.total() == kills
