"""Ground truth of all frames, cropped from the films again, as recurrent trainers read it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from dataset_assets.config import Settings
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports import LayoutName
from dataset_assets.patches import Kernel, downscale
from dataset_assets_tests.exports import loaders
from dataset_assets_tests.exports.samples import beside, export, gt, lr_frames, triplets, values
from dataset_assets_tests.exports.test_publishing import config_of, run_ended


@pytest.mark.parametrize("layout", ["vimeo90k", "vimeo90k-lmdb"])
def test_each_frame_of_ground_truth_lies_over_its_lr_frame(
    whole: Settings, tmp_path: Path, layout: LayoutName
) -> None:
    folder = tmp_path / "x"
    export(whole, layout, folder, gt="all")
    is_lmdb = layout.endswith("lmdb")
    roots = ("gt.lmdb", "lq.lmdb") if is_lmdb else ("GT", "LQ")
    found = loaders.recurrent_vimeo90k(
        folder / roots[0], folder / roots[1], folder / "meta_info_GT.txt", scale=3, is_lmdb=is_lmdb
    )
    chosen = {f"{each.category}-{each.video}/{each.row.window:06d}": each for each in triplets(whole)}
    assert found.keys() == chosen.keys()
    for key, sample in found.items():
        each = chosen[key]
        assert np.array_equal(sample.gt[3], gt(whole, each))
        small = downscale(np.stack(sample.gt), cast("Kernel", each.row.kernel), 3)
        assert np.array_equal(small, np.stack(sample.lr))
        assert np.array_equal(small, np.stack(lr_frames(whole, each)))
    if not is_lmdb:
        assert (folder / "README.md").read_text(encoding="utf-8").count("Vimeo90KRecurrentDataset") == 1
        middle = [
            (folder / f"GT/{key}/im4.png").samefile(whole.base.output_base_dir / each.row.gt_path)
            for key, each in chosen.items()
        ]
        assert all(middle)


def test_redux_then_has_three_clips_of_five_frames_in_each_window(whole: Settings, tmp_path: Path) -> None:
    export(whole, "redux", tmp_path / "x", categories=("toon",), gt="all")
    found = loaders.redux_video(tmp_path / "x/hr", tmp_path / "x/lr", clip_size=5, scale=3)
    assert len(found) == 3 * len(triplets(whole, "toon"))


@pytest.mark.slow
def test_a_killed_export_of_all_frames_resumes(whole: Settings, tmp_path: Path) -> None:
    config, folder = config_of(whole, tmp_path / "config"), tmp_path / "x"
    arguments = ("--category", "toon", "--gt", "all")
    done = run_ended(config, "before a unit counts", 3, signal.SIGKILL, "vimeo90k", folder, *arguments)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    report = export(whole, "vimeo90k", folder, categories=("toon",), gt="all")
    assert report.resumed == 2
    export(whole, "vimeo90k", tmp_path / "fresh", categories=("toon",), gt="all")
    assert values(folder) == values(tmp_path / "fresh")
    assert beside(folder) == []


def test_an_absent_film_is_reported_before_anything_is_written(settings: Settings, tmp_path: Path) -> None:
    videos = tuple(
        video.model_copy(update={"path": tmp_path / "gone.mkv"}) if video.key == "beta" else video
        for video in settings.videos
    )
    moved = settings.model_copy(update={"videos": videos})
    with pytest.raises(DatasetAssetsError, match=r"1 film .* such as beta \(.*gone\.mkv\); make the films"):
        export(moved, "vimeo90k", tmp_path / "x", gt="all")
    assert beside(tmp_path / "x") == []
    export(moved, "vimeo90k", tmp_path / "x", gt="all", where="video = 'alpha'")
