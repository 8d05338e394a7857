"""Tables that no run of the history has made are shown as made, soon after, and at little cost."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.automation import NewTables, build_register_tables, register_tables
from dataset_assets.config import ConfigReader
from dataset_assets_tests.automation.samples import add_run, films, finish
from dataset_assets_tests.configurations import write_config

WINDOWS = dg.AssetKey("scene_windows")


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1e9

    def time(self) -> float:
        return self.now_s


def tick(sensor: dg.SensorDefinition, instance: dg.DagsterInstance, config: Path) -> str:
    """Evaluates the sensor; gives what it says."""
    context = dg.build_sensor_context(instance=instance, resources={"config_reader": ConfigReader(config)})
    evaluated = sensor(context)
    assert isinstance(evaluated, dg.SkipReason)
    return str(evaluated.skip_message)


def config_of(folder: Path, machines: str) -> Path:
    return write_config(folder / "set", films(folder, {"one": 10}), base_settings={"machines": machines})


def test_a_data_set_of_one_machine_is_left_alone(tmp_path: Path) -> None:
    config = config_of(tmp_path, "one")
    finish(config)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert "one machine" in tick(build_register_tables(NewTables()), instance, config)
        assert not instance.get_materialized_partitions(WINDOWS)


def test_it_looks_every_five_minutes_and_after_a_run_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, sensor = Clock(), build_register_tables(NewTables())
    monkeypatch.setattr(register_tables, "time", clock, raising=True)
    monkeypatch.setattr(clock, "monotonic", clock.time, raising=False)
    config = config_of(tmp_path, "many")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert tick(sensor, instance, config) == "0 tables are registered"
        finish(config)
        clock.now_s += 299
        assert "less than five minutes ago" in tick(sensor, instance, config)
        clock.now_s += 1
        assert "are registered" in tick(sensor, instance, config)
        assert instance.get_materialized_partitions(WINDOWS) == {"one"}
        clock.now_s += 1
        assert "less than five minutes ago" in tick(sensor, instance, config)
        add_run(instance, "one", dg.DagsterRunStatus.FAILURE)
        assert "registered" in tick(sensor, instance, config)
