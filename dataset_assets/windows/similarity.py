"""Whether windows of two films show the same picture, however each was scaled, cropped and coded.

Two steps: signatures, which cost next to nothing and miss little, and then the small pictures that are kept
of accepted windows, which decide. Not here: duplicates inside a film, which are rejected (`duplicates`), and
which windows are compared (`curation`).

Measured on 39 films and what was re-encoded of them (x264 CRF 30, MPEG-2, other sizes, 4 % cropped away on
each side, a third of the brightness): 404 pairs of windows within 0.06 s, 464,000 pairs of unrelated films.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.windows.matching import PREVIEW_HEIGHT, PREVIEW_WIDTH, block_errors
from dataset_assets.windows.measures import SIGNATURE_HEIGHT, SIGNATURE_WIDTH

Vectors = npt.NDArray[np.float32]
Signatures = npt.NDArray[np.uint8]

SIMILARITY_VERSION: Final = 1
"""Raised by one whenever other windows would be near-duplicates: all videos are compared again."""

# 1 minus correlation. Coarse: 96 % of the same moments lie below, and 0.2 % of the unrelated pairs. Plain
# correlation, in which the light of the whole picture weighs most, finds 80 % at the same share of those.
COARSE_LIMIT: Final = 0.35
# Of what is left 1 in 7 unrelated pairs lies below, and 97 % of the same moments.
FINE_LIMIT: Final = 0.7
# Where a picture is missing the fine distance decides alone: 49 % found, and no titles of other
# words in one place, which are 0.26 apart.
ALONE_LIMIT: Final = 0.25
# Of 4,000 unrelated pairs that looked alike none was below 0.6 or above 0.27, titles of other words in one
# place lie at 0.5 to 0.7 and up to 0.33; of the same moments 94 % are within both limits, 96 % where nothing
# was cropped away.
MAX_BLOCK_ERROR: Final = 0.45
MIN_PEAK: Final = 0.2

# In half cycles a picture height. Slow changes of light say little of what a picture shows, and fine ones
# differ between neighbouring frames.
_COARSE_PEAK: Final = 6.0
_COARSE_END: Final = 9.0
# Steadies the contrast of flat pictures: a level of noise in each cell.
_NOISE: Final = 1.0
_DETAIL_SIZE: Final = (240, 136)
_DETAIL_SIGMAS: Final = (1.0, 4.0)


def coarse_vectors(signatures: Signatures) -> Vectors:
    """Return vectors whose scalar product is the correlation of two signatures, by their coarse shapes.

    Args:
        signatures: Shape (n, 576), uint8.

    Returns:
        Shape (n, 125), float32, of length 1 and below, the flatter the picture the shorter.
    """
    return _vectors(signatures, _COARSE)


def fine_vectors(signatures: Signatures) -> Vectors:
    """Return such vectors in which fine shapes weigh as much as coarse ones, of shape (n, 575)."""
    return _vectors(signatures, _FINE)


@dataclass(frozen=True, slots=True)
class ComparablePicture:
    """A small picture of a window, ready to be compared.

    Attributes:
        blocks: Luma of shape (48, 96), float32, its mean taken away.
        detail: Luma of shape (136, 240), float32, without its coarse shapes and its grain.
    """

    blocks: npt.NDArray[np.float32]
    detail: npt.NDArray[np.float32]

    @classmethod
    def of(cls, picture: npt.NDArray[np.uint8]) -> ComparablePicture:
        """Prepare a picture of shape (height, width), uint8 luma: the active area of a film, of any size."""
        luma = cv2.resize(picture, _DETAIL_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        blocks = cv2.resize(luma, (PREVIEW_WIDTH, PREVIEW_HEIGHT), interpolation=cv2.INTER_AREA)
        fine, coarse = (cv2.GaussianBlur(luma, (0, 0), sigma) for sigma in _DETAIL_SIGMAS)
        return cls(np.asarray(blocks - blocks.mean(), np.float32), np.asarray(fine - coarse, np.float32))


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two pictures are.

    Attributes:
        block_error: Mean error of the blocks of the one in the other after compensating motion and exposure:
            0 the same, about 1 unrelated, 1.2 where neither shows anything.
        peak: Peak of their phase correlation: about 1 the same at one size, 0 unrelated.
    """

    block_error: float
    peak: float

    @property
    def is_same(self) -> bool:
        """Whether they show the same: fine structures agree, and so do all parts of the picture."""
        return self.block_error <= MAX_BLOCK_ERROR and self.peak >= MIN_PEAK


def likeness(first: ComparablePicture, second: ComparablePicture) -> Likeness:
    """Compare two pictures; the order does not matter but for rounding."""
    found = block_errors(first.blocks, second.blocks)
    if found is None:
        return Likeness(1.2, 0.0)
    errors, weights = found
    window = cv2.createHanningWindow(_DETAIL_SIZE, cv2.CV_32F)
    _, peak = cv2.phaseCorrelate(first.detail, second.detail, window)
    return Likeness(float((weights * errors).sum() / weights.sum()), float(peak))


def _vectors(signatures: Signatures, transform: Vectors) -> Vectors:
    found = signatures.astype(np.float32) @ transform
    length = np.sqrt(np.square(found).sum(axis=1, keepdims=True))
    # The length of noise: the transform's columns are orthogonal.
    noise = _NOISE * np.float32(np.sqrt(np.square(transform).sum()))
    return np.asarray(found / (length + noise), np.float32)


def _transform(*, is_coarse: bool) -> Vectors:
    """Return the weighted cosine transform of signatures without their mean, shape (576, coefficients)."""
    down, across = _cosines(SIGNATURE_HEIGHT), _cosines(SIGNATURE_WIDTH)
    rows, columns = np.indices((SIGNATURE_HEIGHT, SIGNATURE_WIDTH))
    frequency = np.hypot(rows, columns * SIGNATURE_HEIGHT / SIGNATURE_WIDTH).ravel()
    weight, kept = frequency, frequency > 0
    if is_coarse:
        weight = frequency * np.exp(-np.square(frequency / _COARSE_PEAK))
        kept &= frequency <= _COARSE_END
    return (np.kron(down, across).T * weight)[:, kept].astype(np.float32)


def _cosines(size: int) -> npt.NDArray[np.float64]:
    """Return the orthonormal cosine transform of so many samples, a row for each frequency."""
    places, frequencies = np.arange(size) + 0.5, np.arange(size)[:, None]
    found = np.cos(np.pi * places * frequencies / size) * np.sqrt(2 / size)
    found[0] /= np.sqrt(2)
    return np.asarray(found, np.float64)


_COARSE: Final = _transform(is_coarse=True)
_FINE: Final = _transform(is_coarse=False)
