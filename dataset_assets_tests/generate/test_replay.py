"""The ground truth of all frames, read from the film again: what it equals, and what it refuses."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError, SourceChangedError, VideoError
from dataset_assets.frames import FileKind
from dataset_assets.generate import Replay, generate_video
from dataset_assets.patches import downscale
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, small_settings


@pytest.fixture(scope="module")
def made(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a finished data set, whose film may be replaced."""
    film = tmp_path_factory.mktemp("replay") / "film.mp4"
    shutil.copy2(sdr_film.path, film)
    settings = small_settings(film.with_name("out"), film)
    generate_video(settings, KEY)
    return settings


def test_frame_3_equals_gt_and_the_downscale_of_all_equals_lr_7frames(made: Settings) -> None:
    data_set, compared = DataSet.of(made), 0
    with Replay(made, data_set, KEY) as replay:
        for window in sorted({each.row.window for each in data_set.triplets()}):
            patches = [each for each in data_set.triplets() if each.row.window == window]
            for patch, frames in zip(patches, replay.gt_frames([each.row for each in patches]), strict=True):
                gt, lr7 = (
                    np.asarray(Image.open(data_set.path_of(path)))[..., ::-1]
                    for path in (patch.paths.gt, patch.paths.by_kind[FileKind.LR7])
                )
                assert frames.shape == (7, *gt.shape)
                assert np.array_equal(frames[3], gt)
                assert np.array_equal(downscale(frames, "bicubic", 3).reshape(lr7.shape), lr7)
                compared += 1
    assert compared == 9


def test_a_patch_of_other_settings_is_refused(made: Settings) -> None:
    data_set = DataSet.of(made)
    row = replace(next(data_set.triplets()).row, gt_hash="00" * 8)
    with Replay(made, data_set, KEY) as replay, pytest.raises(DatasetAssetsError, match="run generate"):
        replay.gt_frames([row])


def test_a_film_that_is_another_one_or_away_is_refused(
    made: Settings, tiny_film: Film, tmp_path: Path
) -> None:
    video = made.videos[0].model_copy(update={"path": tiny_film.path})
    with pytest.raises(SourceChangedError, match="changed since its windows were found"):
        Replay(made.model_copy(update={"videos": (video,)}), DataSet.of(made), KEY)
    video = video.model_copy(update={"path": tmp_path / "away.mp4"})
    with pytest.raises(VideoError, match="does not exist"):
        Replay(made.model_copy(update={"videos": (video,)}), DataSet.of(made), KEY)
