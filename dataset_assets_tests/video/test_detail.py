"""Measuring where a frame holds detail, against what PIL's own scaling loses."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dataset_assets.video.detail import measure_detail
from dataset_assets.video.geometry import Orientation

UPRIGHT = Orientation()


def noisy(*places: tuple[slice, slice], sigma: float = 12.0) -> np.ndarray:
    rng = np.random.default_rng(4)
    luma = np.full((720, 1280), 100, np.float32)
    for rows, columns in places:
        luma[rows, columns] += rng.normal(0, sigma, luma[rows, columns].shape).astype(np.float32)
    return luma


def test_detail_is_found_where_it_is() -> None:
    found = measure_detail(noisy((slice(0, 360), slice(640, 1280))), UPRIGHT)
    # Averaging 3x3 keeps a ninth of the noise.
    assert found.mean_square(0.55, 0.05, 0.95, 0.45) == pytest.approx(144 * 8 / 9, rel=0.15)
    for left, top in ((0.05, 0.05), (0.05, 0.55), (0.55, 0.55)):
        assert found.mean_square(left, top, left + 0.4, top + 0.4) < 0.01


def test_it_is_about_what_pils_scaling_down_and_up_loses() -> None:
    luma = noisy((slice(0, 720), slice(0, 1280)))
    picture = Image.fromarray(luma, "F")
    small = picture.resize((1280 // 3, 240), Image.Resampling.BOX)
    lost = luma - np.asarray(small.resize((1280, 720), Image.Resampling.BICUBIC), np.float32)
    found = measure_detail(luma, UPRIGHT).mean_square(0, 0, 1, 1)
    assert 10 * np.log10(found / float(np.square(lost).mean())) == pytest.approx(0, abs=0.5)


def test_more_contrast_is_more_detail_and_a_blurred_picture_has_less() -> None:
    whole = (slice(0, 720), slice(0, 1280))
    weak, strong = (measure_detail(noisy(whole, sigma=sigma), UPRIGHT).fill for sigma in (2.0, 8.0))
    assert strong - weak == pytest.approx(20 * np.log10(4), abs=0.5)
    blurred = np.asarray(
        Image.fromarray(noisy(whole).astype(np.uint8)).reduce(6).resize((1280, 720)), np.float32
    )
    assert measure_detail(blurred, UPRIGHT).fill < weak


@pytest.mark.parametrize("matrix", ["rotated", "mirrored"])
def test_the_map_is_that_of_the_upright_picture(matrix: str) -> None:
    luma = noisy((slice(0, 360), slice(0, 640)))
    turned = Orientation(transpose=True, flip_x=True) if matrix == "rotated" else Orientation(flip_x=True)
    upright = np.rot90(luma, -1) if matrix == "rotated" else luma[:, ::-1]
    found = measure_detail(luma, turned)
    assert found == measure_detail(np.ascontiguousarray(upright), UPRIGHT)
    assert found.mean_square(0.55, 0.05, 0.95, 0.45) > 100
