"""Pictures that scores are measured on, and their LR by the project's own kernel."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from dataset_assets.patches import downscale
from dataset_assets_tests.films import Shot, sdr_frames

SIDE = 360
Picture = NDArray[np.uint8]


def textured(seed: int = 3, side: int = SIDE) -> Picture:
    """Two materials with fine texture and sharp edges: (side, side, 3)."""
    return next(iter(sdr_frames([Shot(seed, 1)], side, side)))


def smooth(side: int = SIDE) -> Picture:
    """A sky: levels that rise from one corner to the other."""
    ramp = np.add.outer(np.arange(side), np.arange(side)) / (2 * side)
    return np.repeat(np.rint(60 + 120 * ramp)[..., None], 3, axis=2).astype(np.uint8)


def blurred(picture: Picture, sigma: float) -> Picture:
    return cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.uint8)


def noisy(picture: Picture, sigma: float, seed: int = 0) -> Picture:
    """The picture with Gaussian noise of its own in each sample."""
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def grey(picture: Picture) -> Picture:
    """The luma of a picture whose channels are blue, green, red, by BT.601."""
    weights = np.array([0.114, 0.587, 0.299])
    levels: Picture = np.rint(picture @ weights).astype(np.uint8)
    return levels


def lr_of(gt: Picture, scale: int = 3) -> Picture:
    small: Picture = downscale(gt[np.newaxis], "bicubic", scale)[0]
    return small


def panned(frames: int = 7, step_x: int = 2, width: int = 180, height: int = 180) -> Picture:
    """Frames of a pan, as an LR stack: (frames, height, width, 3)."""
    shots: Iterator[Picture] = sdr_frames([Shot(5, frames, step_x, 0)], width, height)
    return np.stack(list(shots))
