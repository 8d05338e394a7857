"""`ui`: prepares Dagster's history, prints the addresses, and is replaced by the services.

The services themselves are in the package `ui`.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

import dagster as dg
from rich.console import Console
from rich.markup import escape

from dataset_assets.assets import DECODE_POOL
from dataset_assets.cli.new_films import with_new_films
from dataset_assets.cli.sync_history import sync_history
from dataset_assets.config import load_settings
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.gallery import index_path
from dataset_assets.launch import dagster_home, enter_home
from dataset_assets.ui import is_loopback


def open_ui(config: Path, host: str, port: int, console: Console, errors: Console) -> NoReturn:
    """Replace this process by the services of the UI.

    Args:
        config: The configuration file.
        host: Address to listen at.
        port: Its port.
        console: Where addresses are shown.
        errors: Where warnings are shown.

    Raises:
        ConfigError: The configuration holds mistakes.
        DatasetAssetsError: The port cannot be used, or Dagster can keep no history.
    """
    settings = load_settings(config)
    _check_address(host, port)
    dagster_home(settings)  # refused before anything is written
    settings = with_new_films(settings, errors)
    home = enter_home(settings, config)
    with dg.DagsterInstance.get() as instance:
        sync_history(instance, settings, console)
        # So that its limit can be edited before a first run has asked for a place in it.
        instance.event_log_storage.initialize_concurrency_limit_to_default(DECODE_POOL)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    pages = index_path(settings)
    console.print(
        f"UI at {address}, its history in {home}; Ctrl+C stops it\n"
        f"gallery at {address}/gallery, its pages in {pages.parent}"
        + ("" if pages.exists() else " (none yet: `dataset-assets gallery` makes them)"),
        soft_wrap=True,
    )
    if not is_loopback(host):
        errors.print(
            f"[yellow]warning[/yellow] the UI listens at {escape(host)} and asks for no password: put a "
            "proxy that does before it (see docs/reliability.md)",
            soft_wrap=True,
        )
    sys.stdout.flush()
    # In place of this process, whose imports take 200 MB that watching services does not need.
    os.execv(sys.executable, [sys.executable, "-m", "dataset_assets.ui", host, str(port)])


def _check_address(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DatasetAssetsError(
                f"Port {port} of {host} cannot be used ({error.strerror})",
                "name another by --port, or another address of this machine by --host.",
            ) from error
