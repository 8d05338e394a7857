"""The asset `patch_degradations`: only where something is degraded, its own job, and what it records."""

from __future__ import annotations

import json

import dagster as dg
import numpy as np
import pytest

from dataset_assets.assets import find_unregistered, makes_video, register
from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.definitions import build_defs
from dataset_assets_tests.assets.world import KEY, World, failure, metadata
from dataset_assets_tests.curation.degrading import STEPS, named, stack_files, stacks

Finished = tuple[World, dg.ExecuteInProcessResult]


@pytest.fixture
def degrading(finished: Finished) -> World:
    """A finished film whose configuration degrades."""
    world, _ = finished
    content = json.loads(world.config.read_text(encoding="utf-8"))
    content["base_settings"]["degradations"] = STEPS
    world.config.write_text(json.dumps(content), encoding="utf-8")
    return world


def materialize(world: World, *, may_fail: bool = False) -> dg.ExecuteInProcessResult:
    return (
        build_defs(world.config)
        .resolve_job_def("degrade_patches")
        .execute_in_process(instance=world.instance, partition_key=KEY, raise_on_error=not may_fail)
    )


def test_where_nothing_is_degraded_there_is_no_such_asset(finished: Finished) -> None:
    world, _ = finished
    repository = build_defs(world.config).get_repository_def()
    assert "patch_degradations" not in {key.to_user_string() for key in repository.assets_defs_by_key}
    assert "degrade_patches" not in repository.job_names


def test_it_degrades_the_patches_of_its_video_and_records_how_far(degrading: World) -> None:
    world = degrading
    shown = metadata(materialize(world), "patch_degradations")
    rows = [row for each in stacks(world.root, KEY).values() for row in each]
    patches = sum(1 for _ in DataSet.of(load_settings(world.config)).triplets())
    assert shown["stacks"].value == shown["degraded_now"].value == len(rows) == patches
    assert shown["dagster/row_count"].value == len(rows)
    assert shown["db"].value == pytest.approx(np.median([row["db"] for row in rows]), abs=0.01)
    assert "| general |" in str(shown["categories"].value)
    assert stack_files(world.root) == named(stacks(world.root, KEY))
    assert metadata(materialize(world), "patch_degradations")["degraded_now"].value == 0


def test_a_run_that_only_degrades_is_no_failure_of_the_film(degrading: World) -> None:
    world = degrading
    with DataSet.of(load_settings(world.config)).hold(KEY):
        result = materialize(world, may_fail=True)
    assert "another run works on this video" in failure(result)
    run = world.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert not makes_video(run)
    later = frozenset({dg.AssetKey("patch_scores"), dg.AssetKey("patch_degradations")})
    assert not makes_video(dg.DagsterRun("__ASSET_JOB", asset_selection=later))
    assert makes_video(dg.DagsterRun("__ASSET_JOB", asset_selection=later | {dg.AssetKey("source_video")}))


def test_what_the_command_made_is_registered(degrading: World) -> None:
    from dataset_assets.curation import degrade_video

    settings = load_settings(degrading.config)
    degrade_video(settings, KEY)
    # The history of this film may know it from another test.
    with dg.DagsterInstance.ephemeral() as instance:
        found = find_unregistered(instance, settings)
        tables = [each for each in found if each.asset == "patch_degradations"]
        assert [each.key for each in tables] == [KEY]
        assert sum(register(instance, settings, tables)) == 1
        assert instance.get_materialized_partitions(dg.AssetKey("patch_degradations")) == {KEY}
