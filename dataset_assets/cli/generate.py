"""`generate`: what is missing or stale of every video, through Dagster, several videos at a time.

Choosing the videos, checking the space, and the live view; the runs themselves are in `launch`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.live import Live
from rich.markup import escape

from dataset_assets.assets import close_dead_runs
from dataset_assets.cli.dry_run import print_dry_run
from dataset_assets.cli.keys import reading_keys
from dataset_assets.cli.new_films import with_new_films
from dataset_assets.cli.outcome_lines import (
    MOST_NAMED,
    about_too_small,
    misfit_of,
    patches_text,
    report_outcome,
)
from dataset_assets.cli.preview import Preview, preview_changes
from dataset_assets.cli.sync_history import sync_history
from dataset_assets.cli.unprobed import Unprobed, look_into, unprobed_keys
from dataset_assets.config import Settings, VideoEntry, load_settings
from dataset_assets.counting import are, counted, some_are
from dataset_assets.dataset import AssetStatus, DataSet, keep_curation
from dataset_assets.errors import ConfigError, DatasetAssetsError, ReplacingError, SpaceError
from dataset_assets.launch import (
    SharedVideos,
    Supervisor,
    Task,
    dagster_home,
    entered_home,
    free_concurrency_slots,
    keeps_history,
    pending_task,
    reporting_history_errors,
    update_stats,
)
from dataset_assets.monitor import REFRESH_S, LaunchedRuns, SnapshotCollector, render, size, status_line
from dataset_assets.partitions import add_missing
from dataset_assets.video import look_at

HINT = "workers {}, + and - change that; Ctrl+C stops; what is committed stays"
WORKERS_KEYS = {"+": 1, "-": -1}
# Between lines about the progress where there is no terminal that shows the view.
LINE_INTERVAL_S = 60.0
# Looking at what changes in so many videos takes a second or more.
MANY_TASKS = 100


def generate(
    config: Path,
    console: Console,
    *,
    videos: Sequence[str],
    categories: Sequence[str],
    workers: int | None,
    force: bool,
    may_replace: bool,
    is_dry_run: bool = False,
    waits: bool = False,
) -> int:
    """Bring the data set up to date.

    Args:
        config: The configuration file.
        console: Where progress is shown.
        videos: Keys of the videos; all where empty.
        categories: Categories; all where empty.
        workers: Videos at a time; the configuration's `max_workers` by default.
        force: Whether to rebuild what is up to date.
        may_replace: Whether many finished patches may be deleted or made again.
        is_dry_run: Whether it is only printed what would be made; then nothing is written.
        waits: With many machines, whether to stay until no other works on a video.

    Returns:
        The exit code: 0 when all is done, 1 when a video failed, or would be refused.

    Raises:
        ConfigError: The configuration holds mistakes, or a video or category is not in it.
        ReplacingError: Many finished patches would be deleted or made again, which nobody asked for.
        DatasetAssetsError: What is missing does not fit on the disk, or Dagster cannot write its history.
        KeyboardInterrupt: Ctrl+C; the workers have committed and stopped.
    """
    settings = load_settings(config)
    dagster_home(settings)  # refused before anything is written
    data_set = DataSet.of(settings)
    is_shared = data_set.is_made_by_many
    if waits and not is_shared:
        raise DatasetAssetsError(
            "--wait: one machine makes this data set, so there is no other to wait for",
            'leave it out, or set base_settings.machines to "many"',
        )
    if is_dry_run:
        data_set.copy.refresh()
        settings = with_new_films(settings, console, is_kept=False)
        entries = _chosen(settings, videos, categories)
        return _dry_run(settings, entries, console, categories, workers, force=force, may_replace=may_replace)
    data_set.copy.begin()
    settings = with_new_films(settings, console)
    entries = _chosen(settings, videos, categories)
    shared = SharedVideos(settings, categories, force=force) if is_shared else None
    has_history = keeps_history(settings)
    with entered_home(settings, config) as home, reporting_history_errors(home):
        return _generate(
            config,
            settings,
            entries,
            console,
            categories=categories,
            workers=workers,
            force=force,
            may_replace=may_replace,
            shared=shared,
            waits=waits,
            has_history=has_history,
        )


def _generate(
    config: Path,
    settings: Settings,
    entries: Sequence[VideoEntry],
    console: Console,
    *,
    categories: Sequence[str],
    workers: int | None,
    force: bool,
    may_replace: bool,
    shared: SharedVideos | None,
    waits: bool,
    has_history: bool,
) -> int:
    data_set = DataSet.of(settings)
    data_set.join_hosts(settings, config)
    keep_curation(settings)
    with dg.DagsterInstance.get() as instance:
        if has_history:
            sync_history(instance, settings, console)
        else:
            add_missing(instance, settings)
        close_dead_runs(instance, data_set)
        free_concurrency_slots(instance, data_set)
    data_set.clear_up()
    statuses, tasks, preview = _planned(
        settings, data_set, entries, console, categories, force=force, opens_films=False
    )
    too_small = {key for key, found in statuses.items() if misfit_of(found)} - {task.key for task in tasks}
    if not (force or may_replace or settings.base.allow_replacing):
        _refuse_to_replace(settings, data_set, entries, tasks, preview, categories)
    replacing = preview.replacing
    tasks = [replace(task, may_replace=may_replace or task.key in replacing) for task in tasks]
    collector = SnapshotCollector(settings, [entry.key for entry in entries], categories)
    # Statistics and pages follow the tables, also where a run is killed before it came to them.
    stats_due = data_set.statistics_due
    if tasks:
        _check_space(settings, data_set, collector, preview, len(tasks), console)
        with suppress(OSError):  # the runs report a full disk
            stats_due.parent.mkdir(parents=True, exist_ok=True)
            stats_due.touch()
    workers = workers or settings.base.max_workers
    failures, found_too_small, elsewhere = _run(
        config, settings, collector, console, tasks, workers, force=force, shared=shared, waits=waits
    )
    is_due = bool(tasks) or stats_due.exists()
    problems = []
    if len(entries) == len(settings.videos) and not categories:
        try:
            is_due |= bool(data_set.remove_left_categories(settings))
        except DatasetAssetsError as error:
            problems.append(str(error))
    for line in about_too_small(statuses, too_small):
        console.print(line, soft_wrap=True)
    too_small |= found_too_small
    for failure in [*failures, *problems]:
        console.print(f"[red]failed[/red] {escape(failure)}", soft_wrap=True)
    if shared is not None:
        for line in _about_elsewhere(shared, elsewhere):
            console.print(line, soft_wrap=True)
        if not shared.is_any_held():
            data_set.clear_up(waits=True)
            if is_due:
                # The machine that ends last updates them; where two end together, one after the other.
                with data_set.alone("statistics"):
                    _update_stats(config, data_set)
        found = {key: data_set.statuses(settings, settings.video(key)) for key in shared.finished}
        too_small |= {key for key, each in found.items() if misfit_of(each)}
    elif is_due:
        _update_stats(config, data_set)
    done = len(entries) - len(failures) - len(too_small) - len(elsewhere)
    beside = f", {len(too_small)} too small" if too_small else ""
    videos = f"{some_are(done, len(entries), 'video')} up to date{beside}"
    console.print(f"{videos}: {patches_text(collector.completion())} in {data_set.folder}", soft_wrap=True)
    return 1 if failures or problems else 0


def _update_stats(config: Path, data_set: DataSet) -> None:
    data_set.copy.refresh()
    update_stats(config)
    data_set.statistics_due.unlink(missing_ok=True)


def _about_elsewhere(shared: SharedVideos, keys: Sequence[str]) -> list[str]:
    """Return a line about the videos that other machines work on."""
    if not keys:
        return []
    holders = shared.holders(keys)
    named = ", ".join(f"{key} on {holders[key]}" for key in keys[:MOST_NAMED] if key in holders)
    more = f" and {len(keys) - MOST_NAMED:,} more" if len(keys) > MOST_NAMED else ""
    return [f"{counted(len(keys), 'video')} {are(len(keys))} worked on elsewhere: {escape(named)}{more}"]


def _dry_run(
    settings: Settings,
    entries: Sequence[VideoEntry],
    console: Console,
    categories: Sequence[str],
    workers: int | None,
    *,
    force: bool,
    may_replace: bool,
) -> int:
    """Print what would be made and why, and what would be refused; return the exit code."""
    data_set = DataSet.of(settings, caches_footers=True)
    statuses, tasks, preview = _planned(
        settings, data_set, entries, console, categories, force=force, opens_films=True
    )
    collector = SnapshotCollector(settings, [entry.key for entry in entries], categories)
    refusals = []
    try:
        _check_space(settings, data_set, collector, preview, len(tasks), console)
        if not (force or may_replace or settings.base.allow_replacing):
            _refuse_to_replace(settings, data_set, entries, tasks, preview, categories)
    except (SpaceError, ReplacingError) as error:
        refusals.append(str(error))
    workers = workers or settings.base.max_workers
    print_dry_run(settings, statuses, tasks, preview, collector, console, workers=workers, force=force)
    for refusal in refusals:
        console.print(f"[red]would be refused[/red] {escape(refusal)}", soft_wrap=True)
    return 1 if refusals else 0


def _planned(
    settings: Settings,
    data_set: DataSet,
    entries: Sequence[VideoEntry],
    console: Console,
    categories: Sequence[str],
    *,
    force: bool,
    opens_films: bool,
) -> tuple[dict[str, dict[str, AssetStatus]], list[Task], Preview]:
    """Return the states of videos, what of them is missing or stale or forced, and what a run would do.

    Films are opened for a dry run alone: runs open theirs in any case, and should start at once.
    """
    look_at((entry.path for entry in entries), max_age_s=0)
    statuses = {entry.key: data_set.statuses(settings, entry) for entry in entries}
    pending = (
        pending_task(settings, entry, statuses[entry.key], categories, force=force) for entry in entries
    )
    tasks = [task for task in pending if task is not None]
    keys = unprobed_keys(statuses, (task.key for task in tasks))
    unprobed = look_into(settings, keys, console) if opens_films else Unprobed(unseen=keys)
    if not console.is_terminal and len(tasks) > MANY_TASKS:
        console.print(f"looking at what changes in {counted(len(tasks), 'video')}")
    with console.status("looking at what changes"):
        preview = preview_changes(settings, data_set, entries, tasks, categories, unprobed, force=force)
    return statuses, tasks, preview


def _refuse_to_replace(
    settings: Settings,
    data_set: DataSet,
    entries: Sequence[VideoEntry],
    tasks: Sequence[Task],
    preview: Preview,
    categories: Sequence[str],
) -> None:
    worked_on = {task.key for task in tasks}
    others = [entry.key for entry in entries if entry.key not in worked_on]
    preview.refuse_to_replace(data_set, list(categories or settings.categories), others)


def _chosen(settings: Settings, videos: Sequence[str], categories: Sequence[str]) -> list[VideoEntry]:
    """Return the videos with these keys; all where there is none.

    Raises:
        ConfigError: A key or a category is unknown; all of them are listed.
    """
    problems = []
    entries = []
    for key in dict.fromkeys(videos):
        try:
            entries.append(settings.video(key))
        except ConfigError as error:
            problems += [f"--videos: {problem}" for problem in error.problems]
    known = ", ".join(settings.categories)
    problems += [
        f"--categories: there is no category {name}; the configuration has {known}"
        for name in dict.fromkeys(categories)
        if name not in settings.categories
    ]
    if problems:
        raise ConfigError(problems)
    return entries or list(settings.videos)


def _check_space(
    settings: Settings,
    data_set: DataSet,
    collector: SnapshotCollector,
    preview: Preview,
    videos: int,
    console: Console,
) -> None:
    """Print what the run will do.

    Raises:
        SpaceError: It does not fit, which would show after hours.
    """
    base = settings.base
    changes, free_bytes = preview.changes, data_set.free_bytes
    needed_bytes = collector.bytes_of(preview.to_make, preview.unprobed.sizes)
    needed_bytes += round(changes.extended_bytes)
    work = f"{counted(videos, 'video')} to work on"
    to_write = f"about {size(needed_bytes)}" if needed_bytes else "nothing"
    estimate = f"{to_write} to write, {size(free_bytes)} free"
    if unseen := len(set(preview.unprobed.unseen).difference(preview.absent)):
        estimate += f"; this counts all windows of {counted(unseen, 'film')} not probed yet"
    if needed_bytes and free_bytes - needed_bytes < base.min_free_gb * 1e9:
        raise SpaceError(
            f"{data_set.folder}: {work}, {estimate}, and base_settings.min_free_gb keeps "
            f"{size(base.min_free_gb * 1e9)}",
            "free some space, lower min_free_gb or base_frame_limit, or name a few videos by --videos",
        )
    console.print(f"{work}: {changes}; {estimate}", soft_wrap=True)


def _run(
    config: Path,
    settings: Settings,
    collector: SnapshotCollector,
    console: Console,
    tasks: Sequence[Task],
    workers: int,
    *,
    force: bool,
    shared: SharedVideos | None,
    waits: bool,
) -> tuple[list[str], set[str], list[str]]:
    """Run the tasks behind a live view.

    Returns:
        The messages of those that failed, the keys of the videos that no format fits, and those of the
        videos that are left to other machines.
    """
    windows = {task.key: collector.windows_to_do(task.key, force=force) for task in tasks}
    if shared is not None:
        # So that no machine begins with the longest film when the others are at their end.
        tasks = sorted(tasks, key=lambda task: -windows[task.key])
    supervisor = Supervisor(config, tasks, workers, force=force, shared=shared, waits=waits)
    launched = LaunchedRuns(windows, force=force)
    data_set = DataSet.of(settings)
    too_small: set[str] = set()
    shown_s = time.monotonic() if not console.is_terminal else 0.0
    with (
        reading_keys() if console.is_terminal else nullcontext() as wait_for_key,
        Live(console=console, auto_refresh=False, transient=True) as live,
    ):
        for outcome in supervisor.outcomes():
            if wait_for_key and (change := WORKERS_KEYS.get(wait_for_key(0.0))):
                supervisor.workers = max(1, supervisor.workers + change)
                shown_s = 0.0
            if outcome is not None:
                launched.ended(outcome)
                too_small |= report_outcome(outcome, settings, data_set, live.console)
            # Called at each turn, since it notes when a run started.
            activity = launched.activity(supervisor.running)
            if time.monotonic() < shown_s + (REFRESH_S if console.is_terminal else LINE_INTERVAL_S):
                continue
            snapshot = collector.snapshot(activity)
            if console.is_terminal:
                # One line less than there are, or the terminal would scroll with each refresh.
                hint = HINT.format(supervisor.workers)
                live.update(render(snapshot, console.width, console.height - 1, hint), refresh=True)
            else:
                console.print(status_line(snapshot), soft_wrap=True)
            shown_s = time.monotonic()
    failures = [*launched.failures, *(shared.failures if shared is not None else ())]
    return [failure.sentence for failure in failures], too_small, supervisor.left
