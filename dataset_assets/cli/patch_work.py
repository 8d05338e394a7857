"""What `score` and `degrade` share: the patches that are worked on, and how far that is.

Not here: what is done with a patch (`curation`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dataset_assets.config import Settings, near_names
from dataset_assets.counting import counted
from dataset_assets.curation import DegradingReport, ScoringReport
from dataset_assets.dataset import DataSet, TableStore
from dataset_assets.errors import BusyError, ConfigError, DatasetAssetsError

LINE_INTERVAL_S: Final = 60.0

_Report = TypeVar("_Report")


class PatchProgress(AbstractContextManager["PatchProgress"]):
    """Shows how many patches are done: a bar, or a line a minute where there is no terminal."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total, self._done = console, total, 0
        self._shown_s = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("patches", total=total)

    def __enter__(self) -> PatchProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, count: int) -> None:
        """Count further patches."""
        self._done += count
        self._bar.advance(self._task, count)
        now_s = time.monotonic()
        if not self._console.is_terminal and now_s >= self._shown_s + LINE_INTERVAL_S:
            self._shown_s = now_s
            self._console.print(f"{self._done:,} of {counted(self._total, 'patch')}", soft_wrap=True)


@dataclass(slots=True)
class Totals:
    """What was done, over all videos.

    Attributes:
        videos: How many there were.
    """

    videos: int = 0
    _made: int = 0
    _removed: int = 0
    _cpu_s: float = 0.0

    def add(self, report: ScoringReport | DegradingReport) -> None:
        """Add a video."""
        self.videos += 1
        self._made += report.made
        self._removed += report.removed
        self._cpu_s += report.cpu_s if report.made else 0.0

    def sentence(self, done: str, removed: str) -> str:
        """Return how many were done now, at what price, and how many old ones were removed.

        Args:
            done: What was done, such as `scored`.
            removed: What was removed, in the singular.
        """
        parts = [f"{self._made:,} {done} now"]
        if self._made:
            parts[0] += f" ({1000 * self._cpu_s / self._made:.1f} CPU ms each)"
        if self._removed:
            parts.append(f"{counted(self._removed, removed)} removed")
        return ", ".join(parts)


def work_through(
    console: Console,
    patches: Mapping[str, int],
    work: Callable[..., _Report],
    add: Callable[[_Report], None],
) -> int:
    """Work on one video after the other; print those that are skipped or fail, and go on.

    Args:
        console: Where progress is shown.
        patches: How many patches each video has, by key.
        work: Does the work on a video, called with its key and `on_patches`, which counts patches as they are
            done.
        add: Takes what was done with a video.

    Returns:
        How many videos failed.
    """
    failed = 0
    with PatchProgress(console, sum(patches.values())) as advance:
        for key in patches:
            try:
                report = work(key, on_patches=advance)
            except BusyError as error:
                console.print(f"skipped {escape(str(error))}", soft_wrap=True)
            except DatasetAssetsError as error:
                failed += 1
                console.print(f"[red]failed[/red] {escape(str(error))}", soft_wrap=True)
            else:
                add(report)
    return failed


def patches_by_video(
    settings: Settings, data_set: DataSet, videos: Sequence[str], categories: Sequence[str], verb: str
) -> dict[str, int]:
    """Return how many patches each video has that is worked on, by key.

    Args:
        settings: The configuration.
        data_set: The data set.
        videos: Keys of the videos; all that have a patches table where empty.
        categories: Categories of which patches count; all where empty.
        verb: What is done with them, in errors.

    Raises:
        ConfigError: A video has no patches table, or a category is neither configured nor in the tables.
        DatasetAssetsError: No video has one.
    """
    tables = data_set.tables
    there = tables.categories()
    known = sorted({*settings.categories, *there})
    problems = [
        f"--categories: there is no category {name}; {near_names(name, known)}"
        for name in dict.fromkeys(categories)
        if name not in known
    ]
    counts: dict[str, int] = {}
    for name in there:
        for key, path in tables.patches_files(name).items():
            counts.setdefault(key, 0)
            if not categories or name in categories:
                counts[key] += _rows(tables, path)
    problems += [
        f"--videos: {key!r} has no patches; {near_names(key, counts)}"
        for key in dict.fromkeys(videos)
        if key not in counts
    ]
    if problems:
        raise ConfigError(problems)
    if not counts:
        raise DatasetAssetsError(f"{data_set.folder} has no patches to {verb}", "run generate first.")
    return {key: count for key, count in sorted(counts.items()) if not videos or key in videos}


def _rows(tables: TableStore, path: Path) -> int:
    try:
        footer = tables.read_footer(path)
    except DatasetAssetsError:
        return 0  # reported where the video is scored
    return sum(footer[1].patches.values()) if footer else 0
