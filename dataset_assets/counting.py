"""Counted nouns in sentences for people. Not here: formats of sizes and durations (`monitor.units`)."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, such as `1 video`, `1,234 videos` or `2 patches`.

    Args:
        count: The number.
        noun: The noun in the singular; its plural ends in s, after a hiss in es.
    """
    ending = "" if count == 1 else "es" if noun.endswith(("ch", "sh", "s", "x")) else "s"
    return f"{count:,} {noun}{ending}"


def are(count: int) -> str:
    """Return the verb that follows a number: `is` or `are`."""
    return "is" if count == 1 else "are"
