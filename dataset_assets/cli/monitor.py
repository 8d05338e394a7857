"""`monitor`: the terminal of the live view: its keys, its size, its end.

What is read and how it is rendered is in the package `monitor`. Nothing is changed.
"""

from __future__ import annotations

import signal
import sys
import time

from rich.console import Console
from rich.live import Live

from dataset_assets.cli.keys import reading_keys
from dataset_assets.config import Settings
from dataset_assets.launch import dagster_home
from dataset_assets.monitor import REFRESH_S, History, Snapshot, SnapshotCollector, render, to_json

HINT = "q ends this view; runs go on"
# Between the two readings of the machine that one snapshot takes: rates are over that time.
SAMPLE_S = 0.5
# How soon a changed size of the terminal shows.
POLL_S = 0.25


def monitor(settings: Settings, console: Console, *, once: bool, as_json: bool) -> None:
    """Show a data set and the runs on it.

    Args:
        settings: The configuration.
        console: Where it is shown.
        once: Whether one snapshot is printed, as where the console is no terminal; else the view is refreshed
            until q or Ctrl+C.
        as_json: Whether one snapshot is printed as JSON.
    """
    collector = SnapshotCollector(settings)
    with History(dagster_home(settings), [entry.key for entry in settings.videos]) as history:
        if not (once or as_json) and console.is_terminal:
            _watch(collector, history, console)
            return
        _take(collector, history)
        time.sleep(SAMPLE_S)
        snapshot = _take(collector, history)
    if as_json:
        sys.stdout.write(to_json(snapshot) + "\n")
    else:
        console.print(render(snapshot, console.width, None))


def _take(collector: SnapshotCollector, history: History) -> Snapshot:
    live, _ = collector.progress()
    return collector.snapshot(history.read(live.keys(), collector.overview(), time.time()))


def _watch(collector: SnapshotCollector, history: History, console: Console) -> None:
    """Refresh the view until q, Ctrl+C or SIGTERM; the terminal is left as it was."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with reading_keys() as wait_for_key, Live(console=console, screen=True, auto_refresh=False) as live:
            key = ""
            while key not in ("q", "Q"):
                snapshot = _take(collector, history)
                taken_s = time.monotonic()
                size = None
                while key not in ("q", "Q") and (left_s := taken_s + REFRESH_S - time.monotonic()) > 0:
                    if console.size != size:
                        size = console.size
                        live.update(render(snapshot, size.width, size.height, HINT), refresh=True)
                    key = wait_for_key(min(left_s, POLL_S))
    except KeyboardInterrupt:
        pass  # one of the two ways to leave
