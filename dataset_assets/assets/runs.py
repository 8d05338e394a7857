"""Queries of Dagster's history: which video a run works on, which runs go on, which came later.

Why runs failed is in `failures`.
"""

from __future__ import annotations

import os
from dataclasses import replace

import dagster as dg

from dataset_assets.dagster_internals import is_shared
from dataset_assets.dataset import Holder, OnBusy
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.process import host_name

PARTITION_TAG = "dagster/partition"
# Of a run that found a mistake in the configuration: a failure of no film, which another run would repeat.
CONFIG_MISTAKE_TAG = "dataset_assets/config_mistake"
# Of a run that works on another machine: id of the data set that it has to find there.
DATA_SET_TAG = "dataset_assets/data_set"
SLURM_JOB_TAG = "dataset_assets/slurm_job"
MAX_RETRIES_TAG = "dagster/max_retries"
# Of a run that no daemon started: the command that did.
LAUNCHED_BY_TAG = "dataset_assets/launched_by"
# The asset and the job that measure a video's patches and make nothing of its film.
PATCH_SCORES, SCORE_JOB = "patch_scores", "score_patches"
# The asset and the job that degrade the LR of a video's patches, likewise.
PATCH_DEGRADATIONS, DEGRADE_JOB = "patch_degradations", "degrade_patches"
# Of a run in a history that several machines share: name of the one that works on it.
HOST_TAG = "dataset_assets/host"
# Its id: a run that is started again inherits the tags.
HOST_RUN_TAG = "dataset_assets/host_run"
# Set by `ui`, whose daemon starts no run while the configuration holds a mistake.
HOLDS_RUNS_VARIABLE = "DATASET_ASSETS_HOLDS_RUNS"
CHECKS_ALONE = (
    "checks cannot run on their own: a run that makes a video evaluates them",
    "materialize its partition: what is up to date is checked and not made again",
)
# Of a video: the newest decides, and one that goes on is among them.
RUNS_LOOKED_AT = 10
_STATUS = dg.DagsterRunStatus
FINISHED = [_STATUS.SUCCESS, _STATUS.FAILURE, _STATUS.CANCELED]
UNFINISHED = [status for status in _STATUS if status not in FINISHED]


def video_of(run: dg.DagsterRun) -> str | None:
    """Return the key of the video that a run works on, if it works on one."""
    return run.tags.get(PARTITION_TAG)


def makes_video(run: dg.DagsterRun) -> bool:
    """Return whether a run on a video makes patches, and does not only measure or degrade them."""
    selected = {key.to_user_string() for key in run.asset_selection or ()}
    is_of_patches = bool(selected) and selected <= {PATCH_SCORES, PATCH_DEGRADATIONS}
    return run.job_name not in (SCORE_JOB, DEGRADE_JOB) and not is_of_patches


def host_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """Return the name of the machine that works on a run; None while that is not known."""
    if not is_shared(instance):
        return host_name()
    return run.tags.get(HOST_TAG) if run.tags.get(HOST_RUN_TAG) == run.run_id else None


def is_of_this_machine(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Return whether the process that works on a run is known to be one of this machine."""
    return host_of(instance, run) == host_name()


def note_host(context: dg.AssetExecutionContext) -> None:
    """Record the machine of a run where others share the history: for its page, and to look after it."""
    run_id = context.run.run_id
    if is_shared(context.instance):
        context.instance.add_run_tags(run_id, {HOST_TAG: host_name(), HOST_RUN_TAG: run_id})


def video_of_step(context: dg.AssetExecutionContext) -> str:
    """Return the key of the video that a step works on.

    Raises:
        DatasetAssetsError: The run is of no video, or of checks alone.
    """
    if context.selected_asset_keys and context.has_partition_key:
        return str(context.partition_key)
    if not context.selected_asset_keys:
        raise DatasetAssetsError(*CHECKS_ALONE)
    raise DatasetAssetsError("this run is of no video", "launch it for partitions")


def logging_waits(context: dg.AssetExecutionContext) -> OnBusy:
    """Return what a step does while another machine works on its video: log once for whom it waits."""
    waited_for: set[Holder] = set()

    def log(holder: Holder) -> None:
        who = replace(holder, beat=0)
        if who not in waited_for:
            waited_for.add(who)
            context.log.info(f"waits for {who}, which works on this video")

    return log


def mark_config_mistake(instance: dg.DagsterInstance, run_id: str, *, is_of_machine: bool = False) -> None:
    """Mark a run as failing for the configuration.

    Where queued runs are held until it is corrected, the run is queued again, as often as that happens, and
    once more if its process dies. Elsewhere it is not: it would fail for the same line.

    Args:
        instance: Where the run is.
        run_id: The run.
        is_of_machine: Whether another machine may be able to do it, so that it is queued again in any case.
    """
    retries = 0
    if is_of_machine or os.environ.get(HOLDS_RUNS_VARIABLE):
        group = instance.get_run_group(run_id)
        retries = 1 + (len(list(group[1])) if group is not None else 1)
    # By its id: a run that is started again inherits the tags.
    instance.add_run_tags(run_id, {CONFIG_MISTAKE_TAG: run_id, MAX_RETRIES_TAG: str(retries)})


def is_config_mistake(run: dg.DagsterRun) -> bool:
    """Return whether a run failed for the configuration and not for its video."""
    return run.tags.get(CONFIG_MISTAKE_TAG) == run.run_id


def data_set_tags(run_id: str, data_set: str) -> dict[str, str]:
    """Return the tags by which a run on another machine knows the data set that it has to find there."""
    # By its id: a run that is started again inherits the tags.
    return {DATA_SET_TAG: f"{data_set} of {run_id}"}


def data_set_of(run: dg.DagsterRun) -> str | None:
    """Return the id of the data set that a run has to find on its machine, if its launcher gave it one."""
    data_set, _, run_id = run.tags.get(DATA_SET_TAG, "").partition(" of ")
    return data_set if run_id == run.run_id else None


def slurm_job_tags(run_id: str, job: str) -> dict[str, str]:
    """Return the tags that note a run's Slurm job."""
    # By its id: a run that is started again inherits the tags.
    return {SLURM_JOB_TAG: f"{job} of {run_id}"}


def slurm_job_of(run: dg.DagsterRun) -> str | None:
    """Return the number of a run's Slurm job, if it is one; then its process may be on another machine."""
    job, _, run_id = run.tags.get(SLURM_JOB_TAG, "").partition(" of ")
    return job if run_id == run.run_id else None


def ended_s(record: dg.RunRecord) -> float:
    """When a run ended, Unix time."""
    return record.end_time or record.update_timestamp.timestamp()


def videos_in_work(instance: dg.DagsterInstance) -> set[str]:
    """Return the keys of the videos that a run works on, or is queued for."""
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    return {key for run in runs if (key := video_of(run)) is not None}


def is_overtaken(instance: dg.DagsterInstance, run_id: str, key: str) -> bool:
    """Return whether another run of the video is active (this one was refused, or retried), or came later."""
    newest_first = instance.get_runs(dg.RunsFilter(tags={PARTITION_TAG: key}), limit=RUNS_LOOKED_AT)
    is_newest = bool(newest_first) and newest_first[0].run_id == run_id
    return not is_newest or any(other.run_id != run_id and not other.is_finished for other in newest_first)
