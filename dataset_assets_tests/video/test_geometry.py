"""Places: working sizes, turning, and the rectangle that a crop has in the coded frame."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.video.geometry import FrameGeometry, Orientation, Rect

ORIENTATIONS = [Orientation(t, x, y) for t in (False, True) for x in (False, True) for y in (False, True)]


@pytest.mark.parametrize(
    ("coded", "sar", "working"),
    [
        ((3840, 2160), Fraction(1), (1920, 1080)),
        ((4096, 2160), Fraction(1), (1920, 1012)),
        ((3840, 1600), Fraction(1), (1920, 800)),
        ((1920, 1080), Fraction(1), (1920, 1080)),
        ((1280, 720), Fraction(1), (1280, 720)),
        ((2160, 3840), Fraction(1), (1080, 1920)),
        ((720, 576), Fraction(64, 45), (720, 405)),
        ((720, 576), Fraction(16, 15), (720, 540)),
        ((1440, 1080), Fraction(4, 3), (1440, 810)),
        ((640, 360), Fraction(1, 2), (320, 360)),
        ((3840, 2160), Fraction(2), (1920, 540)),
        ((914, 686), Fraction(2740, 2739), (914, 686)),
        ((1, 1), Fraction(1), (1, 1)),
    ],
)
def test_the_working_frame_never_grows(
    coded: tuple[int, int], sar: Fraction, working: tuple[int, int]
) -> None:
    assert FrameGeometry(*coded, sar).working_size == working


@given(
    width=st.integers(16, 5000),
    height=st.integers(16, 5000),
    sar=st.fractions(Fraction(1, 3), Fraction(3), max_denominator=100),
    orientation=st.sampled_from(ORIENTATIONS),
)
def test_neither_side_is_ever_enlarged(
    width: int, height: int, sar: Fraction, orientation: Orientation
) -> None:
    geometry = FrameGeometry(width, height, sar, orientation)
    scaled_width, scaled_height = geometry.scaled_size
    assert scaled_width <= width
    assert scaled_height <= height
    assert max(geometry.working_size) <= 1920


@given(data=st.data(), orientation=st.sampled_from(ORIENTATIONS))
def test_turning_a_rectangle_turns_its_pixels(data: st.DataObject, orientation: Orientation) -> None:
    geometry = FrameGeometry(12, 8, orientation=orientation)
    coded = np.arange(96).reshape(8, 12)
    upright = coded.T if orientation.transpose else coded
    upright = upright[:: -1 if orientation.flip_y else 1, :: -1 if orientation.flip_x else 1]
    width, height = geometry.working_size
    assert upright.shape == (height, width)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    rect = Rect(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    before = geometry.before_turning(rect)
    assert geometry.after_turning(before) == rect
    here = upright[rect.y : rect.bottom, rect.x : rect.right]
    there = coded[before.y : before.bottom, before.x : before.right]
    assert set(here.flat) == set(there.flat)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_display_matrix_is_read_as_it_sends_the_axes(orientation: Orientation) -> None:
    flips = (-1 if orientation.flip_x else 1, -1 if orientation.flip_y else 1)
    a, d = (0, 0) if orientation.transpose else flips
    c, b = flips if orientation.transpose else (0, 0)
    one = 1 << 16
    matrix = struct.pack("=9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    assert Orientation.from_display_matrix(matrix) == orientation


@given(data=st.data(), orientation=st.sampled_from(ORIENTATIONS))
def test_the_coded_rectangle_lies_inside(data: st.DataObject, orientation: Orientation) -> None:
    geometry = FrameGeometry(3840, 1606, orientation=orientation)
    width, height = geometry.working_size
    x, y = data.draw(st.integers(0, width - 9)), data.draw(st.integers(0, height - 9))
    rect = Rect(x, y, data.draw(st.integers(8, width - x)), data.draw(st.integers(8, height - y)))
    coded, scaled = geometry.coded_rect(rect), geometry.before_turning(rect)
    assert (coded.x % 2, coded.y % 2) == (0, 0)
    scaled_width, scaled_height = geometry.scaled_size
    scale_x, scale_y = 3840 / scaled_width, 1606 / scaled_height
    assert scaled.x * scale_x <= coded.x < scaled.x * scale_x + 2
    assert scaled.y * scale_y <= coded.y < scaled.y * scale_y + 2
    assert scaled.right * scale_x - 1 < coded.right <= scaled.right * scale_x
    assert scaled.bottom * scale_y - 1 < coded.bottom <= scaled.bottom * scale_y


def test_a_rectangle_contains_what_shares_its_edges() -> None:
    outer = Rect(10, 20, 100, 50)
    assert outer.contains(outer)
    assert outer.contains(Rect(60, 45, 50, 25))
    assert not outer.contains(Rect(61, 45, 50, 25))
    assert not outer.contains(Rect(9, 20, 10, 10))
