"""The data set teaches something: what is learnt on two films helps on a third, and only if pairs are right.

A linear filter in closed form, which no seed and no patience can spoil: nothing here depends on a training
that went well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from dataset_assets.training import Sample, TripletDataset
from examples.train_tiny import BORDER, bicubic, fit_filter, gains_db, luma_of

HELD_OUT = "three"


@pytest.fixture(scope="module")
def training(data_set: Path) -> list[Sample]:
    """Crops of films one and two, in all views."""
    dataset = TripletDataset(data_set, "general", crop=162, where=f"video <> '{HELD_OUT}'")
    return [dataset[index] for index in range(2 * len(dataset))]


@pytest.fixture(scope="module")
def held_out(data_set: Path) -> list[Sample]:
    """Complete patches of film three."""
    dataset = TripletDataset(data_set, "general", crop=None, augment=False, where=f"video = '{HELD_OUT}'")
    return list(dataset)


def gain_db(training: Sequence[Sample], held_out: Sequence[Sample]) -> float:
    """What the filter that fits some samples best gains over bicubic on others."""
    return gains_db(fit_filter(training, 3), held_out, 3)[1]


def one_pixel_aside(samples: Sequence[Sample]) -> list[Sample]:
    return [Sample({**each, "lr": np.roll(each["lr"], 1, -1)}) for each in samples]


def of_another_window(samples: Sequence[Sample]) -> list[Sample]:
    others = [*samples[1:], samples[0]]
    return [Sample({**each, "gt": other["gt"]}) for each, other in zip(samples, others, strict=True)]


def test_a_filter_gains_on_a_film_that_it_was_not_fitted_on(
    training: list[Sample], held_out: list[Sample]
) -> None:
    assert {each["video"] for each in training} == {"one", "two"}
    assert {each["video"] for each in held_out} == {HELD_OUT}
    assert gain_db(training, held_out) >= 0.2


@pytest.mark.parametrize("spoil", [one_pixel_aside, of_another_window])
def test_wrong_pairs_lose(
    training: list[Sample],
    held_out: list[Sample],
    spoil: Callable[[Sequence[Sample]], list[Sample]],
) -> None:
    assert gain_db(spoil(training), held_out) <= -3


def test_gt_is_the_middle_frame_and_lies_on_its_lr(data_set: Path) -> None:
    # Every window of these films moves by at least 4 pixels a frame.
    for sample in TripletDataset(data_set, "general", crop=None, augment=False):
        gt = luma_of(sample["gt"])
        errors = [error(bicubic(frame[None], 3), gt) for frame in sample["lr"]]
        assert np.argmin(errors) == 3, sample["patch_id"]
        enlarged = bicubic(sample["lr"], 3)
        shifts = {
            (y, x): error(np.roll(enlarged, (y, x), (0, 1)), gt) for y in (-1, 0, 1) for x in (-1, 0, 1)
        }
        assert min(shifts, key=shifts.__getitem__) == (0, 0), sample["patch_id"]


def error(picture: np.ndarray, gt: np.ndarray) -> float:
    inner = slice(3 * BORDER, -3 * BORDER)
    return float(np.mean((picture - gt)[inner, inner] ** 2))


def test_the_model_to_beat_is_no_straw_man(held_out: list[Sample]) -> None:
    gt = luma_of(held_out[0]["gt"])
    size = gt.shape[::-1]
    middle = luma_of(held_out[0]["lr"][3])
    others = [cv2.resize(middle, size, interpolation=way) for way in (cv2.INTER_LINEAR, cv2.INTER_NEAREST)]
    assert error(bicubic(held_out[0]["lr"], 3), gt) < min(error(each, gt) for each in others)
