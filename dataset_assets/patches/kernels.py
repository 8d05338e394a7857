"""Downscaling by 2, 3 or 4: the LR of a crop.

Here: the kernels. Not here: stacking the frames (`triplets`). cv2.resize's INTER_CUBIC, LANCZOS4 and LINEAR
read a few neighbours alone, whatever the scale, and are nearest neighbour at exactly 3x; none of them is
used.
"""

from __future__ import annotations

from typing import Any, Final, Literal, assert_never, cast

import cv2
import numpy as np
import numpy.typing as npt

Kernel = Literal["bicubic", "area", "lanczos", "gaussian"]

# MATLAB's imresize(1/scale, 'bicubic'): Keys' cubic (a = -0.5), stretched by the scale, at the distances of
# pixels from the centre of an output pixel, times what makes it whole numbers.
BICUBIC_WEIGHTS: Final = {
    2: (-3, -9, 29, 111, 111, 29, -9, -3),
    3: (-1, -2, 0, 9, 21, 27, 21, 9, 0, -2, -1),
    4: (-7, -45, -75, -49, 93, 399, 745, 987, 987, 745, 399, 93, -49, -75, -45, -7),
}
# BD degradation of the VSR literature (DUF, BasicSR): a Gaussian, then decimation; 13 pixels at odd scales.
GAUSSIAN_SIGMA = 1.6
GAUSSIAN_RADIUS = 6.5
LANCZOS_LOBES = 3

Weights = npt.NDArray[np.int16] | npt.NDArray[np.int32] | npt.NDArray[np.float32]


def downscale(pictures: npt.NDArray[np.uint8], kernel: Kernel, scale: int) -> npt.NDArray[np.uint8]:
    """Downscale pictures.

    Output pixel i is centred on input position scale * i + (scale - 1) / 2, in both directions; borders are
    mirrored, the edge pixel repeated. `bicubic` equals MATLAB's antialiased bicubic, in float64 and rounded
    once, halves up, in every pixel.

    Args:
        pictures: Shape (n, height, width, 3), uint8; height and width divisible by the scale.
        kernel: Which low-pass filter comes before decimation.
        scale: How many times smaller, one of `SCALES`.

    Returns:
        Shape (n, height / scale, width / scale, 3), uint8.

    Raises:
        AssertionError: There is no such kernel.
    """
    if kernel == "area":
        size = (pictures.shape[2] // scale, pictures.shape[1] // scale)
        return np.stack([cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in pictures])
    weights = _weights(kernel, scale)
    # One picture at a time stays in the cache: 7.0 against 13.0 ms for 7 frames of 540x540.
    return np.stack([_filtered(each, weights, scale) for each in pictures])


def _weights(kernel: Literal["bicubic", "lanczos", "gaussian"], scale: int) -> Weights:
    """Return the weights of the pixels around an output pixel: an odd number of them at odd scales."""
    match kernel:
        case "bicubic":
            # int16 holds the sums at scale 3, at most 87 * 255.
            whole = BICUBIC_WEIGHTS[scale]
            return np.array(whole, np.int16) if scale % 2 else np.array(whole, np.int32)
        case "gaussian":
            offsets = _offsets(GAUSSIAN_RADIUS, scale)
            return np.exp(-(offsets**2) / (2 * GAUSSIAN_SIGMA**2)).astype(np.float32)
        case "lanczos":
            offsets = _offsets(LANCZOS_LOBES * scale - 0.5, scale) / scale
            lanczos: Weights = (np.sinc(offsets) * np.sinc(offsets / LANCZOS_LOBES)).astype(np.float32)
            return lanczos
        case _:
            assert_never(kernel)


def _offsets(reach: float, scale: int) -> npt.NDArray[np.float64]:
    """Return the distances of pixels from the centre of an output pixel, up to `reach`."""
    nearest = (scale - 1) / 2 % 1
    count = int(reach - nearest)
    return np.arange(-count - nearest, count + nearest + 1, dtype=np.float64)


def _filtered(picture: npt.NDArray[np.uint8], weights: Weights, scale: int) -> npt.NDArray[np.uint8]:
    down = _rows(picture, weights, scale)
    # OpenCV's kernels have a centre: of an even number of weights it is the pixel after the middle.
    across = np.append(weights, weights.dtype.type(0)) if len(weights) % 2 == 0 else weights
    # At even scales bicubic's sums are up to 2 ** 32, beyond what float32 holds exactly.
    is_float32 = weights.dtype != np.int32
    depth, dtype = (cv2.CV_32F, np.float32) if is_float32 else (cv2.CV_64F, np.float64)
    source = down if is_float32 else down.astype(np.float64)
    sums = cv2.sepFilter2D(
        source, depth, across.astype(dtype), np.ones(1, dtype), borderType=cv2.BORDER_REFLECT
    )[:, scale // 2 :: scale]
    unit = float(weights.sum()) ** 2
    if is_float32:
        # Rounds and saturates. Bicubic's sums at scale 3 are integers, exact in float32; 81 * 81 is odd, so
        # none lies half-way.
        small = cv2.convertScaleAbs(np.maximum(sums, 0), alpha=1 / unit)
    else:
        # Integers, of which some lie half-way between two results.
        small = np.clip(np.floor(sums / unit + 0.5), 0, 255).astype(np.uint8)
    return cast("npt.NDArray[np.uint8]", small)


def _rows(picture: npt.NDArray[np.uint8], weights: Weights, scale: int) -> npt.NDArray[Any]:
    """Return weighted sums of the columns, for every output row."""
    height, count = len(picture), len(weights)
    margin = (count - scale) // 2
    padded = cv2.copyMakeBorder(picture, margin, margin, 0, 0, cv2.BORDER_REFLECT).astype(weights.dtype)

    def lines(position: int) -> npt.NDArray[Any]:
        return padded[position : position + height : scale]

    middle = count // 2
    total = lines(middle) * weights[middle] if count % 2 else np.zeros_like(lines(middle))
    pair = np.empty_like(total)
    for above in reversed(range(middle)):
        if weights[above]:
            np.add(lines(above), lines(count - 1 - above), out=pair)
            pair *= weights[above]
            total += pair
    return cast("npt.NDArray[Any]", total)
