"""Ranges of a film's time as a user writes them: `0:00-1:30`, `-6:00-end`.

Belongs here: how a range is written and what it means for a film of a length. Not here: which frames lie in
it (`windows`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from dataset_assets.config.fields import mistake

_MOMENT: Final = r"end|-?(?:\d+:)?(?:\d+:)?\d+(?:\.\d+)?"
_RANGE: Final = re.compile(rf"\s*({_MOMENT})\s*-\s*({_MOMENT})\s*", re.ASCII)
# Of an hour and of a minute; a number without a larger unit before it may be greater.
_SIXTY: Final = 60


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A moment of a film.

    Attributes:
        is_from_end: Whether it is counted from the film's end.
        offset_s: Seconds after the start, or after the end (0 or less).
    """

    is_from_end: bool
    offset_s: Fraction

    def at(self, duration_s: Fraction) -> Fraction:
        """Return the seconds after the start, 0 or more, of a film of this length."""
        return max(Fraction(0), self.offset_s + (duration_s if self.is_from_end else 0))


@dataclass(frozen=True, slots=True, order=True)
class TimeRange:
    """A range of a film's time; its end is not part of it."""

    start: Moment
    end: Moment

    @classmethod
    def parse(cls, text: str) -> TimeRange:
        """Read a range such as `0:00-1:30`, `1:02:03.5-1:03:00`, `-6:00-end`, `90-95`.

        Raises:
            PydanticCustomError: It is not a range, or ends before it starts.
        """
        found = _RANGE.fullmatch(text)
        moments = [_moment(each) for each in found.groups()] if found else []
        start, end = moments if moments else (None, None)
        if start is None or end is None:
            raise mistake(
                "is no range of times; write such as 0:00-1:30, 1:02:03.5-1:03:00, or -6:00-end for the last "
                "6 minutes"
            )
        is_comparable = start.is_from_end == end.is_from_end
        if (start.is_from_end and not start.offset_s) or (is_comparable and start.offset_s > end.offset_s):
            raise mistake("ends before it starts; swap the two times")
        if start == end:
            raise mistake("ends where it starts, so it excludes nothing; give it a length, or remove it")
        return cls(start, end)

    def within(self, duration_s: Fraction) -> tuple[Fraction, Fraction]:
        """Return its start and end in seconds of a film of this length; an empty range if it has no part."""
        start, end = self.start.at(duration_s), min(self.end.at(duration_s), duration_s)
        return start, max(start, end)

    def __str__(self) -> str:
        """Return the same text for all spellings of a range, in seconds."""
        return "-".join(
            f"{'end' if each.is_from_end else ''}{each.offset_s}" for each in (self.start, self.end)
        )


def _moment(text: str) -> Moment | None:
    """Return a moment; None where minutes or seconds are 60 or more beside a larger unit."""
    if text == "end":
        return Moment(is_from_end=True, offset_s=Fraction(0))
    parts = [Fraction(part) for part in text.removeprefix("-").split(":")]
    if any(part >= _SIXTY for part in parts[1:]):
        return None
    seconds = sum((part * _SIXTY**power for power, part in enumerate(reversed(parts))), Fraction(0))
    is_from_end = text.startswith("-")
    return Moment(is_from_end, -seconds if is_from_end else seconds)


@lru_cache(maxsize=1024)
def _parsed(texts: tuple[str, ...]) -> tuple[TimeRange, ...]:
    return tuple(sorted({TimeRange.parse(text) for text in texts}))


def time_ranges(texts: Iterable[str]) -> tuple[TimeRange, ...]:
    """Return ranges in an order that does not depend on how they are written; each once."""
    return _parsed(tuple(texts))


def _readable(text: str) -> str:
    TimeRange.parse(text)
    return text


TimeRanges = Annotated[
    list[Annotated[str, AfterValidator(_readable)]],
    Field(examples=[["0:00-1:30", "-6:00-end"]]),
]
