"""The statistics follow the last run on a video, once."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from dataset_assets.definitions import build_defs
from dataset_assets_tests.automation.samples import add_run
from dataset_assets_tests.configurations import write_config

STATUS = dg.DagsterRunStatus


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture(scope="module")
def sensor(tmp_path_factory: pytest.TempPathFactory) -> dg.SensorDefinition:
    folder = tmp_path_factory.mktemp("stats")
    return build_defs(write_config(folder, {"A": (folder / "a.mkv", {"general": 1.0})})).resolve_sensor_def(
        "stats_sensor"
    )


def tick(sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> str | None:
    """The run key of the request, or None."""
    with dg.build_sensor_context(instance=instance) as context:
        requests = sensor.evaluate_tick(context).run_requests or []
    assert len(requests) <= 1
    return requests[0].run_key if requests else None


def test_statistics_wait_until_the_last_run_on_a_video_has_ended(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance
) -> None:
    assert tick(sensor, instance) is None
    add_run(instance, "a", STATUS.SUCCESS)
    waiting = add_run(instance, "b", STATUS.NOT_STARTED)
    assert tick(sensor, instance) is None
    instance.report_run_failed(waiting)
    # By its key: asked again before the statistics are there, Dagster launches none.
    assert tick(sensor, instance) == tick(sensor, instance) == waiting.run_id


def test_statistics_that_are_newer_than_every_run_are_left_alone(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance
) -> None:
    run = add_run(instance, "a", STATUS.STARTED)
    instance.report_run_failed(run)
    instance.report_runless_asset_event(dg.AssetMaterialization("dataset_stats"))
    assert tick(sensor, instance) is None
    later = add_run(instance, "a", STATUS.STARTED)
    instance.report_run_failed(later)
    assert tick(sensor, instance) == later.run_id


def test_runs_on_no_video_ask_for_no_statistics(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance
) -> None:
    add_run(instance, None, STATUS.SUCCESS)
    assert tick(sensor, instance) is None


def test_statistics_follow_without_being_switched_on(sensor: dg.SensorDefinition) -> None:
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert [job.name for job in sensor.jobs] == ["update_stats"]
