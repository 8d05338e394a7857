"""Reading crops of the selected patches from a packed export: arrays compressed in small blocks.

Here: detecting whether an export holds the selected patches as they are, and reading it. Not here: writing
it (`exports`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dataset_assets.counting import counted
from dataset_assets.dataset import Triplet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import FileKind
from dataset_assets.training.columns import Columns, hash_of, holds, slice_of
from dataset_assets.training.reading import Area, Pictures, Wanted

if TYPE_CHECKING:
    import blosc2

LAYOUT: Final = "packed"
"""The layout's name in `export.json`, and its folder among the exports of a data set."""

_RECORD: Final = "export.json"
_Rows = Mapping[str, dict[str, Any]]


class PackedSource:
    """The arrays of a packed export: only the blocks that a crop touches are read and decompressed.

    A process opens an array when it first reads it, and never uses one that its parent opened.
    """

    def __init__(self, folder: Path, triplets: Sequence[Triplet], columns: Columns, wanted: Wanted) -> None:
        """Compare the export's index with the selection, and open each array once.

        Args:
            folder: The export's folder.
            triplets: The selected patches.
            columns: The same patches.
            wanted: The frames of a sample.

        Raises:
            DatasetAssetsError: There is no export, it is damaged, does not hold all selected patches as they
                are or not the frames that are wanted, or blosc2 is not installed.
        """
        refuse_without_blosc2()
        self._folder = folder
        self._columns = columns
        self._record = _identity(folder)
        _refuse_other_layout(folder)
        if not holds(FileKind.GT, wanted.gt):
            raise _unfit(folder, "its GT is the middle frame alone", "read the PNG files by packed=False.")
        pairs = sorted(set(zip(columns.categories.tolist(), columns.formats.tolist(), strict=True)))
        self._lr = self._lr_kind(pairs, wanted)
        self._frames = slice_of(wanted.lr, self._lr)
        self._rows = self._rows_of(triplets)
        self._arrays: dict[str, blosc2.NDArray] = {}
        self._opened_by = os.getpid()
        self._check_arrays(pairs)

    @property
    def description(self) -> str:
        """What is read, and where it lies."""
        return f"packed arrays in {self._folder}"

    def read(self, index: int, area: Area) -> tuple[Pictures, Pictures]:
        """Read a crop, see `Source.read`."""
        category, form = str(self._columns.categories[index]), str(self._columns.formats[index])
        row, scale = int(self._rows[index]), self._columns.scale
        x, y, width, height = area
        lr = self._array(category, form, self._lr)[row, self._frames, y : y + height, x : x + width]
        x, y, width, height = (scale * each for each in area)
        gt = self._array(category, form, FileKind.GT)[row, y : y + height, x : x + width]
        return lr, gt[None]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the open arrays, which no other process can use."""
        return {**self.__dict__, "_arrays": {}}

    def _array(self, category: str, form: str, kind: FileKind) -> blosc2.NDArray:
        if self._opened_by != os.getpid():
            self._arrays, self._opened_by = {}, os.getpid()
        name = _file_name(category, form, kind)
        array = self._arrays.get(name)
        if array is None:
            array = self._arrays[name] = _opened(self._folder / name)
            if _identity(self._folder) != self._record:
                raise _unfit(self._folder, "it was replaced while it was read", "start again.")
        return array

    def _lr_kind(self, pairs: Sequence[tuple[str, str]], wanted: Wanted) -> FileKind:
        """Return which LR stack the export holds for every category and format."""
        for kind in (FileKind.LR5, FileKind.LR7):
            if holds(kind, wanted.lr) and all(
                (self._folder / _file_name(*pair, kind)).exists() for pair in pairs
            ):
                return kind
        names = ", ".join(f"{category} {form}" for category, form in pairs)
        raise _unfit(self._folder, f"it has no LR of {counted(len(wanted.lr), 'frame')} of {names}")

    def _rows_of(self, triplets: Sequence[Triplet]) -> NDArray[np.int64]:
        """Return the row of each patch in its arrays."""
        index = {
            name: _read_index(self._folder, name) for name in sorted({each.category for each in triplets})
        }
        rows = np.zeros(len(triplets), np.int64)
        others = []
        for number, triplet in enumerate(triplets):
            kept = index[triplet.category].get(triplet.row.patch_id)
            if kept and _is_packed(triplet, kept, self._lr):
                rows[number] = kept["row"]
            else:
                others.append(triplet)
        if others:
            raise _unfit(
                self._folder,
                f"it has {len(others):,} of {counted(len(triplets), 'selected patch')} "
                f"not at all or as they were before, such as {others[0].category}/{others[0].row.patch_id}",
            )
        return rows

    def _check_arrays(self, pairs: Sequence[tuple[str, str]]) -> None:
        columns = self._columns
        for category, form in pairs:
            of_pair = np.flatnonzero((columns.categories == category) & (columns.formats == form))
            size = int(columns.heights[of_pair[0]]), int(columns.widths[of_pair[0]])
            small = tuple(side // columns.scale for side in size)
            frames = len(self._lr.frames)
            for kind, shape in ((FileKind.GT, (*size, 3)), (self._lr, (frames, *small, 3))):
                array = self._array(category, form, kind)
                if array.shape[1:] != shape or len(array) <= self._rows[of_pair].max():
                    name = _file_name(category, form, kind)
                    raise _unfit(self._folder, f"its array {name} has another shape")


def _is_packed(triplet: Triplet, kept: Mapping[str, Any], lr: FileKind) -> bool:
    """Return whether a row of an export's index is of a patch as it is."""
    if kept[f"{lr.column}_hash"] is None:
        lr = FileKind.LR7  # whose frames 1 to 5 were packed, where a patch has no file of these alone
    return all(kept[f"{kind.column}_hash"] == hash_of(triplet, kind) for kind in (FileKind.GT, lr))


def refuse_without_blosc2() -> None:
    """Refuse to read packed arrays where blosc2 is not installed.

    Raises:
        DatasetAssetsError: It is not.
    """
    if find_spec("blosc2") is None:
        raise DatasetAssetsError(
            "Packed arrays need blosc2, which is not installed",
            "run `pip install -e '.[packed]'` in the project's folder.",
        )


def _file_name(category: str, form: str, kind: FileKind) -> str:
    return f"{category}-{form}-{kind.column}.b2nd"


def _refuse_other_layout(folder: Path) -> None:
    try:
        layout = json.loads((folder / _RECORD).read_bytes()).get("layout")
    except (OSError, ValueError, AttributeError) as error:
        raise _unfit(folder, f"{_RECORD} is missing or damaged") from error
    if layout != LAYOUT:
        raise _unfit(folder, f"its layout is {layout}", "name a folder that `export packed` wrote.")


def _identity(folder: Path) -> tuple[int, int] | None:
    """Return what another export in the folder would have otherwise; None where there is none."""
    try:
        state = (folder / _RECORD).stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns


def _read_index(folder: Path, category: str) -> _Rows:
    try:
        table = pq.ParquetFile(folder / f"{category}.parquet").read()
        return {each["patch_id"]: each for each in table.to_pylist()}
    except FileNotFoundError as error:
        raise _unfit(folder, f"it has no patch of the category {category}") from error
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise _unfit(folder, f"{category}.parquet cannot be read") from error


def _opened(path: Path) -> blosc2.NDArray:
    import blosc2  # in no other place: 0.4 s, and a package of its own

    try:
        # Threads of its own would be more than there are workers for, and lost in a forked one.
        return blosc2.open(str(path), mode="r", mmap_mode="r", dparams=blosc2.DParams(nthreads=1))
    except (OSError, RuntimeError, ValueError) as error:
        raise _unfit(path.parent, f"{path.name} cannot be read: {error}") from error


def _unfit(folder: Path, why: str, remedy: str = "") -> DatasetAssetsError:
    return DatasetAssetsError(
        f"The packed export {folder} cannot be used: {why}",
        remedy or f"run `dataset-assets export packed {folder}` again.",
    )
