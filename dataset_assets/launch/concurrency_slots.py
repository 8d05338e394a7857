"""Concurrency slots of Dagster's pools that killed runs hold: the second kill would block every later run.

The daemon frees them too, a minute or two later, but `generate` runs without one. How many slots a pool has
is set in `dagster.yaml`.
"""

from __future__ import annotations

import dagster as dg

from dataset_assets.assets import video_of
from dataset_assets.dagster_internals import is_shared
from dataset_assets.dataset import DataSet


def free_concurrency_slots(instance: dg.DagsterInstance, data_set: DataSet) -> None:
    """Free the slots of runs that have ended, or whose video nobody holds.

    A run that is alive and just between two steps loses its slot too, which costs nothing but that one more
    may run meanwhile. In a history that other machines share, runs start that this one knows nothing of:
    there the daemon frees slots, `free_slots_after_run_end_seconds` after a run's end.

    Args:
        instance: The Dagster instance.
        data_set: The data set.
    """
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits or is_shared(instance):
        return
    for run_id in storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        key = video_of(run) if run is not None and not run.is_finished else None
        if key is None or not data_set.is_held(key):
            storage.free_concurrency_slots_for_run(run_id)
