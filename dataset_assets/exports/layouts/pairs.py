"""`pairs` and `pairs-lmdb`: the middle frames alone, for trainers of single pictures.

    gt/<clip>_<window>.png  lq/<clip>_<window>.png

In LMDB `gt.lmdb` and `lq.lmdb` hold the same under the keys `<clip>_<window>`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from dataset_assets.exports.layouts.picture_files import (
    PictureReader,
    PictureWriter,
    StoreKind,
    databases,
    files_size,
    split_folder,
    tree,
    triplet_units,
    values_size,
)
from dataset_assets.exports.layouts.protocol import Job, Kind, Paste, Reader, Size, Writer, quoted
from dataset_assets.exports.layouts.redux import redux_block
from dataset_assets.exports.layouts.stores import META_INFO, Place
from dataset_assets.exports.layouts.vimeo90k import shape
from dataset_assets.exports.options import LayoutName
from dataset_assets.exports.selected import SPLITS, Item, Selected, Split
from dataset_assets.exports.units import Unit
from dataset_assets.frames import MIDDLE_FRAME

FOLDERS: Final[tuple[tuple[str, Kind], ...]] = (("gt", "gt"), ("lq", "lr"))


class Pairs:
    """Pictures as files."""

    name: LayoutName = "pairs"
    trainers = "traiNNer-redux, neosr, BasicSR: trainers of single pictures"
    links_gt = True
    val_place = "in `val/`"
    needs: Mapping[str, str] = {}
    kinds: Mapping[Split, StoreKind] = {"train": tree, "val": tree}
    suffix = ""

    def units(self, selected: Selected) -> list[Unit]:
        """Return a unit for each triplet."""
        return triplet_units(selected)

    def writer(self, job: Job) -> Writer:
        """Open a writer."""
        return PictureWriter(job, _places, self.kinds)

    def reader(self, folder: Path, selected: Selected) -> Reader:
        """Open a finished export."""
        return PictureReader(folder, _places, self.kinds)

    def size(self, selected: Selected, *, links_gt: bool) -> Size:
        """Estimate what the export takes."""
        return files_size(selected, _places, links_gt=links_gt)

    def block(self, paste: Paste) -> str:
        """Return the blocks for traiNNer-redux and neosr."""
        return redux_block(paste, "pairedimagedataset", ("gt", "lq")) + "\n" + _neosr(paste, self.suffix)


class PairsLmdb(Pairs):
    """Pictures in LMDB."""

    name: LayoutName = "pairs-lmdb"
    trainers = "neosr from LMDB"
    links_gt = False
    val_place = "in `val/`"
    needs: Mapping[str, str] = {"lmdb": "lmdb"}
    kinds: Mapping[Split, StoreKind] = {"train": databases, "val": databases}
    suffix = ".lmdb"

    def writer(self, job: Job) -> Writer:
        """Open a writer."""
        return _LmdbWriter(job, self.kinds)

    def size(self, selected: Selected, *, links_gt: bool) -> Size:
        """Estimate what the export takes."""
        return values_size(selected, _places, databases=2)

    def block(self, paste: Paste) -> str:
        """Return the block for neosr."""
        return _neosr(paste, self.suffix)


class _LmdbWriter(PictureWriter):
    """Write the pictures and the lists of keys."""

    def __init__(self, job: Job, kinds: Mapping[Split, StoreKind]) -> None:
        super().__init__(job, _places, kinds)
        self._selected = job.selected
        self._partial = job.partial

    def finish(self) -> None:
        """Write the lists."""
        super().finish()
        for split in SPLITS:
            items = self._selected.of(split)
            for name, kind in FOLDERS:
                if items:
                    lines = [
                        f"{item.name}.png {shape(item, item.row.scale if kind == 'lr' else 1)} 1\n"
                        for item in items
                    ]
                    path = split_folder(self._partial, split) / f"{name}.lmdb" / META_INFO
                    path.write_text("".join(lines), encoding="utf-8")


def _places(item: Item) -> Sequence[Place]:
    return [Place(name, item.name, kind, MIDDLE_FRAME) for name, kind in FOLDERS]


def _neosr(paste: Paste, suffix: str) -> str:
    def roots(folder: Path) -> str:
        gt, lq = folder / f"gt{suffix}", folder / f"lq{suffix}"
        return f"dataroot_gt = {quoted(gt)}\ndataroot_lq = {quoted(lq)}\n"

    lines = f"""neosr:

```toml
scale = {paste.scale}

[datasets.train]
type = "paired"
{roots(paste.folder)}\
patch_size = {paste.gt_size // paste.scale}  # LR pixels; {paste.gt_size_note}
"""
    if paste.has_validation:
        lines += f"""
[datasets.val]
name = "val"
type = "paired"
{roots(paste.folder / "val")}"""
    return lines + "```\n"
