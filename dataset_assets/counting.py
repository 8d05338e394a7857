"""Counted nouns in sentences for people. Not here: formats of sizes and durations (`monitor.units`)."""

from __future__ import annotations


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
