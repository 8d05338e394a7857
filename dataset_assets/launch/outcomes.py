"""What follows the end of a run: a failure is recorded, statistics are updated.

Why a process died is in `exit_reasons`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import DBAPIError

from dataset_assets.assets import is_overtaken
from dataset_assets.dagster_internals import runs_of_location
from dataset_assets.dataset import DataSet, Failure
from dataset_assets.definitions import STATS_JOB, build_defs
from dataset_assets.launch.worker import LAUNCHED_BY, LOCATION, QUIET


def close_failed_run(failure: Failure, data_set: DataSet) -> None:
    """Record why a run failed; a worker that died could not mark its run as failed itself.

    Nothing is recorded if the disk is full: the next `generate` frees what the run holds.

    Args:
        failure: Why the run failed.
        data_set: The data set.
    """
    with suppress(DBAPIError, OSError), dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(failure.run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, failure.sentence)
        # The other runs of this `generate` wait for its slot.
        instance.event_log_storage.free_concurrency_slots_for_run(failure.run_id)
        if not is_overtaken(instance, failure.run_id, failure.key):
            data_set.failures.keep(failure)


def update_stats(config: Path) -> None:
    """Update the statistics and the gallery's index, in this process.

    Args:
        config: The configuration file.

    Raises:
        KeyboardInterrupt: Ctrl+C.
    """
    job = build_defs(config).resolve_job_def(STATS_JOB)
    try:
        with dg.DagsterInstance.get() as instance, runs_of_location(instance, LOCATION):
            job.execute_in_process(
                instance=instance, tags=LAUNCHED_BY, run_config=QUIET, raise_on_error=False
            )
    except dg.DagsterExecutionInterruptedError as error:
        raise KeyboardInterrupt from error
