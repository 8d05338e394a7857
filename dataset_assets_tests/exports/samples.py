"""What tests of exports share: exporting, the truth to compare with, and what lies in a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import blosc2
import cv2
import lmdb
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, Triplet, content_hash
from dataset_assets.disk import replacing
from dataset_assets.exports import ExportOptions, ExportReport, LayoutName, plan_export, write_export
from dataset_assets.patches import encode_png
from dataset_assets.tables import PATCHES, PatchRow

Picture = npt.NDArray[np.uint8]


def export(
    settings: Settings, layout: LayoutName, folder: Path | None = None, **options: Any
) -> ExportReport:
    """Exports as the command does."""
    plan = plan_export(settings, ExportOptions(layout, **options), folder)
    return write_export(plan, workers=2)


def triplets(settings: Settings, *categories: str) -> list[Triplet]:
    """The finished triplets, as the tables list them."""
    return list(DataSet.of(settings).triplets(categories=categories or None))


def lr_frames(settings: Settings, triplet: Triplet) -> list[Picture]:
    """The seven LR frames of a triplet, cut from its stack by another way than the export's."""
    assert triplet.row.lr7_path
    stack = read(DataSet.of(settings).folder / triplet.row.lr7_path)
    assert stack.shape[0] % 7 == 0
    return list(np.split(stack, 7, axis=0))


def gt(settings: Settings, triplet: Triplet) -> Picture:
    """The ground truth of a triplet."""
    return read(DataSet.of(settings).folder / triplet.row.gt_path)


def read(path: Path) -> Picture:
    """A picture's pixels."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None, path
    return cast("Picture", picture)


def contents(folder: Path) -> dict[str, bytes]:
    """Content of every file of a folder, by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def inodes(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of change of every file of a folder, by its relative path."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def beside(folder: Path) -> list[str]:
    """What lies beside an export and is named like it."""
    return sorted(path.name for path in folder.parent.glob(f"{folder.name}.*"))


def values(folder: Path) -> dict[str, Any]:
    """What an export holds, however it was written: equal for a fresh one and one that was resumed.

    Databases are their keys and values, arrays their pixels; times, paths and inodes are left out.
    """
    found: dict[str, Any] = {}
    for name, content in contents(folder).items():
        path = folder / name
        if path.name == "data.mdb":
            found |= {f"{name}:{key}": value for key, value in _database(path.parent).items()}
        elif path.suffix == ".b2nd":
            found[name] = blosc2.open(str(path))[:].tobytes()
        elif path.suffix == ".parquet":
            found[name] = pq.ParquetFile(path).read().to_pylist()
        elif path.name not in ("lock.mdb", "README.md", "export.json"):
            found[name] = content
    return found


def _database(folder: Path) -> dict[str, bytes]:
    with lmdb.open(str(folder), readonly=True, lock=False) as env, env.begin() as transaction:
        return {key.decode(): value for key, value in transaction.cursor()}


def replace_patch(settings: Settings, triplet: Triplet) -> None:
    """Gives a patch other pixels, as `generate` does: new files under the old names, and a new row."""
    folder, row = DataSet.of(settings).folder, triplet.row
    lr = [np.ascontiguousarray(frame[:, ::-1]) for frame in lr_frames(settings, triplet)]
    flipped = np.ascontiguousarray(gt(settings, triplet)[:, ::-1])
    files = {"gt": flipped, "lr5": np.concatenate(lr[1:6]), "lr7": np.concatenate(lr)}
    changes: dict[str, Any] = {}
    for kind, picture in files.items():
        content = encode_png(picture)
        with replacing(folder / getattr(row, f"{kind}_path")) as file:
            file.write(content)
        changes |= {f"{kind}_bytes": len(content), f"{kind}_hash": content_hash(content)}
    _write_rows(settings, triplet, replace(row, **changes))


def drop_patch(settings: Settings, triplet: Triplet) -> None:
    """Deletes a patch, as `generate` does: its row, then its files."""
    _write_rows(settings, triplet, None)
    for path in triplet.paths:
        (DataSet.of(settings).folder / path).unlink()


def _write_rows(settings: Settings, triplet: Triplet, changed: PatchRow | None) -> None:
    tables = DataSet.of(settings).tables
    path = tables.patches_path(triplet.category, triplet.video)
    provenance = tables.read_provenance(path)
    assert provenance is not None
    rows = [
        changed if row.patch_id == triplet.row.patch_id else row
        for row in tables.read_patches(triplet.category, triplet.video)
    ]
    tables.write(path, PATCHES, [row for row in rows if row is not None], provenance)
