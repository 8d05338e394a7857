"""Each layout, read by the rules of the trainers that it is for, against the data set's own files."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from dataset_assets.config import Settings
from dataset_assets.dataset import Triplet
from dataset_assets.exports import LAYOUT_NAMES, LayoutName
from dataset_assets.training import TripletDataset
from dataset_assets_tests.exports import loaders
from dataset_assets_tests.exports.loaders import Sample
from dataset_assets_tests.exports.samples import export, gt, lr_frames, read, triplets

VAL = "beta"


def expected(settings: Settings, chosen: list[Triplet], frames: int) -> dict[str, Sample]:
    """The samples of triplets, by `patch_id`."""
    cut = slice((7 - frames) // 2, (7 + frames) // 2)
    return {
        each.row.patch_id: Sample(lr_frames(settings, each)[cut], [gt(settings, each)]) for each in chosen
    }


def assert_same(found: Mapping[str, Sample], wanted: Mapping[str, Sample]) -> None:
    assert found.keys() == wanted.keys()
    assert found
    for name, sample in found.items():
        for pictures, others in ((sample.lr, wanted[name].lr), (sample.gt, wanted[name].gt)):
            assert len(pictures) == len(others)
            assert all(np.array_equal(one, other) for one, other in zip(pictures, others, strict=True)), name


def named(found: Mapping[str, Sample], separator: str = "/") -> dict[str, Sample]:
    """Samples of one category by `patch_id`, which ends in `_<window>`."""
    return {"_".join(key.rsplit(separator, 1)): sample for key, sample in found.items()}


def split(settings: Settings, category: str) -> tuple[list[Triplet], list[Triplet]]:
    """The triplets for training and for validation."""
    chosen = triplets(settings, category)
    return [each for each in chosen if each.video != VAL], [each for each in chosen if each.video == VAL]


@pytest.mark.parametrize("frames", [5, 7])
@pytest.mark.parametrize("is_lmdb", [False, True])
def test_vimeo90k_as_basicsr_reads_it(whole: Settings, tmp_path: Path, frames: int, is_lmdb: bool) -> None:
    layout: LayoutName = "vimeo90k-lmdb" if is_lmdb else "vimeo90k"
    folder = tmp_path / "x"
    export(whole, layout, folder, categories=("general",), frames=frames, val_videos=(VAL,))
    roots = ("gt.lmdb", "lq.lmdb") if is_lmdb else ("GT", "LQ")
    train, val = split(whole, "general")
    found = loaders.basicsr_vimeo90k(
        folder / roots[0],
        folder / roots[1],
        folder / "meta_info_GT.txt",
        num_frame=frames,
        scale=3,
        is_lmdb=is_lmdb,
    )
    assert_same(named(found), expected(whole, train, frames))
    # "No need to use lmdb during validation/test."
    tested = loaders.basicsr_vimeo90k(
        folder / "val/GT", folder / "val/LQ", folder / "val/meta_info_GT.txt", num_frame=frames, scale=3
    )
    assert_same(named(tested), expected(whole, val, frames))
    if is_lmdb:
        assert sorted(path.name for path in (folder / "gt.lmdb").iterdir()) == [
            "data.mdb",
            "lock.mdb",
            "meta_info.txt",
        ]
        for key, (height, width) in loaders.lmdb_meta(folder / "lq.lmdb").items():
            picture = loaders.imfrombytes(loaders.lmdb_value(folder / "lq.lmdb", key))
            assert picture.shape == (height, width, 3)


def test_vimeo90k_as_mmagic_reads_it(whole: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    export(whole, "vimeo90k", folder, categories=("general",))
    frames = {"img": [f"im{number}.png" for number in range(1, 8)], "gt": ["im4.png"]}
    found = loaders.mmagic_frames(folder, "ann_mmagic.txt", frames=frames, scale=3)
    assert_same(named(found), expected(whole, triplets(whole, "general"), 7))


@pytest.mark.parametrize("frames", [5, 7])
def test_redux_as_its_video_class_reads_it(whole: Settings, tmp_path: Path, frames: int) -> None:
    folder = tmp_path / "x"
    export(whole, "redux", folder, categories=("general",), frames=frames, val_videos=(VAL,))
    for place, chosen in zip((folder, folder / "val"), split(whole, "general"), strict=True):
        found = loaders.redux_video(place / "hr", place / "lr", clip_size=frames, scale=3)
        assert_same(
            named({key.split(":")[0]: each for key, each in found.items()}, "-"),
            expected(whole, chosen, frames),
        )


def test_redux_of_7_frames_gives_one_clip_of_5_for_each_window(whole: Settings, tmp_path: Path) -> None:
    export(whole, "redux", tmp_path / "x", categories=("general",))
    found = loaders.redux_video(tmp_path / "x/hr", tmp_path / "x/lr", clip_size=5, scale=3)
    by_window = {key.split(":")[0]: sample for key, sample in found.items()}
    assert len(by_window) == len(found)
    assert_same(named(by_window, "-"), expected(whole, triplets(whole, "general"), 5))


@pytest.mark.parametrize("is_lmdb", [False, True])
def test_pairs_as_redux_and_neosr_read_them(whole: Settings, tmp_path: Path, is_lmdb: bool) -> None:
    layout: LayoutName = "pairs-lmdb" if is_lmdb else "pairs"
    folder, suffix = tmp_path / "x", ".lmdb" if is_lmdb else ""
    export(whole, layout, folder, categories=("general",), val_videos=(VAL,))
    for place, chosen in zip((folder, folder / "val"), split(whole, "general"), strict=True):
        wanted = {
            each.row.patch_id: Sample([lr_frames(whole, each)[3]], [gt(whole, each)]) for each in chosen
        }
        roots = place / f"gt{suffix}", place / f"lq{suffix}"
        assert_same(loaders.neosr_paired(*roots, scale=3), wanted)
        if is_lmdb:
            shapes = loaders.lmdb_meta(roots[0])
            assert shapes == {name: sample.gt[0].shape[:2] for name, sample in wanted.items()}
        else:
            assert_same(loaders.redux_image(*roots, scale=3), wanted)


@pytest.mark.parametrize("frames", [5, 7])
def test_webdataset_holds_the_data_sets_own_files(whole: Settings, tmp_path: Path, frames: int) -> None:
    folder = tmp_path / "x"
    export(whole, "webdataset", folder, categories=("general",), frames=frames, val_videos=(VAL,))
    for place, chosen in zip((folder, folder / "val"), split(whole, "general"), strict=True):
        found = loaders.webdataset_samples([place / "general-000000.tar"])
        assert found.keys() == {each.row.patch_id for each in chosen}
        for each in chosen:
            sample, row = found[each.row.patch_id], each.row
            stack = row.lr7_path if frames == 7 else row.lr5_path
            assert stack
            assert sample.keys() == {"gt.png", f"lr{frames}.png", "json"}
            assert sample["gt.png"] == (whole.base.output_base_dir / row.gt_path).read_bytes()
            assert sample[f"lr{frames}.png"] == (whole.base.output_base_dir / stack).read_bytes()
            record = json.loads(sample["json"])
            assert (record["video"], record["category"]) == (each.video, "general")
            assert (record["window"], record["gt_hash"]) == (row.window, row.gt_hash)


@pytest.mark.parametrize("frames", [5, 7])
def test_packed_arrays_equal_the_files(whole: Settings, tmp_path: Path, frames: int) -> None:
    blosc2 = pytest.importorskip("blosc2")
    export(whole, "packed", tmp_path / "x", frames=frames, val_videos=(VAL,))
    seen: dict[str, set[int]] = {}
    for category in ("general", "toon"):
        table = pq.ParquetFile(tmp_path / f"x/{category}.parquet").read()
        rows = {row["patch_id"]: row for row in table.to_pylist()}
        assert rows.keys() == {each.row.patch_id for each in triplets(whole, category)}
        for each in triplets(whole, category):
            row, (height, width) = rows[each.row.patch_id], (each.row.height, each.row.width)
            assert (row["video"], row["category"], row["gt_hash"]) == (each.video, category, each.row.gt_hash)
            name = f"{category}-{each.row.format}"
            truth = blosc2.open(str(tmp_path / f"x/{name}-gt.b2nd"), mmap_mode="r")
            small = blosc2.open(str(tmp_path / f"x/{name}-lr{frames}.b2nd"), mmap_mode="r")
            assert (truth.dtype, small.dtype) == (np.uint8, np.uint8)
            assert truth.shape[1:] == (height, width, 3)
            assert truth.chunks == (1, height, width, 3)
            assert truth.blocks == (1, 96, 96, 3)
            assert small.shape[1:] == (frames, height // 3, width // 3, 3)
            assert small.blocks == (1, frames, 32, 32, 3)
            parameters = truth.schunk.cparams
            assert (parameters.codec, parameters.clevel, parameters.typesize) == (blosc2.Codec.ZSTD, 5, 1)
            assert np.array_equal(truth[row["row"]], gt(whole, each)[..., ::-1])
            cut = slice((7 - frames) // 2, (7 + frames) // 2)
            lr = np.stack(lr_frames(whole, each)[cut])[..., ::-1]
            assert np.array_equal(small[row["row"]], lr)
            # A crop, as training reads it.
            assert np.array_equal(truth[row["row"], 100:292, 51:243], gt(whole, each)[100:292, 51:243, ::-1])
            seen.setdefault(name, set()).add(row["row"])
            assert len(truth) == len(small)
    assert all(rows == set(range(len(rows))) for rows in seen.values())


@pytest.mark.parametrize("layout", ["vimeo90k", "redux", "pairs", "webdataset"])
def test_several_categories_are_told_apart_by_name(
    whole: Settings, tmp_path: Path, layout: LayoutName
) -> None:
    export(whole, layout, tmp_path / "x", categories=("general", "toon"))
    names = pq.ParquetFile(tmp_path / "x/split.parquet").read().column("name").to_pylist()
    wanted = {f"{each.category}-{each.row.patch_id}" for each in triplets(whole)}
    assert set(names) == wanted
    assert len(names) == len(wanted)


def test_ground_truth_is_the_data_sets_own_file(whole: Settings, tmp_path: Path) -> None:
    export(whole, "redux", tmp_path / "linked", categories=("general",))
    export(whole, "redux", tmp_path / "copied", categories=("general",), copies_gt=True)
    for each in triplets(whole, "general"):
        name = f"hr/{each.video}-{each.row.window:06d}_Frame4.png"
        own = whole.base.output_base_dir / each.row.gt_path
        assert own.samefile(tmp_path / "linked" / name)
        assert not own.samefile(tmp_path / "copied" / name)
        assert own.read_bytes() == (tmp_path / "copied" / name).read_bytes()


def test_an_export_says_what_it_holds(whole: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    export(whole, "redux", folder, categories=("general",), where="time_s >= 0", val_videos=(VAL,))
    train, val = split(whole, "general")
    record: dict[str, Any] = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert record["layout"] == "redux"
    assert record["counts"]["triplets"] == len(train) + len(val)
    assert (record["counts"]["train"], record["counts"]["val"]) == (len(train), len(val))
    assert record["selection"]["where"] == "time_s >= 0"
    assert record["scale"] == 3
    hashes = {each.row.settings_hash for each in train + val}
    assert set(record["data_set"]["settings_hashes"]["general"]) == hashes
    smallest = min(min(each.row.width, each.row.height) for each in train + val)
    assert record["max_gt_size"] == smallest // 3 * 3
    rows = pq.ParquetFile(folder / "split.parquet").read().to_pylist()
    found = {(row["category"], row["patch_id"]): row["split"] for row in rows}
    assert found == {("general", each.row.patch_id): "train" for each in train} | {
        ("general", each.row.patch_id): "val" for each in val
    }


@pytest.mark.parametrize(
    ("layout", "lines"),
    [
        ("vimeo90k", ("type: Vimeo90KDataset", "gt_size: 405 ", "num_frame: 7", "scale: 3", "type: disk")),
        ("vimeo90k-lmdb", ("type: lmdb", "/gt.lmdb", "/lq.lmdb", "gt_size: 405 ")),
        ("redux", ("type: pairedvideodataset", "clip_size: 7", "lq_size: 135 ", "scale: 3")),
        ("pairs", ("type: pairedimagedataset", "lq_size: 135 ", 'type = "paired"', "patch_size = 135 ")),
        ("pairs-lmdb", ('type = "paired"', 'gt.lmdb"', "scale = 3")),
        ("webdataset", ("wds.WebDataset(", '"lr7.png"')),
        ("packed", ("TripletDataset(", "packed=")),
    ],
)
def test_an_exports_readme_has_the_options_to_paste(
    whole: Settings, tmp_path: Path, layout: LayoutName, lines: tuple[str, ...]
) -> None:
    export(whole, layout, tmp_path / "x", categories=("general",))
    text = (tmp_path / "x/README.md").read_text(encoding="utf-8")
    assert [line for line in lines if line not in text] == []
    assert str(tmp_path / "x") in text
    assert "405" in text


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_the_options_to_paste_are_read_whatever_the_folder_is_called(
    whole: Settings, tmp_path: Path, layout: LayoutName
) -> None:
    folder = tmp_path / 'it\'s [a] "set": #1, ü'
    gt = "all" if layout.startswith("vimeo90k") else "middle"
    export(whole, layout, folder, categories=("toon",), gt=gt)
    blocks = re.findall(r"```(\w+)\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.S)
    parsers: dict[str, Callable[[str], Any]] = {
        "yaml": yaml.safe_load,
        "toml": tomllib.loads,
        "json": lambda text: json.loads(f"{{{text}}}"),
    }
    assert blocks
    for language, text in blocks:
        if language == "python":
            strings = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
            assert str(folder) in strings
            continue
        options = parsers[language](text)
        assert options["scale"] == 3
        train = options["datasets"]["train"]
        named = {key: value for key, value in train.items() if key.startswith(("dataroot", "meta_info"))}
        places = [
            each for value in named.values() for each in (value if isinstance(value, list) else [value])
        ]
        assert len(places) >= 2
        assert [place for place in places if not Path(place).exists()] == []


def test_no_picture_of_an_export_has_pixels_of_its_own(whole: Settings, tmp_path: Path) -> None:
    export(whole, "redux", tmp_path / "x", categories=("toon",))
    for each in triplets(whole, "toon"):
        for number, frame in enumerate(lr_frames(whole, each), start=1):
            name = f"lr/{each.video}-{each.row.window:06d}_Frame{number}.png"
            assert np.array_equal(read(tmp_path / "x" / name), frame)


@pytest.mark.parametrize("frames", [5, 7])
def test_training_reads_the_same_samples_from_packed_arrays_as_from_the_files(
    whole: Settings, tmp_path: Path, frames: int
) -> None:
    export(whole, "packed", tmp_path / "x", frames=frames)
    root = whole.base.output_base_dir
    packed = TripletDataset(root, frames=frames, packed=tmp_path / "x")
    files = TripletDataset(root, frames=frames, packed=False)
    assert len(packed) == len(files) == len(triplets(whole))
    for one, other in zip(packed, files, strict=True):
        assert one["patch_id"] == other["patch_id"]
        assert np.array_equal(one["lr"], other["lr"])
        assert np.array_equal(one["gt"], other["gt"])
