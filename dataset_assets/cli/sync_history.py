"""Synchronise Dagster's history with the configuration and the tables, before anything runs.

What is compared and recorded is in `assets.registering`; this shows the progress.
"""

from __future__ import annotations

import dagster as dg
from rich.console import Console
from rich.progress import Progress

from dataset_assets.assets import find_unregistered, register
from dataset_assets.config import Settings
from dataset_assets.counting import are, counted
from dataset_assets.partitions import add_missing


def sync_history(instance: dg.DagsterInstance, settings: Settings, console: Console) -> None:
    """Make the partitions of all videos, and register finished tables that the history lacks.

    Args:
        instance: Where the history is.
        settings: The configuration.
        console: Where progress is shown.
    """
    add_missing(instance, settings)
    tables = find_unregistered(instance, settings)
    if not tables:
        return
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("registering tables", total=len(tables))
        for count in register(instance, settings, tables):
            bar.advance(task, count)
    console.print(
        f"{counted(len(tables), 'finished table')} {are(len(tables))} registered in Dagster's history",
        soft_wrap=True,
    )
