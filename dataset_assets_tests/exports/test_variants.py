"""Data sets of other scales and other files than the default: no LR_7frames, stored GT of all frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataset_assets.config import Format, Settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports import ExportOptions, LayoutName, check_export, plan_export
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.patches import downscale
from dataset_assets_tests.exports import loaders
from dataset_assets_tests.exports.samples import export, triplets
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, small_settings

FORMATS = {
    "square": Format(width=96, height=96, folder="Square"),
    "wide": Format(width=144, height=84, folder="Wide"),
    "large": Format(width=192, height=192, folder="Large"),
}


def made(folder: Path, film: Film, **base: Any) -> Settings:
    """A data set of one small film."""
    settings = small_settings(folder / "dataset", film.path, formats=FORMATS, **base)
    probe_video(settings, KEY)
    generate_video(settings, KEY)
    return settings


@pytest.mark.parametrize("scale", [2, 4])
def test_another_scale_is_that_of_the_rows_everywhere(tmp_path: Path, tiny_film: Film, scale: int) -> None:
    settings = made(tmp_path, tiny_film, scale=scale)
    for layout in ("vimeo90k", "packed"):
        export(settings, layout, tmp_path / layout, categories=("general",))
        plan = plan_export(settings, ExportOptions(layout, ("general",)), tmp_path / layout)
        found = check_export(plan)
        assert (found.counts, found.opens, found.aligned) == ([], [], [])
    folder = tmp_path / "vimeo90k"
    samples = loaders.basicsr_vimeo90k(
        folder / "GT", folder / "LQ", folder / "meta_info_GT.txt", num_frame=7, scale=scale
    )
    assert len(samples) == len(triplets(settings, "general")) > 0
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert f"scale: {scale}\n" in text
    smallest = min(min(each.row.width, each.row.height) for each in triplets(settings, "general"))
    assert f"gt_size: {smallest // scale * scale} " in text
    assert json.loads((folder / "export.json").read_text(encoding="utf-8"))["scale"] == scale


@pytest.mark.parametrize("layout", ["redux", "webdataset", "packed"])
def test_without_lr_of_7_frames_5_can_be_exported(
    tmp_path: Path, tiny_film: Film, layout: LayoutName
) -> None:
    settings = made(tmp_path, tiny_film, lr_stacks=[5])
    with pytest.raises(DatasetAssetsError, match=r"no LR stacks of 7 frames; use --frames 5, or add 7 to"):
        export(settings, layout, tmp_path / "x")
    export(settings, layout, tmp_path / "x", frames=5)
    found = check_export(plan_export(settings, ExportOptions(layout, frames=5), tmp_path / "x"))
    assert (found.counts, found.opens, found.aligned) == ([], [], [])
    assert found.compared == len(triplets(settings))


def test_without_lr_of_5_frames_the_stack_of_7_is_cut(tmp_path: Path, tiny_film: Film) -> None:
    settings = made(tmp_path, tiny_film, lr_stacks=[7])
    export(settings, "webdataset", tmp_path / "x", frames=5, categories=("general",))
    found = loaders.webdataset_samples([tmp_path / "x/general-000000.tar"])
    for each in triplets(settings, "general"):
        stack = loaders.imfrombytes(found[each.row.patch_id]["lr5.png"])
        whole = DataSet.of(settings).folder / str(each.row.lr7_path)
        height = each.row.height // each.row.scale
        assert np.array_equal(stack, loaders.imfrombytes(whole.read_bytes())[height : 6 * height])


def test_stored_ground_truth_of_all_frames_needs_no_film(tmp_path: Path, tiny_film: Film) -> None:
    settings = made(tmp_path, tiny_film, gt_frames="all")
    videos = tuple(video.model_copy(update={"path": tmp_path / "gone.mkv"}) for video in settings.videos)
    settings = settings.model_copy(update={"videos": videos})
    folder = tmp_path / "x"
    export(settings, "vimeo90k", folder, gt="all", categories=("general",))
    found = loaders.recurrent_vimeo90k(folder / "GT", folder / "LQ", folder / "meta_info_GT.txt", scale=3)
    assert found
    for sample in found.values():
        assert np.array_equal(downscale(np.stack(sample.gt), "bicubic", 3), np.stack(sample.lr))
