"""What the terminal shows: tables of videos and statistics, and the live view of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dataset_assets.cli.long_table import LongTable
from dataset_assets.config import Settings, VideoEntry
from dataset_assets.generate import SOURCE, WINDOWS, AssetStatus, Progress
from dataset_assets.tables import DatasetStats, reasons_text

STATES = {
    state: Text(state, style)
    for state, style in (("done", "green"), ("missing", "yellow"), ("partial", "cyan"), ("stale", "magenta"))
}
FILM_THERE, FILM_ABSENT = Text("ok", "green"), Text("absent", "red")
BAR_WIDTH = 16


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


class RunView:
    """The live view of `generate`: one line for each running video, and the whole below."""

    def __init__(self, total: int) -> None:
        """Starts the clock.

        Args:
            total: Videos of this run.
        """
        self._total = total
        self._started_s = time.time()
        self.done = 0
        self.failed = 0

    def render(self, running: Sequence[str], found: Sequence[Progress]) -> RenderableType:
        """The view of the videos that are worked on; one that has no progress yet is being probed."""
        table = Table.grid(padding=(0, 2))
        table.add_column(overflow="ellipsis")
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column()
        table.add_column(no_wrap=True)
        by_key = {progress.key: progress for progress in found}
        for key in running:
            if (progress := by_key.get(key)) is None:
                table.add_row(key, _bar(0.0), "probing")
                continue
            share = progress.windows_done / progress.windows_target if progress.windows_target else 0.0
            patches = " ".join(f"{name} {count}" for name, count in progress.patches.items() if count)
            windows = f"{progress.windows_done}/{progress.windows_target} windows"
            table.add_row(key, _bar(share), windows, patches, _eta(progress.started_s, share))
        ended = self.done + self.failed
        whole = f"{ended} of {self._total} videos, {_clock(time.time() - self._started_s)}"
        if self.failed:
            whole += f", {self.failed} failed"
        return Group(table, Columns([_bar(ended / max(1, self._total)), whole], padding=(0, 2)))


def _bar(share: float) -> ProgressBar:
    return ProgressBar(total=1.0, completed=share, width=BAR_WIDTH)


def _eta(started_s: float, share: float) -> str:
    elapsed_s = time.time() - started_s
    return f"ETA {_clock(elapsed_s * (1 - share) / share)}" if share > 0 else ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"


def _gigabytes(size_bytes: float) -> str:
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.1f} MB"
