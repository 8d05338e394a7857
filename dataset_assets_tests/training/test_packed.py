"""Packed exports: when they are read, and when they are not."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import blosc2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.training import TripletDataset
from dataset_assets.training import packed as packed_reading


def edit_index(folder: Path, change: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
    path = folder / "general.parquet"
    pq.write_table(pa.Table.from_pylist(change(pq.ParquetFile(path).read().to_pylist())), path)


def other_hash(rows: list[dict[str, object]], column: str) -> list[dict[str, object]]:
    return [rows[0] | {column: "0123456789abcdef"}, *rows[1:]]


def cut_short(folder: Path) -> None:
    path = folder / "general-square-gt.b2nd"
    path.write_bytes(path.read_bytes()[:100])


MISFITS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a patch is missing": (
        lambda folder: edit_index(folder, lambda rows: rows[1:]),
        r"it has 1 of \d+ selected patches not at all or as they were before, such as general/\w+",
    ),
    "GT was made again": (
        lambda folder: edit_index(folder, lambda rows: other_hash(rows, "gt_hash")),
        r"it has 1 of \d+ selected patches not at all or as they were before",
    ),
    "LR was made again": (
        lambda folder: edit_index(folder, lambda rows: other_hash(rows, "lr7_hash")),
        r"it has 1 of \d+ selected patches not at all or as they were before",
    ),
    "the category is missing": (
        lambda folder: (folder / "general.parquet").unlink(),
        "it has no patch of the category general",
    ),
    "the index is damaged": (
        lambda folder: (folder / "general.parquet").write_bytes(b"PAR1"),
        "general.parquet cannot be read",
    ),
    "it is not complete": (
        lambda folder: (folder / "export.json").unlink(),
        "export.json is missing or damaged",
    ),
    "it is of another layout": (
        lambda folder: (folder / "export.json").write_text(json.dumps({"layout": "redux"})),
        "its layout is redux",
    ),
    "LR is missing": (
        lambda folder: (folder / "general-square-lr7.b2nd").unlink(),
        "it has no LR of 7 frames of general square, general wide",
    ),
    "an array is missing": (
        lambda folder: (folder / "general-wide-gt.b2nd").unlink(),
        "general-wide-gt.b2nd cannot be read",
    ),
    "an array is damaged": (cut_short, "general-square-gt.b2nd cannot be read"),
    "an array is another one": (
        lambda folder: shutil.copy(folder / "general-wide-gt.b2nd", folder / "general-square-gt.b2nd"),
        "its array general-square-gt.b2nd has another shape",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_an_export_that_does_not_fit_is_not_read(
    data_set: Path, packed: Path, tmp_path: Path, name: str
) -> None:
    damage, reason = MISFITS[name]
    root = tmp_path / "dataset"
    shutil.copytree(data_set, root)
    folder = root / "exports/packed"
    shutil.copytree(packed, folder)
    assert TripletDataset(root, "general", crop=96).source.description == f"packed arrays in {folder}"
    damage(folder)
    for asked in (True, folder):
        with pytest.raises(
            DatasetAssetsError, match=f"^The packed export .* cannot be used: {reason}.*; (run|name) "
        ):
            TripletDataset(root, "general", crop=96, packed=asked)
    with pytest.warns(UserWarning, match=f"The slower PNG files are read. The packed export .*{reason}"):
        dataset = TripletDataset(root, "general", crop=96)
    assert dataset.source.description == f"PNG files in {root}"
    expected = TripletDataset(data_set, "general", crop=96)
    assert np.array_equal(dataset[0]["gt"], expected[0]["gt"])


def test_an_export_of_more_than_is_selected_is_read(data_set: Path, packed: Path) -> None:
    arguments = {"categories": "general", "crop": 96, "where": "video = 'three'"}
    arrays = TripletDataset(data_set, packed=packed, **arguments)  # type: ignore[arg-type]
    files = TripletDataset(data_set, packed=False, **arguments)  # type: ignore[arg-type]
    for one, other in zip(arrays, files, strict=True):
        assert np.array_equal(one["gt"], other["gt"])
        assert np.array_equal(one["lr"], other["lr"])


def test_an_export_that_is_replaced_meanwhile_is_not_mixed_up(
    data_set: Path, packed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(packed, folder)
    dataset = TripletDataset(data_set, "general", crop=96, packed=folder)
    expected = dataset[0]["gt"]
    other_worker = pickle.loads(pickle.dumps(dataset))
    shutil.rmtree(folder)
    shutil.copytree(packed, folder)
    record = folder / "export.json"
    record.write_text(record.read_text() + " ")
    assert np.array_equal(dataset[0]["gt"], expected), "what is open stays"
    with pytest.raises(DatasetAssetsError, match=r"it was replaced while it was read; start again\."):
        other_worker[0]


def test_without_blosc2_the_extra_is_named(
    data_set: Path, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_reading, "find_spec", lambda name: None)
    with pytest.raises(
        DatasetAssetsError,
        match=r"^Packed arrays need blosc2, .*run `pip install -e '\.\[packed\]'` in the project's folder\.$",
    ):
        TripletDataset(data_set, "general", crop=96, packed=packed)


def test_the_arrays_are_those_of_blosc2(packed: Path) -> None:
    array = blosc2.open(str(packed / "general-square-gt.b2nd"))
    assert (array.dtype, array.shape[1:], array.blocks) == (np.uint8, (192, 192, 3), (1, 96, 96, 3))
