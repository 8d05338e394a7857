"""Samples of a data set whose curation leaves patches out."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import keep_curation
from dataset_assets.exports import ExportOptions, plan_export, write_export
from dataset_assets.training import TripletDataset
from dataset_assets_tests.curation.scored import drop_scores, score_all
from dataset_assets_tests.training.samples import assert_same, rows_of


@pytest.fixture
def scored(settings: Settings, tmp_path: Path) -> Settings:
    """A copy, in which patches wider than 200 pixels hold nothing to learn."""
    root = tmp_path / "dataset"
    shutil.copytree(settings.base.output_base_dir, root)
    base = settings.base.model_copy(update={"output_base_dir": root})
    copy = settings.model_copy(update={"base": base})
    wide = {row["patch_id"] for row in rows_of(root, "general") if row["width"] > 200}
    score_all(copy, lambda name, row: {"detail_db": 61 if name == "general" and row.patch_id in wide else 30})
    return copy


def test_by_default_it_leaves_out_what_curation_leaves_out(scored: Settings) -> None:
    root = scored.base.output_base_dir
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = TripletDataset(root, "general", crop=96)
        every = TripletDataset(root, "general", crop=96, curated=False)
    narrow = [row["patch_id"] for row in rows_of(root, "general") if row["width"] <= 200]
    assert [sample["patch_id"] for sample in dataset] == narrow
    assert (len(every), every.left_out) == (len(rows_of(root, "general")), 0)
    assert dataset.left_out == len(every) - len(dataset) > 0
    assert f", {dataset.left_out} left out by curation, " in repr(dataset)


def test_it_holds_what_the_last_command_read_from_the_configuration(scored: Settings) -> None:
    root = scored.base.output_base_dir
    keep_curation(scored.model_copy(update={"curation": {"general": "width > 200"}}))
    wide = [row["patch_id"] for row in rows_of(root, "general") if row["width"] > 200]
    assert [sample["patch_id"] for sample in TripletDataset(root, "general", crop=96)] == wide
    keep_curation(scored.model_copy(update={"curation": {"general": None}}))
    assert len(TripletDataset(root, "general", crop=96)) == len(rows_of(root, "general"))


def test_patches_without_scores_are_read_with_a_warning(scored: Settings) -> None:
    drop_scores(scored)
    data_set = scored.base.output_base_dir
    every = len(rows_of(data_set, "general"))
    with pytest.warns(UserWarning, match=f"{every} of {every} selected patches are not scored, .*score`"):
        dataset = TripletDataset(data_set, "general", crop=96)
    assert len(dataset) == every
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TripletDataset(data_set, "general", crop=96, curated=False)


def test_a_packed_export_of_the_same_curation_is_read(scored: Settings) -> None:
    root = scored.base.output_base_dir
    files = TripletDataset(root, crop=96)
    folder = write_export(plan_export(scored, ExportOptions("packed"))).folder
    arrays = TripletDataset(root, crop=96)
    assert str(folder) in repr(arrays)
    assert len(arrays) == len(files)
    assert_same(arrays[3], files[3])
    with pytest.warns(UserWarning, match="The slower PNG files are read"):
        TripletDataset(root, crop=96, curated=False)
    write_export(plan_export(scored, ExportOptions("packed", curated=False)))
    assert str(folder) in repr(TripletDataset(root, crop=96, curated=False))
    assert ", curated=False" in (folder / "README.md").read_text()
