"""What there is to learn in a patch: against PSNR computed by another way, and in each direction."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dataset_assets.scores import detail_db, flat_share
from dataset_assets_tests.scores.samples import Picture, blurred, grey, lr_of, noisy, smooth, textured


def cubic(distance: NDArray[np.float64], a: float = -0.75) -> NDArray[np.float64]:
    """Keys' cubic kernel, as OpenCV has it."""
    x = np.abs(distance)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def enlarging(length: int, scale: int) -> NDArray[np.float64]:
    """The matrix that enlarges a line: the weight of each sample in each of the `scale` times as many."""
    centres = (np.arange(length * scale) + 0.5) / scale - 0.5
    return cubic(centres[:, None] - np.arange(length)[None])


def psnr(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(20 * np.log10(255) - 10 * np.log10(np.mean((one - other) ** 2)))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_it_is_the_psnr_of_the_enlarged_lr_inside_of_the_edges(scale: int) -> None:
    gt = textured(side=240)[:, :192]
    lr = lr_of(gt, scale)
    down, across = (enlarging(length, scale) for length in lr.shape[:2])
    enlarged = np.einsum("yr,rcd,xc->yxd", down, lr.astype(np.float64), across).clip(0, 255)
    edge = 3 * scale
    inside = np.s_[edge:-edge, edge:-edge]
    assert detail_db(gt, lr) == pytest.approx(psnr(enlarged[inside], gt[inside].astype(np.float64)), abs=0.01)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_less_detail_reads_higher(scale: int) -> None:
    pictures = [textured(), *(blurred(textured(), sigma) for sigma in (1, 2, 4)), smooth()]
    found = [detail_db(gt, lr_of(gt, scale)) for gt in pictures]
    assert found == sorted(found)
    assert found[0] < 40
    assert found[-1] > 50


def test_half_the_contrast_reads_six_decibels_higher() -> None:
    bright = blurred(textured(), 0.7)
    dark = (bright // 2).astype(np.uint8)
    difference = detail_db(dark, lr_of(dark)) - detail_db(bright, lr_of(bright))
    assert difference == pytest.approx(6.0, abs=0.5)


def test_noise_reads_as_detail() -> None:
    gt = noisy(smooth(), 5)
    assert detail_db(gt, lr_of(gt)) < detail_db(smooth(), lr_of(smooth())) - 10


@pytest.mark.parametrize("side", [12, 24, 96])
def test_a_picture_that_lr_holds_whole_has_the_highest_score_at_any_size(side: int) -> None:
    gt = np.full((side, side, 3), 90, np.uint8)
    assert detail_db(gt, lr_of(gt)) == pytest.approx(78.13, abs=0.01)


def half_flat() -> Picture:
    picture = textured(side=320)
    picture[:, :160] = 120
    return picture


@pytest.mark.parametrize(
    ("picture", "share"),
    [(np.full((320, 320, 3), 7, np.uint8), 1.0), (half_flat(), 0.5), (noisy(smooth(), 6), 0.0)],
)
def test_flat_blocks_are_counted(picture: Picture, share: float) -> None:
    assert flat_share(grey(picture)) == pytest.approx(share, abs=0.06)


def test_whatever_is_smaller_than_a_block_has_no_flat_ones() -> None:
    assert flat_share(np.zeros((15, 200), np.uint8)) == 0.0
