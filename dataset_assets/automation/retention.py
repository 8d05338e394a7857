"""Delete old records of runs and statistics, but not those that the UI needs to show the data set.

Dagster forgets what a run materialised together with the run: a partition whose only run is deleted counts as
missing. So the runs that partitions were last made by stay, however old. Tables and files are not touched.
"""

import time
from collections.abc import Iterator

import dagster as dg

from dataset_assets.assets import DATASET_STATS, FINISHED, video_of
from dataset_assets.config import Settings
from dataset_assets.counting import are, counted
from dataset_assets.dagster_internals import delete_events_without_run, delete_run
from dataset_assets.dataset import DataSet

DAY_S = 86400.0
PAGE = 500
# Statistics without a run are recorded every two minutes while runs go on: 15 MB a day.
STATISTICS_DAYS = 7
STATISTICS_KEPT = 10


@dg.op(name="delete_runs")
def delete_runs(context: dg.OpExecutionContext, dataset_config: dg.ResourceParam[Settings]) -> None:
    """Delete the records of runs that ended long ago and that nothing in the UI refers to; old statistics."""
    instance, days = context.instance, dataset_config.runs.keep_days
    kept = runs_to_keep(instance) | {
        failure.run_id for failure in DataSet.of(dataset_config).failures.read().values()
    }
    before_s = time.time() - days * DAY_S
    old = [
        record.dagster_run.run_id
        for record in _records(instance)
        if record.dagster_run.status in FINISHED and record.update_timestamp.timestamp() < before_s
    ]
    gone = [run_id for run_id in old if run_id not in kept]
    for run_id in gone:
        delete_run(instance, run_id)
    context.log.info(
        f"{counted(len(gone), 'run')} that ended more than {counted(days, 'day')} ago {are(len(gone))} "
        f"deleted, {len(old) - len(gone)} stay: partitions were last made by them"
    )
    days = min(days, STATISTICS_DAYS)
    count = delete_events_without_run(instance, DATASET_STATS, time.time() - days * DAY_S, STATISTICS_KEPT)
    context.log.info(f"{counted(count, 'record')} of statistics older than {counted(days, 'day')} deleted")


@dg.job(
    name="delete_old_runs",
    description="Deletes the records of runs that ended more than `runs.keep_days` ago. The runs by which "
    "partitions were last made stay, and so do tables and files. Of the statistics recorded without a "
    f"run, those of the last {STATISTICS_DAYS} days stay.",
)
def delete_old_runs() -> None:
    """Delete old records of runs and statistics."""
    delete_runs()


# Off until it is switched on: what it deletes does not come back, and the records of a few hundred films take
# less than 100 MB.
delete_old_runs_schedule = dg.ScheduleDefinition(
    name="delete_old_runs",
    job=delete_old_runs,
    cron_schedule="0 6 * * 0",
    description="Deletes old records of runs and statistics each Sunday; `runs.keep_days` says how old.",
)


def runs_to_keep(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs that the UI shows: the last to make a partition of an asset, and the last on it."""
    kept = set()
    for asset in instance.all_asset_keys():
        last = instance.get_latest_materialization_event(asset)
        if last is not None:
            kept.add(last.run_id)
        ids = instance.get_latest_storage_id_by_partition(
            asset, dg.DagsterEventType.ASSET_MATERIALIZATION
        ).values()
        for some in _pages(sorted(ids)):
            found = instance.fetch_materializations(dg.AssetRecordsFilter(asset, storage_ids=some), PAGE)
            kept |= {record.run_id for record in found.records}
    seen = set()
    for record in _records(instance):
        key = video_of(record.dagster_run)
        if key is not None and key not in seen:
            seen.add(key)
            kept.add(record.dagster_run.run_id)
    return kept


def _pages(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE]


def _records(instance: dg.DagsterInstance) -> Iterator[dg.RunRecord]:
    """All runs, the newest first."""
    cursor = None
    while records := instance.get_run_records(limit=PAGE, cursor=cursor):
        yield from records
        cursor = records[-1].dagster_run.run_id
