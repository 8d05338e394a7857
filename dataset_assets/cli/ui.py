"""`ui`: prepares Dagster's history, prints the addresses, and is replaced by the services.

The services themselves are in the package `ui`.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import dagster as dg
from rich.console import Console
from rich.markup import escape

from dataset_assets.assets import HOLDS_RUNS_VARIABLE, close_dead_runs, limit_to_max_workers
from dataset_assets.cli.new_films import with_new_films
from dataset_assets.cli.sync_history import sync_history
from dataset_assets.config import Settings, load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.gallery import index_path, write_missing_index
from dataset_assets.launch import dagster_home, enter_home, reporting_history_errors
from dataset_assets.ui import is_loopback, refuse_second, serving, web_address


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
        DatasetAssetsError: The port cannot be used, Dagster can keep no history, or another UI serves it.
    """
    settings = load_settings(config)
    # Refused before anything is written.
    refuse_second(dagster_home(settings))
    _check_address(host, port)
    DataSet.of(settings).copy.begin()
    settings = with_new_films(settings, errors)
    home = enter_home(settings, config)
    address = web_address(host, port)
    with serving(home, address):
        with suppress(DatasetAssetsError, OSError):  # a data set that cannot be written can be looked at
            write_missing_index(settings)
        with reporting_history_errors(home), dg.DagsterInstance.get() as instance:
            sync_history(instance, settings, console)
            close_dead_runs(instance, DataSet.of(settings))
            limit_to_max_workers(instance, settings)
        _print_addresses(settings, home, address, console)
        if not is_loopback(host):
            errors.print(
                f"[yellow]warning[/yellow] the UI listens at {escape(host)} and asks for no password: put a "
                "proxy that does before it (see docs/reliability.md)",
                soft_wrap=True,
            )
        sys.stdout.flush()
        os.environ[HOLDS_RUNS_VARIABLE] = "1"
        # In place of this process, whose imports take 200 MB that watching services does not need.
        os.execv(sys.executable, [sys.executable, "-m", "dataset_assets.ui", host, str(port)])


def _print_addresses(settings: Settings, home: Path, address: str, console: Console) -> None:
    console.print(
        f"UI at {address}, its history in {home}; Ctrl+C stops it\n"
        f"gallery at {address}/gallery, its pages in {index_path(settings).parent}",
        soft_wrap=True,
    )


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
