"""`vimeo90k` and `vimeo90k-lmdb`: Vimeo-90K's septuplets, which BasicSR, KAIR and mmagic read.

    GT/<clip>/<window>/im4.png         or im1..im7, with ground truth of all frames
    LQ/<clip>/<window>/im1..im7.png    im2..im6 with 5 frames
    meta_info_GT.txt  ann_mmagic.txt

In LMDB `gt.lmdb` and `lq.lmdb` hold the same under the keys `<clip>/<window>/im4`. BasicSR reads validation
from files only, so `val/` holds files in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from dataset_assets.exports.layouts.picture_files import (
    PictureReader,
    PictureWriter,
    Places,
    StoreKind,
    databases,
    files_size,
    gt_frames,
    split_folder,
    tree,
    triplet_units,
    values_size,
    window_frames,
)
from dataset_assets.exports.layouts.protocol import Job, Paste, Reader, Size, Writer, quoted
from dataset_assets.exports.layouts.stores import META_INFO, Place
from dataset_assets.exports.options import LayoutName
from dataset_assets.exports.selected import SPLITS, Item, Selected, Split
from dataset_assets.exports.units import Unit
from dataset_assets.frames import FRAMES_PER_WINDOW, MIDDLE_FRAME

META_INFO_GT: Final = "meta_info_GT.txt"
ANN_MMAGIC: Final = "ann_mmagic.txt"


class Vimeo90k:
    """Pictures as files."""

    name: LayoutName = "vimeo90k"
    trainers = "BasicSR, KAIR (VRT, RVRT), mmagic"
    links_gt = True
    val_place = "in `val/`"
    needs: Mapping[str, str] = {}
    folders: Mapping[Split, tuple[str, str]] = {"train": ("GT", "LQ"), "val": ("GT", "LQ")}
    kinds: Mapping[Split, StoreKind] = {"train": tree, "val": tree}

    def units(self, selected: Selected) -> list[Unit]:
        """Return a unit for each triplet."""
        return triplet_units(selected)

    def writer(self, job: Job) -> Writer:
        """Open a writer."""
        return _Writer(job, self.places(job.selected), self.kinds, self.folders["train"])

    def reader(self, folder: Path, selected: Selected) -> Reader:
        """Open a finished export."""
        return PictureReader(folder, self.places(selected), self.kinds)

    def size(self, selected: Selected, *, links_gt: bool) -> Size:
        """Estimate what the export takes."""
        return files_size(selected, self.places(selected), links_gt=links_gt)

    def places(self, selected: Selected) -> Places:
        """Return the function that names a triplet's pictures."""
        gts, lrs = gt_frames(selected), window_frames(selected)

        def places(item: Item) -> Sequence[Place]:
            key = septuplet(item)
            gt, lq = self.folders[item.split]
            return [Place(gt, f"{key}/im{frame + 1}", "gt", frame) for frame in gts] + [
                Place(lq, f"{key}/im{frame + 1}", "lr", frame) for frame in lrs
            ]

        return places

    def block(self, paste: Paste) -> str:
        """Return the blocks for BasicSR, KAIR and mmagic."""
        parts = [_basicsr(paste, paste.folder / "GT", paste.folder / "LQ", "disk")]
        if paste.gt == "all":
            parts.append(_kair(paste, paste.folder / "GT", paste.folder / "LQ", "disk"))
        return "\n".join([*parts, _mmagic(paste)])


class Vimeo90kLmdb(Vimeo90k):
    """Training pictures in LMDB."""

    name: LayoutName = "vimeo90k-lmdb"
    trainers = "BasicSR and KAIR from LMDB: from some 50,000 triplets on, 3 files instead of 8 for each"
    links_gt = False
    val_place = "in `val/`"
    needs: Mapping[str, str] = {"lmdb": "lmdb"}
    folders: Mapping[Split, tuple[str, str]] = {"train": ("gt", "lq"), "val": ("GT", "LQ")}
    kinds: Mapping[Split, StoreKind] = {"train": databases, "val": tree}

    def size(self, selected: Selected, *, links_gt: bool) -> Size:
        """Estimate what the export takes."""
        return values_size(selected, self.places(selected), databases=2)

    def block(self, paste: Paste) -> str:
        """Return the blocks for BasicSR and KAIR."""
        parts = [_basicsr(paste, paste.folder / "gt.lmdb", paste.folder / "lq.lmdb", "lmdb")]
        if paste.gt == "all":
            parts.append(_kair(paste, paste.folder / "gt.lmdb", paste.folder / "lq.lmdb", "lmdb"))
        return "\n".join(parts)


class _Writer(PictureWriter):
    """Write the pictures and the lists of them."""

    def __init__(
        self, job: Job, places: Places, kinds: Mapping[Split, StoreKind], names: tuple[str, str]
    ) -> None:
        super().__init__(job, places, kinds)
        self._selected = job.selected
        self._partial = job.partial
        self._of = places
        self._databases = [f"{name}.lmdb" for name in names] if kinds["train"] is databases else []

    def finish(self) -> None:
        """Write the lists."""
        super().finish()
        for split in SPLITS:
            items = self._selected.of(split)
            if items:
                folder = split_folder(self._partial, split)
                # No line feed at the end: loaders that split the text into lines would find one clip more.
                lines = [f"{septuplet(item)} {FRAMES_PER_WINDOW} {shape(item, 1)}" for item in items]
                (folder / META_INFO_GT).write_text("\n".join(lines), encoding="utf-8")
        if self._databases:
            items = self._selected.of("train")
            for name, kind in zip(self._databases, ("gt", "lr"), strict=True):
                (self._partial / name / META_INFO).write_text(
                    "".join(
                        f"{place.key}.png {shape(item, item.row.scale if kind == 'lr' else 1)} 1\n"
                        for item in items
                        for place in self._of(item)
                        if place.kind == kind
                    ),
                    encoding="utf-8",
                )
            return
        for split in SPLITS:
            if items := self._selected.of(split):
                ann = "".join(
                    f"{septuplet(item)} ({item.row.height}, {item.row.width}, 3)\n" for item in items
                )
                (split_folder(self._partial, split) / ANN_MMAGIC).write_text(ann, encoding="utf-8")


def septuplet(item: Item) -> str:
    """Return Vimeo-90K's name of a window, `<clip>/<window>`."""
    return f"{item.clip}/{item.sequence}"


def shape(item: Item, scale: int) -> str:
    """Return a picture's shape as these lists write it; a space in it would be read as the next field."""
    return f"({item.row.height // scale},{item.row.width // scale},3)"


def _basicsr(paste: Paste, gt: Path, lq: Path, backend: str) -> str:
    kind = "Vimeo90KRecurrentDataset" if paste.gt == "all" else "Vimeo90KDataset"
    flip = "\n    flip_sequence: false" if paste.gt == "all" else ""
    block = f"""BasicSR (also EDVR, BasicVSR and what builds on them):

```yaml
scale: {paste.scale}
datasets:
  train:
    name: {quoted(paste.folder.name)}
    type: {kind}
    dataroot_gt: {quoted(gt)}
    dataroot_lq: {quoted(lq)}
    meta_info_file: {quoted(paste.folder / META_INFO_GT)}
    io_backend:
      type: {backend}
    num_frame: {paste.frames}
    gt_size: {paste.gt_size}  # {paste.gt_size_note}
    random_reverse: false
    use_hflip: true
    use_rot: true{flip}
"""
    if paste.has_validation:
        val = paste.folder / "val"
        block += f"""  val:
    name: {quoted(paste.folder.name + "-val")}
    type: VideoTestVimeo90KDataset
    dataroot_gt: {quoted(val / "GT")}
    dataroot_lq: {quoted(val / "LQ")}
    meta_info_file: {quoted(val / META_INFO_GT)}
    io_backend:
      type: disk
    cache_data: false
    num_frame: {paste.frames}
"""
    return block + "```\n"


def _kair(paste: Paste, gt: Path, lq: Path, backend: str) -> str:
    return f"""KAIR (VRT, RVRT):

```json
"scale": {paste.scale},
"datasets": {{
  "train": {{
    "name": "train_dataset",
    "dataset_type": "VideoRecurrentTrainVimeoDataset",
    "dataroot_gt": {quoted(gt)},
    "dataroot_lq": {quoted(lq)},
    "meta_info_file": {quoted(paste.folder / META_INFO_GT)},
    "io_backend": {{"type": "{backend}"}},
    "num_frame": {FRAMES_PER_WINDOW},
    "gt_size": {paste.gt_size},
    "interval_list": [1],
    "random_reverse": true,
    "use_hflip": true,
    "use_rot": true,
    "pad_sequence": true
  }}
}}
```
"""


def _mmagic(paste: Paste) -> str:
    lr = [f"im{frame + 1}.png" for frame in window_frames(paste.selected)]
    gt = lr if paste.gt == "all" else [f"im{MIDDLE_FRAME + 1}.png"]
    return f"""mmagic:

```python
dataset = dict(
    type="BasicFramesDataset",
    metainfo=dict(dataset_type="vimeo90k", task_name="vsr"),
    data_root={quoted(paste.folder)},
    data_prefix=dict(img="LQ", gt="GT"),
    ann_file="{ANN_MMAGIC}",
    depth=2,
    load_frames_list=dict(img={lr}, gt={gt}),
)
```
"""
