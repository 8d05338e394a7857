"""What changes from frame to frame of a patch."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from dataset_assets.scores import motion, still_pairs
from dataset_assets_tests.scores.samples import grey, noisy, panned


def test_motion_is_the_mean_difference_of_neighbours() -> None:
    frames = np.stack([grey(frame) for frame in panned()])
    differences = [np.abs(one.astype(int) - other).mean() for one, other in pairwise(frames)]
    assert motion(frames) == pytest.approx(np.mean(differences))


def test_a_faster_pan_reads_higher_and_a_still_reads_nothing() -> None:
    found = [motion(np.stack([grey(frame) for frame in panned(step_x=step)])) for step in (0, 1, 2, 4)]
    assert found == sorted(found)
    assert found[0] == 0.0
    assert found[1] > 0.3


def test_grain_is_motion_too() -> None:
    still = grey(panned(1)[0])
    assert motion(np.stack([noisy(still, 2, seed) for seed in range(7)])) > 1


@pytest.mark.parametrize(
    ("shown", "pairs"),
    [([0, 1, 2, 3, 4, 5, 6], 0), ([0, 0, 1, 1, 2, 2, 3], 3), ([0] * 7, 6), ([0, 0, 1, 2, 2], 2)],
)
def test_repeated_frames_are_counted(shown: list[int], pairs: int) -> None:
    assert still_pairs(panned()[shown]) == pairs


def test_a_repeat_that_differs_in_one_sample_is_none() -> None:
    frames = panned(1)[[0, 0, 0]]
    frames[1, 90, 90, 2] ^= 1
    assert still_pairs(frames) == 0
