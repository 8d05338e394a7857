"""Write and read layouts that hold every picture by itself, as a file or as a value in LMDB.

Here: which pictures of a triplet are linked, encoded or taken over. Not here: their names (the layouts) and
how one is stored (`stores`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from dataset_assets.exports.layouts.protocol import Job, Size, Stored
from dataset_assets.exports.layouts.stores import Databases, Place, Store, Tree
from dataset_assets.exports.publishing import prune
from dataset_assets.exports.selected import Item, Selected, Split, lr_file
from dataset_assets.exports.units import UNITS_FILE, Unit
from dataset_assets.frames import FRAMES_PER_WINDOW, MIDDLE_FRAME, FileKind
from dataset_assets.patches import encode_png

Places = Callable[[Item], Sequence[Place]]
StoreKind = Callable[[Path, Path | None, int | None], Store]

VAL_FOLDER: Final = "val"
# Of the stack's bytes that single frames take: each has its own header and its own start of the compression.
SPLIT_BYTES_PER_BYTE: Final = 1.05
# Ground truth of all frames against that of one.
ALL_GT_BYTES_PER_BYTE: Final = FRAMES_PER_WINDOW
BLOCK_BYTES: Final = 4096
# data.mdb, lock.mdb, meta_info.txt.
FILES_OF_DATABASE: Final = 3


def tree(folder: Path, former: Path | None, size_bytes: int | None) -> Store:
    """Open a store of files."""
    return Tree(folder, former)


def databases(folder: Path, former: Path | None, size_bytes: int | None) -> Store:
    """Open a store of LMDB databases."""
    return Databases(folder, former, size_bytes=size_bytes)


def split_folder(root: Path, split: Split) -> Path:
    """Return the folder of a split in an export: training lies at its top."""
    return root / VAL_FOLDER if split == "val" else root


def window_frames(selected: Selected) -> range:
    """Return the frames of a window that the export has, 0..6 or 1..5."""
    if selected.options.frames == FRAMES_PER_WINDOW:
        return range(FRAMES_PER_WINDOW)
    return FileKind.LR5.frames


def gt_frames(selected: Selected) -> range:
    """Return the frames of a window that the export has ground truth of."""
    return range(FRAMES_PER_WINDOW) if selected.options.gt == "all" else range(MIDDLE_FRAME, MIDDLE_FRAME + 1)


def triplet_units(selected: Selected) -> list[Unit]:
    """Return a unit for each triplet; by video where the films are read again, else as they are selected."""
    items = list(selected.items)
    if selected.options.gt == "all":
        items.sort(
            key=lambda item: (item.triplet.video, item.row.window, item.triplet.category, item.row.crop)
        )
    return [Unit(item.name, f"{item.digest}-{item.split}", (item,)) for item in items]


class PictureWriter:
    """Write pictures, each by itself."""

    def __init__(self, job: Job, places: Places, kinds: Mapping[Split, StoreKind]) -> None:
        """Open the stores.

        Args:
            job: What is exported.
            places: The pictures of a triplet.
            kinds: What training and validation are stored in.
        """
        self._job = job
        self._places = places
        size_bytes = sum(_content_bytes(item, job.selected) for item in job.selected.items)
        self._stores: dict[Split, Store] = {
            split: kind(
                split_folder(job.partial, split),
                split_folder(job.former, split) if job.former else None,
                size_bytes,
            )
            for split, kind in kinds.items()
            if job.selected.of(split)
        }

    def keep(self, units: Sequence[Unit]) -> list[Unit]:
        """Delete pictures of other units from the partial folder."""
        kept = {UNITS_FILE}
        for split, store in self._stores.items():
            places = [
                place
                for unit in units
                for item in unit.items
                if item.split == split
                for place in self._places(item)
            ]
            base = f"{VAL_FOLDER}/" if split == "val" else ""
            kept |= {base + name for name in store.files(places)}
            store.keep(places)
        prune(self._job.partial, kept)
        return list(units)

    def reuse(self, unit: Unit) -> bool:
        """Take pictures over from the former export; link ground truth to the data set's, if it can be."""
        (item,) = unit.items
        store = self._stores[item.split]
        return all(self._links(store, item, place) or store.take(place) for place in self._places(item))

    def prepare(self, unit: Unit) -> Callable[[], None]:
        """Read a triplet and encode what cannot be linked."""
        (item,) = unit.items
        store = self._stores[item.split]
        places = self._places(item)
        contents = dict(self._encoded_lr(item, places)) | dict(self._encoded_gt(item, places))
        if not isinstance(store, Tree) or self._job.selected.options.copies_gt:
            contents |= {place: self._job.reader.gt_content(item) for place in places if _is_gt_file(place)}

        def store_all() -> None:
            for place in places:
                if place in contents:
                    store.put(place, contents[place])
                elif not self._links(store, item, place):
                    store.put(place, self._job.reader.gt_content(item))

        return store_all

    def commit(self) -> None:
        """Commit the stores."""
        for store in self._stores.values():
            store.commit()

    def finish(self) -> None:
        """Commit the stores."""
        self.commit()

    def close(self) -> None:
        """Close the stores."""
        for store in self._stores.values():
            store.close()

    def _links(self, store: Store, item: Item, place: Place) -> bool:
        is_linkable = isinstance(store, Tree) and not self._job.selected.options.copies_gt
        if not (is_linkable and _is_gt_file(place)):
            return False
        return isinstance(store, Tree) and store.link(place, self._job.reader.gt_file(item))

    def _encoded_lr(self, item: Item, places: Sequence[Place]) -> Iterator[tuple[Place, bytes]]:
        frames = self._job.reader.lr_frames(item)
        first = window_frames(self._job.selected).start
        for place in places:
            if place.kind == "lr":
                yield place, encode_png(np.ascontiguousarray(frames[place.frame - first]))

    def _encoded_gt(self, item: Item, places: Sequence[Place]) -> Iterator[tuple[Place, bytes]]:
        if self._job.all_gt is None:
            return
        frames = self._job.all_gt.frames(item)
        for place in places:
            if place.kind == "gt" and not _is_gt_file(place):
                yield place, encode_png(frames[place.frame])


class PictureReader:
    """Read pictures, each by itself."""

    def __init__(self, folder: Path, places: Places, kinds: Mapping[Split, StoreKind]) -> None:
        self._places = places
        self._stores = {split: kind(split_folder(folder, split), None, None) for split, kind in kinds.items()}

    def stored(self, item: Item) -> Iterator[Stored]:
        """Yield each picture of a triplet."""
        for place in self._places(item):
            yield Stored(place.kind, (place.frame,), self._stores[item.split].get(place))

    def close(self) -> None:
        """Close the stores."""
        for store in self._stores.values():
            store.close()


def files_size(selected: Selected, places: Places, *, links_gt: bool) -> Size:
    """Estimate what pictures take as files."""
    total = files = 0
    for item in selected.items:
        gt_bytes = _all_gt_bytes(item, selected) - item.row.gt_bytes * links_gt
        count = len(places(item))
        total += gt_bytes + _lr_bytes(item, places(item)) + count * BLOCK_BYTES // 2
        files += count
    return Size(total, total, files)


def values_size(selected: Selected, places: Places, databases: int) -> Size:
    """Estimate what pictures take as values of LMDB, each of which begins a page."""
    total = 0
    for item in selected.items:
        count = len(places(item))
        total += _all_gt_bytes(item, selected) + _lr_bytes(item, places(item)) + count * BLOCK_BYTES // 2
    return Size(total, total, databases * FILES_OF_DATABASE)


def _is_gt_file(place: Place) -> bool:
    """Return whether a picture is the data set's own GT file."""
    return place.kind == "gt" and place.frame == MIDDLE_FRAME


def _content_bytes(item: Item, selected: Selected) -> int:
    return _all_gt_bytes(item, selected) + int(_stack_bytes(item) * SPLIT_BYTES_PER_BYTE)


def _all_gt_bytes(item: Item, selected: Selected) -> int:
    return item.row.gt_bytes * (ALL_GT_BYTES_PER_BYTE if selected.options.gt == "all" else 1)


def _lr_bytes(item: Item, places: Sequence[Place]) -> int:
    frames = sum(place.kind == "lr" for place in places)
    return int(_stack_bytes(item) * SPLIT_BYTES_PER_BYTE * frames / FRAMES_PER_WINDOW)


def _stack_bytes(item: Item) -> int:
    """Return the bytes of an LR stack of all frames."""
    file = lr_file(item.row)
    return (file.size_bytes or 0) * FRAMES_PER_WINDOW // len(file.kind.frames)
