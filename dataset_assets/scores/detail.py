"""How much there is to learn in a patch: detail that its LR has lost, and areas without any.

Not here: damage and noise (`noise`), what happens from frame to frame (`neighbours`).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.scores.blocks import block_means

# Enlarging has no neighbours beyond the edge of a crop; in LR pixels.
EDGE: Final = 3
# 78.1 dB: where LR holds all, rounding alone is left, and the logarithm would have no end.
MIN_MEAN_SQUARE: Final = 1e-3
FLAT_BLOCK: Final = 16
FLAT_STD: Final = 2.0


def detail_db(gt: npt.NDArray[np.uint8], lr: npt.NDArray[np.uint8]) -> float:
    """Return the PSNR of the enlarged middle LR frame against GT: the higher, the less there is to learn.

    PSNR over all three channels, of cv2's bicubic enlargement (a = -0.75), without 3 LR pixels along each
    edge. Separates sky, bokeh and black coats, whose LR holds everything (above 50 dB in 30 % of the patches
    of the demo and in 12 % of two real sets), from texture (films' medians are 27 to 58 dB). Fails
    where noise or coding blocks are all that LR has lost: they read as detail, see `noise_sigma`. Half the
    contrast reads 6 dB higher, so a fence at night lies above 50 dB as an empty sky does: one limit for
    dark and bright films takes more of the dark ones.

    Args:
        gt: Shape (height, width, 3), uint8.
        lr: Shape (height / scale, width / scale, 3), uint8: its downscale.

    Returns:
        dB, 0..78.1.
    """
    height, width, _ = gt.shape
    # A crop of a few pixels keeps its middle half.
    rows, columns = (
        min(EDGE * (large // small), large // 4)
        for large, small in zip(gt.shape[:2], lr.shape[:2], strict=True)
    )
    enlarged = cv2.resize(lr.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    np.clip(enlarged, 0, 255, out=enlarged)
    lost = cv2.subtract(enlarged, gt, dst=enlarged, dtype=cv2.CV_32F)
    inside = lost[rows : height - rows, columns : width - columns]
    mean_square = cv2.norm(inside, cv2.NORM_L2SQR) / inside.size
    return float(10 * np.log10(255**2 / max(mean_square, MIN_MEAN_SQUARE)))


def flat_share(luma: npt.NDArray[np.uint8]) -> float:
    """Return the share of a picture's blocks of 16x16 pixels that are flat.

    Flat is a standard deviation below 2 levels. Finds crops of nothing in windows that have contrast
    elsewhere: above 0.9 in 8 to 14 % of the patches of three sets. Fails under noise of sigma 2 and more,
    which makes the flattest wall uneven.

    Args:
        luma: Shape (height, width), uint8.

    Returns:
        0..1; 0 for a picture that is smaller than a block.
    """
    values = luma.astype(np.float32) - 128  # squares of smaller numbers keep more digits
    means = block_means(values, FLAT_BLOCK)
    variances = block_means(np.square(values), FLAT_BLOCK) - means**2
    return float((variances < FLAT_STD**2).mean()) if means.size else 0.0
