"""Downscaling by 3, centred on every third pixel: the LR of a crop.

cv2.resize's INTER_CUBIC, LANCZOS4 and LINEAR at exactly 3x are nearest neighbour; none of them is used.
"""

from __future__ import annotations

from typing import Literal, cast

import cv2
import numpy as np
import numpy.typing as npt

SCALE = 3
Kernel = Literal["bicubic", "area", "lanczos", "gaussian"]

# MATLAB's imresize(1/3, 'bicubic'): Keys' cubic (a = -0.5) stretched by 3 and sampled at whole pixels, times 81.
BICUBIC_WEIGHTS = (-1, -2, 0, 9, 21, 27, 21, 9, 0, -2, -1)
# BD degradation of the VSR literature (DUF, BasicSR): a 13 x 13 Gaussian, every third pixel from the second on.
GAUSSIAN_SIGMA = 1.6
GAUSSIAN_RADIUS = 6
LANCZOS_LOBES = 3


def downscale(pictures: npt.NDArray[np.uint8], kernel: Kernel) -> npt.NDArray[np.uint8]:
    """Downscales pictures by 3.

    Output pixel (i, j) is centred on input pixel (3 i + 1, 3 j + 1); borders are mirrored, the edge pixel repeated.
    `bicubic` equals MATLAB's antialiased bicubic, computed in float64 and rounded once, in every pixel.

    Args:
        pictures: Shape (n, height, width, 3), uint8; height and width divisible by 3.
        kernel: Which low-pass filter comes before decimation.

    Returns:
        Shape (n, height / 3, width / 3, 3), uint8.
    """
    if kernel == "area":
        height, width = pictures.shape[1] // SCALE, pictures.shape[2] // SCALE
        return np.stack([cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in pictures])
    weights = _weights(kernel)
    down = _rows(pictures, weights)
    n, height, width, channels = down.shape
    # Rows of all pictures in one go; the filter runs along rows only, so they cannot mix.
    flat = down.reshape(n * height, width, channels)
    across = cv2.sepFilter2D(
        flat, cv2.CV_32F, weights.astype(np.float32), np.ones(1, np.float32), borderType=cv2.BORDER_REFLECT
    )[:, 1::SCALE]
    scale = 1 / float(weights.sum()) ** 2
    # Rounds and saturates. Bicubic cannot meet a tie: its sums are whole and 81 * 81 is odd; float32 holds them exactly.
    small = cv2.addWeighted(across, scale, across, 0, 0, dtype=cv2.CV_8U)
    return cast("npt.NDArray[np.uint8]", small.reshape(n, height, width // SCALE, channels))


def _weights(kernel: Kernel) -> npt.NDArray[np.int16] | npt.NDArray[np.float32]:
    if kernel == "bicubic":
        return np.array(BICUBIC_WEIGHTS, np.int16)
    if kernel == "gaussian":
        offsets = np.arange(-GAUSSIAN_RADIUS, GAUSSIAN_RADIUS + 1)
        return np.exp(-(offsets**2) / (2 * GAUSSIAN_SIGMA**2)).astype(np.float32)
    reach = LANCZOS_LOBES * SCALE - 1
    offsets = np.arange(-reach, reach + 1) / SCALE
    return (np.sinc(offsets) * np.sinc(offsets / LANCZOS_LOBES)).astype(np.float32)


def _rows(
    pictures: npt.NDArray[np.uint8], weights: npt.NDArray[np.int16] | npt.NDArray[np.float32]
) -> npt.NDArray[np.int16] | npt.NDArray[np.float32]:
    """Weighted sums down the columns, only for every third row; int16 holds bicubic's (at most 87 * 255)."""
    height = pictures.shape[1]
    reach = len(weights) // 2
    padded = np.pad(pictures, ((0, 0), (reach, reach), (0, 0), (0, 0)), mode="symmetric").astype(
        weights.dtype
    )
    total = padded[:, reach + 1 : reach + 1 + height : SCALE] * weights[reach]
    for offset in range(1, reach + 1):
        if weights[reach + offset]:
            above = padded[:, reach + 1 - offset : reach + 1 - offset + height : SCALE]
            below = padded[:, reach + 1 + offset : reach + 1 + offset + height : SCALE]
            total[:] += (above[:, : total.shape[1]] + below[:, : total.shape[1]]) * weights[reach + offset]
    return cast("npt.NDArray[np.int16] | npt.NDArray[np.float32]", total)
