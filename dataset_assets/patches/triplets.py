"""The pictures of a triplet, made from a window's crops and encoded.

Not here: which crops (`planning`), file names and writing (`dataset`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dataset_assets.frames import FileKind
from dataset_assets.patches.kernels import Kernel, downscale
from dataset_assets.patches.png import encode_png

Pictures: TypeAlias = Mapping[FileKind, npt.NDArray[np.uint8]]
EncodedTriplet: TypeAlias = Mapping[FileKind, bytes]


def stack_triplet(
    crops: npt.NDArray[np.uint8], kinds: Collection[FileKind], kernel: Kernel, scale: int
) -> Pictures:
    """Make the pictures of a triplet.

    Args:
        crops: Shape (7, height, width, 3), uint8: the same crop of frames 0..6.
        kinds: The files that are wanted.
        kernel: Kernel of the LR.
        scale: How many times smaller LR is.

    Returns:
        For each kind its frames stacked downwards: (frames x height, width, 3) uint8, where height and width
        are those of a crop for GT, and `scale` times smaller for LR.
    """
    shown = max((kind.frames for kind in kinds if kind.is_lr), key=len, default=range(0))
    small = downscale(crops[shown.start : shown.stop], kernel, scale) if shown else crops
    return {
        kind: _stacked(small, kind.frames.start - shown.start, kind)
        if kind.is_lr
        else _stacked(crops, kind.frames.start, kind)
        for kind in FileKind
        if kind in kinds
    }


def _stacked(frames: npt.NDArray[np.uint8], first: int, kind: FileKind) -> npt.NDArray[np.uint8]:
    _, _, width, channels = frames.shape
    return frames[first : first + len(kind.frames)].reshape(-1, width, channels)


def encode_triplet(pictures: Pictures) -> EncodedTriplet:
    """Encode the pictures of a triplet, channels blue, green, red, as PNG."""
    return {kind: encode_png(picture) for kind, picture in pictures.items()}
