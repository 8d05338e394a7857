"""What happens from frame to frame of a patch, measured on its LR stack.

Not here: repeated frames of the film as it is coded, which the windows table counts (`repeated_frames`).
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt


def motion(luma: npt.NDArray[np.uint8]) -> float:
    """Return the mean absolute difference of neighbouring LR frames.

    Below 0.3 a patch is still, as 23 % of one real set are: neighbours add nothing to its middle frame but
    other noise. It is a change of levels and no speed: contrast and noise raise it as movement does, and a
    flat thing moves unseen. What is usual differs by category: drawn films repeat frames.

    Args:
        luma: Shape (frames, height, width), uint8: at least 2 frames in presentation order.

    Returns:
        Levels of 8 bits, 0..255.
    """
    return float(np.mean([cv2.norm(*pair, cv2.NORM_L1) for pair in pairwise(luma)]) / luma[0].size)


def still_pairs(frames: npt.NDArray[np.uint8]) -> int:
    """Return how many pairs of neighbouring LR frames are the same in every pixel.

    Neighbours are the same in 4 % of one real set: repeated frames of lossless or well coded films, drawn
    backgrounds, black. A repeat that was coded again differs by a level here and there and is not counted:
    the window's `repeated_frames` is.

    Args:
        frames: Shape (frames, height, width, channels), uint8, in presentation order.

    Returns:
        0 to one less than there are frames.
    """
    return sum(bool(np.array_equal(*pair)) for pair in pairwise(frames))
