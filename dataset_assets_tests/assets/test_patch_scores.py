"""The asset `patch_scores`: its own job, and what it and the making of patches record."""

from __future__ import annotations

import dagster as dg
import numpy as np
import pytest

from dataset_assets.assets import makes_video
from dataset_assets.config import load_settings
from dataset_assets.curation import SCORES
from dataset_assets.dataset import DataSet
from dataset_assets.definitions import build_defs
from dataset_assets_tests.assets.world import KEY, World, failure, metadata
from dataset_assets_tests.curation.samples import scores
from dataset_assets_tests.curation.scored import drop_scores

Finished = tuple[World, dg.ExecuteInProcessResult]


def materialize(world: World, *, may_fail: bool = False) -> dg.ExecuteInProcessResult:
    return (
        build_defs(world.config)
        .resolve_job_def("score_patches")
        .execute_in_process(instance=world.instance, partition_key=KEY, raise_on_error=not may_fail)
    )


def test_it_scores_the_patches_of_its_video_and_records_medians(finished: Finished) -> None:
    world, _ = finished
    drop_scores(load_settings(world.config))
    shown = metadata(materialize(world), "patch_scores")
    rows = [row for each in scores(world.root, KEY).values() for row in each]
    patches = sum(1 for _ in DataSet.of(load_settings(world.config)).triplets())
    assert shown["patches"].value == shown["scored_now"].value == len(rows) == patches
    assert shown["dagster/row_count"].value == len(rows)
    for name in SCORES:
        assert shown[name].value == pytest.approx(np.median([row[name] for row in rows]), abs=1e-3)
    assert shown["nothing_to_learn"].value == pytest.approx(
        np.mean([row["detail_db"] > 50 for row in rows]), abs=1e-3
    )
    assert "| general |" in str(shown["medians"].value)
    for category, rows_of in scores(world.root, KEY).items():
        lines = str(shown[f"scores_of_{category}"].value).splitlines()
        (line,) = [line for line in lines if line.startswith("| detail_db |")]
        *_, low, blocks, high, _ = (cell.strip() for cell in line.split("|"))
        counts, _ = np.histogram(
            [row["detail_db"] for row in rows_of], len(blocks), (float(low), float(high))
        )
        assert [block == "·" for block in blocks] == [not count for count in counts]
        assert blocks[int(counts.argmax())] == "█"
    again = metadata(materialize(world), "patch_scores")
    assert again["scored_now"].value == 0
    assert again["patches"].value == len(rows)


def test_making_patches_records_their_scores_as_the_job_does(finished: Finished) -> None:
    world, result = finished
    events = [
        each.step_materialization_data.materialization for each in result.get_asset_materialization_events()
    ]
    (made,) = [each for each in events if each.asset_key == dg.AssetKey("patch_scores")]
    assert made.partition == KEY
    drop_scores(load_settings(world.config))
    later = metadata(materialize(world), "patch_scores")
    assert {name: later[name] for name in made.metadata} == dict(made.metadata)


def test_a_run_that_only_measures_is_no_failure_of_the_film(finished: Finished) -> None:
    world, _ = finished
    with DataSet.of(load_settings(world.config)).hold(KEY):
        result = materialize(world, may_fail=True)
    assert "another run works on this video" in failure(result)
    run = world.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert not makes_video(run)
    assert makes_video(dg.DagsterRun("make_patches"))
    alone = frozenset({dg.AssetKey("patch_scores")})
    assert not makes_video(dg.DagsterRun("__ASSET_JOB", asset_selection=alone))
