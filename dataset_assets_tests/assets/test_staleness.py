"""A partition that is stale shows a warning though no run has touched it."""

from __future__ import annotations

import json
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from dataset_assets.assets import staleness
from dataset_assets.assets.staleness import report_stale
from dataset_assets.dataset import AssetStatus
from dataset_assets.partitions import VIDEO_PARTITIONS
from dataset_assets_tests.assets.world import ALL, World, checks
from dataset_assets_tests.automation.samples import add_run


def last(world: World, asset: str) -> tuple[bool, str | None, str | None]:
    """What is recorded last of an asset's check: whether it passed, in which words, for which partition."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), "up_to_date")
    (record,) = world.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    evaluation = record.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
    return evaluation.passed, evaluation.description, evaluation.partition


def shown(world: World, asset: str) -> dict[str, list[str]]:
    """Partitions by what the check's tab Partitions, and the list of checks, show of them."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), "up_to_date")
    with partition_loading_context(dynamic_partitions_store=world.instance):
        found = world.instance.event_log_storage.get_asset_check_state([(key, VIDEO_PARTITIONS)])[key]
        values: dict[str, Any] = {status.value: each.subset_value for status, each in found.subsets.items()}
        keys = {status: sorted(value.get_partition_keys()) for status, value in values.items()}
        return {status: found for status, found in keys.items() if found}


def recorded(world: World, asset: str) -> int:
    key = dg.AssetCheckKey(dg.AssetKey(asset), "up_to_date")
    return len(world.instance.event_log_storage.get_asset_check_execution_history(key, limit=100))


def change(world: World, **sections: Any) -> None:
    content = json.loads(world.config.read_text(encoding="utf-8"))
    world.config.write_text(json.dumps(content | sections), encoding="utf-8")


@pytest.mark.slow
def test_a_change_of_one_mix_warns_on_its_patches_alone_until_a_run_has_made_them(world: World) -> None:
    result = world.materialize(*ALL)
    for asset in ALL[1:]:
        found = checks(result)[asset, "up_to_date"]
        assert (found.passed, found.severity, found.description) == (
            True,
            dg.AssetCheckSeverity.WARN,
            "up to date",
        )
    world.materialize_stats()
    assert {asset: recorded(world, asset) for asset in ALL[1:]} == dict.fromkeys(ALL[1:], 1)

    change(world, categories={"general": {"mix": {"small_540": 1.0}}})
    world.materialize_stats()
    why = "stale: its settings changed; materialize it to bring it up to date"
    assert last(world, "general_patches") == (False, why, "film")
    assert last(world, "space_patches")[0]
    assert shown(world, "general_patches") == {"FAILED": ["film"]}
    assert shown(world, "space_patches") == {"SUCCEEDED": ["film"]}
    world.materialize_stats()  # known already
    assert recorded(world, "general_patches") == 2

    world.materialize(*ALL, tags={"dataset_assets/replace": "true"})
    assert last(world, "general_patches") == (True, "up to date", "film")
    assert shown(world, "general_patches") == {"SUCCEEDED": ["film"]}


@pytest.mark.slow
def test_a_setting_that_is_taken_back_ends_the_warning_without_a_run(world: World) -> None:
    world.materialize(*ALL)
    before = world.config.read_text(encoding="utf-8")
    change(world, categories={"general": {"mix": {"small_540": 1.0}}})
    world.materialize_stats()
    assert not last(world, "general_patches")[0]
    world.config.write_text(before, encoding="utf-8")
    world.materialize_stats()
    assert last(world, "general_patches") == (True, "up to date", "film")
    change(world, categories={"general": {"mix": {"small_540": 1.0}}})
    world.materialize_stats()
    assert not last(world, "general_patches")[0]


def test_a_stale_partition_shows_its_warning_after_a_run_that_failed(world: World) -> None:
    world.materialize(*ALL)
    change(world, categories={"general": {"mix": {"small_540": 1.0}}})
    away = world.film.rename(world.film.with_suffix(".away"))
    assert not world.materialize(*ALL[1:], may_fail=True).success
    away.rename(world.film)
    assert shown(world, "general_patches") == {"EXECUTION_FAILED": ["film"]}
    world.materialize_stats()
    assert shown(world, "general_patches") == {"FAILED": ["film"]}
    assert shown(world, "space_patches") == {"SUCCEEDED": ["film"]}


def test_a_table_that_was_registered_again_is_still_shown_as_checked(world: World) -> None:
    world.materialize(*ALL)
    event = dg.AssetMaterialization("general_patches", partition="film")
    world.instance.report_runless_asset_event(event)
    assert shown(world, "general_patches") == {}
    world.materialize_stats()
    assert shown(world, "general_patches") == {"SUCCEEDED": ["film"]}


def test_a_video_in_work_gets_its_result_from_its_run(world: World) -> None:
    world.materialize(*ALL)
    change(world, categories={"general": {"mix": {"small_540": 1.0}}})
    run = add_run(world.instance, "film", dg.DagsterRunStatus.STARTED)
    world.materialize_stats()
    assert recorded(world, "general_patches") == 1
    world.instance.delete_run(run.run_id)
    world.materialize_stats()
    assert shown(world, "general_patches") == {"FAILED": ["film"]}


def test_what_was_never_made_and_what_has_no_partition_yet_warns_of_nothing(world: World) -> None:
    world.materialize_stats()
    assert recorded(world, "scene_windows") == 0
    stale = {"not-a-partition": {"windows": AssetStatus("stale", "its settings changed")}}
    assert list(report_stale(world.instance, stale)) == []
    assert recorded(world, "scene_windows") == 0


def test_a_change_that_makes_thousands_stale_is_recorded_in_portions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staleness, "BATCH", 2)
    keys = ["a", "b", "c"]
    world.instance.add_dynamic_partitions(VIDEO_PARTITIONS.name or "", keys)
    stale = {key: {"windows": AssetStatus("stale", "its settings changed")} for key in keys}
    assert next(report_stale(world.instance, stale)) == 1
    assert recorded(world, "scene_windows") == 2
    assert list(report_stale(world.instance, stale)) == [0]
    assert recorded(world, "scene_windows") == 3
    assert list(report_stale(world.instance, stale)) == []
