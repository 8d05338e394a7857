"""`generate --dry-run`: what would be made and why, and how long it takes; nothing is written.

Not here: which videos need work (`generate`), and what happens to their patches (`preview`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dataset_assets.cli.preview import Preview
from dataset_assets.cli.unprobed import Unprobed
from dataset_assets.config import Settings, fitting_remedy
from dataset_assets.counting import counted
from dataset_assets.dataset import WINDOWS, AssetStatus, DataSet, share_held, what_it_holds
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.generate import Changes
from dataset_assets.launch import Task, dagster_home
from dataset_assets.monitor import History, SnapshotCollector, duration, run_costs
from dataset_assets.tables import VideoRow

# Where no run on windows has ended yet: one of a UHD film takes 1.0 CPU s, of an HD film 0.19, a run 10 s
# for its start, its probe and its checks (benchmarks/results.md).
CPU_S_PER_MEGAPIXEL = 0.12
OVERHEAD_S = 10.0
# Shown where there are such patches.
FILES_COLUMNS = {"extended": "gets a file", "reduced": "loses a file"}
# Probed films whose pictures are looked up for that; the others count as the mean of these.
MOST_LOOKED_UP = 200


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
    for line in _about_films(settings, preview):
        console.print(line, soft_wrap=True)
    probed = _probed(settings, (task.key for task in tasks))
    enlarged = {key: what_it_holds(row) for key, row in probed if share_held(row) < 1}
    for key, holds in islice(enlarged.items(), 1):
        sentence = f"{counted(len(enlarged), 'film')}, first {key}: {holds}"
        console.print(f"[yellow]enlarged[/yellow] {escape(sentence)}", soft_wrap=True)
    if tasks:
        windows = {
            task.key: collector.windows_to_do(task.key, force=force)
            if found is None
            # A window may have several patches in each category.
            else min(found, settings.window_target(settings.video(task.key)))
            for task in tasks
            for found in [preview.windows(task.key)]
        }
        nothing = (*preview.unprobed.too_small, *preview.unprobed.refused, *preview.absent)
        windows |= dict.fromkeys(nothing, 0)
        found = _estimate(settings, collector, windows, preview.unprobed)
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


def _about_films(settings: Settings, preview: Preview) -> Iterator[str]:
    """Yield which films give nothing: how many, and the first."""
    unprobed = preview.unprobed
    for key in preview.absent[:1]:
        count, path = counted(len(preview.absent), "film"), settings.video(key).path
        sentence = f"{count}, first {key} ({path}): the file does not exist, and nothing is counted of it"
        yield f"[red]absent[/red] {escape(sentence)}"
    for key, why in islice(unprobed.too_small.items(), 1):
        count = counted(len(unprobed.too_small), "film")
        yield f"[yellow]too small[/yellow] {count}, first {key}: {escape(why)}"
    for key, error in islice(unprobed.refused.items(), 1):
        count, video = counted(len(unprobed.refused), "film"), settings.video(key)
        remedy = fitting_remedy(error.remedy, settings, video)
        sentence = f"{count}, first {key} ({video.path}): {error.what}; {remedy}"
        yield f"[red]cannot be used[/red] {escape(sentence)}"


def _estimate(
    settings: Settings, collector: SnapshotCollector, windows: Mapping[str, int], unprobed: Unprobed
) -> _Estimate:
    """Estimate how long runs take, from those that ended, else from the size of the films' pictures.

    Args:
        settings: The configuration.
        collector: Reads the data set.
        windows: Windows to work on, by key.
        unprobed: What is known of the films that were not probed yet.
    """
    with History(dagster_home(settings), [entry.key for entry in settings.videos]) as history:
        # Those of films that no format fits, or that were up to date, show nothing about windows.
        ended = [run for run in history.read({}, collector.overview(), time.time()).ended if run.windows]
    costs = run_costs(ended)
    if costs is not None:
        work_s = sum(costs.run_s(each) if each else OVERHEAD_S for each in windows.values())
        runs = counted(len(ended), "run")
        return _Estimate(work_s, f"{costs.window_s:.2f} s a window, as in the last {runs}")
    sizes = [size for key, size in unprobed.sizes.items() if windows[key]]
    sizes += [(row.width, row.height) for _, row in _probed(settings, windows)]
    megapixels = sum(width * height for width, height in sizes) / 1e6 / max(1, len(sizes))
    work_s = sum(OVERHEAD_S + CPU_S_PER_MEGAPIXEL * megapixels * each for each in windows.values())
    source = f"guessed from pictures of {megapixels:.1f} megapixels, since no run on windows has ended yet"
    return _Estimate(work_s, source)


def _probed(settings: Settings, keys: Iterable[str]) -> Iterator[tuple[str, VideoRow]]:
    """Yield the keys and rows of the first films, those that were probed."""
    tables = DataSet.of(settings).tables
    for key in islice(keys, MOST_LOOKED_UP):
        with suppress(DatasetAssetsError):  # damaged, and rebuilt by the run
            if (row := tables.read_video(key)) is not None:
                yield key, row
