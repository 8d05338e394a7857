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
        return redux_block(paste, "pairedvideodataset", ("hr", "lr"), clip_size=paste.frames)


def redux_block(paste: Paste, type_: str, folders: tuple[str, str], *, clip_size: int | None = None) -> str:
    """Return the options of traiNNer-redux.

    Args:
        paste: What they are made of.
        type_: Its class of data sets.
        folders: Names of the folders of GT and LR.
        clip_size: LR frames of a sample; None where its class reads single pictures.
    """

    def read(name: str, folder: Path) -> str:
        gt, lr = (folder / each for each in folders)
        return f"""    name: {quoted(name)}
    type: {type_}
    dataroot_gt: [{quoted(gt)}]
    dataroot_lq: [{quoted(lr)}]
""" + (f"    clip_size: {clip_size}\n" if clip_size else "")

    name = paste.folder.name
    lines = f"""traiNNer-redux:

```yaml
scale: {paste.scale}
datasets:
  train:
{read(name, paste.folder)}\
    lq_size: {paste.gt_size // paste.scale}  # LR pixels; {paste.gt_size_note}
    use_hflip: true
    use_rot: true
"""
    if paste.has_validation:
        lines += "  val:\n" + read(f"{name}-val", paste.folder / "val")
    return lines + "```\n"


def _places(selected: Selected) -> Places:
    gts, lrs = gt_frames(selected), window_frames(selected)

    def places(item: Item) -> Sequence[Place]:
        # The trainer takes what comes before the first `_` for the clip: each crop is one.
        name = f"{item.clip}-{item.sequence.replace('_', '-')}"
        return [Place("hr", f"{name}_Frame{frame + 1}", "gt", frame) for frame in gts] + [
            Place("lr", f"{name}_Frame{frame + 1}", "lr", frame) for frame in lrs
        ]

    return places
