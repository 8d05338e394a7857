"""Runs that are killed in any way, at any moment, until one gets through; 500 of them by `make torture`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dataset_assets_tests.torture.kills import Mode, Victims

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to see processes"
)


@pytest.mark.parametrize(
    ("mode", "seed", "kills"), [("dagster", 1, 11), ("generate", 2, 3), ("dagster", 3, 11)]
)
def test_killed_runs_end_in_the_bytes_of_one_that_nobody_killed(
    victims: Victims, mode: Mode, seed: int, kills: int
) -> None:
    rng, before = random.Random(seed), victims.report.kills.total()
    while (left := kills - (victims.report.kills.total() - before)) > 0:
        victims.live(mode, left, rng)
