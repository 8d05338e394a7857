"""What the terminal shows: tables of videos and statistics, and the live view of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.generate import SOURCE, AssetStatus, Progress
from dataset_assets.tables import DatasetStats, reasons_text

STATE_STYLES = {"done": "green", "missing": "yellow", "partial": "cyan", "stale": "magenta"}
BAR_WIDTH = 24


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
    categories = Table("category", "videos", "patches", "target", "size", "acceptance", title="Categories")
    for row in stats.categories.to_dict("records"):
        categories.add_row(
            str(row["category"]),
            str(row["videos"]),
            str(row["patches"]),
            str(row["patches_target"]),
            _gigabytes(row["size_bytes"]),
            _percent(row["acceptance_rate"]),
        )
    formats = Table("category", "format", "patches", "share", "mix", "size", "acceptance", title="Formats")
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
    videos = Table("video", "windows", "acceptance", "patches", "size", "rejected", title="Videos")
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

    def render(self, running: Sequence[Progress]) -> RenderableType:
        """The view for the progress of the videos that are worked on."""
        table = Table.grid(padding=(0, 2))
        for progress in running:
            share = progress.windows_done / progress.windows_target if progress.windows_target else 0.0
            patches = " ".join(f"{name} {count}" for name, count in progress.patches.items() if count)
            table.add_row(
                progress.key,
                ProgressBar(total=1.0, completed=share, width=BAR_WIDTH),
                f"{progress.windows_done}/{progress.windows_target} windows",
                patches,
                _eta(progress.started_s, share),
            )
        elapsed_s = time.time() - self._started_s
        ended = self.done + self.failed
        whole = f"{ended} of {self._total} videos, {_clock(elapsed_s)}"
        if self.failed:
            whole += f", {self.failed} failed"
        table.add_row("", ProgressBar(total=max(1, self._total), completed=ended, width=BAR_WIDTH), whole)
        return table


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
