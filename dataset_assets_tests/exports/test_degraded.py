"""Exports of degraded LR: the degraded frames under the names of the clean ones, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataset_assets.config import Settings
from dataset_assets.curation import degrade_video
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports import LAYOUT_NAMES, ExportOptions, LayoutName, check_export, plan_export
from dataset_assets_tests.curation.degrading import STEPS, degraded_settings, stacks
from dataset_assets_tests.exports.samples import Picture, contents, export, read, replace_patch, triplets


@pytest.fixture
def degraded(settings: Settings) -> Settings:
    """A copy with degraded stacks of every patch."""
    chosen = degraded_settings(settings, *STEPS)
    for key in ("alpha", "beta"):
        degrade_video(chosen, key)
    return chosen


def degraded_frames(settings: Settings, category: str, video: str) -> dict[str, list[Picture]]:
    """The degraded frames of a video's patches, cut from their stacks by another way than the export's."""
    root = DataSet.of(settings).folder
    rows = stacks(root, video)[category]
    return {row["patch_id"]: list(np.split(read(root / row["lr7d_path"]), 7)) for row in rows}


def test_redux_holds_the_degraded_frames_and_the_same_gt(degraded: Settings, tmp_path: Path) -> None:
    export(degraded, "redux", tmp_path / "clean", categories=("general",))
    export(degraded, "redux", tmp_path / "degraded", categories=("general",), lr="degraded")
    clean, found = contents(tmp_path / "clean"), contents(tmp_path / "degraded")
    assert found.keys() == clean.keys()
    assert {name for name in found if name.startswith("hr/") and found[name] != clean[name]} == set()
    for video in ("alpha", "beta"):
        for patch_id, frames in degraded_frames(degraded, "general", video).items():
            clip, _, window = patch_id.rpartition("_")
            for number, frame in enumerate(frames, 1):
                stored = read(tmp_path / "degraded" / f"lr/{clip}-{window}_Frame{number}.png")
                assert np.array_equal(stored, frame)
    assert "degraded" in (tmp_path / "degraded/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
@pytest.mark.parametrize("frames", [5, 7])
def test_every_layout_takes_them_and_its_checks_find_the_same(
    degraded: Settings, tmp_path: Path, layout: LayoutName, frames: int
) -> None:
    options = ExportOptions(layout, lr="degraded", frames=frames)  # type: ignore[arg-type]
    export(degraded, layout, tmp_path / "x", lr="degraded", frames=frames)
    found = check_export(plan_export(degraded, options, tmp_path / "x"))
    assert (found.counts, found.opens, found.aligned) == ([], [], [])
    assert found.compared == found.triplets == len(triplets(degraded))
    clean = plan_export(degraded, ExportOptions(layout, frames=frames), tmp_path / "x")  # type: ignore[arg-type]
    assert len(check_export(clean).aligned) > 0


def test_changed_steps_change_what_the_next_export_writes(degraded: Settings, tmp_path: Path) -> None:
    export(degraded, "redux", tmp_path / "x", lr="degraded")
    assert export(degraded, "redux", tmp_path / "x", lr="degraded").is_unchanged
    other = degraded_settings(degraded, {"noise": {"p": 1.0}})
    with pytest.raises(DatasetAssetsError) as raised:
        export(other, "redux", tmp_path / "x", lr="degraded")
    first = triplets(degraded)[0]
    assert str(raised.value) == (
        f"11 of 11 selected patches have no degraded LR, or a stale one, such as "
        f"{first.category}/{first.row.patch_id}; run `dataset-assets degrade` first, or take the clean LR."
    )
    for key in ("alpha", "beta"):
        degrade_video(other, key)
    assert export(other, "redux", tmp_path / "x", lr="degraded").written == 11


def test_a_patch_that_was_made_again_is_refused_until_it_is_degraded(
    degraded: Settings, tmp_path: Path
) -> None:
    changed = triplets(degraded, "general")[0]
    replace_patch(degraded, changed)
    with pytest.raises(DatasetAssetsError, match="1 of 11 selected patches have no degraded LR, or a stale"):
        export(degraded, "pairs", tmp_path / "x", lr="degraded")
    degrade_video(degraded, changed.video)
    export(degraded, "pairs", tmp_path / "x", lr="degraded")


def test_without_degraded_stacks_it_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DatasetAssetsError, match="11 of 11 selected patches have no degraded LR"):
        export(settings, "redux", tmp_path / "x", lr="degraded")
    with pytest.raises(
        DatasetAssetsError, match="no LR of the kind 'noisy'; use --lr clean or --lr degraded"
    ):
        export(settings, "redux", tmp_path / "x", lr="noisy")
    assert list(tmp_path.glob("x*")) == []


def test_a_missing_stack_is_named_before_anything_is_written(degraded: Settings, tmp_path: Path) -> None:
    root = DataSet.of(degraded).folder
    path = root / stacks(root, "alpha")["general"][0]["lr7d_path"]
    path.unlink()
    with pytest.raises(
        DatasetAssetsError, match=rf"{path.name} is missing, or is not what its row describes"
    ):
        export(degraded, "redux", tmp_path / "x", lr="degraded")
    assert list(tmp_path.glob("x*")) == []
