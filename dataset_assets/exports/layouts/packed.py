"""`packed`: all patches of a category and format in two compressed arrays, for `training.TripletDataset`.

    <category>-<format>-gt.b2nd     uint8 (n, height, width, 3), RGB
    <category>-<format>-lr7.b2nd    uint8 (n, 7, height / scale, width / scale, 3), RGB; lr5 with 5 frames
    <category>.parquet              the patches table's columns, `video`, `category`, and `row` in the arrays

A chunk is a patch and a block 96x96 pixels of GT, so that a crop decompresses only what it touches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataset_assets.disk import flush, temporary
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports.layouts.picture_files import window_frames
from dataset_assets.exports.layouts.protocol import Job, Kind, Paste, Reader, Size, Stored, Writer
from dataset_assets.exports.layouts.stores import Tree, disk_error
from dataset_assets.exports.options import LayoutName
from dataset_assets.exports.pictures import Picture
from dataset_assets.exports.publishing import prune
from dataset_assets.exports.selected import Item, Selected, lr_file
from dataset_assets.exports.units import UNITS_FILE, Unit
from dataset_assets.frames import MIDDLE_FRAME
from dataset_assets.tables import PATCHES

if TYPE_CHECKING:
    import blosc2

# Pixels of GT: smaller blocks compress less, larger ones are decompressed for less of a crop of 192.
BLOCK: Final = 96
# Level 1 takes a tenth less time and 7 % more bytes; bitshuffle is slower and no smaller.
ZSTD_LEVEL: Final = 5
# Of the bytes of GT and LR_7frames as PNG; real films gave 0.97 (1920x1080) to 1.23 (540x540).
BYTES_PER_PNG_BYTE: Final = 1.25
# Patches that are compressed, and not yet in their arrays.
ROWS_FOLDER: Final = ".rows"
DIGEST_KEY: Final = "dataset_assets"


@dataclass(frozen=True, slots=True)
class _Array:
    """One array of an export.

    Attributes:
        name: Its file.
        kind: Ground truth or LR.
        items: The patches by row.
        frames: LR frames of each patch; 1 for ground truth.
    """

    name: str
    kind: Kind
    items: tuple[Item, ...]
    frames: int

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of a patch."""
        first = self.items[0]
        if self.kind == "gt":
            return (first.row.height, first.row.width, 3)
        width, height = first.lr_size
        return (self.frames, height, width, 3)

    @property
    def blocks(self) -> tuple[int, ...]:
        """Shape of a block."""
        row = self.items[0].row
        side = BLOCK if self.kind == "gt" else BLOCK // row.scale
        *before, height, width, _ = self.row_shape
        return (1, *before, min(side, height), min(side, width), 3)

    @property
    def digest(self) -> str:
        """Hash of everything that decides its bytes."""
        text = "\n".join(f"{item.name} {item.digest}" for item in self.items)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


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
        for array in _arrays(selected):
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
                item.row.gt_bytes if array.kind == "gt" else lr_file(item.row).size_bytes
                for item in array.items
            )
            for array in _arrays(selected)
        ]
        return Size(int(sum(sizes)), int(sum(sizes) + max(sizes)), len(sizes) + len(selected.categories))

    def block(self, paste: Paste) -> str:
        """Return the lines of Python that open the arrays."""
        names = paste.selected.categories
        categories = repr(names if len(names) > 1 else names[0])
        common = f'DATA_SET, {categories}, packed="{paste.folder}", frames={paste.frames}'
        films = ", ".join(f"'{key}'" for key in paste.selected.videos("val"))
        lines = [f"dataset = TripletDataset({common}, crop=192)"]
        if films:
            lines = [
                f'dataset = TripletDataset({common}, crop=192, where="video NOT IN ({films})")',
                f"validation = TripletDataset(\n    {common}, crop=None, augment=False, "
                f'where="video IN ({films})"\n)',
            ]
        calls = "\n".join(lines)
        return f"""```python
from dataset_assets.training import TripletDataset

DATA_SET = "{paste.data_set}"
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
        self._arrays = _arrays(job.selected)
        self._rows = job.partial / ROWS_FOLDER
        self._tree = Tree(job.partial, job.former)
        self._of_item: dict[str, list[_Array]] = {}
        for array in self._arrays:
            for item in array.items:
                self._of_item.setdefault(item.name, []).append(array)
        self._complete: set[str] = set()
        self._former = _FormerRows(job.former) if job.former else None

    def keep(self, units: Sequence[Unit]) -> list[Unit]:
        """Delete other rows and arrays from the partial folder; take over arrays that are unchanged."""
        partial, former = self._job.partial, self._job.former
        self._complete = {
            each.name for each in self._arrays if _digest_of(partial / each.name) == each.digest
        }
        there = [unit for unit in units if all(map(self._has, self._row_paths(unit)))]
        kept = {path.relative_to(partial).as_posix() for unit in there for path in self._row_paths(unit)}
        prune(partial, {UNITS_FILE, *self._complete, *kept})
        for array in self._arrays:
            is_same = former is not None and _digest_of(former / array.name) == array.digest
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
                chunks[self._row_path(item, array)] = _compressed(pictures, array, self._job.workers)

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
                self._assemble(array)
                self._complete.add(array.name)
            for item in array.items:
                self._row_path(item, array).unlink(missing_ok=True)
        self._rows.rmdir()
        for category in self._job.selected.categories:
            _write_table(self._job.partial / f"{category}.parquet", category, self._arrays)

    def close(self) -> None:
        """Do nothing: arrays are closed with the objects."""

    def _has(self, path: Path) -> bool:
        return path.exists()

    def _row_paths(self, unit: Unit) -> list[Path]:
        """Return the files of a unit's compressed patches that are not in complete arrays."""
        (item,) = unit.items
        return [
            self._row_path(item, array)
            for array in self._of_item[item.name]
            if array.name not in self._complete
        ]

    def _row_path(self, item: Item, array: _Array) -> Path:
        return self._rows / f"{item.name}.{array.kind}"

    def _assemble(self, array: _Array) -> None:
        import blosc2

        path = self._job.partial / array.name
        unnamed = temporary(path)
        unnamed.unlink(missing_ok=True)
        try:
            made = blosc2.empty(
                (len(array.items), *array.row_shape),
                dtype=np.uint8,
                chunks=(1, *array.row_shape),
                blocks=array.blocks,
                cparams=_parameters(1),
                urlpath=str(unnamed),
                contiguous=True,
                mode="w",
            )
            for row, item in enumerate(array.items):
                made.schunk.update_chunk(row, self._row_path(item, array).read_bytes())
            made.schunk.vlmeta[DIGEST_KEY] = array.digest
        except RuntimeError as error:
            raise disk_error(unnamed, error) from error
        del made
        flush(unnamed)
        unnamed.replace(path)


class _FormerRows:
    """The compressed patches of the export before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, dict[str, int]] = {}
        self._opened: dict[str, blosc2.NDArray | None] = {}

    def chunk(self, item: Item, array: _Array) -> bytes | None:
        """Return a patch as it is in the former array; None where that has another shape or no such patch."""
        made = self._array(array)
        row = self._row(item)
        if made is None or row is None or row >= len(made):
            return None
        chunk: bytes = made.schunk.get_chunk(row)
        return chunk

    def _array(self, array: _Array) -> blosc2.NDArray | None:
        if array.name not in self._opened:
            made = _open(self._folder / array.name)
            fits = made is not None and made.shape[1:] == array.row_shape and made.blocks == array.blocks
            self._opened[array.name] = made if fits else None
        return self._opened[array.name]

    def _row(self, item: Item) -> int | None:
        category = item.triplet.category
        if category not in self._rows:
            self._rows[category] = {}
            with suppress(OSError, pa.ArrowInvalid, KeyError):
                table = pq.read_table(self._folder / f"{category}.parquet", columns=["patch_id", "row"])
                names, rows = (table.column(name).to_pylist() for name in ("patch_id", "row"))
                self._rows[category] = dict(zip(names, rows, strict=True))
        return self._rows[category].get(item.row.patch_id)


class _Reader:
    """Read triplets from arrays."""

    def __init__(self, folder: Path, selected: Selected) -> None:
        self._folder = folder
        self._frames = tuple(window_frames(selected))
        self._places: dict[str, list[tuple[_Array, int]]] = {}
        for array in _arrays(selected):
            for row, item in enumerate(array.items):
                self._places.setdefault(item.name, []).append((array, row))
        self._opened: dict[str, Any] = {}

    def stored(self, item: Item) -> Iterator[Stored]:
        """Yield both arrays of a triplet."""
        for array, row in self._places[item.name]:
            if array.name not in self._opened:
                self._opened[array.name] = _open(self._folder / array.name)
            made = self._opened[array.name]
            if made is None or made.shape != (len(array.items), *array.row_shape):
                raise ValueError(f"{array.name} is missing, damaged, or of another shape")
            pictures = made[row].reshape(-1, *array.row_shape[-3:])
            frames = (MIDDLE_FRAME,) if array.kind == "gt" else self._frames
            yield Stored(array.kind, frames, np.ascontiguousarray(pictures[..., ::-1]))

    def close(self) -> None:
        """Drop the arrays."""
        self._opened.clear()


def _arrays(selected: Selected) -> list[_Array]:
    """Return the arrays of an export, by category and format, GT before LR."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in selected.items:
        groups.setdefault((item.triplet.category, item.row.format), []).append(item)
    frames = selected.options.frames
    return [
        array
        for (category, form), items in sorted(groups.items())
        for array in (
            _Array(f"{category}-{form}-gt.b2nd", "gt", tuple(items), 1),
            _Array(f"{category}-{form}-lr{frames}.b2nd", "lr", tuple(items), frames),
        )
    ]


def _compressed(pictures: Picture, array: _Array, threads: int) -> bytes:
    """Compress a patch.

    Args:
        pictures: Shape (frames, height, width, 3), channels blue, green, red.
        array: Where it goes.
        threads: Threads that compress its blocks: blosc2 does not release Python's lock.

    Returns:
        The array's chunk.
    """
    import blosc2

    rgb = np.stack([cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) for picture in pictures])
    row = rgb.reshape(1, *array.row_shape)
    made = blosc2.asarray(row, chunks=row.shape, blocks=array.blocks, cparams=_parameters(threads))
    chunk: bytes = made.schunk.get_chunk(0)
    return chunk


def _parameters(threads: int) -> blosc2.CParams:
    import blosc2

    none = [blosc2.Filter.NOFILTER] * 6
    return blosc2.CParams(
        codec=blosc2.Codec.ZSTD, clevel=ZSTD_LEVEL, filters=none, typesize=1, nthreads=threads
    )


def _open(path: Path) -> Any:
    """Open an array; return None where it is missing or damaged."""
    import blosc2

    with suppress(OSError, RuntimeError, ValueError):
        return blosc2.open(str(path), mode="r", dparams=blosc2.DParams(nthreads=1))
    return None


def _digest_of(path: Path) -> str | None:
    made = _open(path) if path.exists() else None
    with suppress(KeyError, RuntimeError):
        return str(made.schunk.vlmeta[DIGEST_KEY]) if made is not None else None
    return None


def _write_table(path: Path, category: str, arrays: Sequence[_Array]) -> None:
    placed = [
        (item, row)
        for array in arrays
        if array.kind == "gt" and array.items[0].triplet.category == category
        for row, item in enumerate(array.items)
    ]
    placed.sort(key=lambda each: (each[0].triplet.video, each[0].row.window))
    columns = {field.name: [getattr(item.row, field.name) for item, _ in placed] for field in PATCHES}
    columns |= {
        "video": [item.triplet.video for item, _ in placed],
        "category": [category] * len(placed),
        "row": [row for _, row in placed],
    }
    more = [pa.field("video", pa.string()), pa.field("category", pa.string()), pa.field("row", pa.int64())]
    pq.write_table(pa.Table.from_pydict(columns, schema=pa.schema([*PATCHES, *more])), path)
