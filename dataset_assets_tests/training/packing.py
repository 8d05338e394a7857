"""Writes packed exports for the tests of their reader, from the files by PIL."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import blosc2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from dataset_assets.dataset import DataSet, select
from dataset_assets.tables import PATCHES


def pack(root: Path, folder: Path) -> None:
    """Write all patches of a data set as `packed` has them: arrays by category and format, and an index."""
    folder.mkdir(parents=True)
    triplets = sorted(select(DataSet(root)), key=lambda each: (each.category, each.row.format))
    rows: dict[str, list[dict[str, object]]] = {}
    for (category, form), group in groupby(triplets, key=lambda each: (each.category, each.row.format)):
        members = list(group)
        first = members[0].row
        gt = _array(folder / f"{category}-{form}-gt.b2nd", len(members), (first.height, first.width, 3))
        small = (7, first.height // first.scale, first.width // first.scale, 3)
        lr7 = _array(folder / f"{category}-{form}-lr7.b2nd", len(members), small)
        for number, triplet in enumerate(members):
            row = triplet.row
            gt[number] = np.asarray(Image.open(root / row.gt_path))
            lr7[number] = np.asarray(Image.open(root / str(row.lr7_path))).reshape(small)
            columns = {field.name: getattr(row, field.name) for field in PATCHES}
            columns |= {"video": triplet.video, "category": category, "row": number}
            rows.setdefault(category, []).append(columns)
    for category, each in rows.items():
        pq.write_table(pa.Table.from_pylist(each), folder / f"{category}.parquet")
    (folder / "export.json").write_text(json.dumps({"layout": "packed"}), encoding="utf-8")


def _array(path: Path, count: int, shape: tuple[int, ...]) -> blosc2.NDArray:
    *frames, height, width, channels = shape
    block = (1, *frames, min(96, height), min(96, width), channels)
    compression = blosc2.CParams(
        codec=blosc2.Codec.ZSTD, clevel=5, filters=[blosc2.Filter.NOFILTER], typesize=1, nthreads=1
    )
    return blosc2.empty(
        (count, *shape),
        dtype=np.uint8,
        chunks=(1, *shape),
        blocks=block,
        urlpath=str(path),
        mode="w",
        cparams=compression,
    )
