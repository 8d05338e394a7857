"""`generate`: what is missing or stale of every video, through Dagster, several videos at a time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from sqlalchemy.exc import DBAPIError

from dataset_assets.assets.make_patches import SCENE_WINDOWS, patches_asset
from dataset_assets.assets.runs import is_overtaken
from dataset_assets.assets.source_video import SOURCE_VIDEO
from dataset_assets.automation.pending import pending_assets
from dataset_assets.checks import ENOUGH_SHARE
from dataset_assets.cli.new_films import with_new_films
from dataset_assets.cli.sync_history import bring_up_to_date
from dataset_assets.config import Settings, VideoEntry, load_settings
from dataset_assets.dataset import DataSet, Failure
from dataset_assets.definitions import STATS_JOB, build_defs
from dataset_assets.errors import ConfigError, DatasetAssetsError, SpaceError
from dataset_assets.launch.concurrency_slots import free_slots
from dataset_assets.launch.home import dagster_home, enter_home, history_told
from dataset_assets.launch.supervisor import Supervisor, Task
from dataset_assets.launch.worker import QUIET
from dataset_assets.monitor.collector import REFRESH_S, Watcher
from dataset_assets.monitor.launched_runs import Launched
from dataset_assets.monitor.live_view import render
from dataset_assets.monitor.units import size

HINT = "Ctrl+C stops; what is committed stays"


def generate(
    config: Path,
    console: Console,
    *,
    videos: Sequence[str],
    categories: Sequence[str],
    workers: int | None,
    force: bool,
) -> int:
    """Bring the data set up to date.

    Args:
        config: The configuration file.
        console: Where progress is shown.
        videos: Keys of the videos; all where empty.
        categories: Categories; all where empty.
        workers: Videos at a time; the configuration's `max_workers` by default.
        force: Whether to rebuild what is up to date.

    Returns:
        The exit code: 0 when all is done, 1 when a video failed.

    Raises:
        ConfigError: The configuration holds mistakes, or a video or category is not in it.
        DatasetAssetsError: What is missing does not fit on the disk, or Dagster cannot write its history.
        KeyboardInterrupt: Ctrl+C; the workers have committed and stopped.
    """
    settings = load_settings(config)
    dagster_home(settings)  # refused before anything is written
    settings = with_new_films(settings, console)
    entries = _chosen(settings, videos, categories)
    with history_told(enter_home(settings, config)):
        return _bring_up_to_date(
            config, settings, entries, console, categories=categories, workers=workers, force=force
        )


def _bring_up_to_date(
    config: Path,
    settings: Settings,
    entries: Sequence[VideoEntry],
    console: Console,
    *,
    categories: Sequence[str],
    workers: int | None,
    force: bool,
) -> int:
    data_set = DataSet.of(settings)
    with dg.DagsterInstance.get() as instance:
        bring_up_to_date(instance, settings, console)
        free_slots(instance, data_set)
    data_set.clear_up()
    tasks = [task for entry in entries if (task := _task(settings, entry, data_set, categories, force=force))]
    watcher = Watcher(settings, [entry.key for entry in entries], categories)
    # Statistics and pages follow the tables, also where a run is killed before it came to them.
    stats_due = data_set.statistics_due
    is_due = bool(tasks) or stats_due.exists()
    if tasks:
        _check_space(settings, watcher, tasks, console)
        with suppress(OSError):  # the runs report a full disk
            stats_due.parent.mkdir(parents=True, exist_ok=True)
            stats_due.touch()
    failures = _run(
        config, data_set, watcher, console, tasks, workers or settings.base.max_workers, force=force
    )
    problems = []
    if len(entries) == len(settings.videos) and not categories:
        try:
            is_due |= bool(data_set.remove_left_categories(settings))
        except DatasetAssetsError as error:
            problems.append(str(error))
    for failure in [*failures, *problems]:
        console.print(f"[red]failed[/red] {escape(failure)}", soft_wrap=True)
    if is_due:
        _update_stats(config)
        stats_due.unlink(missing_ok=True)
    done = len(entries) - len(failures)
    console.print(f"{done} of {len(entries)} videos are up to date in {data_set.folder}", soft_wrap=True)
    return 1 if failures or problems else 0


def _chosen(settings: Settings, videos: Sequence[str], categories: Sequence[str]) -> list[VideoEntry]:
    """Return the videos with these keys, all where there is none; report every unknown key or category."""
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


def _task(
    settings: Settings,
    entry: VideoEntry,
    data_set: DataSet,
    categories: Sequence[str],
    *,
    force: bool,
) -> Task | None:
    """Return the assets of a video that are missing or stale, or forced; None where there is none.

    With chosen categories, only they are forced: their windows are replayed.
    """
    chosen = list(categories or settings.categories)
    if force and not categories:
        assets: tuple[str, ...] = (SOURCE_VIDEO, SCENE_WINDOWS, *map(patches_asset, chosen))
    else:
        assets = pending_assets(data_set.statuses(settings, entry), chosen).assets
        if force:
            forced = map(patches_asset, chosen)
            assets = tuple(dict.fromkeys([*assets, *forced]))
    return Task(entry.key, assets) if assets else None


def _check_space(settings: Settings, watcher: Watcher, tasks: Sequence[Task], console: Console) -> None:
    """Report what the run will write; stop where that does not fit, before hours are spent."""
    keys = [task.key for task in tasks]
    disk = watcher.snapshot(Launched(keys).activity([])).disk
    needed_bytes = disk.free_bytes - disk.free_after_bytes
    videos = f"{len(keys)} video{'s' if len(keys) > 1 else ''} to work on"
    estimate = f"about {size(needed_bytes)} to write, {size(disk.free_bytes)} free"
    if needed_bytes and disk.free_after_bytes < disk.min_free_bytes:
        raise SpaceError(
            f"{settings.base.output_base_dir}: {videos}, {estimate}, and base_settings.min_free_gb keeps "
            f"{size(disk.min_free_bytes)}; free some space, lower min_free_gb or base_frame_limit, or name a "
            "few videos by --videos"
        )
    console.print(f"{videos}: {estimate}", soft_wrap=True)


def _run(
    config: Path,
    data_set: DataSet,
    watcher: Watcher,
    console: Console,
    tasks: Sequence[Task],
    workers: int,
    *,
    force: bool,
) -> list[str]:
    """Run the tasks behind a live view; return the sentences of those that failed."""
    supervisor = Supervisor(config, tasks, workers, force=force)
    launched = Launched([task.key for task in tasks])
    shown_s = 0.0
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for outcome in supervisor.outcomes():
            if outcome is not None:
                launched.ended(outcome)
            if outcome is not None and outcome.failure is not None:
                _close_run(outcome.failure, data_set)
                live.console.print(f"[red]failed[/red] {outcome.key}")
            elif outcome is not None:
                live.console.print(f"[green]done[/green] {outcome.key}: {outcome.patches} patches")
                for warning in _warnings(data_set, outcome.key):
                    line = f"[yellow]warning[/yellow] {outcome.key}: {escape(warning)}"
                    live.console.print(line, soft_wrap=True)
            if console.is_terminal and time.monotonic() >= shown_s + REFRESH_S:
                snapshot = watcher.snapshot(launched.activity(supervisor.running))
                # One line less than there are, or the terminal would scroll with each refresh.
                live.update(render(snapshot, console.width, console.height - 1, HINT), refresh=True)
                shown_s = time.monotonic()
    return [failure.sentence for failure in launched.failures]


def _warnings(data_set: DataSet, key: str) -> list[str]:
    """Return what was guessed, ignored or left out of a film, and why it gave less than asked for."""
    with suppress(DatasetAssetsError):
        tables = data_set.tables
        row, asked = tables.read_video(key), tables.read_provenance(tables.windows_path(key))
        if row is None or asked is None:
            return []
        attempts = tables.read_windows(key)
        found = sum(each.accepted for each in attempts)
        warnings = list(row.warnings)
        if found < ENOUGH_SHARE * asked.target:
            reasons = Counter(each.reason for each in attempts if each.reason is not None).most_common(1)
            why = "".join(f"; most places are rejected as {reason} ({count})" for reason, count in reasons)
            warnings.append(f"only {found} of {asked.target} windows were found{why}")
        if found and not any(data_set.triplets([key])):
            area = f"{row.active_width}x{row.active_height}"
            warnings.append(f"no format fits into its picture of {area}, so there are no patches of it")
        return warnings
    return []


def _close_run(failure: Failure, data_set: DataSet) -> None:
    """Keep why a run failed, and mark that of a worker that died as failed; it could not do so itself.

    Where the disk is full this cannot either: the next `generate` frees what the run holds.
    """
    with suppress(DBAPIError, OSError), dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(failure.run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, failure.sentence)
        # The others of this `generate` wait for its place.
        instance.event_log_storage.free_concurrency_slots_for_run(failure.run_id)
        if not is_overtaken(instance, failure.run_id, failure.key):
            data_set.failures.keep(failure)


def _update_stats(config: Path) -> None:
    job = build_defs(config).resolve_job_def(STATS_JOB)
    try:
        with dg.DagsterInstance.get() as instance:
            job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)
    except dg.DagsterExecutionInterruptedError as error:
        raise KeyboardInterrupt from error
