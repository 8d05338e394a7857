"""Data sets of every scale: their files against the film's own ground truth, and a change of the scale."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dataset_assets.config import Format, Settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import ReplacingError
from dataset_assets.gallery.sheets import sample_triplet
from dataset_assets.generate import Changes, generate_video, planned_changes, probe_video
from dataset_assets.patches import downscale
from dataset_assets.tables import PATCHES
from dataset_assets.verify import verify
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    KEY,
    files_named_by_rows,
    patch_rows,
    pictures,
    small_settings,
    tables,
)

# Every scale divides them.
FORMATS = {
    "square": Format(width=96, height=96, folder="Square"),
    "wide": Format(width=144, height=84, folder="Wide"),
    "large": Format(width=192, height=192, folder="Large"),
}
SCALES = (2, 3, 4)


@pytest.fixture(scope="module")
def made(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets of one film, by their scale."""
    folder = tmp_path_factory.mktemp("scales")
    for scale in SCALES:
        settings = settings_of(folder, sdr_film, scale)
        probe_video(settings, KEY)
        generate_video(settings, KEY)
    return folder


def settings_of(folder: Path, film: Film, scale: int, **base: Any) -> Settings:
    chosen: dict[str, Any] = {"scale": scale, "gt_frames": "all"} | base
    return small_settings(folder / str(scale), film.path, formats=FORMATS, **chosen)


@pytest.fixture
def changed(made: Path, tmp_path: Path) -> Path:
    """The folder with a copy of the data set of scale 3, where that of scale 2 is to be."""
    shutil.copytree(made / "3", tmp_path / "2")
    return tmp_path


@pytest.mark.parametrize("scale", SCALES)
def test_lr_is_the_downscale_of_gt_by_the_scale(made: Path, sdr_film: Film, scale: int) -> None:
    output, compared = made / str(scale), 0
    for category in CATEGORIES:
        for row in patch_rows(output, category):
            gt7, lr7, lr5 = (
                np.asarray(Image.open(output / row[f"{kind}_path"])) for kind in ("gt7", "lr7", "lr5")
            )
            frames = gt7.reshape(7, row["height"], row["width"], 3)
            small = downscale(frames, "bicubic", scale)
            assert row["scale"] == scale
            assert lr7.shape == (7 * row["height"] // scale, row["width"] // scale, 3)
            assert np.array_equal(small.reshape(lr7.shape), lr7)
            assert np.array_equal(small[1:6].reshape(lr5.shape), lr5)
            compared += 1
    assert compared == 9
    settings = settings_of(made, sdr_film, scale)
    for found in verify(settings, deep_share=1.0):
        assert (found.findings, found.notes) == ([], [])
    report = generate_video(settings, KEY)
    assert report.made == 0
    assert sample_triplet(DataSet.of(settings), report.categories["general"]) is not None


def test_the_scale_changes_lr_alone(made: Path) -> None:
    ground_truths = [
        {name: hash_ for name, hash_ in pictures(made / str(scale)).items() if "/GT" in name}
        for scale in SCALES
    ]
    assert ground_truths[0] == ground_truths[1] == ground_truths[2]
    assert len(ground_truths[0]) == 18


def test_another_scale_makes_all_patches_again_and_is_stopped_until_it_is_wanted(
    made: Path, changed: Path, sdr_film: Film
) -> None:
    settings = settings_of(changed, sdr_film, 2, allow_replacing=False)
    data_set = DataSet.of(settings)
    found = data_set.statuses(settings, settings.videos[0])
    stale = {name: status.reason for name, status in found.items() if not status.is_done}
    assert stale == dict.fromkeys(CATEGORIES, "scale changed from 3 to 2")
    planned = planned_changes(settings, data_set, settings.videos[0])
    assert sum(planned.values(), Changes()).remade == 9
    before = pictures(changed / "2")
    with pytest.raises(ReplacingError, match="9 would be remade \\(scale changed from 3 to 2\\)"):
        generate_video(settings, KEY)
    assert pictures(changed / "2") == before
    generate_video(settings, KEY, may_replace=True)
    assert pictures(changed / "2") == pictures(made / "2")
    assert tables(changed / "2") == tables(made / "2")
    assert len(files_named_by_rows(changed / "2")) == len(pictures(changed / "2"))


def test_a_patch_that_names_another_scale_than_the_data_set_is_found(
    made: Path, sdr_film: Film, tmp_path: Path
) -> None:
    shutil.copytree(made / "2", tmp_path / "2")
    settings = settings_of(tmp_path, sdr_film, 2)
    store = DataSet.of(settings).tables
    path = store.patches_path("general", KEY)
    first, *others = store.read_patches("general", KEY)
    provenance = store.read_provenance(path)
    assert provenance is not None
    for scale, problem in ((4, "names the scale 4"), (5, "names the kernel 'bicubic' and the scale 5")):
        store.write(path, PATCHES, [replace(first, scale=scale), *others], provenance)
        (found,) = verify(settings)
        assert any(problem in each.what for each in found.findings)
