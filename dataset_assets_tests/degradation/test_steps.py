"""What each step does to pictures, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from dataset_assets.degradation import Blurring, ChromaLoss, Drawn, Noising, Scaling, degrade, psnr
from dataset_assets.scores import noise_sigma
from dataset_assets_tests.scores.samples import Picture, grey, panned, smooth

STEPS: tuple[Drawn, ...] = (
    Blurring(1.0, 1.0, 0.0),
    Blurring(1.5, 0.5, 30.0),
    Scaling(0.5, "area", "bicubic"),
    Scaling(0.75, "bicubic", "bilinear"),
    Noising("gauss", 4.0, is_grey=False, seed=1),
    Noising("poisson", 4.0, is_grey=True, seed=1),
    ChromaLoss(422),
    ChromaLoss(420),
    ChromaLoss(411),
)


def detail(frames: Picture) -> float:
    return float(np.mean([cv2.Laplacian(grey(each), cv2.CV_32F).var() for each in frames]))


def clean(level: int = 128) -> Picture:
    return np.full((7, 96, 96, 3), level, np.uint8)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_keeps_the_shape_and_gives_the_same_pixels_again(step: Drawn) -> None:
    frames = panned(width=97, height=55)
    before = frames.copy()
    first, again = degrade(frames, [step]), degrade(frames, [step])
    assert first.frames.shape == frames.shape
    assert first.frames.dtype == np.uint8
    assert np.array_equal(first.frames, again.frames)
    assert np.array_equal(frames, before)
    assert first.coding is None


@pytest.mark.parametrize("step", [each for each in STEPS if not isinstance(each, Noising)], ids=str)
def test_a_step_moves_nothing(step: Drawn) -> None:
    """Of a picture that is its own mirror image the degraded one is too."""
    half = panned(width=60, height=60)
    frames = np.concatenate([half, half[:, :, ::-1]], axis=2)
    frames = np.concatenate([frames, frames[:, ::-1]], axis=1)
    mirrored = replace(step, angle_deg=180 - step.angle_deg) if isinstance(step, Blurring) else step
    found = degrade(frames, [step]).frames.astype(int)
    other = degrade(frames, [mirrored]).frames[:, :, ::-1].astype(int)
    assert np.abs(found - other).max() <= 1


def test_blur_lowers_detail_the_more_the_wider_it_is() -> None:
    frames = panned()
    found = [detail(degrade(frames, [Blurring(sigma, sigma, 0.0)]).frames) for sigma in (0.4, 0.8, 1.6, 3.0)]
    assert [detail(frames), *found] == sorted([detail(frames), *found], reverse=True)


def test_blur_is_the_gaussian_of_another_library() -> None:
    """PIL's is made of box filters, near enough to a Gaussian to tell it from another sigma."""
    frame = panned()[0]
    found = degrade(frame[np.newaxis], [Blurring(2.0, 2.0, 0.0)]).frames[0]
    others = {
        sigma: np.asarray(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(sigma)))
        for sigma in (1.6, 2.0, 2.4)
    }
    inside = (slice(12, -12), slice(12, -12))
    errors = {sigma: psnr(found[inside], other[inside]) for sigma, other in others.items()}
    assert max(errors, key=lambda sigma: errors[sigma]) == 2.0
    assert errors[2.0] > 45


def test_an_anisotropic_blur_follows_its_angle() -> None:
    frames = clean(0)
    frames[:, 48, 48] = 255
    flat = degrade(frames, [Blurring(4.0, 0.5, 0.0)]).frames[0, ..., 0] > 4
    upright = degrade(frames, [Blurring(4.0, 0.5, 90.0)]).frames[0, ..., 0] > 4
    assert flat.any(axis=0).sum() > 3 * flat.any(axis=1).sum()
    assert np.array_equal(upright, flat.T)


def test_scaling_lowers_detail_the_more_the_smaller_it_gets() -> None:
    frames = panned()
    found = [
        detail(degrade(frames, [Scaling(factor, "area", "bilinear")]).frames)
        for factor in (1.0, 0.75, 0.5, 0.25)
    ]
    assert found[0] == detail(frames)
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("sigma", [1.0, 4.0, 12.0])
def test_gauss_has_the_sigma_that_was_drawn(sigma: float) -> None:
    found = degrade(clean(), [Noising("gauss", sigma, is_grey=False, seed=3)]).frames
    assert (found.astype(float) - 128).std() == pytest.approx(sigma, rel=0.05)
    sky = np.stack([smooth(180)] * 7)
    noisy = degrade(sky, [Noising("gauss", sigma, is_grey=True, seed=3)]).frames
    assert noise_sigma(grey(noisy[0])) == pytest.approx(sigma, rel=0.2)


def test_poisson_grows_with_the_square_root_of_light() -> None:
    step = Noising("poisson", 8.0, is_grey=False, seed=3)
    dark, light = (float(degrade(clean(level), [step]).frames.astype(float).std()) for level in (55, 220))
    assert light == pytest.approx(8 * np.sqrt(220 / 255), rel=0.05)
    assert light / dark == pytest.approx(2, rel=0.05)
    assert not degrade(clean(0), [step]).frames.any()


@pytest.mark.parametrize("kind", ["gauss", "poisson"])
def test_grey_noise_is_the_same_in_all_channels_and_other_noise_is_not(kind: str) -> None:
    for is_grey in (True, False):
        step = Noising(kind, 5.0, is_grey=is_grey, seed=3)  # type: ignore[arg-type]
        found = degrade(clean(), [step]).frames
        assert np.array_equal(found[..., 0], found[..., 2]) == is_grey


def test_noise_is_another_one_in_each_frame_and_for_each_seed() -> None:
    found = degrade(clean(), [Noising("gauss", 5.0, is_grey=False, seed=3)]).frames
    other = degrade(clean(), [Noising("gauss", 5.0, is_grey=False, seed=4)]).frames
    assert not any(np.array_equal(found[0], each) for each in (*found[1:], other[0]))


@pytest.mark.parametrize(("kind", "across", "down"), [(422, 2, 1), (420, 2, 2), (411, 4, 1)])
def test_chroma_of_lower_resolution_keeps_the_luma(kind: int, across: int, down: int) -> None:
    frames = (panned(width=176, height=176) // 2 + 64).astype(np.uint8)  # away from where levels are clipped
    found = degrade(frames, [ChromaLoss(kind)]).frames  # type: ignore[arg-type]
    weights = np.array([0.0722, 0.7152, 0.2126])
    assert np.abs((found.astype(float) - frames) @ weights).max() <= 0.51
    chroma = (frames[..., 2].astype(float) - frames @ weights)[0]
    kept = (found[..., 2].astype(float) - found @ weights)[0]
    means = [each.reshape(176 // down, down, 176 // across, across).mean((1, 3)) for each in (chroma, kept)]
    # Interpolation between the means smooths them.
    assert np.corrcoef(means[0].ravel(), means[1].ravel())[0, 1] > 0.9
    assert np.abs(np.diff(kept, axis=1)).mean() < np.abs(np.diff(chroma, axis=1)).mean()


def test_steps_are_applied_one_after_the_other() -> None:
    frames = panned()
    blur, noise = Blurring(2.0, 2.0, 0.0), Noising("gauss", 8.0, is_grey=False, seed=1)
    noisy_last = degrade(frames, [blur, noise]).frames
    noisy_first = degrade(frames, [noise, blur]).frames
    assert noise_sigma(grey(noisy_last[0])) > 3 * noise_sigma(grey(noisy_first[0]))


def test_no_step_changes_nothing() -> None:
    frames = panned()
    found = degrade(frames, [])
    assert np.array_equal(found.frames, frames)
    assert found.db == pytest.approx(78.1, abs=0.1)
