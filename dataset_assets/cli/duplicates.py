"""`duplicates`: compare the videos, and which of them show the same.

Comparing and the table are in the package `curation`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dataset_assets.config import load_settings
from dataset_assets.counting import counted
from dataset_assets.curation import DuplicatesReport, VideoPair, find_duplicates, video_pairs
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.gallery import clock, write_duplicates_page

# A series of 24 episodes with one opening has 276 pairs.
MOST_PAIRS: Final = 300


def duplicates(config: Path, console: Console) -> int:
    """Compare the videos that are new or changed with all others; print the pairs that show the same.

    Args:
        config: The configuration file.
        console: Where they are shown.

    Returns:
        The exit code: 0 when all is done, 1 when a video could not be read.

    Raises:
        ConfigError: The configuration holds mistakes.
        DatasetAssetsError: There is nothing to compare, or a table or the disk cannot be read or written.
    """
    settings = load_settings(config)
    data_set = DataSet.of(settings)
    data_set.copy.begin()
    data_set.join_hosts(settings, config)
    if not data_set.tables.windows_files():
        raise DatasetAssetsError(f"{data_set.folder} has no windows to compare", "run generate first.")

    def show(done: int, total: int) -> None:
        if 0 < done < total:
            console.print(f"{done:,} of {counted(total, 'video')} compared", soft_wrap=True)

    report = find_duplicates(settings, on_videos=show)
    pairs = video_pairs(data_set, report.rows)
    if pairs:
        console.print(_table(pairs))
    if len(pairs) > MOST_PAIRS:
        console.print(f"and {counted(len(pairs) - MOST_PAIRS, 'pair')} of videos more", soft_wrap=True)
    for problem in report.problems:
        console.print(f"[red]not compared[/red] {escape(problem)}", soft_wrap=True)
    if pairs:
        console.print(f"pictures: {escape(str(write_duplicates_page(settings)))}", soft_wrap=True)
    console.print(escape(_sentence(report, len(pairs), data_set.duplicates.path)), soft_wrap=True)
    return 1 if report.problems else 0


def _table(pairs: list[VideoPair]) -> Table:
    """Return a line for each pair: what it looks like, how many windows, where, and how far apart."""
    table = Table("video", "shows again", "as", "windows", "from", "to", "offset")
    for column in table.columns[3:]:
        column.justify = "right"
    for pair in pairs[:MOST_PAIRS]:
        table.add_row(
            pair.video,
            pair.of_video,
            pair.kind,
            f"{len(pair.rows):,}",
            clock(pair.rows[0].time_s),
            clock(pair.rows[-1].time_s),
            f"{pair.offset_s:+,.1f} s",
        )
    return table


def _sentence(report: DuplicatesReport, pairs: int, path: Path) -> str:
    parts = [f"{report.made:,} compared now"]
    if report.made:
        parts[0] += f" ({report.cpu_s:.1f} CPU s)"
    if report.removed:
        parts.append(f"{report.removed:,} that are gone removed")
    found = f"{counted(report.windows, 'window')} in {counted(pairs, 'pair')} of videos"
    return f"{found} in {path}; {counted(report.videos, 'video')}: {', '.join(parts)}"
