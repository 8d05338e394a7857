"""The compressed arrays of the layout `packed`: their shapes, their chunks, and those of the export before.

Not here: which patches are compressed again (`packed`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataset_assets.disk import flush, temporary
from dataset_assets.exports.layouts.protocol import Kind
from dataset_assets.exports.layouts.stores import disk_error
from dataset_assets.exports.pictures import Picture
from dataset_assets.exports.selected import Item, Selected

if TYPE_CHECKING:
    import blosc2

# Pixels of GT: smaller blocks compress less, larger ones are decompressed for less of a crop of 192.
BLOCK: Final = 96
# Of a GT of 540x540 or 720x405: 10.4 CPU ms; level 3 takes 6.9 for 1 % more bytes, level 1 2.9 for 8 % more.
ZSTD_LEVEL: Final = 5
DIGEST_KEY: Final = "dataset_assets"


@dataclass(frozen=True, slots=True)
class Array:
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


def arrays_of(selected: Selected) -> list[Array]:
    """Return the arrays of an export, by category and format, GT before LR."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in selected.items:
        groups.setdefault((item.triplet.category, item.row.format), []).append(item)
    frames = selected.options.frames
    return [
        array
        for (category, form), items in sorted(groups.items())
        for array in (
            Array(f"{category}-{form}-gt.b2nd", "gt", tuple(items), 1),
            Array(f"{category}-{form}-lr{frames}.b2nd", "lr", tuple(items), frames),
        )
    ]


def write_array(path: Path, array: Array, rows: Sequence[Path]) -> None:
    """Put compressed patches into an array, which gets its name when it is complete and on the disk.

    Args:
        path: Where it goes.
        array: The array.
        rows: The files of its compressed patches, in its order.

    Raises:
        OSError: The disk is full or cannot be written.
    """
    import blosc2

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
        for number, row in enumerate(rows):
            made.schunk.update_chunk(number, row.read_bytes())
        made.schunk.vlmeta[DIGEST_KEY] = array.digest
    except RuntimeError as error:
        raise disk_error(unnamed, error) from error
    del made
    flush(unnamed)
    unnamed.replace(path)


class FormerRows:
    """The compressed patches of the export before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, dict[str, int]] = {}
        self._opened: dict[str, blosc2.NDArray | None] = {}

    def chunk(self, item: Item, array: Array) -> bytes | None:
        """Return a patch as it is in the former array; None where that has another shape or no such patch."""
        made = self._array(array)
        row = self._row(item)
        if made is None or row is None or row >= len(made):
            return None
        chunk: bytes = made.schunk.get_chunk(row)
        return chunk

    def _array(self, array: Array) -> blosc2.NDArray | None:
        if array.name not in self._opened:
            made = open_array(self._folder / array.name)
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


def compressed(pictures: Picture, array: Array, threads: int) -> bytes:
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


def open_array(path: Path) -> Any:
    """Open an array; return None where it is missing or damaged."""
    import blosc2

    with suppress(OSError, RuntimeError, ValueError):
        return blosc2.open(str(path), mode="r", dparams=blosc2.DParams(nthreads=1))
    return None


def digest_of(path: Path) -> str | None:
    """Return the digest that an array was written with; None where it is missing or damaged."""
    made = open_array(path) if path.exists() else None
    with suppress(KeyError, RuntimeError):
        return str(made.schunk.vlmeta[DIGEST_KEY]) if made is not None else None
    return None
