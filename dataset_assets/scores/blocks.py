"""A picture as blocks. Not here: what is measured in them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def block_means(values: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.float32]:
    """Return the means of a picture's whole blocks.

    Args:
        values: Shape (height, width), float32.
        side: Height and width of a block.

    Returns:
        Shape (height // side, width // side), float32; empty for a picture that is smaller than a block.
    """
    rows, columns = (length // side for length in values.shape)
    if not rows or not columns:
        return np.empty((0, 0), np.float32)
    # By a whole number of pixels this is their mean.
    whole = values[: rows * side, : columns * side]
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
