"""A partition that is stale shows a warning though no run has touched it."""

from __future__ import annotations

import json
from typing import Any

import dagster as dg
import pytest

from dataset_assets.assets import staleness
from dataset_assets.assets.staleness import report_stale
from dataset_assets.dataset import AssetStatus
from dataset_assets.partitions import VIDEO_PARTITIONS
from dataset_assets_tests.assets.world import ALL, World, checks


def last(world: World, asset: str) -> tuple[bool, str | None, str | None]:
    """What is recorded last of an asset's check: whether it passed, in which words, for which partition."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), "up_to_date")
    (record,) = world.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    evaluation = record.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
    return evaluation.passed, evaluation.description, evaluation.partition


def recorded(world: World, asset: str) -> int:
    key = dg.AssetCheckKey(dg.AssetKey(asset), "up_to_date")
    return len(world.instance.event_log_storage.get_asset_check_execution_history(key, limit=100))


def change(world: World, **sections: Any) -> None:
    content = json.loads(world.config.read_text(encoding="utf-8"))
    world.config.write_text(json.dumps(content | sections), encoding="utf-8")


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
    world.materialize_stats()  # known already
    assert recorded(world, "general_patches") == 2

    world.materialize(*ALL, tags={"dataset_assets/replace": "true"})
    assert last(world, "general_patches") == (True, "up to date", "film")


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
