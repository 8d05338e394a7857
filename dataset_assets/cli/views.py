"""What the terminal shows of a data set at rest: tables of videos and statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dataset_assets.cli.long_table import LongTable
from dataset_assets.config import Settings, VideoEntry
from dataset_assets.generate import SOURCE, WINDOWS, AssetStatus
from dataset_assets.tables import DatasetStats, reasons_text

STATES = {
    state: Text(state, style)
    for state, style in (("done", "green"), ("missing", "yellow"), ("partial", "cyan"), ("stale", "magenta"))
}
FILM_THERE, FILM_ABSENT = Text("ok", "green"), Text("absent", "red")


def videos_table(
    settings: Settings, found: Sequence[tuple[VideoEntry, Mapping[str, AssetStatus]]]
) -> LongTable:
    """The configured videos with the state of each table."""
    keys = [entry.key for entry, _ in found]
    films = [FILM_THERE if entry.path.is_file() else FILM_ABSENT for entry, _ in found]
    names = (SOURCE, WINDOWS, *settings.categories)
    states = [[STATES[statuses[name].state] for _, statuses in found] for name in names]
    return LongTable(
        lambda: _table(f"{len(found)} videos", ("video",), (), ("film", *names)), [keys, films, *states]
    )


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
    parts += [categories, formats, _videos(stats)]
    parts += [Text(problem, "red") for problem in stats.problems]
    return Group(*parts)


def _videos(stats: DatasetStats) -> LongTable:
    rows = stats.videos.to_dict("records")
    return LongTable(
        lambda: _table("Videos", ("video",), ("windows", "acceptance", "patches", "size"), ("rejected",)),
        [
            [row["video"] for row in rows],
            [f"{row['accepted']}/{row['windows_target']}" for row in rows],
            [_percent(row["acceptance_rate"]) for row in rows],
            [str(row["patches"]) for row in rows],
            [_gigabytes(row["size_bytes"]) for row in rows],
            [reasons_text(row["reject_reasons"]) for row in rows],
        ],
    )


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
