"""The three pictures of a triplet, made from a window's crops and encoded.

Not here: which crops (`planning`), file names and writing (`dataset`).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dataset_assets.frames import LR5_FRAMES, MIDDLE_FRAME
from dataset_assets.patches.kernels import Kernel, downscale
from dataset_assets.patches.png import encode_png

# Of GT, LR_5frames and LR_7frames.
Pictures: TypeAlias = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
EncodedTriplet: TypeAlias = tuple[bytes, bytes, bytes]


def stack_triplet(crops: npt.NDArray[np.uint8], kernel: Kernel) -> Pictures:
    """Make the pictures of a triplet.

    Args:
        crops: Shape (7, height, width, 3), uint8: the same crop of frames 0..6.
        kernel: Kernel of the LR.

    Returns:
        GT (height, width, 3), LR of frames 1..5 stacked downwards (5 height / 3, width / 3, 3), and LR of
        frames 0..6 (7 height / 3, width / 3, 3).
    """
    small = downscale(crops, kernel)
    _, _, width, channels = small.shape
    return (
        crops[MIDDLE_FRAME],
        small[LR5_FRAMES].reshape(-1, width, channels),
        small.reshape(-1, width, channels),
    )


def encode_triplet(pictures: Pictures) -> EncodedTriplet:
    """Encode the pictures of a triplet, channels blue, green, red, as PNG."""
    gt, lr5, lr7 = map(encode_png, pictures)
    return gt, lr5, lr7
