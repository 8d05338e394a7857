"""Dagster's history beyond its public interface: events without a run, results of checks, deleting.

Not here: the files that it lies in (`home`).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import dagster as dg
from sqlalchemy import Select, Table, create_engine, func, select

from dataset_assets.dagster_internals.postgres import has_postgres, one_postgres_transaction

# Of a failed run that Dagster's daemon starts again: no failure to report yet.
WILL_RETRY_TAG: Final = "dagster/will_retry"

# Name of the repository that Dagster makes of definitions.
_REPOSITORY = "__repository__"

_SHARDS = (_INDEX, _RUNLESS) = ("index", "")
_BUSY_TIMEOUT_S = 60

_PROCESS_DEATH = re.compile(r"Run execution process for \S+ (.*?)\.(?:\s|$)")


def report_without_run(
    instance: dg.DagsterInstance, events: Sequence[dg.AssetMaterialization | dg.AssetCheckEvaluation]
) -> None:
    """Record events without a run in one transaction.

    Dagster opens, commits and closes two databases of SQLite for each event: 21 CPU ms and 70 ms of waiting
    for the disk; two connections to Postgres: 95 ms. Within one transaction it is 2 to 6 CPU ms. Others wait
    for the databases of SQLite meanwhile.

    Args:
        instance: Where the history is.
        events: The events. A check's result for a partition takes the place of an earlier one of this kind.
    """
    if has_postgres(instance):
        with one_postgres_transaction(instance):
            _report_materializations(
                instance, [event for event in events if isinstance(event, dg.AssetMaterialization)]
            )
            for event in events:
                if not isinstance(event, dg.AssetMaterialization):
                    _report_without_run(instance, event)
        return
    # Dagster makes the database of the events without a run with the first of them.
    first, others = events[:1], events[1:]
    for event in first:
        _report_without_run(instance, event)
    if others:
        with _one_transaction(instance):
            for event in others:
                _report_without_run(instance, event)


def _report_materializations(instance: dg.DagsterInstance, events: Sequence[dg.AssetMaterialization]) -> None:
    """Record materializations without a run, those of each asset by one statement."""
    from dagster._core.events import StepMaterializationData
    from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

    make_entry: Any = dg.EventLogEntry  # whose arguments have no types
    entries: dict[dg.AssetKey, list[dg.EventLogEntry]] = {}
    for event in events:
        entry = make_entry(
            user_message="",
            level=logging.INFO,
            job_name=RUNLESS_JOB_NAME,
            run_id=RUNLESS_RUN_ID,
            error_info=None,
            timestamp=time.time(),
            dagster_event=dg.DagsterEvent(
                event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
                event_specific_data=StepMaterializationData(event),
                job_name=RUNLESS_JOB_NAME,
            ),
        )
        entries.setdefault(event.asset_key, []).append(entry)
    # A batch updates the record of its last asset only.
    for batch in entries.values():
        instance.event_log_storage.store_event_batch(batch)


def last_materialized_s(instance: dg.DagsterInstance, asset: str) -> dict[str, float]:
    """Return when each partition of an asset was last recorded as materialised, Unix time.

    The public interface gives the events themselves: 100 MB for 5,000 partitions of five assets.
    """
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return {}
    columns = SqlEventLogStorageTable.c
    query = (
        select(columns.partition, func.max(columns.timestamp))
        .where(columns.asset_key == dg.AssetKey(asset).to_string(), columns.partition.is_not(None))
        .where(columns.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION.value)
        .group_by(columns.partition)
    )
    with storage.index_connection() as connection:
        rows = connection.execute(query).fetchall()
    return {partition: moment.replace(tzinfo=UTC).timestamp() for partition, moment in rows}


@contextmanager
def _one_transaction(instance: dg.DagsterInstance) -> Iterator[None]:
    """Let a SQLite history take many events without a run at once; its databases exist."""
    from dagster._core.storage.event_log import SqliteEventLogStorage

    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        yield
        return
    with ExitStack() as stack:
        connections = {}
        for shard in _SHARDS:
            engine = create_engine(
                storage.conn_string_for_shard(shard), connect_args={"timeout": _BUSY_TIMEOUT_S}
            )
            stack.callback(engine.dispose)
            connections[shard] = stack.enter_context(engine.begin())
        # Attributes of this one object over the methods of its class, and gone again with the transaction.
        own = vars(storage)
        own["index_connection"] = lambda: nullcontext(connections[_INDEX])
        own["run_connection"] = lambda _run_id=None: nullcontext(connections[_RUNLESS])
        stack.callback(own.pop, "index_connection")
        stack.callback(own.pop, "run_connection")
        yield


@contextmanager
def runs_of_location(instance: dg.DagsterInstance, location: str) -> Iterator[None]:
    """Let the runs that this process creates belong to a code location, as those launched in the UI do.

    The timeline, which is the UI's front page, passes over runs of none, and `execute_in_process` has no
    argument for it.

    Args:
        instance: Where the runs are created.
        location: Name of the code location.
    """
    from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), _REPOSITORY)
    create = instance.create_run_for_job

    def create_run_for_job(job_def: dg.JobDefinition, **arguments: Any) -> dg.DagsterRun:
        return create(job_def, remote_job_origin=repository.get_job_origin(job_def.name), **arguments)

    # An attribute of this one object over the method of its class.
    vars(instance)["create_run_for_job"] = create_run_for_job
    try:
        yield
    finally:
        del vars(instance)["create_run_for_job"]


def delete_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run, its log, and the SQLite file of its events: 150 kB, which Dagster empties and leaves."""
    instance.delete_run(run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    path_of = getattr(instance.event_log_storage, "path_for_shard", None)
    if path_of is not None:
        for ending in ("", "-wal", "-shm"):
            Path(f"{path_of(run_id)}{ending}").unlink(missing_ok=True)


def delete_events_without_run(instance: dg.DagsterInstance, asset: str, before_s: float, kept: int) -> int:
    """Delete old events of an asset without partitions that no run recorded, and such results of its checks.

    Dagster has no retention of events but with their run. Events of results that others replaced go too.

    Args:
        instance: Where the history is.
        asset: Name of the asset.
        before_s: Unix time; later events stay.
        kept: How many of each kind, and of each check, stay at least.

    Returns:
        How many events were deleted.
    """
    from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
    from dagster._core.storage.event_log.schema import (
        AssetCheckExecutionsTable,
        AssetEventTagsTable,
        SqlEventLogStorageTable,
    )

    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0
    events, results, tags = SqlEventLogStorageTable, AssetCheckExecutionsTable, AssetEventTagsTable
    before = datetime.fromtimestamp(before_s, UTC).replace(tzinfo=None)
    old_events = _old_without_run(events, "dagster_event_type", "timestamp", asset, before, kept)
    old_results = _old_without_run(results, "check_name", "evaluation_event_timestamp", asset, before, kept)
    # Their events do not name the asset.
    is_of_check = (events.c.run_id == _RUNLESS) & (events.c.timestamp < before)
    is_of_check &= events.c.dagster_event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION.value
    referred = select(results.c.evaluation_event_storage_id).where(
        results.c.run_id == _RUNLESS, results.c.evaluation_event_storage_id.is_not(None)
    )
    with storage.index_connection() as connection:
        connection.execute(results.delete().where(results.c.id.in_(old_results)))
        connection.execute(tags.delete().where(tags.c.event_id.in_(old_events)))
        old = events.c.id.in_(old_events) | (is_of_check & events.c.id.not_in(referred))
        count: int = connection.execute(events.delete().where(old)).rowcount
    if isinstance(storage, SqliteEventLogStorage) and count:
        # The second copy, to whose numbers nothing refers.
        with storage.run_connection(_RUNLESS) as connection:
            connection.execute(events.delete().where(events.c.id.in_(old_events) | is_of_check))
    return count


def _old_without_run(
    table: Table, kind: str, moment: str, asset: str, before: datetime, kept: int
) -> Select[tuple[int]]:
    """Return a query for the ids of an asset's rows in a table, without the newest ones of each kind.

    `kind` and `moment` are columns, the latter in UTC; the rest as in `delete_events_without_run`.
    """
    columns = table.c
    newest_first = func.row_number().over(partition_by=columns[kind], order_by=columns.id.desc())
    ranked = (
        select(columns.id, columns[moment].label("moment"), newest_first.label("rank"))
        .where(columns.run_id == _RUNLESS, columns.partition.is_(None))
        .where(columns.asset_key == dg.AssetKey(asset).to_string())
        .subquery()
    )
    return select(ranked.c.id).where(ranked.c.moment < before, ranked.c.rank > kept)


def forget_partition(instance: dg.DagsterInstance, assets: Sequence[str], partition: str) -> None:
    """Delete what the history says of a partition of some assets; the runs and their logs stay.

    Dagster cannot (`wipe_asset_partitions` is not implemented for SQL), and would show a partition that comes
    back later as materialised.

    Args:
        instance: Where the history is.
        assets: Names of the assets.
        partition: The partition's key.
    """
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return
    columns = SqlEventLogStorageTable.c
    keys = [dg.AssetKey(name).to_string() for name in assets]
    with storage.index_connection() as connection:
        connection.execute(
            SqlEventLogStorageTable.delete().where(
                columns.partition == partition, columns.asset_key.in_(keys)
            )
        )


def check_verdicts(instance: dg.DagsterInstance, check: dg.AssetCheckKey) -> dict[str, bool | None]:
    """Return whether each partition passed a check, as the UI shows it.

    The UI holds a result against the materialization that it names (`AssetCheckPartitionInfo.is_current`).
    The public interface gives the last result of a check, whatever its partition.

    Returns:
        Whether it passed, by partition; None where the last result is of an earlier materialization, or the
        last run has given none. Partitions without a run of the check are left out.
    """
    verdicts = {"SUCCEEDED": True, "FAILED": False}
    return {
        each.partition_key: verdicts.get(each.latest_execution_status.value) if each.is_current else None
        for each in instance.event_log_storage.get_asset_check_partition_info([check])
        if each.partition_key
    }


def with_targets(
    instance: dg.DagsterInstance, results: Sequence[dg.AssetCheckEvaluation]
) -> list[dg.AssetCheckEvaluation]:
    """Return results of partitions that name the latest materialization of each, as those of runs do.

    Without it the UI shows a partition as never checked (`check_verdicts`).

    Args:
        instance: Where the history is.
        results: Results of checks of one asset; a partition without a materialization stays as it is.
    """
    from dagster import EventRecordsFilter
    from dagster._core.definitions.asset_checks.asset_check_evaluation import (
        AssetCheckEvaluationTargetMaterializationData,
    )

    if not results:
        return []
    asset, kind = results[0].asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION
    keys = {result.partition for result in results if result.partition is not None}
    latest = instance.get_latest_storage_id_by_partition(asset, kind, keys)
    records = instance.event_log_storage.get_event_records(
        EventRecordsFilter(kind, asset_key=asset, storage_ids=[*latest.values()])
    )
    targets = {
        record.partition_key: AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for record in records
    }
    return [
        dg.AssetCheckEvaluation(
            asset_key=result.asset_key,
            check_name=result.check_name,
            passed=result.passed,
            metadata=result.metadata,
            severity=result.severity,
            description=result.description,
            partition=result.partition,
            target_materialization_data=targets.get(result.partition),
        )
        for result in results
    ]


def _report_without_run(
    instance: dg.DagsterInstance, event: dg.AssetMaterialization | dg.AssetCheckEvaluation
) -> None:
    """Record an event without a run.

    Dagster holds one result of a check without a run for each partition, and raises an error for a second.
    """
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable

    storage = instance.event_log_storage
    if isinstance(event, dg.AssetCheckEvaluation) and isinstance(storage, SqlEventLogStorage):
        columns = AssetCheckExecutionsTable.c
        with storage.index_connection() as connection:
            connection.execute(
                AssetCheckExecutionsTable.delete().where(
                    columns.run_id == "",
                    columns.asset_key == event.asset_key.to_string(),
                    columns.check_name == event.check_name,
                    columns.partition == event.partition,
                )
            )
    instance.report_runless_asset_event(event)


def version_tags(code_version: str, data_version: str, inputs: Mapping[str, str]) -> dict[str, str]:
    """Return the tags by which Dagster detects stale partitions, as a run of the asset writes them.

    Args:
        code_version: Of the asset.
        data_version: Of the partition.
        inputs: Data versions of the assets that it was made from, by name; none where it was made from none.
    """
    tags = {"dagster/code_version": code_version, "dagster/data_version": data_version}
    if not inputs:
        tags["dagster/data_version_is_user_provided"] = "true"
    for asset, version in inputs.items():
        tags[f"dagster/input_data_version/{asset}"] = version
        tags[f"dagster/input_event_pointer/{asset}"] = "NULL"
    return tags


def process_death(message: str) -> str:
    """Return how a run's process died, as "was terminated by signal 9 (SIGKILL)"; empty where it did not.

    The code server knows the exit code, and puts it into the English message of an engine event alone: the
    failure that follows only says that the run was marked as failed.

    Args:
        message: Of an engine event.
    """
    found = _PROCESS_DEATH.search(message)
    return found[1] if found else ""
