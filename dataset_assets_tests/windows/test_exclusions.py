"""Which candidates touch what is excluded of a film."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.config import TimeRange
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video import Extent
from dataset_assets.windows import Exclusions

# Milliseconds, 25 frames/s; ten seconds from PTS 1000 on, a gap, ten more from 50,000 on.
FRAME, SECOND = 40, 1000
EXTENT = Extent(((1000, 11_000), (50_000, 60_000)), FRAME)
TIME_BASE = Fraction(1, SECOND)


def excluding(*texts: str, frames: Sequence[int] = ()) -> Exclusions:
    return Exclusions.of(EXTENT, TIME_BASE, [TimeRange.parse(text) for text in texts], frames)


def window(start: int) -> list[int]:
    return [start + FRAME * index for index in range(FRAMES_PER_WINDOW)]


@pytest.mark.parametrize(
    ("start", "is_excluded"),
    [
        (1000, True),
        (2999, True),
        (3000, False),
        (10_720, False),
        # The last frame is shown in the excluded second.
        (10_721, True),
        (50_000, True),
        (50_999, True),
        (51_000, False),
        (59_720, False),
    ],
)
def test_times_are_the_films_own_without_gaps(start: int, is_excluded: bool) -> None:
    exclusions = excluding("0-2", "10-11")
    assert exclusions.hold_place(start) == exclusions.hold_window(window(start)) == is_excluded


def test_ranges_from_the_end_are_counted_from_the_end_of_the_film() -> None:
    exclusions = excluding("-1-end")
    assert not exclusions.hold_window(window(58_700))
    assert exclusions.hold_window(window(58_800))


def test_a_range_between_two_frames_is_touched_by_the_window_around_it() -> None:
    assert excluding("1.01-1.02").hold_window(window(1900))


@given(st.integers(1000, 9000), st.integers(0, 9), st.integers(1, 300), st.integers(0, 20_000))
def test_what_is_left_out_undecoded_would_be_rejected_decoded(
    start: int, tenths: int, length: int, first: int
) -> None:
    """At a constant rate, whatever the range is."""
    exclusions = excluding(f"{first / SECOND:.3f}-{(first + length) / SECOND:.3f}", f"0.{tenths}-1")
    assert exclusions.hold_place(start) == exclusions.hold_window(window(start))


def test_a_window_by_hand_is_known_by_a_frame_that_it_shows() -> None:
    exclusions = excluding(frames=[2120])
    assert exclusions.hold_window(window(2000))
    assert exclusions.hold_window(window(2120))
    assert exclusions.hold_window(window(1880))
    assert not exclusions.hold_window(window(2160))
    assert not exclusions.hold_window([])
    assert not exclusions.hold_place(2000)


@pytest.mark.parametrize(
    ("texts", "length"),
    [((), 0), (("0-2", "1-3"), 3000), (("0-2", "-1-end"), 3000), (("0-end", "3-4"), 20_000)],
)
def test_how_much_of_a_film_is_excluded(texts: Sequence[str], length: int) -> None:
    assert excluding(*texts).length == length
