"""What the product needs of Dagster's insides is there, and does what it is needed for.

Each test of a release says what that release changed, and which function of `dagster_internals` to look at.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

import dataset_assets
from dataset_assets import dagster_internals
from dataset_assets.assets.runs import PARTITION_TAG
from dataset_assets.dagster_internals import (
    WILL_RETRY_TAG,
    can_hold_history,
    check_verdicts,
    delete_events_without_run,
    delete_run,
    forget_partition,
    has_events,
    is_initialised,
    process_death,
    report_without_run,
    version_tags,
    with_targets,
)
from dataset_assets.launch.worker import TAGS
from dataset_assets.monitor.history import LAUNCHERS
from dataset_assets.ui.services import PLAIN_ERRORS_VARIABLE
from dataset_assets_tests.automation.samples import add_run
from dataset_assets_tests.needed import needed

ASSET = dg.AssetKey("patches")
MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def materialized(instance: dg.DagsterInstance) -> set[str]:
    return set(instance.get_materialized_partitions(ASSET))


def test_no_other_module_imports_what_dagster_keeps_private() -> None:
    # Launchers are parts of Dagster: they extend its own.
    package = Path(dataset_assets.__file__).parent
    private = re.compile(r"^\s*(from|import) dagster\w*\.", re.MULTILINE)
    found = [path for path in package.rglob("*.py") if private.search(path.read_text(encoding="utf-8"))]
    assert {path.parent.relative_to(package).as_posix() for path in found} == {"dagster_internals", "engines"}


def test_a_partition_is_forgotten_of_the_assets_named_alone(instance: dg.DagsterInstance) -> None:
    with needed("how its SQL storage keeps events (forget_partition)"):
        other = dg.AssetKey("other")
        for asset, partition in ((ASSET, "first"), (ASSET, "second"), (other, "first")):
            instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=partition))
        forget_partition(instance, [ASSET.to_user_string()], "first")
        assert materialized(instance) == {"second"}
        assert set(instance.get_materialized_partitions(other)) == {"first"}
        assert set(instance.get_latest_storage_id_by_partition(ASSET, MATERIALIZED)) == {"second"}


def test_events_without_a_run_are_seen_together(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, seen = instance.report_runless_asset_event, []
    with (
        needed("how its SQLite storage connects (report_without_run)"),
        dg.DagsterInstance.from_ref(instance.get_ref()) as reader,
    ):

        def report_and_look(event: Any) -> None:
            report(event)
            seen.append(materialized(reader))

        monkeypatch.setattr(instance, "report_runless_asset_event", report_and_look)
        report_without_run(
            instance,
            [dg.AssetMaterialization(ASSET, partition=name) for name in ("first", "second", "third")],
        )
        assert seen == [{"first"}] * 3, "an event was written outside the transaction"
        assert materialized(reader) == {"first", "second", "third"}, "events were lost"
        report(dg.AssetMaterialization(ASSET, partition="fourth"))
        assert "fourth" in materialized(instance)


def test_a_check_of_a_partition_has_one_result_without_a_run(instance: dg.DagsterInstance) -> None:
    key = dg.AssetCheckKey(ASSET, "sound")
    with needed("how its SQL storage keeps results of checks (report_without_run)"):
        for passed in (False, True, False):
            results = [
                dg.AssetCheckEvaluation(asset_key=ASSET, check_name="sound", passed=passed, partition=name)
                for name in ("first", "second")
            ]
            report_without_run(instance, results)
        assert len(instance.event_log_storage.get_asset_check_execution_history(key, limit=9)) == 2
        assert check_verdicts(instance, key) == {"first": False, "second": False}


def test_a_result_without_a_run_counts_for_the_materialization_that_it_names(
    instance: dg.DagsterInstance,
) -> None:
    key = dg.AssetCheckKey(ASSET, "sound")
    result = dg.AssetCheckEvaluation(asset_key=ASSET, check_name="sound", passed=True, partition="first")
    with needed("how its UI holds results of checks against materializations (with_targets)"):
        instance.report_runless_asset_event(dg.AssetMaterialization(ASSET, partition="first"))
        report_without_run(instance, [result])
        assert check_verdicts(instance, key) == {"first": None}, "it needs no target"
        report_without_run(instance, with_targets(instance, [result]))
        assert check_verdicts(instance, key) == {"first": True}
        instance.report_runless_asset_event(dg.AssetMaterialization(ASSET, partition="first"))
        assert check_verdicts(instance, key) == {"first": None}, "an earlier materialization counts"


def test_old_events_without_a_run_go_but_for_the_newest(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    def report(*numbers: int) -> None:
        for number in numbers:
            metadata = {"number": number}
            for event in (
                dg.AssetMaterialization(ASSET, metadata=metadata, tags={"dagster/data_version": str(number)}),
                dg.AssetMaterialization("other", metadata=metadata),
                dg.AssetCheckEvaluation(asset_key=ASSET, check_name="often", passed=True),
            ):
                instance.report_runless_asset_event(event)

    def numbers(asset: dg.AssetKey) -> list[object]:
        records = instance.fetch_materializations(asset, 99, ascending=True).records
        found = [record.asset_materialization for record in records]
        return [each.metadata["number"].value for each in found if each is not None and not each.partition]

    def results(name: str) -> int:
        key = dg.AssetCheckKey(ASSET, name)
        return len(instance.event_log_storage.get_asset_check_execution_history(key, limit=99))

    def rows(database: str) -> int:
        with closing(sqlite3.connect(tmp_path / "history" / "runs" / database)) as connection:
            return int(connection.execute("select count(*) from event_logs").fetchone()[0])

    def delete(before_s: float) -> int:
        return delete_events_without_run(instance, ASSET.to_user_string(), before_s, kept=2)

    with needed("how its SQL storage keeps events without a run (delete_events_without_run)"):
        instance.report_runless_asset_event(dg.AssetMaterialization(ASSET, partition="first"))
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=ASSET, check_name="rarely", passed=True)
        )
        report(0, 1, 2, 3)
        middle_s = time.time()
        report(4)
        assert delete(middle_s - 3600) == 0
        before = [instance.get_latest_materialization_event(asset) for asset in (ASSET, dg.AssetKey("other"))]
        assert delete(middle_s) == 6, "it does not find the old ones, or more than those"
        assert (numbers(ASSET), numbers(dg.AssetKey("other"))) == ([3, 4], [0, 1, 2, 3, 4])
        assert (results("often"), results("rarely")) == (2, 1)
        assert materialized(instance) == {"first"}
        assert before == [
            instance.get_latest_materialization_event(asset) for asset in (ASSET, dg.AssetKey("other"))
        ]
        # Nothing refers to the results of checks in the second copy.
        assert (rows("index.db"), rows(".db")) == (17 - 6, 17 - 6 - 2), "a copy of them stays"
        report(5)
        assert numbers(ASSET) == [3, 4, 5]
        with dg.DagsterInstance.ephemeral() as other:
            assert delete_events_without_run(other, "any", middle_s, kept=2) == 0


def test_a_history_that_is_no_file_takes_events_as_they_come() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        names = ("first", "second")
        report_without_run(instance, [dg.AssetMaterialization(ASSET, partition=name) for name in names])
        assert materialized(instance) == set(names)
        report_without_run(instance, [])


def test_the_file_of_a_deleted_run_goes_which_dagster_leaves(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    @dg.op
    def nothing() -> None: ...

    @dg.job
    def empty() -> None:
        nothing()

    first, second = (empty.execute_in_process(instance=instance).run_id for _ in range(2))
    with needed("where it keeps the events of a run, or that it leaves the file (delete_run, has_events)"):
        assert has_events(tmp_path, first)
        instance.delete_run(first)
        assert has_events(tmp_path, first), "it removes the file itself: delete_run need not"
        delete_run(instance, second)
        assert not has_events(tmp_path, second), "the file stays"
        assert instance.get_runs() == []


@pytest.mark.parametrize(
    ("exit_code", "death"),
    [(-9, "was terminated by signal 9 (SIGKILL)"), (1, "unexpectedly exited with code 1")],
)
def test_how_a_process_died_is_read_from_what_the_code_server_reports(
    instance: dg.DagsterInstance, exit_code: int, death: str
) -> None:
    run = add_run(instance, "film", dg.DagsterRunStatus.STARTED)
    process = SimpleNamespace(exitcode=exit_code, is_alive=lambda: False)
    with needed("how its code server words the death of a run's process (process_death)"):
        from dagster._grpc.server import DagsterApiServer

        server: Any = object.__new__(DagsterApiServer)  # without a process that listens
        server._execution_lock = threading.Lock()
        server._executions = {run.run_id: (process, instance.get_ref())}
        server._termination_events = {run.run_id: threading.Event()}
        server._termination_times = {}
        server._shutdown_once_executions_finish_event = threading.Event()
        server._check_for_orphaned_runs()
        (entry,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        message = entry.dagster_event.message or "" if entry.dagster_event else ""
        assert process_death(message) == death, f"it reports {message!r}"


def test_a_home_is_known_by_its_databases(tmp_path: Path) -> None:
    with needed("which databases a home has (is_initialised)"):
        assert not is_initialised(tmp_path)
        with dg.DagsterInstance.local_temp(str(tmp_path)):
            pass
        assert is_initialised(tmp_path)


@pytest.mark.parametrize("name", ["50%41", "what?", "plain"])
def test_dagster_loses_its_databases_in_the_homes_that_are_refused(tmp_path: Path, name: str) -> None:
    with needed("how it names its databases to SQLAlchemy (can_hold_history)"):
        from dagster._core.storage.sqlite import create_db_conn_string
        from sqlalchemy.engine import make_url

        found = make_url(create_db_conn_string(str(tmp_path / name), "runs")).database
        assert (found == str(tmp_path / name / "runs.db")) == can_hold_history(tmp_path / name)


def test_tags_are_dagsters_own() -> None:
    with needed("the names of its tags"):
        from dagster._core.definitions import data_version as versions
        from dagster._core.storage import tags

        assert WILL_RETRY_TAG == tags.WILL_RETRY_TAG
        assert PARTITION_TAG == tags.PARTITION_NAME_TAG
        assert tags.MAX_RETRIES_TAG in TAGS
        assert list(LAUNCHERS) == [tags.SCHEDULE_NAME_TAG, tags.SENSOR_NAME_TAG, tags.BACKFILL_ID_TAG]
        assert version_tags("c", "d", {}) == {
            versions.CODE_VERSION_TAG: "c",
            versions.DATA_VERSION_TAG: "d",
            versions.DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
        }
        assert version_tags("c", "d", {"a": "e"}) == {
            versions.CODE_VERSION_TAG: "c",
            versions.DATA_VERSION_TAG: "d",
            f"{versions.INPUT_DATA_VERSION_TAG_PREFIX}/a": "e",
            f"{versions.INPUT_EVENT_POINTER_TAG_PREFIX}/a": "NULL",
        }


def test_errors_of_a_code_location_can_be_shown_without_dagsters_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with needed(f"what {PLAIN_ERRORS_VARIABLE} does (ui/services.py)"):
        from dagster._utils.env import using_dagster_dev

        monkeypatch.delenv(PLAIN_ERRORS_VARIABLE, raising=False)
        assert not using_dagster_dev()
        monkeypatch.setenv(PLAIN_ERRORS_VARIABLE, "1")
        assert using_dagster_dev()


def test_nothing_private_is_imported_with_the_modules() -> None:
    for module in Path(dagster_internals.__file__).parent.glob("*.py"):
        source = module.read_text(encoding="utf-8")
        assert re.findall(r"^(?:from|import) dagster\w*\..*", source, re.MULTILINE) == []
