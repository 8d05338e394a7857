"""Pictures as the planes that codecs take: BT.709, limited range, colour of half of both sides.

Own arithmetic, since FFmpeg's own conversion of 8-bit RGB rounds down: grey loses 1 to 4 levels, red most,
so that all coded pictures would have a green tint that no film has. Colour is averaged over 2x2 pixels and
interpolated around their centre, so that it stays where it is. Not here: coding (`coding`).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

# BT.709, of blue, green, red.
LUMA: Final = np.array([0.0722, 0.7152, 0.2126], np.float32)
_BLACK, _LUMA_STEPS = 16.0, 219.0 / 255.0
_NO_COLOUR, _COLOUR_STEPS = 128.0, 224.0 / 255.0
# The largest difference of blue and of red to luma is that of the pure colour.
_BLUE_RANGE: Final = 2.0 * (1.0 - float(LUMA[0]))
_RED_RANGE: Final = 2.0 * (1.0 - float(LUMA[2]))

Pictures = npt.NDArray[np.uint8]


def to_planes(picture: Pictures) -> Pictures:
    """Return a picture as planes of one array, as FFmpeg lays out yuv420p.

    Args:
        picture: Shape (height, width, 3), uint8, channels blue, green, red; sides divisible by 4.

    Returns:
        Shape (height * 3 / 2, width), uint8.
    """
    height, width = picture.shape[:2]
    values = picture.astype(np.float32)
    luma = values @ LUMA
    differences = values[..., ::2] - luma[..., np.newaxis]
    half = cv2.resize(differences, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    ranges = np.array([_BLUE_RANGE, _RED_RANGE], np.float32)
    colour = _NO_COLOUR + _COLOUR_STEPS * half / ranges
    rows = [_BLACK + _LUMA_STEPS * luma, *(colour[..., each].reshape(-1, width) for each in (0, 1))]
    return _rounded(np.concatenate(rows))


def from_planes(planes: Pictures) -> Pictures:
    """Return the picture of planes: the inverse of `to_planes`, but for rounding and colour detail.

    Args:
        planes: Shape (height * 3 / 2, width), uint8.

    Returns:
        Shape (height, width, 3), uint8, channels blue, green, red.
    """
    width = planes.shape[1]
    height = planes.shape[0] // 3 * 2
    luma = (planes[:height].astype(np.float32) - _BLACK) / np.float32(_LUMA_STEPS)
    halves = planes[height:].reshape(2, height // 2, width // 2).astype(np.float32)
    blue, red = (
        cv2.resize((half - _NO_COLOUR) * np.float32(span / _COLOUR_STEPS), (width, height)) + luma
        for half, span in zip(halves, (_BLUE_RANGE, _RED_RANGE), strict=True)
    )
    green = (luma - LUMA[0] * blue - LUMA[2] * red) / LUMA[1]
    return _rounded(np.stack([blue, green, red], axis=-1))


def _rounded(values: npt.NDArray[np.float32]) -> Pictures:
    rounded: Pictures = np.rint(values).clip(0, 255).astype(np.uint8)
    return rounded
