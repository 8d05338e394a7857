"""Where a pixel of the working frame lies in the coded frame.

The *coded frame* is what the decoder hands out. The *working frame* has square pixels, stands upright and is
never larger than the coded frame along either axis. Not here: colour, decoding.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

MAX_LONGER_SIDE = 1920
# Encoders round the aspect ratio of cropped films (2740:2739, 224:225): resampling a whole picture for less
# than a percent would blur it and correct nothing that anyone could see.
NEGLIGIBLE_SAR_ERROR = Fraction(1, 100)
# What a film holds counts as less than a working frame below this share; above, scaling costs more than it
# repairs.
LESS_THAN_FULL = Fraction(95, 100)


@dataclass(frozen=True, slots=True)
class Rect:
    """An axis-aligned rectangle in pixels; `x` and `y` name its top left pixel."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column to the right of the rectangle."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below the rectangle."""
        return self.y + self.height

    def contains(self, other: Rect) -> bool:
        """Return whether every pixel of `other` lies in this rectangle."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a coded picture becomes upright: transposed first, then mirrored left-right and top-bottom."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_display_matrix(cls, matrix: bytes) -> Orientation:
        """Return the nearest multiple of a quarter turn (mirrored or not) to an FFmpeg display matrix.

        Args:
            matrix: AV_FRAME_DATA_DISPLAYMATRIX, nine native-endian int32 `(a, b, u, c, d, v, x, y, w)`, which
                send the coded point (p, q) to (a p + c q + x, b p + d q + y).
        """
        a, b, _, c, d, *_ = struct.unpack("=9i", matrix[:36])
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(transpose=False, flip_x=a < 0, flip_y=d < 0)
        return cls(transpose=True, flip_x=c < 0, flip_y=b < 0)

    @property
    def rotation(self) -> int:
        """Degrees, clockwise, by which the coded picture is turned, mirroring left out: 0, 90, 180 or 270."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_x and self.flip_y else 0


@dataclass(frozen=True, slots=True)
class FrameGeometry:
    """The coded frame's size and shape, and the working frame that follows from it.

    Attributes:
        coded_width: Width of the decoded picture in pixels.
        coded_height: Height of the decoded picture in pixels.
        sar: Width of a coded pixel over its height.
        orientation: How the picture is turned upright.
        held: (width, height) that the coded frame holds and the working frame does not exceed; None where
            that follows from the coded size alone.
    """

    coded_width: int
    coded_height: int
    sar: Fraction = Fraction(1)
    orientation: Orientation = Orientation()
    held: tuple[int, int] | None = None

    @property
    def scaled_size(self) -> tuple[int, int]:
        """(width, height) of the working frame before it is turned upright."""
        width, height = self._full_size
        shrink = Fraction(1) if self.held is None else self.share_held(self.held)
        return max(1, round(width * shrink)), max(1, round(height * shrink))

    @property
    def _full_size(self) -> tuple[int, int]:
        """(width, height) of the working frame that follows from the coded size, not upright."""
        sar = self.sar if abs(self.sar - 1) >= NEGLIGIBLE_SAR_ERROR else Fraction(1)
        # Square pixels by shrinking the longer side of the pixel: widening would invent detail.
        width = self.coded_width * min(Fraction(1), sar)
        height = self.coded_height * min(Fraction(1), 1 / sar)
        shrink = min(Fraction(1), MAX_LONGER_SIDE / max(width, height))
        return max(1, round(width * shrink)), max(1, round(height * shrink))

    def share_held(self, held: tuple[int, int]) -> Fraction:
        """Return the share of the working frame's sides that a film holds, along the axis with less of it.

        Args:
            held: (width, height) in coded pixels.

        Returns:
            1 where that is so little less than all that it is negligible.
        """
        width, height = self._full_size
        share = min(Fraction(held[0], width), Fraction(held[1], height))
        return share if share < LESS_THAN_FULL else Fraction(1)

    @property
    def working_size(self) -> tuple[int, int]:
        """(width, height) of the working frame, upright."""
        width, height = self.scaled_size
        return (height, width) if self.orientation.transpose else (width, height)

    @property
    def working_rect(self) -> Rect:
        """The entire working frame."""
        return Rect(0, 0, *self.working_size)

    def coded_rect(self, rect: Rect) -> Rect:
        """Return the largest rectangle of coded pixels at an even place inside a working-frame rectangle."""
        scaled = self.before_turning(rect)
        width, height = self.scaled_size
        scale_x, scale_y = Fraction(self.coded_width, width), Fraction(self.coded_height, height)
        left, top = ceil(scaled.x * scale_x / 2) * 2, ceil(scaled.y * scale_y / 2) * 2
        right, bottom = int(scaled.right * scale_x), int(scaled.bottom * scale_y)
        return Rect(left, top, right - left, bottom - top)

    def before_turning(self, rect: Rect) -> Rect:
        """Return the place of a working-frame rectangle in the scaled frame, not yet turned upright."""
        width, height = self.working_size
        x = width - rect.right if self.orientation.flip_x else rect.x
        y = height - rect.bottom if self.orientation.flip_y else rect.y
        if self.orientation.transpose:
            return Rect(y, x, rect.height, rect.width)
        return Rect(x, y, rect.width, rect.height)

    def after_turning(self, rect: Rect) -> Rect:
        """Return the inverse of `before_turning`."""
        if self.orientation.transpose:
            rect = Rect(rect.y, rect.x, rect.height, rect.width)
        width, height = self.working_size
        x = width - rect.right if self.orientation.flip_x else rect.x
        y = height - rect.bottom if self.orientation.flip_y else rect.y
        return Rect(x, y, rect.width, rect.height)
