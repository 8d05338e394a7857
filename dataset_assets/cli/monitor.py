"""`monitor`: the terminal of the live view: its keys, its size, its end.

What is read and how it is rendered is in the package `monitor`. Nothing is changed.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from dataset_assets.cli.keys import reading_keys
from dataset_assets.config import ConfigReader, Settings, kept_settings, named_data_set
from dataset_assets.dataset import COPY_AGE_S, DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.launch import dagster_home, home_of
from dataset_assets.monitor import REFRESH_S, History, Snapshot, SnapshotCollector, render, to_json
from dataset_assets.object_store import StoreError

HINT = "q ends this view; runs go on"
# Between the two readings of the machine that one snapshot takes: rates are over that time.
SAMPLE_S = 0.5
# How soon a changed size of the terminal shows.
POLL_S = 0.25


def monitor(config: ConfigReader, console: Console, *, once: bool, as_json: bool) -> bool:
    """Show a data set and the runs on it.

    Args:
        config: The configuration, read again when it changes; a mistake in it meanwhile is a problem shown.
        console: Where it is shown.
        once: Whether one snapshot is printed, as where the console is no terminal; else the view is refreshed
            until q or Ctrl+C.
        as_json: Whether one snapshot is printed as JSON.

    Returns:
        Whether the configuration holds no mistake; while it does, the settings are those of before.

    Raises:
        ConfigError: It holds mistakes, and no settings of before are known.
    """
    with _Snapshots(config) as snapshots:
        if not (once or as_json) and console.is_terminal:
            _watch(lambda: _with_mistake(snapshots.take(), config.mistake()), console)
            return True
        snapshots.take()
        time.sleep(SAMPLE_S)
        mistake = config.mistake()
        snapshot = snapshots.take()
    if as_json:
        sys.stdout.write(to_json(_with_mistake(snapshot, mistake)) + "\n")
        return not mistake
    if mistake:
        console.print(f"[red]error[/red] no run starts: {escape(mistake)}", soft_wrap=True)
    console.print(render(snapshot, console.width, None))
    return not mistake


def _with_mistake(snapshot: Snapshot, mistake: str) -> Snapshot:
    """Return a snapshot whose first problem is a mistake in the configuration; empty where there is none."""
    problems = (f"no run starts: {mistake}",) if mistake else ()
    return replace(snapshot, problems=(*problems, *snapshot.problems))


class _Snapshots:
    """Takes snapshots by the configuration as it is at that moment."""

    def __init__(self, config: ConfigReader) -> None:
        """Read the configuration, or what was kept of it before it held mistakes.

        Raises:
            ConfigError: It holds mistakes, and nothing was kept.
        """
        self._config = config
        self._open(config.last_valid() or _kept(config.path) or config.read())

    def __enter__(self) -> _Snapshots:
        return self

    def __exit__(self, *_: object) -> None:
        self._history.close()

    def take(self) -> Snapshot:
        """Take a snapshot."""
        settings = self._config.last_valid()
        if settings is not None and settings is not self._settings:
            self._history.close()
            self._open(settings)
        with suppress(StoreError):  # what is here is shown while the store is away
            DataSet.of(self._settings).copy.refresh(COPY_AGE_S)
        at_work = self._collector.at_work()
        activity = self._history.read(at_work, self._collector.overview(), time.time())
        return self._collector.snapshot(activity)

    def _open(self, settings: Settings) -> None:
        self._settings = settings
        self._collector = SnapshotCollector(settings)
        keys = [entry.key for entry in settings.videos]
        self._history = History(dagster_home(settings), keys)


def _kept(config: Path) -> Settings | None:
    """Return the settings of before, by which runs of a broken configuration can be watched."""
    folder = named_data_set(config)
    with suppress(DatasetAssetsError):
        return kept_settings(config, home_of(folder)) if folder is not None else None
    return None


def _watch(take: Callable[[], Snapshot], console: Console) -> None:
    """Refresh the view until q, Ctrl+C or SIGTERM; the terminal is left as it was."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with reading_keys() as wait_for_key, Live(console=console, screen=True, auto_refresh=False) as live:
            key = ""
            while key not in ("q", "Q"):
                snapshot = take()
                taken_s = time.monotonic()
                size = None
                while key not in ("q", "Q") and (left_s := taken_s + REFRESH_S - time.monotonic()) > 0:
                    if console.size != size:
                        size = console.size
                        live.update(render(snapshot, size.width, size.height, HINT), refresh=True)
                    key = wait_for_key(min(left_s, POLL_S))
    except KeyboardInterrupt:
        pass  # one of the two ways to leave
