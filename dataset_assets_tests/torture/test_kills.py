"""Dagster runs that are killed in any way, at any moment, until one gets through; 500 by `make torture`.

Killed `generate`s and their workers are in `launch/test_stopping.py`.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dataset_assets_tests.torture.kills import Victims

KILLS = 11

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to see processes"
)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 3])
def test_killed_runs_end_in_the_bytes_of_one_that_nobody_killed(victims: Victims, seed: int) -> None:
    rng, before = random.Random(seed), victims.report.kills.total()
    while (left := KILLS - (victims.report.kills.total() - before)) > 0:
        victims.live("dagster", left, rng)
