"""`webdataset`: tar shards with the data set's own PNG files, which WebDataset streams.

    <category>-000000.tar: <clip>_<window>.gt.png  <clip>_<window>.lr7.png  <clip>_<window>.json

The JSON is the triplet's row. A shard's triplets are drawn by their names from all films: a shuffle buffer
then mixes films, and a triplet that comes or goes changes one shard and not all behind it.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from dataset_assets.disk import temporary
from dataset_assets.draws import draw
from dataset_assets.exports.layouts.picture_files import window_frames
from dataset_assets.exports.layouts.protocol import Job, Kind, Paste, Reader, Size, Stored, Writer, quoted
from dataset_assets.exports.layouts.stores import Tree
from dataset_assets.exports.options import LayoutName
from dataset_assets.exports.pictures import TripletReader
from dataset_assets.exports.publishing import prune
from dataset_assets.exports.selected import SPLITS, Item, Selected, Split, lr_file
from dataset_assets.exports.units import UNITS_FILE, Unit
from dataset_assets.frames import MIDDLE_FRAME
from dataset_assets.patches import encode_png

# A power of two of shards, each of so many triplets at most on average: 60 to 450 MB.
SHARD_TRIPLETS: Final = 256
SHARD_SEED: Final = 0
TAR_BLOCK_BYTES: Final = 512
# Of each of a triplet's three members: its header, and half a block of padding.
MEMBER_BYTES: Final = TAR_BLOCK_BYTES + TAR_BLOCK_BYTES // 2
JSON_BYTES: Final = 1200


class WebDataset:
    """Tar shards."""

    name: LayoutName = "webdataset"
    trainers = "WebDataset, on object stores and many machines"
    links_gt = False
    val_place = "in `val/`"
    needs: Mapping[str, str] = {}

    def units(self, selected: Selected) -> list[Unit]:
        """Return a unit for each shard."""
        units = []
        for split in SPLITS:
            for category in selected.categories:
                items = [item for item in selected.of(split) if item.triplet.category == category]
                units += _shards(items, split, category)
        return units

    def writer(self, job: Job) -> Writer:
        """Open a writer."""
        return _Writer(job)

    def reader(self, folder: Path, selected: Selected) -> Reader:
        """Open a finished export."""
        return _Reader(folder, self.units(selected), selected)

    def size(self, selected: Selected, *, links_gt: bool) -> Size:
        """Estimate what the export takes."""
        items = selected.items
        total = sum(item.row.gt_bytes + (lr_file(item.row).size_bytes or 0) for item in items)
        total += len(items) * (3 * MEMBER_BYTES + JSON_BYTES)
        return Size(total, total, len(self.units(selected)))

    def block(self, paste: Paste) -> str:
        """Return the lines of Python that open the shards."""
        kind = f"lr{paste.frames}"
        return f"""WebDataset:

```python
from pathlib import Path

import webdataset as wds

shards = sorted(map(str, Path({quoted(paste.folder)}).glob("*.tar")))
# gt: (height, width, 3); {kind}: {paste.frames} frames below one another, {paste.scale} times smaller
# {paste.gt_size_note}
dataset = wds.WebDataset(shards, shardshuffle=100).shuffle(1000)
dataset = dataset.decode("rgb8").to_tuple("gt.png", "{kind}.png")
```
"""


class _Writer:
    """Write shards, each completely by one thread."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._shards = Tree(job.partial, job.former)

    def keep(self, units: Sequence[Unit]) -> list[Unit]:
        """Delete other shards from the partial folder."""
        prune(self._job.partial, {UNITS_FILE, *map(_path, units)})
        return list(units)

    def reuse(self, unit: Unit) -> bool:
        """Link or copy a shard of the former export."""
        return self._shards.take_file(_path(unit))

    def prepare(self, unit: Unit) -> Callable[[], None]:
        """Write a shard under a temporary name; storing it gives it its name."""
        path = self._job.partial / _path(unit)
        path.parent.mkdir(exist_ok=True)
        unnamed = temporary(path)
        # PAX, since the names of a long key do not fit the older headers.
        with tarfile.open(unnamed, "w", format=tarfile.PAX_FORMAT) as tar:
            for item in unit.items:
                for suffix, content in members(item, self._job.reader):
                    header = tarfile.TarInfo(f"{item.name}.{suffix}")
                    header.size = len(content)
                    tar.addfile(header, io.BytesIO(content))

        def name() -> None:
            unnamed.replace(path)

        return name

    def commit(self) -> None:
        """Do nothing: a shard is complete when it has its name."""

    def finish(self) -> None:
        """Do nothing: there are no lists."""

    def close(self) -> None:
        """Do nothing: no shard is open."""


class _Reader:
    """Read triplets from shards."""

    def __init__(self, folder: Path, units: Sequence[Unit], selected: Selected) -> None:
        self._folder = folder
        self._frames = tuple(window_frames(selected))
        self._shards = {item.name: _path(unit) for unit in units for item in unit.items}
        self._opened: dict[str, tarfile.TarFile] = {}

    def stored(self, item: Item) -> Iterator[Stored]:
        """Yield both pictures of a triplet."""
        shard = self._shards[item.name]
        if shard not in self._opened:
            try:
                self._opened[shard] = tarfile.TarFile.open(self._folder / shard)
            except tarfile.TarError as error:
                raise ValueError(f"{shard} is damaged: {error}") from error
        tar = self._opened[shard]
        found: tuple[tuple[str, Kind, tuple[int, ...]], ...] = (
            ("gt", "gt", (MIDDLE_FRAME,)),
            (f"lr{len(self._frames)}", "lr", self._frames),
        )
        for suffix, kind, frames in found:
            member = tar.extractfile(f"{item.name}.{suffix}.png")
            if member is None:
                raise KeyError(item.name)
            yield Stored(kind, frames, member.read())

    def close(self) -> None:
        """Close the shards."""
        for tar in self._opened.values():
            tar.close()


def members(item: Item, reader: TripletReader) -> Iterator[tuple[str, bytes]]:
    """Yield suffix and content of each member of a triplet."""
    yield "gt.png", reader.gt_content(item)
    stack = reader.lr_stack(item)
    if stack is None:
        width, _ = item.lr_size
        stack = encode_png(reader.lr_frames(item).reshape(-1, width, 3))
    yield f"lr{reader.frames}.png", stack
    yield "json", json.dumps(_record(item)).encode()


def _record(item: Item) -> dict[str, Any]:
    row = {"video": item.triplet.video, "category": item.triplet.category, "split": item.split}
    row |= asdict(item.row)
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}


def _shards(items: Sequence[Item], split: Split, category: str) -> list[Unit]:
    count = 1
    while count * SHARD_TRIPLETS < len(items):
        count *= 2
    drawn: dict[int, list[tuple[float, Item]]] = {}
    for item in items:
        number = draw(SHARD_SEED, item.name, "shard")
        drawn.setdefault(int(number * count), []).append((number, item))
    units = []
    for place, (_, members_of) in enumerate(sorted(drawn.items())):
        # By the draw: also within a shard films alternate.
        ordered = tuple(item for _, item in sorted(members_of, key=lambda each: each[0]))
        digest = hashlib.blake2b(digest_size=8)
        for item in ordered:
            digest.update(f"{item.name} {item.digest}\n".encode())
        name = f"{category}-{place:06d}"
        units.append(Unit(f"{split}/{name}" if split == "val" else name, digest.hexdigest(), ordered))
    return units


def _path(unit: Unit) -> str:
    return f"{unit.name}.tar"
