"""All scores of a patch at once are those of the single functions."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from dataset_assets import scores
from dataset_assets.scores import CropPlace, score_patch
from dataset_assets.video import combed_share
from dataset_assets_tests.films import Shot, interlaced, sdr_frames
from dataset_assets_tests.scores.samples import Picture, lr_of, panned, textured

PLACE = CropPlace(top=0.5, width=0.3, height=0.4)


def stack(frames: int = 7) -> tuple[Picture, Picture]:
    """Ground truth and LR frames of a pan."""
    gt = panned(frames, width=360, height=360)
    return gt[frames // 2], np.stack([lr_of(frame) for frame in gt])


@pytest.mark.parametrize("frames", [5, 7])
def test_they_are_those_of_the_single_functions(frames: int) -> None:
    gt, lr = stack(frames)
    luma, lr_luma = scores.luma(gt), np.stack([scores.luma(frame) for frame in lr])
    found = {
        "detail_db": scores.detail_db(gt, lr[frames // 2]),
        "noise_sigma": scores.noise_sigma(luma),
        "blockiness": scores.blockiness(luma),
        "flat_share": scores.flat_share(luma),
        "motion": scores.motion(lr_luma),
        "still_pairs": scores.still_pairs(lr),
        "combing": combed_share(luma),
        "subtitle": scores.subtitle(luma, lr_luma, PLACE),
    }
    assert asdict(score_patch(gt, lr, PLACE)) == pytest.approx(found, rel=1e-6)


def test_where_the_place_of_the_crop_is_unknown_it_has_no_score_of_subtitles() -> None:
    assert score_patch(*stack()).subtitle is None


def test_they_have_the_precision_of_the_table() -> None:
    found = asdict(score_patch(*stack(), PLACE))
    assert {name: float(np.float32(value)) for name, value in found.items()} == found


def test_fields_of_two_moments_are_read_as_combs() -> None:
    pan = sdr_frames([Shot(3, 2, 6, 2)], 360, 360)
    (woven,) = interlaced(pan)
    assert score_patch(woven, np.stack([lr_of(woven)] * 7)).combing > 0.01
    whole = textured()
    assert score_patch(whole, np.stack([lr_of(whole)] * 7)).combing == 0.0
