"""Dagster's daemon, webserver and console do what `ui` and runs need of their insides.

Each test says what a new release changed, and which function of `dagster_internals` to look at.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from dataset_assets.dagster_internals import print_of_events, run_daemon, webserver_app
from dataset_assets_tests.needed import needed


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


@pytest.fixture(autouse=True)
def unchanged_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts back what `run_daemon` changes for the life of its process."""
    from dagster._daemon.auto_run_reexecution import event_log_consumer
    from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

    for name in ("run_iteration", "_get_runs_to_dequeue"):
        monkeypatch.setattr(QueuedRunCoordinatorDaemon, name, getattr(QueuedRunCoordinatorDaemon, name))
    retry: Any = event_log_consumer
    name = "consume_new_runs_for_automatic_reexecution"
    monkeypatch.setattr(retry, name, getattr(retry, name))


def ignore_places(_: object) -> None:
    """Takes the places of workers."""


def test_the_daemon_looks_at_backfills_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class Shutdown(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            return True

    with needed("how its daemon waits between two looks at the backfills (run_daemon)"):
        from dagster._daemon import backfill, cli, controller

        monkeypatch.setattr(backfill, "execute_backfill_iteration", lambda *_, **__: iter(()))
        monkeypatch.setattr(cli, "main", lambda: None)
        monkeypatch.setattr(controller, "DEFAULT_DAEMON_INTERVAL_SECONDS", 30)
        run_daemon(lambda _: True, ignore_places)
        loop = backfill.execute_backfill_iteration_loop(cast("Any", None), cast("Any", None), Shutdown())
        for _ in range(3):
            next(loop)
        assert len(waits) == 1, "it waited otherwise than by its shutdown event"
        assert 4 < waits[0] <= 5, f"it waited {waits[0]:.0f} s"


def test_the_daemon_starts_queued_runs_only_while_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    allowed = False

    def look(*_: object) -> Iterator[None]:
        looks.append("looked")
        yield None

    with needed("how its daemon looks at the queue of runs (run_daemon)"):
        from dagster._daemon import cli
        from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

        monkeypatch.setattr(cli, "main", lambda: None)
        monkeypatch.setattr(QueuedRunCoordinatorDaemon, "run_iteration", look)
        run_daemon(lambda _: allowed, ignore_places)
        daemon, context = QueuedRunCoordinatorDaemon(interval_seconds=5), cast("Any", SimpleNamespace())
        context.instance = None
        list(daemon.run_iteration(context))
        assert looks == [], "it looked at the queue"
        allowed = True
        list(daemon.run_iteration(context))
        assert looks == ["looked"]


@pytest.mark.parametrize(("places", "most"), [({"w1": 1, "w2": 2}, 3), ({}, 0), ("the broker is away", 0)])
def test_the_daemon_starts_as_many_runs_as_the_machines_have_places(
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    places: Mapping[str, int] | str,
    most: int,
) -> None:
    seen: list[object] = []

    def count(_daemon: object, _instance: object, config: Any, _moment: object) -> list[dg.DagsterRun]:
        seen.append(config.run_queue_config.max_concurrent_runs)
        return []

    with needed("how its daemon counts runs (run_daemon)"):
        from dagster._daemon import cli
        from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

        monkeypatch.setattr(cli, "main", lambda: None)
        monkeypatch.setattr(instance.run_launcher, "places", lambda: places, raising=False)
        assert QueuedRunCoordinatorDaemon(5)._get_runs_to_dequeue(instance, config_of(instance), None) == []
        monkeypatch.setattr(QueuedRunCoordinatorDaemon, "_get_runs_to_dequeue", count)
        run_daemon(lambda _: True, seen.append)
        list(QueuedRunCoordinatorDaemon(5).run_iteration(cast("Any", SimpleNamespace(instance=instance))))
        assert seen == [places, most]


def config_of(instance: dg.DagsterInstance) -> Any:
    """The settings of the queue."""
    return instance.get_concurrency_config()


def test_the_webserver_is_an_application_with_routes_that_take_every_address(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text("load_from: []\n")
    with (
        needed("how its webserver is made (webserver_app)"),
        webserver_app(instance, workspace, lambda _: "") as app,
    ):
        paths = [getattr(route, "path", "") for route in app.router.routes]
        assert "/graphql" in paths, "it has no /graphql"
        assert "/{path:path}" in paths, "it leaves addresses to routes that are added after its own"


def test_a_refused_launch_is_answered_with_the_reason(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text("load_from: []\n")
    asked: list[Mapping[str, Any]] = []

    def refusal_of(selector: Mapping[str, Any]) -> str:
        asked.append(selector)
        return "launch something else"

    with needed("how its webserver launches runs (webserver_app)"):
        from dagster_graphql.implementation.utils import UserFacingGraphQLError
        from dagster_graphql.schema.roots import mutation as module

        mutation: Any = module
        before = mutation.create_execution_params_and_launch_pipeline_exec
        params = {"selector": {"jobName": "make_patches"}}
        with webserver_app(instance, workspace, refusal_of):
            launch = mutation.create_execution_params_and_launch_pipeline_exec
            with pytest.raises(UserFacingGraphQLError) as refused:
                asyncio.run(launch(None, params))
        assert refused.value.error.message == "launch something else"
        assert asked == [params["selector"]]
        assert mutation.create_execution_params_and_launch_pipeline_exec is before
    assert instance.get_runs() == []


def test_the_daemon_of_a_fresh_home_warns_of_no_missing_cursor(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with needed("how its daemon warns of a fresh home (run_daemon)"):
        from dagster._daemon import cli
        from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon

        monkeypatch.setattr(cli, "main", lambda: None)
        monkeypatch.setattr(EventLogConsumerDaemon()._logger, "filters", [])
        context = cast("Any", SimpleNamespace(instance=instance))
        with caplog.at_level(logging.WARNING):
            list(EventLogConsumerDaemon().run_iteration(context))
        assert len(caplog.messages) == 2, "it does not warn: run_daemon need not filter that"
        caplog.clear()
        run_daemon(lambda _: True, ignore_places)
        with dg.DagsterInstance.ephemeral() as fresh:
            context.instance = fresh
            list(EventLogConsumerDaemon().run_iteration(context))
        assert caplog.messages == []


def test_a_run_is_retried_whose_failure_is_read_before_its_status(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dg.DagsterRunStatus] = []

    def retry(_context: object, records: Sequence[dg.RunRecord], _logger: logging.Logger) -> Iterator[None]:
        seen.extend(record.dagster_run.status for record in records)
        yield None

    run = dg.DagsterRun(job_name="one", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED)
    instance.add_run(run)
    with needed("how its daemon starts failed runs again (run_daemon)"):
        from dagster._daemon import cli
        from dagster._daemon.auto_run_reexecution import event_log_consumer

        monkeypatch.setattr(cli, "main", lambda: None)
        monkeypatch.setattr(event_log_consumer, "consume_new_runs_for_automatic_reexecution", retry)
        daemon, context = event_log_consumer.EventLogConsumerDaemon(), cast("Any", SimpleNamespace())
        context.instance = instance
        list(daemon.run_iteration(context))
        # The failure alone, as another process has written it so far.
        with monkeypatch.context() as halfway:
            halfway.setattr(instance.run_storage, "handle_run_event", lambda *_: None)
            instance.report_run_failed(run)
        list(daemon.run_iteration(context))
        assert seen == [dg.DagsterRunStatus.STARTED], "it waits for the status: run_daemon need not"

        seen.clear()
        with monkeypatch.context() as halfway:
            halfway.setattr(instance.run_storage, "handle_run_event", lambda *_: None)
            instance.report_run_failed(run)
        run_daemon(lambda _: True, ignore_places)
        iteration = daemon.run_iteration(context)
        for _ in range(4):
            next(iteration)
        assert seen == []
        instance.report_run_failed(run)
        list(iteration)
        assert seen == [dg.DagsterRunStatus.FAILURE]


def test_events_of_runs_are_printed_in_other_words(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    @dg.op
    def fail() -> None:
        raise dg.Failure("it is wet")

    @dg.job(tags={"place": "here"})
    def failing() -> None:
        fail()

    def text_of(event: dg.DagsterEvent, tags: Mapping[str, str]) -> str | None:
        if event.is_step_failure:
            return f"{tags['place']} it is wet"
        return "" if event.event_type is dg.DagsterEventType.RUN_FAILURE else None

    with needed("how it logs to the console of a run (print_of_events)"):
        from dagster._core.execution import context_creation_job as module

        creation: Any = module
        monkeypatch.setattr(creation, "default_system_loggers", creation.default_system_loggers)
        for _ in range(2):
            print_of_events(text_of)
        with dg.DagsterInstance.ephemeral() as instance:
            failing.execute_in_process(instance=instance, raise_on_error=False)
        printed = capfd.readouterr().err
        assert printed.count("here it is wet") == 1
        assert "Stack Trace" not in printed
        assert "RUN_FAILURE" not in printed
        assert "RUN_START" in printed
