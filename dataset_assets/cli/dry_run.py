"""`generate --dry-run`: what would be made and why, and how long it takes; nothing is written.

Not here: which videos need work (`generate`), and what happens to their patches (`preview`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dataset_assets.cli.film_check import check_films
from dataset_assets.cli.preview import Preview
from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.dataset import WINDOWS, AssetStatus
from dataset_assets.generate import Changes
from dataset_assets.launch import Task, dagster_home
from dataset_assets.monitor import History, SnapshotCollector, duration, run_costs

# Where no run has ended yet: a window of a UHD film takes 1.0 CPU s, one of an HD film 0.19, and a run 10 s
# for its start, its probe and its checks (benchmarks/results.md).
CPU_S_PER_MEGAPIXEL = 0.12
OVERHEAD_S = 10.0
# Shown where there are such patches.
FILES_COLUMNS = {"extended": "gets a file", "reduced": "loses a file"}
# Films that are opened for that; the others count as the mean of these.
MOST_OPENED = 200


@dataclass(frozen=True, slots=True)
class _Estimate:
    """How long runs take.

    Attributes:
        work_s: Seconds of all runs together.
        source: Where that comes from.
    """

    work_s: float
    source: str


def print_dry_run(
    settings: Settings,
    statuses: Mapping[str, Mapping[str, AssetStatus]],
    tasks: Sequence[Task],
    preview: Preview,
    collector: SnapshotCollector,
    console: Console,
    *,
    workers: int,
    force: bool,
) -> None:
    """Print what a run would do.

    Args:
        settings: The configuration.
        statuses: The states of the videos' tables, by key and table.
        tasks: What is to be made.
        preview: What that does to patches.
        collector: Reads the data set.
        console: Where it is printed.
        workers: Videos at a time.
        force: Whether what is up to date is rebuilt.
    """
    if preview.by_video:
        console.print(_table(statuses, preview, force=force))
    if tasks:
        windows = {task.key: collector.windows_to_do(task.key, force=force) for task in tasks}
        found = _estimate(settings, collector, windows)
        span = duration(found.work_s / min(workers, len(tasks)))
        slots = counted(min(workers, len(tasks)), "video")
        console.print(f"about {span}, {slots} at a time: {found.source}", soft_wrap=True)
    for problem in preview.problems:
        console.print(f"[yellow]not counted[/yellow] {escape(problem)}", soft_wrap=True)
    console.print("nothing was changed")


def _table(statuses: Mapping[str, Mapping[str, AssetStatus]], preview: Preview, *, force: bool) -> Table:
    """Return what happens to patches by category and reason."""
    groups: dict[tuple[str, str], dict[str, Changes]] = {}
    for key, by_category in preview.by_video.items():
        for category, changes in by_category.items():
            if changes != Changes():
                why = _reason(statuses.get(key, {}), category, force=force)
                groups.setdefault((category, why), {})[key] = changes
    table = Table(title="Patches", title_justify="left")
    for name in ("category", "why"):
        table.add_column(name, overflow="fold")
    totals = {group: sum(found.values(), Changes()) for group, found in groups.items()}
    names = ["videos", "keeps", "adds", "remakes", "deletes"]
    of_files = [
        name for name in ("extended", "reduced") if any(getattr(each, name) for each in totals.values())
    ]
    for name in (*names, *(FILES_COLUMNS[name] for name in of_files)):
        table.add_column(name, justify="right")
    table.add_column("first video", overflow="fold")
    for (category, why), found in sorted(groups.items()):
        total = totals[category, why]
        figures = [len(found), total.kept, total.added, total.remade, total.deleted]
        figures += [getattr(total, name) for name in of_files]
        table.add_row(category, Text(why), *(f"{figure:,}" for figure in figures), next(iter(found)))
    return table


def _reason(found: Mapping[str, AssetStatus], category: str, *, force: bool) -> str:
    if category not in found:
        return "it left the configuration"
    reasons = [found[name].reason for name in (category, WINDOWS) if not found[name].is_done]
    return next(iter(reasons), "--force" if force else "")


def _estimate(settings: Settings, collector: SnapshotCollector, windows: Mapping[str, int]) -> _Estimate:
    """Estimate how long runs take, from those that ended, else from the size of the films' pictures.

    Args:
        settings: The configuration.
        collector: Reads the data set.
        windows: Windows to work on, by key.
    """
    with History(dagster_home(settings), [entry.key for entry in settings.videos]) as history:
        ended = history.read((), collector.overview(), time.time()).ended
    costs = run_costs(ended)
    if costs is not None:
        work_s = sum(costs.run_s(each) for each in windows.values())
        runs = counted(len(ended), "run")
        return _Estimate(work_s, f"{costs.window_s:.2f} s a window, as in the last {runs}")
    films = [settings.video(key).path for key in windows]
    sizes = check_films([film for film in films[:MOST_OPENED] if film.is_file()]).sizes.values()
    megapixels = sum(width * height for width, height in sizes) / 1e6 / max(1, len(sizes))
    work_s = sum(OVERHEAD_S + CPU_S_PER_MEGAPIXEL * megapixels * each for each in windows.values())
    source = f"guessed from pictures of {megapixels:.1f} megapixels, since no run has ended yet"
    return _Estimate(work_s, source)
