"""Noise, and colour at a lower resolution: what sensors, tapes and cables do to a signal.

Not here: which values (`drawing`), and the colour conversion of codecs (`planes`).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.degradation.drawing import ChromaLoss, Noising
from dataset_assets.degradation.planes import LUMA

WHITE: Final = 255.0
# Pixels of light to one of colour: across, down.
_SUBSAMPLING: Final = {422: (2, 1), 420: (2, 2), 411: (4, 1)}

Frames = npt.NDArray[np.float32]


def add_noise(frames: Frames, drawn: Noising) -> Frames:
    """Add noise, of its own in each frame.

    Args:
        frames: Shape (frames, height, width, 3), float32, levels of 255, channels blue, green, red.
        drawn: The noise.

    Returns:
        The same shape; levels may lie outside 0..255.
    """
    if drawn.sigma == 0:
        return frames
    rng = np.random.default_rng(drawn.seed)
    light: Frames = (frames @ LUMA)[..., np.newaxis] if drawn.is_grey else frames
    if drawn.kind == "gauss":
        noise: Frames = np.float32(drawn.sigma) * rng.standard_normal(light.shape, np.float32)
        return frames + noise
    # So many photons at white that their number has this standard deviation there.
    photons = (WHITE / drawn.sigma) ** 2
    shown = light.clip(0, WHITE)
    counted: Frames = rng.poisson(shown * np.float32(photons / WHITE)).astype(np.float32)
    noise = counted * np.float32(WHITE / photons) - shown
    return frames + noise


def lose_chroma(frames: Frames, drawn: ChromaLoss) -> Frames:
    """Average colour differences over pixels that lie side by side, and interpolate between the averages.

    Args:
        frames: Shape (frames, height, width, 3), float32, channels blue, green, red.
        drawn: Over how many pixels.

    Returns:
        The same shape, with the same luma.
    """
    across, down = _SUBSAMPLING[drawn.kind]
    height, width = frames.shape[1:3]
    luma = frames @ LUMA
    found = np.empty_like(frames)
    for frame, light, out in zip(frames, luma, found, strict=True):
        # Blue and red alone: green follows from them and the luma.
        differences = frame[..., ::2] - light[..., np.newaxis]
        padded = cv2.copyMakeBorder(differences, 0, -height % down, 0, -width % across, cv2.BORDER_REPLICATE)
        size = padded.shape[1], padded.shape[0]
        small = cv2.resize(padded, (size[0] // across, size[1] // down), interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)[:height, :width]
        blue, red = large[..., 0] + light, large[..., 1] + light
        green = (light - LUMA[0] * blue - LUMA[2] * red) / LUMA[1]
        out[...] = np.stack([blue, green, red], axis=-1)
    return found
