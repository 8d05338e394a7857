"""Dagster's history in Postgres, which several machines share: what it keeps, and what it leaves alone."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from sqlalchemy import create_engine, text

from dataset_assets.assets import (
    HOST_RUN_TAG,
    HOST_TAG,
    LAUNCHED_BY_TAG,
    close_dead_runs,
    dead_runs,
    find_unregistered,
    limit_to_max_workers,
    register,
)
from dataset_assets.assets.dead_runs import MESSAGE
from dataset_assets.automation import NewTables
from dataset_assets.config import load_settings
from dataset_assets.dagster_internals import (
    keep_connections,
    last_materialized_s,
    report_without_run,
)
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.launch import enter_home, free_concurrency_slots, reporting_history_errors
from dataset_assets_tests.automation.samples import add_run, films, finish
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.engines.servers import Server, running_postgres
from dataset_assets_tests.needed import needed

ASSET = dg.AssetKey("general_patches")
STARTED = dg.DagsterRunStatus.STARTED
NO_PROCESS = 2**22 + 1  # above the largest number that Linux gives


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def home(postgres: Server, tmp_path: Path) -> Path:
    """A Dagster home with a database of its own."""
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(postgres.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
    engine.dispose()
    url = postgres.url.rpartition("/")[0] + f"/{name}"
    folder = tmp_path / "home"
    folder.mkdir()
    settings = f"storage: {{postgres: {{postgres_url: '{url}'}}}}\ntelemetry: {{enabled: false}}\n"
    (folder / "dagster.yaml").write_text(settings, encoding="utf-8")
    return folder


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home)) as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two films, for several machines."""
    return write_config(
        tmp_path / "set",
        films(tmp_path, {"one": 10, "two": 20}),
        base_settings={"machines": "many", "lease_s": 3, "max_workers": 3},
    )


def test_the_limit_of_the_pool_can_be_set_again(instance: dg.DagsterInstance, config: Path) -> None:
    settings = load_settings(config)
    for _ in range(2):  # the second start of `ui`
        limit_to_max_workers(instance, settings)
    assert instance.event_log_storage.get_concurrency_info("decode").slot_count == 3


def test_a_home_with_postgres_keeps_no_databases_of_its_own(
    home: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setenv("DAGSTER_HOME", str(home))
        for name in ("DATASET_ASSETS_CONFIG", "DATASET_ASSETS_GALLERY", "TMPDIR"):
            changed.setenv(name, os.environ.get(name, ""))  # put back what `enter_home` sets
        assert enter_home(load_settings(config), config) == home
    assert not list(home.rglob("*.db"))


def test_events_without_a_run_are_recorded_in_one_transaction(
    instance: dg.DagsterInstance, home: Path
) -> None:
    with needed("how its Postgres storage connects (report_without_run)"):
        events = [dg.AssetMaterialization(ASSET, partition=key) for key in ("one", "two")]
        events.append(dg.AssetMaterialization("other", partition="one", tags={"dagster/data_version": "7"}))
        check = dg.AssetCheckEvaluation(asset_key=ASSET, check_name="sound", passed=True, partition="one")
        broken = dg.AssetMaterialization("broken", partition="a\0zero")
        with pytest.raises(Exception, match=r"NUL|x00"):
            report_without_run(instance, [*events, broken])
        assert not instance.all_asset_keys(), "some were recorded, others not"
        keep_connections(instance, patience_s=1)
        report_without_run(instance, [*events, check, check])
        assert set(instance.get_materialized_partitions(ASSET)) == {"one", "two"}
        assert {key.to_user_string() for key in instance.all_asset_keys()} == {"general_patches", "other"}
        assert set(last_materialized_s(instance, "general_patches")) == {"one", "two"}
        event = instance.get_latest_materialization_event(dg.AssetKey("other"))
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.tags == {"dagster/data_version": "7"}
        with dg.DagsterInstance.from_config(str(home)) as reader:
            history = reader.event_log_storage.get_asset_check_execution_history(
                dg.AssetCheckKey(ASSET, "sound"), limit=9
            )
        assert len(history) == 1


def test_what_a_run_reports_waits_for_a_server_that_is_away(
    instance: dg.DagsterInstance, postgres: Server
) -> None:
    run = add_run(instance, "one", STARTED)
    keep_connections(instance, patience_s=60)
    instance.report_engine_event("before", run)
    postgres.stop(signal.SIGINT)
    reporting = threading.Thread(target=instance.report_engine_event, args=("after", run))
    reporting.start()
    postgres.start()
    reporting.join()
    assert [entry.message for entry in instance.all_logs(run.run_id)] == ["before", "after"]


def test_a_run_of_another_machine_is_never_called_dead(instance: dg.DagsterInstance, config: Path) -> None:
    data_set = DataSet.of(load_settings(config))
    here = socket.gethostname()
    inherited = {HOST_TAG: here, HOST_RUN_TAG: "the run before"}
    hosts = {"one": {HOST_TAG: "another"}, "two": {HOST_TAG: here}, "three": {}, "four": inherited}
    runs = {key: add_run(instance, key, STARTED, **tags) for key, tags in hosts.items()}
    for key, run in runs.items():
        if key != "four":
            instance.add_run_tags(run.run_id, {HOST_RUN_TAG: run.run_id})
        instance.report_engine_event("Started", run, EngineEventData.in_process(NO_PROCESS))
    close_dead_runs(instance, data_set)
    found = {run.tags["dagster/partition"]: run.status.value for run in instance.get_runs()}
    assert found == {"one": "STARTED", "two": "FAILURE", "three": "STARTED", "four": "STARTED"}
    assert MESSAGE in str(instance.all_logs(runs["two"].run_id)[-1].message)


def test_a_run_of_generate_elsewhere_is_closed_after_a_long_silence(
    instance: dg.DagsterInstance, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_set = DataSet.of(load_settings(config))
    tags = {HOST_TAG: "another", LAUNCHED_BY_TAG: "generate"}
    run = add_run(instance, "one", STARTED, **tags)
    instance.report_engine_event("Started", run, EngineEventData.in_process(NO_PROCESS))

    def state() -> str:
        close_dead_runs(instance, data_set)
        return instance.get_runs()[0].status.value

    assert state() == "STARTED"
    monkeypatch.setattr(dead_runs, "SILENT_S", -1.0)
    with data_set.work_on("one"):
        assert state() == "STARTED"
    assert state() == "FAILURE"


def test_slots_of_other_machines_are_left_to_the_daemon(instance: dg.DagsterInstance, config: Path) -> None:
    storage = instance.event_log_storage
    storage.set_concurrency_slots("decode", 1)
    run = add_run(instance, "one", STARTED)
    assert storage.claim_concurrency_slot("decode", run.run_id, "step").is_claimed
    free_concurrency_slots(instance, DataSet.of(load_settings(config)))
    assert storage.get_concurrency_run_ids() == {run.run_id}


def test_tables_that_other_machines_finish_are_found_and_those_in_work_are_not(
    instance: dg.DagsterInstance, config: Path
) -> None:
    finish(config)
    settings, tables = load_settings(config), NewTables()

    def look(*in_work: str) -> list[tuple[str, str]]:
        found = tables.find(instance, settings, in_work)
        list(register(instance, settings, found))
        return [(table.asset, table.key) for table in found if table.asset != "source_video"]

    assets = ("scene_windows", "general_patches", "space_patches", "toon_patches")
    assert look("two") == [(asset, "one") for asset in assets]
    assert look() == [(asset, "two") for asset in assets]
    assert look() == []
    data_set = DataSet.of(settings)
    again = data_set.tables.windows_path("one")
    shutil.copyfile(again, again.with_suffix(".new"))
    again.with_suffix(".new").replace(again)
    with data_set.work_on("one"):
        assert look() == []
    assert look() == [("scene_windows", "one")]
    assert NewTables().find(instance, settings, ()) == find_unregistered(instance, settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("{env: NOT_SET_ANYWHERE}", r"dagster.yaml reads NOT_SET_ANYWHERE, which is not set"),
        ("postgresql+psycopg2://nobody@127.0.0.1:1/none", r"does not answer \(connection to server at"),
    ],
)
def test_a_history_that_cannot_be_opened_is_reported_in_a_sentence(
    tmp_path: Path, url: str, sentence: str
) -> None:
    pytest.importorskip("dagster_postgres")
    (tmp_path / "dagster.yaml").write_text(f"storage: {{postgres: {{postgres_url: {url}}}}}", "utf-8")
    with (
        pytest.raises(DatasetAssetsError, match=sentence),
        reporting_history_errors(tmp_path),
        dg.DagsterInstance.from_config(str(tmp_path)),
    ):
        pass


def test_a_history_that_refuses_the_password_is_not_said_to_be_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dagster_postgres")
    psycopg2 = pytest.importorskip("psycopg2")
    monkeypatch.setenv("TRIAL_HISTORY", "postgresql+psycopg2://me:no@127.0.0.1/history")
    monkeypatch.setattr("time.sleep", lambda _: None)
    refusal = (
        'connection to server at "127.0.0.1" failed: FATAL:  password authentication failed for user "me"'
    )

    def connect(*_: object, **__: object) -> None:
        raise psycopg2.OperationalError(refusal)

    monkeypatch.setattr(psycopg2, "connect", connect)
    text = "storage: {postgres: {postgres_url: {env: TRIAL_HISTORY}}}"
    (tmp_path / "dagster.yaml").write_text(text, encoding="utf-8")
    with (
        pytest.raises(DatasetAssetsError, match=r"refuses the password \(connection to server at") as raised,
        reporting_history_errors(tmp_path),
        dg.DagsterInstance.from_config(str(tmp_path)),
    ):
        pass
    assert raised.value.remedy == (
        "use the password of this role in the address (TRIAL_HISTORY in the environment of the service)"
    )
