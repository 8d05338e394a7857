"""The 16 views of a sample that augmentation chooses from.

Here: flips, quarter turns, and time backwards. Not here: drawing one (`dataset`).
"""

from __future__ import annotations

from typing import Final

from dataset_assets.training.reading import Pictures

COUNT: Final = 16
"""Two flips and a transposition give the 8 views of a square, each forwards or backwards in time."""


def varied(pictures: Pictures, variant: int, *, may_transpose: bool) -> Pictures:
    """Return a view of stacked pictures.

    All are exact for LR and GT alike: LR pixels are centred in their GT pixels, and the middle frame stays
    the middle frame backwards.

    Args:
        pictures: Shape (frames, height, width, 3).
        variant: 0..15; 0 changes nothing.
        may_transpose: Whether width and height may be exchanged; if not, variants with a quarter turn are
            those without it.
    """
    if variant & 1:
        pictures = pictures[:, :, ::-1]
    if variant & 2:
        pictures = pictures[:, ::-1]
    if variant & 4 and may_transpose:
        pictures = pictures.swapaxes(1, 2)
    if variant & 8:
        pictures = pictures[::-1]
    return pictures
