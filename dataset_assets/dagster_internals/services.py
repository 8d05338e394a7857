"""Dagster's daemon, webserver and console, as `ui` and runs need them.

Not here: starting processes (`ui.services`), what is refused, held or printed, which callers decide.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import dagster as dg
from starlette.applications import Starlette

from dataset_assets.dagster_internals.postgres import keep_connections

_BACKFILL_INTERVAL_S = 5
# A process writes a run's failure, then its status; both take milliseconds where nothing holds the database.
_STATUS_PATIENCE_S = 30.0
_STATUS_POLL_S = 0.1
_MISSING_CURSOR, _LATER_STEP = "No cursor for event type", "Dependencies for step"


class LauncherWithPlaces(Protocol):
    """A launcher whose runs start on other machines, which have so many places."""

    def places(self) -> Mapping[str, int] | str:
        """Return how many runs each living machine takes at a time, or why that is not known."""


def has_places(instance: dg.DagsterInstance) -> bool:
    """Return whether the machines that an instance starts runs on decide how many go on at a time."""
    return hasattr(instance.run_launcher, "places")


def run_daemon(
    may_start_runs: Callable[[dg.DagsterInstance], bool],
    on_places: Callable[[Mapping[str, int] | str], None],
) -> None:
    """Run Dagster's daemon, with the arguments of this process, with five differences.

    It looks at backfills every 5 s instead of 30, which cannot be configured: a launched backfill shows
    nothing for that long, and a cancelled one goes on. It starts queued runs only while it may. Where the
    launcher knows the places of its machines, it starts no more runs than there are: one more would wait
    outside of the queue, count as started, and fail for taking too long to start. A failed run is started
    again also where its failure is read before its status is written: Dagster takes the run for one that
    goes on, and never looks at it again. And it does not warn of a fresh home, in which there are no earlier
    events to ignore.

    Args:
        may_start_runs: Whether queued runs may start now; asked before each look at the queue.
        on_places: Called with the places of the machines at each look at the queue.
    """
    from dagster._daemon import controller
    from dagster._daemon.auto_run_reexecution import event_log_consumer
    from dagster._daemon.cli import main
    from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

    # The loop over backfills reads it when it starts.
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = _BACKFILL_INTERVAL_S
    start_runs = QueuedRunCoordinatorDaemon.run_iteration

    def start_runs_if_allowed(daemon: Any, context: Any, *arguments: Any) -> Generator[Any, None, None]:
        if may_start_runs(context.instance):
            yield from start_runs(daemon, context, *arguments)
        else:
            yield None

    QueuedRunCoordinatorDaemon.run_iteration = start_runs_if_allowed  # type: ignore[method-assign, assignment]
    queue: Any = QueuedRunCoordinatorDaemon
    runs_to_start = queue._get_runs_to_dequeue

    def runs_within_places(
        daemon: Any, instance: dg.DagsterInstance, config: Any, fixed_iteration_time: float | None
    ) -> list[dg.DagsterRun]:
        keep_connections(instance)
        if has_places(instance):
            places = cast("LauncherWithPlaces", instance.run_launcher).places()
            on_places(places)
            config = _limited(config, 0 if isinstance(places, str) else sum(places.values()))
        runs: list[dg.DagsterRun] = runs_to_start(daemon, instance, config, fixed_iteration_time)
        return runs

    queue._get_runs_to_dequeue = runs_within_places
    consumer: Any = event_log_consumer
    retry = consumer.consume_new_runs_for_automatic_reexecution

    def retry_finished(
        context: Any, records: Sequence[dg.RunRecord], logger: logging.Logger
    ) -> Generator[None, None, None]:
        run_ids = [record.dagster_run.run_id for record in records]
        finished = yield from _finished_runs(context.instance, run_ids)
        yield from retry(context, finished, logger)

    consumer.consume_new_runs_for_automatic_reexecution = retry_finished
    name = consumer.EventLogConsumerDaemon.__name__
    logging.getLogger(f"dagster.daemon.{name}").addFilter(_is_no_missing_cursor)
    main()


def _finished_runs(
    instance: dg.DagsterInstance, run_ids: Sequence[str]
) -> Generator[None, None, Sequence[dg.RunRecord]]:
    """Wait until the status of ended runs is written.

    Yields:
        None, while it waits.

    Returns:
        The runs. One whose status is still not written, because its process died between the two, is reported
        as failed again by Dagster's monitoring.
    """
    end_s = time.monotonic() + _STATUS_PATIENCE_S
    while True:
        records = instance.get_run_records(dg.RunsFilter(run_ids=list(run_ids)))
        if all(record.dagster_run.is_finished for record in records) or time.monotonic() > end_s:
            return records
        yield None
        time.sleep(_STATUS_POLL_S)


def _limited(config: Any, most: int) -> Any:
    """Return settings of the queue (`ConcurrencyConfig`) by which at most so many runs go on at a time."""
    queue = config.run_queue_config
    given = queue.max_concurrent_runs  # -1 for no limit
    limited = queue._replace(max_concurrent_runs=most if given == -1 else min(given, most))
    return type(config)(pool_config=config.pool_config, run_queue_config=limited)


def _is_no_missing_cursor(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_MISSING_CURSOR)


def print_of_events(text_of: Callable[[dg.DagsterEvent, Mapping[str, str]], str | None]) -> None:
    """Let the runs that this process executes print some events in other words on their console.

    Dagster's own console logger prints a failure with all stacks, by the step, again by the run, and that
    later steps do not run. Loggers of the definitions count only in runs whose configuration names them.

    Args:
        text_of: Returns what is printed of an event of a run with these tags: nothing where it is empty, and
            what Dagster prints where it is None.
    """
    from dagster._core.execution import context_creation_job
    from dagster._loggers import default_system_loggers

    def is_printed(record: logging.LogRecord) -> bool:
        event = getattr(record, "dagster_event", None)
        metadata = getattr(record, "dagster_meta", None) or {}
        if str(metadata.get("orig_message", "")).startswith(_LATER_STEP):
            return False
        text = text_of(event, metadata.get("job_tags") or {}) if event is not None else None
        if text is not None:
            record.msg, record.args = text, ()
        return text != ""

    def loggers(
        instance: dg.DagsterInstance | None,
    ) -> list[tuple[dg.LoggerDefinition, Mapping[str, object]]]:
        return [(filtered(definition), config) for definition, config in default_system_loggers(instance)]

    def filtered(definition: dg.LoggerDefinition) -> dg.LoggerDefinition:
        def make(context: dg.InitLoggerContext) -> logging.Logger:
            logger = definition.logger_fn(context)
            logger.addFilter(is_printed)
            return logger

        return dg.LoggerDefinition(make, definition.config_schema)

    cast("Any", context_creation_job).default_system_loggers = loggers


@contextmanager
def webserver_app(
    instance: dg.DagsterInstance, workspace: Path, refusal_of: Callable[[Mapping[str, Any]], str]
) -> Iterator[Starlette]:
    """Make Dagster's webserver as an application, to which routes can be added before its own.

    `dagster-webserver` can only be started whole, at an address of its own without the gallery. A run that is
    refused here leaves no trace; one that fails marks every check that it was to evaluate as failed.

    Args:
        instance: Where the history is.
        workspace: A workspace file.
        refusal_of: Returns why a run is not launched, empty where it is; by `selector` of the UI's
            `ExecutionParams`.
    """
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_graphql.implementation.utils import UserFacingGraphQLError
    from dagster_graphql.schema.errors import GrapheneInvalidSubsetError
    from dagster_graphql.schema.roots import mutation
    from dagster_webserver.app import create_app_from_workspace_process_context

    mutations: Any = mutation
    launch = mutations.create_execution_params_and_launch_pipeline_exec
    error_of: Any = GrapheneInvalidSubsetError  # the one whose message the UI shows as it is

    async def launch_if_allowed(graphene_info: Any, params: Any) -> Any:
        refusal = refusal_of(params["selector"])
        if refusal:
            raise UserFacingGraphQLError(error_of(refusal, None))
        return await launch(graphene_info, params)

    mutations.create_execution_params_and_launch_pipeline_exec = launch_if_allowed
    target = WorkspaceFileTarget([str(workspace)])
    keep_connections(instance)
    with WorkspaceProcessContext(
        instance, target, dg.__version__, code_server_log_level="WARNING"
    ) as context:
        try:
            yield create_app_from_workspace_process_context(context)
        finally:
            mutations.create_execution_params_and_launch_pipeline_exec = launch
