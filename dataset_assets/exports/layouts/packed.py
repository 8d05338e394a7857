"""`packed`: all patches of a category and format in two compressed arrays, for `training.TripletDataset`.

    <category>-<format>-gt.b2nd     uint8 (n, height, width, 3), RGB
    <category>-<format>-lr7.b2nd    uint8 (n, 7, height / scale, width / scale, 3), RGB; lr5 with 5 frames
    <category>.parquet              the patches table's columns, `video`, `category`, and `row` in the arrays

A chunk is a patch and a block 96x96 pixels of GT, so that a crop decompresses only what it touches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports.layouts.packed_arrays import (
    Array,
    FormerRows,
    arrays_of,
    compressed,
    digest_of,
    open_array,
    write_array,
)
from dataset_assets.exports.layouts.picture_files import window_frames
from dataset_assets.exports.layouts.protocol import Job, Paste, Reader, Size, Stored, Writer, quoted
from dataset_assets.exports.layouts.stores import Tree
from dataset_assets.exports.options import LayoutName
from dataset_assets.exports.publishing import prune
from dataset_assets.exports.selected import Item, Selected, lr_file
from dataset_assets.exports.units import UNITS_FILE, Unit
from dataset_assets.frames import MIDDLE_FRAME
from dataset_assets.tables import PATCHES

# Of the bytes of GT and LR_7frames as PNG; real films gave 0.97 (1920x1080) to 1.23 (540x540).
BYTES_PER_PNG_BYTE: Final = 1.25
# Patches that are compressed, and not yet in their arrays.
ROWS_FOLDER: Final = ".rows"


class Packed:
    """Compressed arrays."""

    name: LayoutName = "packed"
    trainers = "`dataset_assets.training.TripletDataset`, the fastest random crops"
    links_gt = False
    val_place = "in the same arrays"
    needs: Mapping[str, str] = {"blosc2": "packed"}

    def units(self, selected: Selected) -> list[Unit]:
        """Return a unit for each triplet.

        Raises:
            DatasetAssetsError: Patches of one format have different sizes.
        """
        for array in arrays_of(selected):
            sizes = {(item.row.width, item.row.height) for item in array.items}
            if len(sizes) > 1:
                raise DatasetAssetsError(
                    f"The format {array.items[0].row.format} has patches of "
                    f"{' and '.join(f'{width}x{height}' for width, height in sorted(sizes))}",
                    "run generate until nothing is stale, then export again.",
                )
        return [Unit(item.name, item.digest, (item,)) for item in selected.items]

    def writer(self, job: Job) -> Writer:
        """Open a writer."""
        return _Writer(job)

    def reader(self, folder: Path, selected: Selected) -> Reader:
        """Open a finished export."""
        return _Reader(folder, selected)

    def size(self, selected: Selected, *, links_gt: bool) -> Size:
        """Estimate what the export takes; while it is written, its largest array is there twice."""
        sizes = [
            BYTES_PER_PNG_BYTE
            * sum(
                item.row.gt_bytes if array.kind == "gt" else lr_file(item.row).size_bytes or 0
                for item in array.items
            )
            for array in arrays_of(selected)
        ]
        return Size(int(sum(sizes)), int(sum(sizes) + max(sizes)), len(sizes) + len(selected.categories))

    def block(self, paste: Paste) -> str:
        """Return the lines of Python that open the arrays."""
        names = paste.selected.categories
        categories = repr(names if len(names) > 1 else names[0])
        common = f"DATA_SET, {categories}, packed={quoted(paste.folder)}, frames={paste.frames}"
        if paste.selected.options.lr == "degraded":
            common += ', lr="degraded"'
        if not paste.selected.options.curated:
            common += ", curated=False"
        lines = [f"dataset = TripletDataset({common}, crop=192)"]
        if paste.has_validation:
            chosen = 'split="val"'
            if paste.selected.options.has_val_films:
                films = ", ".join(f"'{key}'" for key in paste.selected.videos("val"))
                lines = [f'dataset = TripletDataset({common}, crop=192, where="video NOT IN ({films})")']
                chosen = f'split="all", where="video IN ({films})"'
            lines.append(f"validation = TripletDataset(\n    {common}, crop=None, augment=False, {chosen}\n)")
        calls = "\n".join(lines)
        return f"""```python
from dataset_assets.training import TripletDataset

DATA_SET = {quoted(paste.data_set)}
# {paste.gt_size_note}
{calls}
```
"""


class _Writer:
    """Compress patches one by one, then put them into their arrays.

    The two steps are apart since an array that is being appended to does not survive a kill.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._arrays = arrays_of(job.selected)
        self._rows = job.partial / ROWS_FOLDER
        self._tree = Tree(job.partial, job.former)
        self._of_item: dict[str, list[Array]] = {}
        for array in self._arrays:
            for item in array.items:
                self._of_item.setdefault(item.name, []).append(array)
        self._complete: set[str] = set()
        self._former = FormerRows(job.former) if job.former else None

    def keep(self, units: Sequence[Unit]) -> list[Unit]:
        """Delete other rows and arrays from the partial folder; take over arrays that are unchanged."""
        partial, former = self._job.partial, self._job.former
        self._complete = {each.name for each in self._arrays if digest_of(partial / each.name) == each.digest}
        there = [unit for unit in units if all(path.exists() for path in self._row_paths(unit))]
        kept = {path.relative_to(partial).as_posix() for unit in there for path in self._row_paths(unit)}
        prune(partial, {UNITS_FILE, *self._complete, *kept})
        for array in self._arrays:
            is_same = former is not None and digest_of(former / array.name) == array.digest
            if array.name not in self._complete and is_same and self._tree.take_file(array.name):
                self._complete.add(array.name)
        self._rows.mkdir(exist_ok=True)
        return there

    def reuse(self, unit: Unit) -> bool:
        """Copy the compressed patch of the former export."""
        (item,) = unit.items
        for array in self._of_item[item.name]:
            if array.name in self._complete:
                continue
            chunk = self._former.chunk(item, array) if self._former else None
            if chunk is None:
                return False
            self._row_path(item, array).write_bytes(chunk)
        return True

    def prepare(self, unit: Unit) -> Callable[[], None]:
        """Read and compress a patch."""
        (item,) = unit.items
        chunks: dict[Path, bytes] = {}
        for array in self._of_item[item.name]:
            if array.name not in self._complete:
                is_gt = array.kind == "gt"
                pictures = self._job.reader.gt(item)[None] if is_gt else self._job.reader.lr_frames(item)
                chunks[self._row_path(item, array)] = compressed(pictures, array, self._job.workers)

        def store() -> None:
            for path, chunk in chunks.items():
                path.write_bytes(chunk)

        return store

    def commit(self) -> None:
        """Do nothing: every file is closed."""

    def finish(self) -> None:
        """Put the patches into their arrays, and write the tables."""
        for array in self._arrays:
            if array.name not in self._complete:
                rows = [self._row_path(item, array) for item in array.items]
                write_array(self._job.partial / array.name, array, rows)
                self._complete.add(array.name)
            for item in array.items:
                self._row_path(item, array).unlink(missing_ok=True)
        self._rows.rmdir()
        for category in self._job.selected.categories:
            _write_table(self._job.partial / f"{category}.parquet", category, self._arrays)

    def close(self) -> None:
        """Do nothing: arrays are closed with the objects."""

    def _row_paths(self, unit: Unit) -> list[Path]:
        """Return the files of a unit's compressed patches that are not in complete arrays."""
        (item,) = unit.items
        return [
            self._row_path(item, array)
            for array in self._of_item[item.name]
            if array.name not in self._complete
        ]

    def _row_path(self, item: Item, array: Array) -> Path:
        return self._rows / f"{item.name}.{array.kind}"


class _Reader:
    """Read triplets from arrays."""

    def __init__(self, folder: Path, selected: Selected) -> None:
        self._folder = folder
        self._frames = tuple(window_frames(selected))
        self._places: dict[str, list[tuple[Array, int]]] = {}
        for array in arrays_of(selected):
            for row, item in enumerate(array.items):
                self._places.setdefault(item.name, []).append((array, row))
        self._opened: dict[str, Any] = {}

    def stored(self, item: Item) -> Iterator[Stored]:
        """Yield both arrays of a triplet."""
        for array, row in self._places[item.name]:
            if array.name not in self._opened:
                self._opened[array.name] = open_array(self._folder / array.name)
            made = self._opened[array.name]
            if made is None or made.shape != (len(array.items), *array.row_shape):
                raise ValueError(f"{array.name} is missing, damaged, or of another shape")
            pictures = made[row].reshape(-1, *array.row_shape[-3:])
            frames = (MIDDLE_FRAME,) if array.kind == "gt" else self._frames
            yield Stored(array.kind, frames, np.ascontiguousarray(pictures[..., ::-1]))

    def close(self) -> None:
        """Drop the arrays."""
        self._opened.clear()


def _write_table(path: Path, category: str, arrays: Sequence[Array]) -> None:
    placed = [
        (item, row)
        for array in arrays
        if array.kind == "gt" and array.items[0].triplet.category == category
        for row, item in enumerate(array.items)
    ]
    placed.sort(key=lambda each: (each[0].triplet.video, each[0].row.window, each[0].row.crop))
    columns = {field.name: [getattr(item.row, field.name) for item, _ in placed] for field in PATCHES}
    columns |= {
        "video": [item.triplet.video for item, _ in placed],
        "category": [category] * len(placed),
        "row": [row for _, row in placed],
    }
    more = [pa.field("video", pa.string()), pa.field("category", pa.string()), pa.field("row", pa.int64())]
    pq.write_table(pa.Table.from_pydict(columns, schema=pa.schema([*PATCHES, *more])), path)
