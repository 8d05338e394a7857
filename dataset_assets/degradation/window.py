"""All drawn steps on the frames of one window.

Not here: the steps themselves (the modules beside this one), and where frames come from (`curation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dataset_assets.degradation.coding import Coding, code
from dataset_assets.degradation.drawing import Blurring, ChromaLoss, Drawn, Encoding, Noising, Scaling
from dataset_assets.degradation.optics import blur, scale_down_and_up
from dataset_assets.degradation.signal import add_noise, lose_chroma

DEGRADATION_VERSION: Final = 1
"""Raised by one when the same frames and steps would give other pixels or draws.

Stacks of another version are made again; patches and scores do not depend on it.
"""

LEAST_DB: Final = 20.0
MOST_DB: Final = 60.0
"""Degraded frames are expected within these limits of the clean ones: beyond, a step did nothing or all."""

# 78.1 dB, as `detail_db`: where nothing differs, the logarithm would have no end.
MIN_MEAN_SQUARE: Final = 1e-3

Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Degraded:
    """The degraded frames of a window.

    Attributes:
        frames: Shape (frames, height, width, 3), uint8, channels blue, green, red.
        db: PSNR against the clean frames, 0..78.1 dB.
        coding: What coding took; None where nothing was coded.
    """

    frames: Pictures
    db: float
    coding: Coding | None


def degrade(frames: Pictures, steps: Sequence[Drawn]) -> Degraded:
    """Apply steps to the frames of a window, one after the other.

    Levels are rounded before a codec and at the end only.

    Args:
        frames: The clean ones, shape (frames, height, width, 3), uint8, channels blue, green, red.
        steps: What was drawn for the window.

    Returns:
        The frames, and how far they are from the clean ones.
    """
    values, coding = frames.astype(np.float32), None
    for drawn in steps:
        match drawn:
            case Blurring():
                values = blur(values, drawn)
            case Scaling():
                values = scale_down_and_up(values, drawn)
            case Noising():
                values = add_noise(values, drawn)
            case ChromaLoss():
                values = lose_chroma(values, drawn)
            case Encoding():
                coded, coding = code(_rounded(values), drawn)
                values = coded.astype(np.float32)
    found = _rounded(values)
    return Degraded(found, psnr(frames, found), coding)


def psnr(clean: Pictures, other: Pictures) -> float:
    """Return the PSNR of pictures over all frames and channels: 0..78.1 dB."""
    mean_square = float(np.square(clean.astype(np.float32) - other).mean(dtype=np.float64))
    return float(10 * np.log10(255**2 / max(mean_square, MIN_MEAN_SQUARE)))


def _rounded(values: npt.NDArray[np.float32]) -> Pictures:
    return np.rint(values).clip(0, 255).astype(np.uint8)
