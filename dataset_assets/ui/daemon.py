"""Dagster's daemon, which soon sees what is done to backfills.

Run as a module, with the arguments of `dagster-daemon`; `services` does so.
"""

from __future__ import annotations

from dataset_assets.dagster_internals import run_daemon

if __name__ == "__main__":
    run_daemon()
