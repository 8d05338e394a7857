"""The pool `decode`, which holds the runs on videos to `max_workers` of the configuration.

Dagster counts the runs that it starts and those of `generate`, which is held by its own number of workers.
How a pool counts, by runs or by steps, is in `dagster.yaml`.
"""

from __future__ import annotations

import dagster as dg

from dataset_assets.config import Settings
from dataset_assets.dagster_internals import has_places

DECODE_POOL = "decode"


def limit_to_max_workers(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Set the limit of the pool; it counts at once, and replaces one that was set in the UI.

    Where the machines that runs start on decide how many they take, a limit of the UI stays.
    """
    storage = instance.event_log_storage
    if storage.supports_global_concurrency_limits and not has_places(instance):
        storage.set_concurrency_slots(DECODE_POOL, settings.base.max_workers)
