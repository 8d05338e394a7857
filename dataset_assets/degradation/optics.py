"""Blur, and scaling down and up: what lenses and resizers take from a picture.

Pixels stay where they are: kernels are symmetric, and both scalings keep the centre of the picture. Not here:
which values (`drawing`).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.degradation.drawing import Blurring, Scaling

# Beyond 3 sigma lie 0.3 % of a Gaussian.
RADIUS_SIGMAS: Final = 3.0
_FILTERS: Final = {
    "area": cv2.INTER_AREA,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
}

Frames = npt.NDArray[np.float32]


def blur(frames: Frames, drawn: Blurring) -> Frames:
    """Blur frames by one Gaussian.

    Args:
        frames: Shape (frames, height, width, 3), float32.
        drawn: The Gaussian.

    Returns:
        The same shape.
    """
    kernel = gaussian(drawn)
    return np.stack(
        [cv2.filter2D(each, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT) for each in frames]
    )


def gaussian(drawn: Blurring) -> npt.NDArray[np.float32]:
    """Return the kernel of a Gaussian: a square of odd side, float32, symmetric, of sum 1."""
    radius = int(np.ceil(RADIUS_SIGMAS * max(drawn.sigma_x, drawn.sigma_y)))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    angle = np.radians(drawn.angle_deg)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * ((along / drawn.sigma_x) ** 2 + (across / drawn.sigma_y) ** 2))
    scaled: npt.NDArray[np.float32] = (kernel / kernel.sum()).astype(np.float32)
    return scaled


def scale_down_and_up(frames: Frames, drawn: Scaling) -> Frames:
    """Scale frames down by a factor, and up to their size.

    cv2's bilinear and bicubic do not filter before they scale down, as many resizers do not: they alias.

    Args:
        frames: Shape (frames, height, width, 3), float32.
        drawn: The factor and the filters.

    Returns:
        The same shape.
    """
    height, width = frames.shape[1:3]
    small = max(1, round(width * drawn.factor)), max(1, round(height * drawn.factor))
    down, up = _FILTERS[drawn.down], _FILTERS["bilinear" if drawn.up == "area" else drawn.up]
    return np.stack(
        [
            cv2.resize(cv2.resize(each, small, interpolation=down), (width, height), interpolation=up)
            for each in frames
        ]
    )
