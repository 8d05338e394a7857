"""Format durations and bytes in few characters; "-" where a number is not known.

Where they are shown, and in which colour, belongs to `live_view`.
"""

from __future__ import annotations

from rich.filesize import decimal

DAY_S, HOUR_S, MINUTE_S = 86400, 3600, 60


def clock(seconds: float) -> str:
    """Return a duration as `1:05`, `2:01:05` or `3 d 4 h`."""
    left = max(0, int(seconds))
    if left >= DAY_S:
        return f"{left // DAY_S} d {left % DAY_S // HOUR_S} h"
    minutes, rest = divmod(left, MINUTE_S)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def duration(seconds: float) -> str:
    """Return a duration that is only estimated, as `40 s`, `12 min`, `3.5 h` or `2.4 days`."""
    for length, unit in ((DAY_S, "days"), (HOUR_S, "h")):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds / MINUTE_S:.0f} min" if seconds >= MINUTE_S else f"{seconds:.0f} s"


def ago(seconds: float) -> str:
    """Return how long ago something was, as `12 s ago`, `5 min ago`, `3 h ago` or `2 d ago`."""
    for length, unit in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return f"{max(0, int(seconds))} s ago"


def size(size_bytes: float | None) -> str:
    """Return bytes in the unit of 1000 that leaves one to three digits before the point: `12.3 MB`."""
    if size_bytes is None:
        return "-"
    text = decimal(abs(round(size_bytes)))
    return f"-{text}" if size_bytes < 0 else text


def rate(value: float | None, unit: str = "") -> str:
    """Return a number rounded to an integer, with its unit; without a unit, bytes per second."""
    if value is None:
        return "-"
    return f"{value:.0f}{unit}" if unit else f"{size(value)}/s"


def shortened(text: str, width: int, *, keep_end: bool = False) -> str:
    """Return a text in at most `width` columns, its end, or its start, left out."""
    if len(text) <= width:
        return text
    return "…" + text[len(text) - width + 1 :] if keep_end else text[: width - 1] + "…"
