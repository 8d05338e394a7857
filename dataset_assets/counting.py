"""Counted nouns, and shares, for people. Not here: formats of sizes and durations (`monitor.units`)."""

from __future__ import annotations

import math


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as `1 video` or `1,234 videos`.

    Args:
        count: The number.
        noun: The noun in the singular.
        plural: The noun in the plural; with an s by default.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def are(count: int) -> str:
    """Return the verb that follows a number: `is` or `are`."""
    return "is" if count == 1 else "are"


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 in percent, rounded down, so that only what is done is 100%."""
    return "-" if share is None or math.isnan(share) else f"{math.floor(100 * share + 1e-9)}%"
