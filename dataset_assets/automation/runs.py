"""Questions to Dagster's history that several automations ask."""

from __future__ import annotations

import dagster as dg

PARTITION_TAG = "dagster/partition"
_STATUS = dg.DagsterRunStatus
FINISHED = [_STATUS.SUCCESS, _STATUS.FAILURE, _STATUS.CANCELED]
UNFINISHED = [status for status in _STATUS if status not in FINISHED]


def video_of(run: dg.DagsterRun) -> str | None:
    """The key of the video that a run works on, if it works on one."""
    return run.tags.get(PARTITION_TAG)


def videos_in_work(instance: dg.DagsterInstance) -> set[str]:
    """Keys of the videos that a run works on, or waits to."""
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    return {key for run in runs if (key := video_of(run)) is not None}
