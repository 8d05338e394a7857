"""Several patches of a window in exports and in training: each by itself, all on one side."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dataset_assets.config import Settings
from dataset_assets.exports import LAYOUT_NAMES
from dataset_assets.generate import generate_video
from dataset_assets.training import TripletDataset
from dataset_assets_tests.exports import loaders
from dataset_assets_tests.exports.samples import export, triplets
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, small_settings


@pytest.fixture(scope="module")
def cropped(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = small_settings(tmp_path_factory.mktemp("cropped"), sdr_film.path, crops_per_window=2)
    generate_video(settings, KEY)
    return settings


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_an_export_has_every_patch(cropped: Settings, tmp_path: Path, layout: str) -> None:
    name = next(each for each in LAYOUT_NAMES if each == layout)
    export(cropped, name, tmp_path / "out", categories=("general",), curated=False)
    rows = pq.read_table(tmp_path / "out" / "split.parquet").to_pylist()
    wanted = {each.row.patch_id: each.row for each in triplets(cropped, "general")}
    assert any(row.crop for row in wanted.values())
    assert {row["patch_id"]: (row["window"], row["crop"]) for row in rows} == {
        name: (row.window, row.crop) for name, row in wanted.items()
    }
    assert len({row["name"] for row in rows}) == len(rows)


def test_a_trainer_takes_each_crop_for_a_clip(cropped: Settings, tmp_path: Path) -> None:
    export(cropped, "redux", tmp_path / "out", categories=("general",), curated=False)
    found = loaders.redux_video(tmp_path / "out/hr", tmp_path / "out/lr", clip_size=7, scale=3)
    assert len(found) == len(triplets(cropped, "general"))


def test_a_loader_has_every_patch(cropped: Settings) -> None:
    dataset = TripletDataset(cropped.base.output_base_dir, "general", crop=48, curated=False)
    assert [sample["patch_id"] for sample in dataset] == [
        each.row.patch_id for each in triplets(cropped, "general")
    ]
