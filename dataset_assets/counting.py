"""Counted nouns, and shares, for people. Not here: formats of sizes and durations (`monitor.units`)."""

from __future__ import annotations

import math


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, such as `1 video`, `1,234 videos` or `2 patches`.

    Args:
        count: The number.
        noun: The noun in the singular; its plural ends in s, after a hiss in es.
    """
    ending = "" if count == 1 else "es" if noun.endswith(("ch", "sh", "s", "x")) else "s"
    return f"{count:,} {noun}{ending}"


def some_are(count: int, total: int, noun: str) -> str:
    """Return a part of a whole with its verb, such as `1 of 3 videos is` or `0 of 1 video is`.

    Args:
        count: The part.
        total: The whole.
        noun: The noun in the singular, as in `counted`.
    """
    return f"{count:,} of {counted(total, noun)} {are(count or total)}"


def are(count: int) -> str:
    """Return the verb that follows a number: `is` or `are`."""
    return "is" if count == 1 else "are"


def was(count: int) -> str:
    """Return the verb that follows a number: `was` or `were`."""
    return "was" if count == 1 else "were"


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 in percent, rounded down, so that only what is done is 100%."""
    return "-" if share is None or math.isnan(share) else f"{math.floor(100 * share + 1e-9)}%"
