"""What the terminal shows of a data set at rest: tables of videos and statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.generate import SOURCE, AssetStatus
from dataset_assets.tables import DatasetStats, reasons_text

STATE_STYLES = {"done": "green", "missing": "yellow", "partial": "cyan", "stale": "magenta"}


def videos_table(settings: Settings, found: Sequence[tuple[VideoEntry, Mapping[str, AssetStatus]]]) -> Table:
    """The configured videos with the state of each table."""
    table = Table(title=f"{len(found)} videos", title_justify="left")
    table.add_column("video", overflow="fold")
    table.add_column("film")
    for name in (SOURCE, "windows", *settings.categories):
        table.add_column(name)
    for entry, statuses in found:
        film = Text("ok", "green") if entry.path.is_file() else Text("absent", "red")
        states = [Text(status.state, STATE_STYLES[status.state]) for status in statuses.values()]
        table.add_row(entry.key, film, *states)
    return table


def stats_tables(stats: DatasetStats) -> Group:
    """The statistics: totals, categories, formats, videos."""
    totals = stats.totals
    parts: list[RenderableType] = [
        f"{totals.videos} videos, {totals.patches} of {totals.patches_target} patches, "
        f"{_gigabytes(totals.size_bytes)}, acceptance rate {_percent(totals.acceptance_rate)}"
        + (f", rejected: {reasons_text(totals.reject_reasons)}" if totals.reject_reasons else "")
    ]
    categories = _table(
        "Categories", ("category",), ("videos", "patches", "target", "size", "acceptance"), ()
    )
    for row in stats.categories.to_dict("records"):
        categories.add_row(
            str(row["category"]),
            str(row["videos"]),
            str(row["patches"]),
            str(row["patches_target"]),
            _gigabytes(row["size_bytes"]),
            _percent(row["acceptance_rate"]),
        )
    formats = _table("Formats", ("category", "format"), ("patches", "share", "mix", "size", "acceptance"), ())
    for row in stats.formats.to_dict("records"):
        formats.add_row(
            str(row["category"]),
            str(row["format"]),
            str(row["patches"]),
            _percent(row["share"]),
            _percent(row["mix"]),
            _gigabytes(row["size_bytes"]),
            _percent(row["acceptance_rate"]),
        )
    videos = _table("Videos", ("video",), ("windows", "acceptance", "patches", "size"), ("rejected",))
    for row in stats.videos.to_dict("records"):
        videos.add_row(
            str(row["video"]),
            f"{row['accepted']}/{row['windows_target']}",
            _percent(row["acceptance_rate"]),
            str(row["patches"]),
            _gigabytes(row["size_bytes"]),
            reasons_text(row["reject_reasons"]),
        )
    parts += [categories, formats, videos]
    parts += [Text(problem, "red") for problem in stats.problems]
    return Group(*parts)


def _table(title: str, names: Sequence[str], numbers: Sequence[str], texts: Sequence[str]) -> Table:
    """An empty table: columns of names, then of numbers, then of texts."""
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    for name in texts:
        table.add_column(name)
    return table


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"


def _gigabytes(size_bytes: float) -> str:
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.1f} MB"
