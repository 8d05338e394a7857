"""Dagster's daemon, which soon sees what is done to backfills and starts no run on a broken configuration.

Run as a module, with the arguments of `dagster-daemon`; `services` does so.
"""

from __future__ import annotations

from dataset_assets.config import ConfigReader, config_path
from dataset_assets.dagster_internals import run_daemon
from dataset_assets.ui.config_guard import ConfigGuard
from dataset_assets.ui.places_notice import PlacesNotice

if __name__ == "__main__":
    run_daemon(ConfigGuard(ConfigReader(config_path(None))).may_start_runs, PlacesNotice())
