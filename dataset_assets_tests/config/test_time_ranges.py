"""Ranges of time in `exclude`: how they are written, and what they mean for films of different lengths."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from dataset_assets.config import TimeRange
from dataset_assets_tests.config.samples import HEAD, settings_of

HOUR = 3600


@pytest.mark.parametrize(
    ("text", "duration_s", "start_s", "end_s"),
    [
        ("0:00-1:30", HOUR, 0, 90),
        ("-6:00-end", HOUR, HOUR - 360, HOUR),
        ("1:02:03.5-1:03:00", 2 * HOUR, HOUR + 123.5, HOUR + 180),
        ("-6:00--1:00", HOUR, HOUR - 360, HOUR - 60),
        ("90-100.25", HOUR, 90, 100.25),
        ("90:00-91:00", 2 * HOUR, 5400, 5460),
        (" 0:10 - end ", 60, 10, 60),
        ("0:30--0:30", 120, 30, 90),
        # Beyond the film: what lies in it counts.
        ("0:30-9:00:00", 60, 30, 60),
        ("-9:00:00-0:20", 60, 0, 20),
        # In a film that is too short they hold nothing.
        ("1:00:00-end", 60, HOUR, HOUR),
        ("0:50--0:50", 60, 50, 50),
    ],
)
def test_what_a_range_holds_of_a_film(text: str, duration_s: int, start_s: float, end_s: float) -> None:
    assert TimeRange.parse(text).within(Fraction(duration_s)) == (Fraction(start_s), Fraction(end_s))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "0:00",
        "a-b",
        "0:00-1:60",
        "1:60:00-2:00:00",
        "1:2:3:4-end",
        "--1-end",
        "\u0660-\u0661",
        "1.-2",
    ],
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(PydanticCustomError, match="is no range of times"):
        TimeRange.parse(text)


times = st.integers(0, 10**6)


@given(times, times, st.booleans())
def test_every_two_times_in_order_are_a_range(first: int, second: int, is_from_end: bool) -> None:
    earlier, later = sorted((first, second))
    text = f"-{later}--{earlier}" if is_from_end else f"{earlier}-{later}"
    if earlier == later:
        with pytest.raises(PydanticCustomError, match=r"ends where it starts|ends before"):
            TimeRange.parse(text)
        return
    start, end = TimeRange.parse(text).within(Fraction(2 * 10**6))
    assert end - start == later - earlier


def test_the_order_and_the_spelling_of_ranges_mean_nothing(tmp_path: Path) -> None:
    one, other = (
        settings_of(HEAD + f"    exclude: [{ranges}]\n", tmp_path).videos[0].excluded_ranges
        for ranges in ("'-6:00-end', 0:00-1:30", "0-90, '-0:06:00.0 - end', 0:00-1:30")
    )
    assert one == other
    assert [str(each) for each in one] == [str(each) for each in other]
    assert settings_of(HEAD, tmp_path).videos[0].excluded_ranges == ()
