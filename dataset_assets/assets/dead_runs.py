"""Runs that Dagster counts as going on although their process is gone: killed with all that watched it.

They would keep their place in the pool, and their video out of every night, for ever. Why a watched process
died is found out in `launch`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import dagster as dg

from dataset_assets.assets.runs import LAUNCHED_BY_TAG, is_of_this_machine, slurm_job_of, video_of
from dataset_assets.dataset import DataSet
from dataset_assets.process import was_running

MESSAGE = "its process is gone: it was killed, or the machine was restarted"
SILENT_MESSAGE = "nothing was heard of its machine for half an hour, and nobody holds its video"
# What a run does without holding its video, probing and checks, takes minutes and reports itself.
SILENT_S = 1800.0


def process_of(entries: Iterable[dg.EventLogEntry]) -> tuple[int, float] | None:
    """Return the process that works on a run, and when it was there; None where no event names one.

    Args:
        entries: Events of the run in their order, at least the engine's.
    """
    found = None
    for entry in entries:
        event = entry.dagster_event
        if event is not None and event.is_engine_event:
            pid = event.engine_event_data.metadata.get("pid")
            if pid is not None:
                found = int(str(pid.value)), entry.timestamp
    return found


def close_dead_runs(instance: dg.DagsterInstance, data_set: DataSet) -> None:
    """Record runs whose process is gone as failed; Dagster starts those again that it had started itself.

    Processes of other machines cannot be seen from here: the launcher that started them looks after them. A
    run of `generate` has none, and counts as dead after a long silence.

    Args:
        instance: Where the runs are.
        data_set: The data set; a video that is held is worked on, by another machine perhaps.
    """
    _close_lost_jobs(instance)
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        key = video_of(run)
        if key is None or slurm_job_of(run) is not None:
            continue
        if not is_of_this_machine(instance, run):
            if LAUNCHED_BY_TAG in run.tags and _is_silent(instance, run) and not data_set.is_held(key):
                _close(instance, run, SILENT_MESSAGE)
            continue
        process = process_of(instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT))
        if process is None or was_running(process[0], time.time() - process[1]):
            continue
        if not data_set.is_held(key):
            _close(instance, run, MESSAGE)


def _is_silent(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Return whether a run has reported nothing for long."""
    last = instance.get_records_for_run(run.run_id, limit=1, ascending=False).records
    return not last or time.time() - last[0].timestamp > SILENT_S


def _close(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str) -> None:
    latest = instance.get_run_by_id(run.run_id)
    if latest is not None and latest.status is dg.DagsterRunStatus.STARTED:
        instance.report_run_failed(latest, why)


def _close_lost_jobs(instance: dg.DagsterInstance) -> None:
    """Record runs as failed whose Slurm job ended before they started: it was cancelled while it waited.

    Dagster's monitoring asks for the health of started runs alone.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING])):
        if slurm_job_of(run) is None:
            continue
        health = instance.run_launcher.check_run_worker_health(run)
        if health.status.name == "FAILED":
            instance.report_run_failed(run, health.msg)
