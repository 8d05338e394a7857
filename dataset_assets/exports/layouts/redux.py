"""`redux`: clips in two flat folders, which traiNNer-redux' `PairedVideoDataset` reads.

    hr/<clip>-<window>_Frame4.png         or Frame1..Frame7, with ground truth of all frames
    lr/<clip>-<window>_Frame1..7.png      Frame2..6 with 5 frames

What comes before the first `_` is the clip; a frame of `lr` that `hr` also has can be the middle of a sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dataset_assets.exports.layouts.picture_files import (
    PictureReader,
    PictureWriter,
    Places,
    StoreKind,
    files_size,
    gt_frames,
    tree,
    triplet_units,
    window_frames,
)
from dataset_assets.exports.layouts.protocol import Job, Paste, Reader, Size, Writer, quoted
from dataset_assets.exports.layouts.stores import Place
from dataset_assets.exports.options import LayoutName
from dataset_assets.exports.selected import Item, Selected, Split
from dataset_assets.exports.units import Unit


class Redux:
    """Clips in flat folders."""

    name: LayoutName = "redux"
    trainers = "traiNNer-redux (TSCUNet, TemporalSPAN)"
    links_gt = True
    val_place = "in `val/`"
    needs: Mapping[str, str] = {}
    kinds: Mapping[Split, StoreKind] = {"train": tree, "val": tree}

    def units(self, selected: Selected) -> list[Unit]:
        """Return a unit for each triplet."""
        return triplet_units(selected)

    def writer(self, job: Job) -> Writer:
        """Open a writer."""
        return PictureWriter(job, _places(job.selected), self.kinds)

    def reader(self, folder: Path, selected: Selected) -> Reader:
        """Open a finished export."""
        return PictureReader(folder, _places(selected), self.kinds)

    def size(self, selected: Selected, *, links_gt: bool) -> Size:
        """Estimate what the export takes."""
        return files_size(selected, _places(selected), links_gt=links_gt)

    def block(self, paste: Paste) -> str:
        """Return the block for traiNNer-redux."""
        lines = f"""traiNNer-redux:

```yaml
scale: {paste.scale}
datasets:
  train:
    name: {quoted(paste.folder.name)}
    type: pairedvideodataset
    dataroot_gt: [{quoted(paste.folder / "hr")}]
    dataroot_lq: [{quoted(paste.folder / "lr")}]
    clip_size: {paste.frames}
    lq_size: {paste.gt_size // paste.scale}  # LR pixels; {paste.gt_size_note}
    use_hflip: true
    use_rot: true
"""
        if paste.has_validation:
            lines += f"""  val:
    name: {quoted(paste.folder.name + "-val")}
    type: pairedvideodataset
    dataroot_gt: [{quoted(paste.folder / "val" / "hr")}]
    dataroot_lq: [{quoted(paste.folder / "val" / "lr")}]
    clip_size: {paste.frames}
"""
        return lines + "```\n"


def _places(selected: Selected) -> Places:
    gts, lrs = gt_frames(selected), window_frames(selected)

    def places(item: Item) -> Sequence[Place]:
        name = f"{item.clip}-{item.sequence}"
        return [Place("hr", f"{name}_Frame{frame + 1}", "gt", frame) for frame in gts] + [
            Place("lr", f"{name}_Frame{frame + 1}", "lr", frame) for frame in lrs
        ]

    return places
