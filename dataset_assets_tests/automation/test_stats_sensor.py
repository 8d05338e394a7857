"""The statistics follow the data set: while runs go on, after the last one, and with the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.assets import dataset_stats, staleness
from dataset_assets.automation import Updates, build_stats_sensor
from dataset_assets.automation.updates import (
    LONGEST_PAUSE_S,
    PAUSE_PER_UPDATE,
    WHILE_RUNS_GO_ON_S,
    WHILE_UNMARKED_S,
)
from dataset_assets.config import ConfigReader
from dataset_assets.dataset import DataSet
from dataset_assets.errors import SpaceError
from dataset_assets.partitions import add_missing
from dataset_assets_tests.automation.samples import add_run, films, finish
from dataset_assets_tests.configurations import write_config

STATUS = dg.DagsterRunStatus


class Clock:
    """A clock that goes on when a test moves it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Ticks:
    """The sensor of a data set of two films, from tick to tick as the daemon evaluates it."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance
        self.config = self.configure()
        self.reader = ConfigReader(self.config)
        self.clock = Clock()
        self.cursor: str | None = None
        self.restart()

    def configure(self, **sections: object) -> Path:
        return write_config(self.folder, films(self.folder, {"Alpha": 10, "Beta": 20}), **sections)

    def restart(self) -> None:
        """Loads the code again: what the sensor keeps in memory is gone."""
        self.sensor = build_stats_sensor(Updates(self.clock))

    def tick(self) -> tuple[bool, str]:
        """Whether the statistics were updated, and why or why not."""
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={"config_reader": self.reader}
        ) as context:
            found = self.sensor.evaluate_tick(context)
        assert found.run_requests == []
        self.cursor = found.cursor
        for event in found.asset_events:
            self.instance.report_runless_asset_event(event)
        return bool(found.asset_events), found.skip_message or ""

    def tick_later(self, seconds: float = 10 * WHILE_RUNS_GO_ON_S) -> tuple[bool, str]:
        self.clock.now_s += seconds
        return self.tick()

    def end_run(self, key: str) -> None:
        """A run on a video begins and ends."""
        self.instance.report_run_failed(add_run(self.instance, key, STATUS.STARTED))

    @property
    def index(self) -> str:
        return (self.folder / "dataset/gallery/index.html").read_text()

    def latest(self) -> dict[str, object]:
        event = self.instance.get_latest_materialization_event(dg.AssetKey("dataset_stats"))
        assert event is not None
        assert event.asset_materialization is not None
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def ticks(tmp_path: Path, instance: dg.DagsterInstance) -> Ticks:
    return Ticks(tmp_path, instance)


@pytest.fixture
def settled(ticks: Ticks) -> Ticks:
    """The statistics were updated once, and nothing has happened since."""
    assert ticks.tick()[0]
    return ticks


def test_a_data_set_of_which_nothing_is_made_has_statistics_and_an_index(ticks: Ticks) -> None:
    assert ticks.tick() == (True, "updated: nothing was added up yet")
    assert ticks.latest()["videos"] == 2
    assert "Alpha" in ticks.index
    assert "Beta" in ticks.index
    assert ticks.tick_later() == (False, "no run on a video has ended")


def test_the_checks_of_the_statistics_follow(settled: Ticks) -> None:
    def headline() -> tuple[bool, str | None]:
        key = dg.AssetCheckKey(dg.AssetKey("dataset_stats"), "every_video_done")
        (record,) = settled.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        assert record.event is not None
        assert record.event.dagster_event is not None
        evaluation = record.event.dagster_event.asset_check_evaluation_data
        return evaluation.passed, evaluation.description

    assert headline() == (False, "0 of 2 videos are done; first alpha: never made")
    finish(settled.config)
    settled.end_run("alpha")
    settled.tick_later()
    assert headline() == (True, "2 of 2 videos are done")


def test_statistics_follow_runs_that_go_on_at_most_every_few_minutes(settled: Ticks) -> None:
    add_run(settled.instance, "alpha", STATUS.STARTED)
    updated, why = settled.tick()
    assert (updated, why.partition(";")[0]) == (False, "runs go on")
    assert settled.tick_later() == (True, "updated: runs go on")
    assert not settled.tick_later(WHILE_RUNS_GO_ON_S / 2)[0]
    assert settled.tick_later(WHILE_RUNS_GO_ON_S / 2) == (True, "updated: runs go on")


def test_statistics_follow_the_last_run_however_it_ended(settled: Ticks) -> None:
    settled.end_run("alpha")
    assert settled.tick_later() == (True, "updated: the last run has ended")
    assert settled.tick_later() == (False, "they are newer than the last run")


def test_statistics_that_a_run_made_count(settled: Ticks) -> None:
    @dg.asset
    def dataset_stats() -> None:
        """The asset's name is all that matters here."""

    settled.end_run("alpha")
    assert dg.materialize([dataset_stats], instance=settled.instance).success
    assert settled.tick_later() == (False, "they are newer than the last run")


def test_runs_on_no_video_ask_for_no_statistics(settled: Ticks) -> None:
    add_run(settled.instance, None, STATUS.SUCCESS)
    add_run(settled.instance, None, STATUS.STARTED)
    assert settled.tick_later() == (False, "no run on a video has ended")


def test_a_change_of_the_settings_shows_without_a_run(ticks: Ticks) -> None:
    finish(ticks.config)
    ticks.tick()
    assert 'data-state="stale"' not in ticks.index
    ticks.configure(categories={"general": {"mix": {"small_540": 1.0}}})
    ticks.reader = ConfigReader(ticks.config)
    assert ticks.tick_later() == (True, "updated: settings or exclusions changed")
    assert ticks.index.count('data-state="stale"') == 2
    assert "its settings changed" in str(ticks.latest()["unfinished"])
    assert not ticks.tick_later()[0]


def test_what_one_update_leaves_to_be_marked_as_stale_is_done_by_the_next(
    ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(ticks.config)
    add_missing(ticks.instance, ticks.reader.read())
    ticks.tick()
    ticks.configure(categories={"general": {"mix": {"small_540": 1.0}}})
    monkeypatch.setattr(staleness, "BATCH", 1)
    monkeypatch.setattr(dataset_stats, "MOST_S", 0.0)
    assert ticks.tick_later() == (True, "updated: settings or exclusions changed")
    assert ticks.tick_later() == (True, "updated: 1 partition is to be marked as stale or up to date")
    assert not ticks.tick_later()[0]


def test_a_change_that_was_made_while_nothing_ran_shows_too(settled: Ticks) -> None:
    settled.configure(base_settings={"base_frame_limit": 9})
    settled.restart()
    assert settled.tick() == (True, "updated: settings or exclusions changed")
    settled.restart()
    assert not settled.tick()[0]


def test_a_window_that_is_excluded_by_hand_shows_without_a_run(settled: Ticks) -> None:
    DataSet.of(settled.reader.read()).excluded_windows.add("alpha", 1001)
    assert settled.tick_later() == (True, "updated: settings or exclusions changed")
    assert not settled.tick_later()[0]


def test_a_mistake_in_the_configuration_is_the_reason_to_skip_until_it_is_corrected(settled: Ticks) -> None:
    content = settled.config.read_text()
    settled.end_run("alpha")
    settled.config.write_text("{")
    updated, why = settled.tick_later()
    assert not updated
    assert why.startswith(f"{settled.config}:1")
    settled.config.write_text(content)
    assert settled.tick_later() == (True, "updated: the last run has ended")


def test_an_update_that_fails_is_tried_again(settled: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    settled.end_run("alpha")
    with monkeypatch.context() as patch:
        patch.setattr(Updates, "update", _raising(SpaceError("the disk is full", "free some space")))
        updated, why = settled.tick_later()
    assert not updated
    assert why.endswith("the disk is full; free some space")
    assert settled.tick_later() == (True, "updated: the last run has ended")


def _raising(error: Exception) -> Callable[..., None]:
    def update(*_: object) -> None:
        raise error

    return update


def test_costly_updates_are_rare(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """A processor second is followed by a pause of 49: 2% of a core, and no pause where nothing was done."""
    clock = Clock()
    updates = Updates(clock)
    assert updates.wait_s(runs_go_on=True, has_unmarked=False) <= 0
    settings = ConfigReader(write_config(tmp_path, films(tmp_path, {"Alpha": 10}))).read()
    updates.update(settings, instance)
    updates._cost_s = 8.0
    assert updates.wait_s(runs_go_on=True, has_unmarked=False) == 8.0 * PAUSE_PER_UPDATE > WHILE_RUNS_GO_ON_S
    updates._cost_s = 30.0
    assert updates.wait_s(runs_go_on=True, has_unmarked=False) == LONGEST_PAUSE_S
    assert updates.wait_s(runs_go_on=True, has_unmarked=True) == WHILE_UNMARKED_S
    updates._cost_s = 0.0
    assert (
        updates.wait_s(runs_go_on=True, has_unmarked=False),
        updates.wait_s(runs_go_on=False, has_unmarked=False),
    ) == (WHILE_RUNS_GO_ON_S, 0.0)


def test_statistics_follow_without_being_switched_on_and_without_a_run(ticks: Ticks) -> None:
    assert ticks.sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert not ticks.sensor.has_jobs
