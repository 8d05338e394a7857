"""Degraded LR in samples: from PNG files and from a packed export, with the same GT as clean LR."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dataset_assets.config import Settings
from dataset_assets.curation import degrade_video
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports import ExportOptions, plan_export, write_export
from dataset_assets.tables import DEGRADATIONS
from dataset_assets.training import TripletDataset
from dataset_assets_tests.curation.degrading import STEPS, degraded_settings, stacks
from dataset_assets_tests.generate.samples import copied


def degrade_all(settings: Settings) -> Settings:
    for entry in settings.videos:
        degrade_video(settings, entry.key)
    return settings


@pytest.fixture(scope="module")
def once(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A data set with degraded stacks, which is only looked at."""
    folder = tmp_path_factory.mktemp("degraded") / "out"
    return degrade_all(degraded_settings(copied(settings, folder), *STEPS))


@pytest.fixture
def degraded(once: Settings, tmp_path: Path) -> Settings:
    """A copy to be changed."""
    return copied(once, tmp_path / "out")


def rows_of(settings: Settings) -> list[dict[str, Any]]:
    """The rows of degraded stacks of a category, by video."""
    root = settings.base.output_base_dir
    return [
        row for key in sorted(each.key for each in settings.videos) for row in stacks(root, key)["general"]
    ]


def opened(settings: Settings, **arguments: object) -> TripletDataset:
    chosen = {"crop": None, "augment": False, "packed": False, "curated": False, **arguments}
    return TripletDataset(settings.base.output_base_dir, "general", **chosen)  # type: ignore[arg-type]


@pytest.mark.parametrize("frames", [7, 5, 3, 1])
def test_samples_are_the_degraded_frames_beside_the_same_gt(once: Settings, frames: int) -> None:
    found, clean = opened(once, lr="degraded", frames=frames), opened(once, frames=frames)
    rows, first = rows_of(once), (7 - frames) // 2
    for row, sample, other in zip(rows, found, clean, strict=True):
        stack = cv2.imread(str(once.base.output_base_dir / row["lr7d_path"]))
        assert stack is not None
        wanted = np.stack(np.split(stack[..., ::-1], 7))[first : first + frames].transpose(0, 3, 1, 2)
        assert sample["patch_id"] == row["patch_id"]
        assert np.array_equal(sample["lr"], wanted)
        assert np.array_equal(sample["gt"], other["gt"])
    assert any(not np.array_equal(one["lr"], other["lr"]) for one, other in zip(found, clean, strict=True))


@pytest.mark.parametrize("frames", [7, 5])
def test_a_packed_export_is_read_for_the_lr_that_it_holds_alone(degraded: Settings, frames: int) -> None:
    folder = degraded.base.output_base_dir / "exports/packed"
    options = ExportOptions("packed", lr="degraded", curated=False, frames=frames)  # type: ignore[arg-type]
    write_export(plan_export(degraded, options, folder))
    packed = opened(degraded, lr="degraded", packed=True, frames=frames)
    for one, other in zip(packed, opened(degraded, lr="degraded", frames=frames), strict=True):
        assert np.array_equal(one["lr"], other["lr"])
        assert np.array_equal(one["gt"], other["gt"])
    with pytest.raises(DatasetAssetsError, match="not at all or as they were before"):
        opened(degraded, packed=True, frames=frames)
    degrade_all(degraded_settings(degraded, {"noise": {"p": 1.0}}))
    with pytest.raises(DatasetAssetsError, match="not at all or as they were before"):
        opened(degraded, lr="degraded", packed=True, frames=frames)


def test_what_cannot_be_read_is_one_sentence(settings: Settings, once: Settings) -> None:
    rows = rows_of(once)
    with pytest.raises(DatasetAssetsError) as raised:
        opened(settings, lr="degraded")
    assert str(raised.value) == (
        f"{len(rows)} of {len(rows)} selected patches have no degraded LR, or a stale one, such as "
        f"general/{rows[0]['patch_id']}; run `dataset-assets degrade` first, or take the clean LR."
    )
    with pytest.raises(DatasetAssetsError, match="lr is 'noisy'; choose 'clean' or 'degraded'"):
        opened(settings, lr="noisy")


def test_stacks_of_different_steps_are_refused(degraded: Settings) -> None:
    tables, key = DataSet(degraded.base.output_base_dir).tables, degraded.videos[0].key
    path = tables.degradations_path("general", key)
    rows = tables.read_degradations("general", key)
    provenance = tables.read_provenance(path)
    assert provenance is not None
    tables.write(path, DEGRADATIONS, [replace(rows[0], degradation_hash="0" * 16), *rows[1:]], provenance)
    with pytest.raises(DatasetAssetsError, match="The LR of general was degraded by different steps; run"):
        opened(degraded, lr="degraded")
