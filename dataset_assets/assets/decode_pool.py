"""The pool `decode`, which holds the runs on videos to `max_workers` of the configuration.

Dagster counts the runs that it starts and those of `generate`, which is held by its own number of workers.
How a pool counts, by runs or by steps, is in `dagster.yaml`.
"""

from __future__ import annotations

import dagster as dg

from dataset_assets.config import Settings
from dataset_assets.dagster_internals import starts_runs_elsewhere

DECODE_POOL = "decode"


def limit_to_max_workers(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Set the limit of the pool; it counts at once, and replaces one that was set in the UI.

    Where runs start on other machines, these decide how many they take, and a limit of the UI stays.
    """
    storage = instance.event_log_storage
    if storage.supports_global_concurrency_limits and not starts_runs_elsewhere(instance):
        storage.set_concurrency_slots(DECODE_POOL, settings.base.max_workers)
