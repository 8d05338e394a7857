"""Reading an export back: sound ones pass in every layout, and each kind of damage is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import lmdb
import numpy as np
import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.exports import (
    LAYOUT_NAMES,
    ExportFindings,
    ExportOptions,
    LayoutName,
    check_export,
    plan_export,
)
from dataset_assets.patches import encode_png
from dataset_assets_tests.exports.samples import export, lr_frames, replace_patch, triplets

SOME = {"categories": ("general",), "val_videos": ("beta",)}


def check(settings: Settings, layout: LayoutName, folder: Path) -> ExportFindings:
    return check_export(plan_export(settings, ExportOptions(layout, **SOME), folder))  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_a_sound_export_has_nothing_wrong(whole: Settings, tmp_path: Path, layout: LayoutName) -> None:
    export(whole, layout, tmp_path / "x", **SOME)
    found = check(whole, layout, tmp_path / "x")
    count = len(triplets(whole, "general"))
    assert (found.counts, found.opens, found.aligned) == ([], [], [])
    assert (found.triplets, found.compared) == (count, count)


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_a_missing_part_is_found(whole: Settings, tmp_path: Path, layout: LayoutName) -> None:
    export(whole, layout, tmp_path / "x", **SOME)
    if layout.endswith("lmdb"):
        shutil.rmtree(tmp_path / "x/lq.lmdb")
    else:
        name = {"vimeo90k": "im4.png", "redux": "*_Frame4.png", "pairs": "*.png"}.get(layout, "*.[tb]*")
        victim = next(path for path in sorted((tmp_path / "x").rglob(name)) if path.suffix != ".json")
        victim.unlink()
    found = check(whole, layout, tmp_path / "x")
    assert found.counts
    assert found.opens


def test_a_cut_file_a_wrong_size_and_a_shifted_frame_are_found(whole: Settings, tmp_path: Path) -> None:
    export(whole, "redux", tmp_path / "x", **SOME)
    chosen = [each for each in triplets(whole, "general") if each.video == "alpha"]
    paths = [tmp_path / f"x/lr/{each.video}-{each.row.window:06d}_Frame4.png" for each in chosen]
    paths[0].write_bytes(paths[0].read_bytes()[:-20])
    small = lr_frames(whole, chosen[1])[3]
    paths[1].write_bytes(encode_png(np.ascontiguousarray(small[:-1])))
    shifted = np.roll(lr_frames(whole, chosen[2])[3], 1, axis=1)
    paths[2].write_bytes(encode_png(shifted))
    found = check(whole, "redux", tmp_path / "x")
    assert found.counts == []
    assert sorted(text.split(":")[0] for text in found.opens) == sorted(
        each.row.patch_id for each in chosen[:2]
    )
    assert [text.split(":")[0] for text in found.aligned] == [chosen[2].row.patch_id]


def test_a_damaged_value_of_a_database_is_found(whole: Settings, tmp_path: Path) -> None:
    export(whole, "vimeo90k-lmdb", tmp_path / "x", **SOME)
    with lmdb.open(str(tmp_path / "x/lq.lmdb")) as env, env.begin(write=True) as transaction:
        (key, *_) = list(transaction.cursor().iternext(values=False))
        transaction.put(key, b"\x89PNG")
    found = check(whole, "vimeo90k-lmdb", tmp_path / "x")
    assert len(found.opens) == 1


def test_an_export_that_is_behind_the_data_set_is_found(settings: Settings, tmp_path: Path) -> None:
    export(settings, "redux", tmp_path / "x", **SOME)
    (changed, *_) = triplets(settings, "general")
    replace_patch(settings, changed)
    found = check(settings, "redux", tmp_path / "x")
    assert found.counts == [f"1 of {len(triplets(settings, 'general'))} units missing or out of date"]
    shutil.rmtree(DataSet.of(settings).folder / "metadata/patches/category=general/video=beta")
    export(settings, "redux", tmp_path / "y", categories=("general",))
    extra = check_export(
        plan_export(settings, ExportOptions("redux", ("general",), where="false or true"), tmp_path / "y")
    )
    assert extra.counts == []
