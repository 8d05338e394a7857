"""A picture as blocks. Not here: what is measured in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def blocks(values: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.float32]:
    """Return a picture, shape (height, width), as whole blocks: (rows of blocks, side, columns, side)."""
    rows, columns = (length // side for length in values.shape)
    return values[: rows * side, : columns * side].reshape(rows, side, columns, side)
