"""Measure where a frame holds detail.

Not here: the map itself (`detail_map`), and what is chosen by it (`patches`).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.detail_map import MAP_HEIGHT, MAP_WIDTH, DetailMap
from dataset_assets.video.geometry import Orientation
from dataset_assets.video.render import turned_upright

# Whatever the data set's own scale is, so that a window has one map.
DOWNSCALE: Final = 3


def measure_detail(luma: npt.NDArray[np.float32], orientation: Orientation) -> DetailMap:
    """Return where a picture holds detail that a third of its size has no room for.

    5 CPU ms for 1920x1080.

    Args:
        luma: (h, w) float32 on the 8-bit scale 0..255 at working scale, not yet turned upright.
        orientation: How the picture is turned upright.

    Returns:
        The map of the upright picture.
    """
    height, width = luma.shape
    size = (max(1, width // DOWNSCALE), max(1, height // DOWNSCALE))
    small = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    lost = cv2.subtract(luma, cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))
    squares = cv2.multiply(lost, lost, dst=lost)[..., np.newaxis]
    upright = np.ascontiguousarray(turned_upright(squares, orientation)[..., 0])
    cells = cv2.resize(upright, (MAP_WIDTH, MAP_HEIGHT), interpolation=cv2.INTER_AREA)
    return DetailMap.of_mean_squares(cells.astype(np.float32, copy=False))
