"""Statistics once all runs on videos have ended, whoever launched them: a night, a backfill, a person.

It reads the state of the history, not the event of a run's end: so the statistics are updated once, whichever
run ends last, however it ends, and also if the daemon was down meanwhile. Not here: their content
(`dataset_stats`).
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from dataset_assets.assets import DATASET_STATS, FINISHED, ended_s, video_of, videos_in_work

INTERVAL_S = 60
# Runs of other kinds that ended last are passed over; more of them than these do not end in a minute.
RUNS_LOOKED_AT = 50


def build_stats_sensor(job: dg.UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """Build the sensor that requests the statistics."""

    @dg.sensor(
        name="stats_sensor",
        job=job,
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Adds the tables up once the last run on a video has ended.",
    )
    def stats_sensor(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        instance = context.instance
        last = _last_ended(instance)
        in_work = videos_in_work(instance)
        if last is None:
            yield dg.SkipReason("no run on a video has ended")
        elif in_work:
            yield dg.SkipReason(f"{len(in_work)} videos are queued or running")
        elif ended_s(last) <= _added_up_s(instance):
            yield dg.SkipReason("the statistics are newer than the last run")
        else:
            # One request for each quiet state: statistics that fail are not asked for again and again.
            yield dg.RunRequest(run_key=last.dagster_run.run_id)

    return stats_sensor


def _last_ended(instance: dg.DagsterInstance) -> dg.RunRecord | None:
    records = instance.get_run_records(
        dg.RunsFilter(statuses=FINISHED), limit=RUNS_LOOKED_AT, order_by="update_timestamp"
    )
    return next((record for record in records if video_of(record.dagster_run) is not None), None)


def _added_up_s(instance: dg.DagsterInstance) -> float:
    """When the run that last added the tables up began, Unix time; 0 where none did."""
    event = instance.get_latest_materialization_event(dg.AssetKey(DATASET_STATS))
    if event is None:
        return 0.0
    record = instance.get_run_record_by_id(event.run_id)
    started_s = record.start_time if record else None
    return started_s if started_s is not None else event.timestamp
