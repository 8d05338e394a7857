"""Samples of a data set, against its files as PIL reads them."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.patches import downscale
from dataset_assets.training import TripletDataset
from dataset_assets_tests.training.samples import assert_same, rows_of

Pixels = NDArray[np.uint8]


def files_of(root: Path, row: dict[str, Any]) -> tuple[Pixels, Pixels]:
    """LR (7, 3, h, w) and GT (3, H, W) of a row, by PIL."""
    gt = np.asarray(Image.open(root / row["gt_path"]))
    lr = np.asarray(Image.open(root / row["lr7_path"]))
    lr = lr.reshape(7, row["height"] // row["scale"], row["width"] // row["scale"], 3)
    return lr.transpose(0, 3, 1, 2), gt.transpose(2, 0, 1)


def place_in(picture: Pixels, crop: Pixels) -> list[tuple[int, int]]:
    """Where a crop lies in a picture: every (x, y) where all its pixels are the same."""
    height, width = crop.shape[-2:]
    corners = (picture[:, : -height + 1 or None, : -width + 1 or None] == crop[:, :1, :1]).all(0)
    return [
        (int(x), int(y))
        for y, x in np.argwhere(corners)
        if np.array_equal(picture[:, y : y + height, x : x + width], crop)
    ]


def test_complete_patches_are_the_files_as_pil_reads_them(data_set: Path) -> None:
    dataset = TripletDataset(data_set, "general", crop=None, augment=False)
    rows = rows_of(data_set)
    assert len(dataset) == len(rows) > 15
    for sample, row in zip(dataset, rows, strict=True):
        lr, gt = files_of(data_set, row)
        assert sample["patch_id"] == row["patch_id"]
        assert sample["video"] == row["patch_id"].split("_")[0]
        assert sample["category"] == "general"
        assert np.array_equal(sample["lr"], lr)
        assert np.array_equal(sample["gt"], gt)


def test_a_sample_is_contiguous_writable_uint8(data_set: Path, packed: Path) -> None:
    for chosen in (False, packed):
        sample = TripletDataset(data_set, "general", crop=96, packed=chosen)[3]
        for pixels, shape in ((sample["lr"], (7, 3, 32, 32)), (sample["gt"], (3, 96, 96))):
            assert pixels.shape == shape
            assert pixels.dtype == np.uint8
            assert pixels.flags.c_contiguous
            assert pixels.flags.writeable


def test_a_crop_of_lr_and_gt_shows_the_same_place(data_set: Path) -> None:
    dataset = TripletDataset(data_set, "general", crop=96, augment=False)
    places = set()
    for index in range(3 * len(dataset)):
        lr, gt = files_of(data_set, rows_of(data_set)[index % len(dataset)])
        ((x, y),) = place_in(gt, dataset[index]["gt"])
        assert x % 3 == y % 3 == 0
        assert np.array_equal(dataset[index]["lr"], lr[..., y // 3 : y // 3 + 32, x // 3 : x // 3 + 32])
        places.add((index % len(dataset), x, y))
    assert len(places) > 2.5 * len(dataset), "another draw is another place"


def test_crops_reach_all_four_edges(data_set: Path) -> None:
    # 189 of 192: only 2 x 2 places, each of which has to come up.
    dataset = TripletDataset(data_set, "toon", crop=189, augment=False)
    _, gt = files_of(data_set, rows_of(data_set, "toon")[0])
    found = {place_in(gt, dataset[draw * len(dataset)]["gt"])[0] for draw in range(40)}
    assert found == {(0, 0), (0, 3), (3, 0), (3, 3)}


@pytest.mark.parametrize(
    ("frames", "shown"), [(7, slice(0, 7)), (5, slice(1, 6)), (3, slice(2, 5)), (1, slice(3, 4))]
)
def test_fewer_frames_are_those_around_the_middle(
    data_set: Path, packed: Path, frames: int, shown: slice
) -> None:
    all_frames = TripletDataset(data_set, "general", crop=96)
    for chosen in (False, packed):
        dataset = TripletDataset(data_set, "general", crop=96, frames=frames, augment=False, packed=chosen)
        plain = TripletDataset(data_set, "general", crop=96, augment=False)
        assert len(dataset) == len(all_frames)
        for index in (0, 7, 30):
            assert np.array_equal(dataset[index]["lr"], plain[index]["lr"][shown])
            assert np.array_equal(dataset[index]["gt"], plain[index]["gt"])


def test_every_view_keeps_lr_the_downscale_of_gt(data_set: Path) -> None:
    plain = TripletDataset(data_set, "toon", crop=None, augment=False)
    dataset = TripletDataset(data_set, "toon", crop=None)
    _, gt = files_of(data_set, rows_of(data_set, "toon")[0])
    views = set()
    for draw in range(80):
        sample = dataset[draw * len(dataset)]
        small = downscale(np.ascontiguousarray(sample["gt"].transpose(1, 2, 0))[None], "bicubic", 3)[0]
        assert np.array_equal(small.transpose(2, 0, 1), sample["lr"][3])
        backwards = not np.array_equal(sorted_frames(sample["lr"]), sorted_frames(plain[0]["lr"]))
        views.add((sample["gt"].tobytes(), backwards))
    assert len(views) == 16
    assert any(np.array_equal(np.frombuffer(view, np.uint8).reshape(gt.shape), gt) for view, _ in views)


def sorted_frames(lr: Pixels) -> list[int]:
    """The order of frames by their sums, which no flip or turn changes."""
    sums = lr.reshape(len(lr), -1).sum(1, dtype=np.int64)
    return [int(index) for index in np.argsort(sums)]


def test_patches_that_are_not_square_keep_their_size(data_set: Path) -> None:
    dataset = TripletDataset(data_set, "general", crop=None, formats=["wide"])
    sizes = {dataset[index]["gt"].shape for index in range(20 * len(dataset))}
    assert sizes == {(3, 162, 288)}


def test_packed_arrays_give_the_same_samples_as_the_files(data_set: Path, packed: Path) -> None:
    for crop in (96, None):
        files = TripletDataset(data_set, crop=crop, packed=False)
        arrays = TripletDataset(data_set, crop=crop, packed=packed)
        assert (files.source.description, arrays.source.description) == (
            f"PNG files in {data_set}",
            f"packed arrays in {packed}",
        )
        for index in range(2 * len(files)):
            assert_same(files[index], arrays[index])


def test_gt_of_all_frames_goes_with_its_lr_frames_in_every_view(variant_sets: Mapping[int, Path]) -> None:
    for scale, frames in ((2, 7), (2, 3)):
        dataset = TripletDataset(variant_sets[scale], crop=96, gt_frames="all", frames=frames)
        middle = TripletDataset(variant_sets[scale], crop=96, frames=frames)
        for index in range(8 * len(dataset)):
            sample = dataset[index]
            assert sample["gt"].shape == (frames, 3, 96, 96)
            assert sample["lr"].shape == (frames, 3, 48, 48)
            assert np.array_equal(sample["gt"][frames // 2], middle[index]["gt"])
            small = downscale(np.ascontiguousarray(sample["gt"].transpose(0, 2, 3, 1)), "bicubic", scale)
            # The downscale of a crop mirrors at its edges, that of the patch does not.
            inner = (..., slice(4, -4), slice(4, -4))
            assert np.array_equal(small.transpose(0, 3, 1, 2)[inner], sample["lr"][inner])


def test_one_stack_is_enough_for_the_frames_it_has(variant_sets: Mapping[int, Path]) -> None:
    # Scale 2 stores LR_7frames only, scale 4 LR_5frames only.
    for scale, frames in ((2, 7), (2, 5), (4, 5), (4, 1)):
        sample = TripletDataset(variant_sets[scale], frames=frames, crop=None, formats=["square"])[0]
        assert sample["lr"].shape == (frames, 3, 192 // scale, 192 // scale)
        small = downscale(np.ascontiguousarray(sample["gt"].transpose(1, 2, 0))[None], "bicubic", scale)
        assert np.array_equal(small[0].transpose(2, 0, 1), sample["lr"][frames // 2])
    with pytest.raises(DatasetAssetsError, match=r"LR of 7 frames is not stored for .*lr_stacks to \[5, 7\]"):
        TripletDataset(variant_sets[4], crop=96)
    with pytest.raises(DatasetAssetsError, match="crop is 97, which is not a multiple of the scale 4"):
        TripletDataset(variant_sets[4], crop=97, frames=5)


def test_a_condition_and_formats_select(data_set: Path) -> None:
    dataset = TripletDataset(data_set, crop=96, where="video <> 'two' and width < 200", formats=["square"])
    assert {str(video) for video in dataset.videos} == {"one", "three"}
    assert all(sample["gt"].shape == (3, 96, 96) for sample in dataset)


def test_several_categories_are_one_data_set(data_set: Path) -> None:
    dataset = TripletDataset(data_set, ["toon", "general"], crop=96)
    by_category = defaultdict(list)
    for sample in dataset:
        by_category[sample["category"]].append(sample["patch_id"])
    expected = {name: [row["patch_id"] for row in rows_of(data_set, name)] for name in ("general", "toon")}
    assert dict(by_category) == expected


def test_seeds_draw_other_crops(data_set: Path) -> None:
    one, same, other = (TripletDataset(data_set, "general", crop=96, seed=seed) for seed in (1, 1, 2))
    assert_same(one[5], same[5])
    assert any(not np.array_equal(one[index]["gt"], other[index]["gt"]) for index in range(5))


def test_an_iteration_ends(data_set: Path) -> None:
    dataset = TripletDataset(data_set, "general", crop=96)
    assert [sample["patch_id"] for sample in dataset] == [row["patch_id"] for row in rows_of(data_set)]
    with pytest.raises(IndexError, match="-1 is negative"):
        dataset[-1]


def test_the_text_names_what_is_read(data_set: Path, packed: Path) -> None:
    patches = len(rows_of(data_set))
    text = f"<TripletDataset: {patches} patches of 3 videos, packed arrays in {packed}>"
    assert repr(TripletDataset(data_set, "general", crop=96, packed=packed)) == text


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "a crop beside the grid": (
        {"crop": 100},
        "crop is 100, which is not a multiple of the scale 3; the nearest ones are 99 and 102.",
    ),
    "no crop at all": (
        {"crop": 0},
        "crop is 0, which is not a multiple of the scale 3; the nearest one is 3.",
    ),
    "a large crop": (
        {"crop": 189},
        r"crop is 189, and \d+ patches are smaller, such as general/\w+ of the format wide \(288x162\); "
        r"set crop to 162 or less, or choose larger formats by formats=.",
    ),
    "an unknown category": (
        {"categories": "spcae"},
        "No patch has the category 'spcae'; there are general, toon.",
    ),
    "a crop in decimals": ({"crop": 96.0}, "crop is 96.0; give a whole number."),
    "a crop of two sides": ({"crop": (96, 96)}, r"crop is \(96, 96\); give a whole number."),
    "a seed as text": ({"seed": "a"}, "seed is 'a'; give a whole number."),
    "a condition as number": ({"where": 5}, "where is 5; give a condition as text."),
    "an unknown format": (
        {"formats": "tall"},
        "No patch has the format 'tall'; there are square, wide.",
    ),
    "nothing": (
        {"where": "x < 0"},
        "Nothing is selected of the data set .*; no patch meets 'x < 0': change the condition.",
    ),
    "a condition": (
        {"where": "sharpnes > 1"},
        'The condition .* is not valid: .*"sharpnes" not found.*',
    ),
    "even frames": ({"frames": 4}, "frames is 4; choose 1, 3, 5 or 7."),
    "many frames": ({"frames": 9}, "frames is 9; choose 1, 3, 5 or 7."),
    "GT of some frames": ({"gt_frames": "some"}, "gt_frames is 'some'; choose 'middle' or 'all'."),
    "GT that is not stored": (
        {"gt_frames": "all"},
        r"GT of 7 frames is not stored for \d+ of \d+ patches, such as general/\w+; set "
        r"base_settings.gt_frames to all and run generate, or ask for other frames.",
    ),
    "a negative seed": ({"seed": -1}, "seed is -1; give a whole number from 0."),
    "an export that is not there": (
        {"packed": True},
        "The packed export .* cannot be used: export.json is missing or damaged; "
        "run `dataset-assets export .*",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_mistakes_are_refused_at_construction_in_one_sentence(data_set: Path, name: str) -> None:
    arguments: dict[str, Any] = {"crop": 96} | REFUSALS[name][0]
    with pytest.raises(DatasetAssetsError, match=f"^{REFUSALS[name][1]}$") as caught:
        TripletDataset(data_set, **arguments)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetAssetsError, match="is no data set; name the folder that holds metadata/"):
        TripletDataset(tmp_path, "general")


def test_complete_patches_of_several_sizes_are_refused_as_a_batch(data_set: Path) -> None:
    dataset = TripletDataset(data_set, "general", crop=None)
    with pytest.raises(DatasetAssetsError, match="several sizes: 288x162 and 192x192; set batch_size=1"):
        dataset.__getitems__(range(len(dataset)))
    square = TripletDataset(data_set, "general", crop=None, formats=["square"])
    assert len(square.__getitems__(range(len(square)))) == len(square)


@pytest.mark.parametrize("damage", ["missing", "empty", "cut short", "another picture"])
def test_damaged_files_are_reported_with_the_remedy(data_set: Path, tmp_path: Path, damage: str) -> None:
    root = tmp_path / "copy"
    shutil.copytree(data_set, root)
    path = root / rows_of(root)[0]["gt_path"]
    content = path.read_bytes()
    path.unlink()
    if damage == "another picture":
        Image.new("RGB", (30, 30)).save(path)
    elif damage != "missing":
        path.write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    dataset = TripletDataset(root, "general", crop=96)
    with pytest.raises(DatasetAssetsError, match=r"cannot be read: .*`dataset-assets verify --repair`"):
        dataset[0]
    assert dataset[1]["gt"].shape == (3, 96, 96)


def test_nothing_heavy_is_imported() -> None:
    heavy = ["torch", "dagster", "pandas", "duckdb", "blosc2"]
    code = f"import sys, dataset_assets.training; sys.exit(bool(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_pickle_has_no_open_array_and_reads_on(data_set: Path, packed: Path) -> None:
    dataset = TripletDataset(data_set, "general", crop=96, packed=packed)
    expected = dataset[2]
    assert_same(pickle.loads(pickle.dumps(dataset))[2], expected)
    assert_same(dataset[2], expected)
