"""`TripletDataset`: the selected patches as samples of LR frames and GT.

Here: what is refused, which crop and which view of it a sample is. Not here: where pictures are read from
(`reading`, `packed`), the order of an epoch (`sampler`).
"""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Iterator, Sequence
from numbers import Integral
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from dataset_assets.counting import are, counted
from dataset_assets.dataset import DataSet, Triplet, kept_curation, select, sides_of, with_degraded
from dataset_assets.draws import draw_int
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import FRAMES_PER_WINDOW, MIDDLE_FRAME
from dataset_assets.training import variants
from dataset_assets.training.columns import Columns, centred
from dataset_assets.training.packed import LAYOUT, PackedSource
from dataset_assets.training.reading import Area, Pictures, PngSource, Source, Wanted


class Sample(TypedDict):
    """What `TripletDataset` returns for an index.

    Attributes:
        lr: LR frames, uint8, 0..255, RGB: (frames, 3, crop / scale, crop / scale).
        gt: GT of the middle frame, uint8, 0..255, RGB: (3, crop, crop); with `gt_frames="all"` GT of each
            LR frame: (frames, 3, crop, crop).
        category: Name of the category.
        video: Key of the video.
        patch_id: Name of the patch, unique within its category.
    """

    lr: NDArray[np.uint8]
    gt: NDArray[np.uint8]
    category: str
    video: str
    patch_id: str


class TripletDataset:
    """The finished patches of a data set as samples for training, a map-style data set for torch.

    Samples are numpy arrays, contiguous and writable, of which torch's `DataLoader` makes tensors without an
    own `collate_fn`. They stay uint8: conversion to float is free on the GPU, and would cost four times the
    bytes between processes.

    A sample is a function of (`seed`, index, arguments) alone. The number of workers, how they are started
    (fork, spawn, forkserver) and whether they persist change no pixel. An index beyond the length is the same
    patch in another draw, with another crop and another view: `draw * len(dataset) + patch`. `TripletSampler`
    yields such indices; `DataLoader(shuffle=True)` does not, and shows the same crops in every epoch.

    **What is read.** The PNG files of the data set need nothing else, but both files of a patch are decoded
    completely for each crop, however small. An export of the layout `packed` is read where it is complete
    and holds the selected patches as they are: only the blocks that a crop touches are decompressed, which
    takes a tenth of the CPU time for 192x192 of 540x540, and a fiftieth for 192x192 of 1920x1080
    (docs/training.md). For complete patches (`crop=None`) it takes half. `repr(dataset)` names what is read.
    The pixels are the same.

    Attributes:
        scale: How many times smaller an LR frame is than its GT.
        seed: The seed of all draws.
        left_out: Patches that curation leaves out.
        source: Where pictures are read from; `source.description` names it.
        videos: Key of each patch's video, in the order of the indices: (len(dataset),).
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        categories: str | Sequence[str] | None = None,
        *,
        frames: int = FRAMES_PER_WINDOW,
        crop: int | None = 192,
        where: str | None = None,
        split: Literal["train", "val", "all"] = "train",
        formats: str | Sequence[str] = (),
        curated: bool = True,
        augment: bool = True,
        gt_frames: Literal["middle", "all"] = "middle",
        lr: Literal["clean", "degraded"] = "clean",
        packed: bool | str | os.PathLike[str] | None = None,
        seed: int = 0,
    ) -> None:
        """Select the patches and refuse what cannot be read; no picture is opened.

        Args:
            root: The data set's folder, `output_base_dir` in the configuration.
            categories: A category or several; all that have patches by default.
            frames: LR frames of a sample, around the middle one: 1, 3, 5 or 7. Up to 5 are read from
                LR_5frames where that is stored, which takes less time.
            crop: Side of the square crop of GT in pixels, divisible by the scale; the place is drawn. None
                for complete patches, as in validation: samples then differ in size from format to format,
                so that a batch must be of one patch, or of one format by `formats`.
            where: Condition in DuckDB's SQL over the columns of the patches and the windows table, the
                scores, `category`, `video`, and the films' columns as `film.<column>`, such as
                `"detail_db < 50 AND video <> 'feature-film'"`.
            split: `train`, which leaves out what was accepted for validation and its neighbours in time;
                `val` for what was accepted (docs/validation.md); `all` for both and the neighbours, as for
                films that are held out by `where`.
            formats: A format or several; all by default.
            curated: Whether patches are left out that the configuration's `curation` leaves out, as the last
                `curate`, `generate`, `score` or `export` has read it: by default combed ones, and ones of
                which LR lacks nothing. Patches without scores are taken, with a warning.
            augment: Whether a sample is one of 16 views, drawn with its crop: flips, quarter turns, and the
                frames in reverse, each for LR and GT alike. Complete patches that are not square are flipped
                but not turned.
            gt_frames: `middle`, or `all` for GT of each LR frame (recurrent models), which needs a data set
                of `gt_frames: all`; it is read from the PNG files.
            lr: `clean`, or `degraded` for the stacks that `dataset-assets degrade` made.
            packed: Folder of a packed export. By default `exports/packed` of the data set where that fits,
                else the PNG files, with a warning if there is an export that does not fit; True to refuse
                then, False for the PNG files.
            seed: Seed of all draws, at least 0.

        Raises:
            DatasetAssetsError: Nothing is selected, a category or format is unknown, the condition is not
                valid, patches of several scales are selected, `crop` is not divisible by the scale or larger
                than a patch, the frames are not stored, patches have no degraded LR, a packed export that was
                asked for does not fit, or a table cannot be read. The message is one sentence with the
                remedy.
        """
        wanted = _wanted(frames, gt_frames)
        data_set = DataSet(Path(root))
        if not data_set.metadata_folder.is_dir():
            raise DatasetAssetsError(
                f"{root} is no data set", "name the folder that holds metadata/: output_base_dir."
            )
        names = [categories] if isinstance(categories, str) else categories
        chosen = [formats] if isinstance(formats, str) else formats
        _refuse_types(crop, seed, where)
        curation = kept_curation(data_set.folder) if curated else None
        selection = select(data_set, names, where=where, formats=chosen, curation=curation)
        triplets = _of_split(data_set, selection.triplets, split)
        if selection.unscored_sentence:
            warnings.warn(selection.unscored_sentence, stacklevel=2)
        triplets = _of_lr(data_set, triplets, lr)
        _refuse_scales(triplets)
        columns = Columns.of(triplets)
        if crop is not None:
            _refuse_crop(crop, columns)
        if seed < 0:
            raise DatasetAssetsError(f"seed is {seed}", "give a whole number from 0.")
        self.scale = columns.scale
        self.seed = seed
        self.left_out = sum(selection.left_out.values())
        self.source = _source(data_set, triplets, columns, wanted, packed)
        self._columns = columns
        self._crop = crop
        self._augment = augment
        self._is_middle = gt_frames == "middle"

    @property
    def videos(self) -> NDArray[np.str_]:
        """Key of each patch's video, in the order of the indices."""
        return self._columns.videos

    def __len__(self) -> int:
        """Return the number of selected patches."""
        return len(self._columns)

    def __repr__(self) -> str:
        """Return what is selected and read, for people."""
        patches = counted(len(self), "patch")
        videos = counted(len(np.unique(self.videos)), "video")
        left_out = f", {self.left_out:,} left out by curation" if self.left_out else ""
        return f"<TripletDataset: {patches} of {videos}{left_out}, {self.source.description}>"

    def __iter__(self) -> Iterator[Sample]:
        """Iterate over the patches once, in order, each in its first draw."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Sample:
        """Read a sample.

        Args:
            index: `draw * len(self) + patch`; at least 0, without an upper limit.

        Returns:
            The sample.

        Raises:
            IndexError: The index is negative.
            DatasetAssetsError: A file is missing or damaged.
        """
        draw, patch = divmod(operator.index(index), len(self))
        if draw < 0:
            raise IndexError(f"{index} is negative")
        lr, gt = self.source.read(patch, self._area(draw, patch))
        if self._augment:
            variant = draw_int(variants.COUNT, self.seed, "augment", draw, patch)
            is_square = gt.shape[1] == gt.shape[2]
            lr, gt = (variants.varied(each, variant, may_transpose=is_square) for each in (lr, gt))
        lr, gt = _channels_first(lr), _channels_first(gt)
        return Sample(
            lr=lr,
            gt=gt[0] if self._is_middle else gt,
            category=str(self._columns.categories[patch]),
            video=str(self._columns.videos[patch]),
            patch_id=str(self._columns.patch_ids[patch]),
        )

    def __getitems__(self, indices: Sequence[int]) -> list[Sample]:
        """Read a batch, as torch's `DataLoader` asks for it.

        Raises:
            DatasetAssetsError: Complete patches of several sizes, which no tensor holds; or as `__getitem__`.
        """
        samples = [self[index] for index in indices]
        sizes = {sample["gt"].shape[-2:] for sample in samples}
        if len(sizes) > 1:
            raise DatasetAssetsError(
                f"A batch of complete patches has several sizes: {_sizes(sizes)}",
                "set batch_size=1, choose one format by formats=, or set crop.",
            )
        return samples

    def _area(self, draw: int, patch: int) -> Area:
        """Return the crop of a draw in LR pixels."""
        columns = self._columns
        width, height = (int(side[patch]) // self.scale for side in (columns.widths, columns.heights))
        if self._crop is None:
            return Area(0, 0, width, height)
        side = self._crop // self.scale
        x = draw_int(width - side + 1, self.seed, "x", draw, patch)
        y = draw_int(height - side + 1, self.seed, "y", draw, patch)
        return Area(x, y, side, side)


def _of_split(data_set: DataSet, triplets: list[Triplet], split: str) -> list[Triplet]:
    if split not in ("train", "val", "all"):
        raise DatasetAssetsError(f"split is {split!r}", "choose 'train', 'val' or 'all'.")
    if split == "all":
        return triplets
    sides = sides_of(data_set, triplets)
    found = [triplet for triplet, side in zip(triplets, sides, strict=True) if side == split]
    if not found:
        what = "accepted for validation" if split == "val" else "for training: all are set apart"
        raise DatasetAssetsError(
            f"Of the {counted(len(triplets), 'selected patch')} none is {what}",
            "select others, or see docs/validation.md.",
        )
    return found


def _of_lr(data_set: DataSet, triplets: list[Triplet], lr: str) -> list[Triplet]:
    if lr not in ("clean", "degraded"):
        raise DatasetAssetsError(f"lr is {lr!r}", "choose 'clean' or 'degraded'.")
    return with_degraded(data_set.tables, triplets) if lr == "degraded" else triplets


def _channels_first(pictures: Pictures) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))


def _wanted(frames: int, gt_frames: str) -> Wanted:
    if frames not in range(1, FRAMES_PER_WINDOW + 1, 2):
        raise DatasetAssetsError(f"frames is {frames!r}", "choose 1, 3, 5 or 7.")
    if gt_frames not in ("middle", "all"):
        raise DatasetAssetsError(f"gt_frames is {gt_frames!r}", "choose 'middle' or 'all'.")
    lr = centred(frames)
    return Wanted(lr, lr if gt_frames == "all" else range(MIDDLE_FRAME, MIDDLE_FRAME + 1))


def _source(
    data_set: DataSet,
    triplets: Sequence[Triplet],
    columns: Columns,
    wanted: Wanted,
    packed: bool | str | os.PathLike[str] | None,
) -> Source:
    usual = data_set.exports_folder / LAYOUT
    if packed is None and len(wanted.gt) == 1 and usual.is_dir():
        try:
            return PackedSource(usual, triplets, columns, wanted)
        except DatasetAssetsError as error:
            warnings.warn(f"The slower PNG files are read. {error}", stacklevel=3)
    if packed is None or packed is False:
        return PngSource(data_set.folder, triplets, columns, wanted)
    return PackedSource(usual if packed is True else Path(packed), triplets, columns, wanted)


def _refuse_scales(triplets: Sequence[Triplet]) -> None:
    scales = sorted({triplet.row.scale for triplet in triplets})
    if len(scales) > 1:
        raise DatasetAssetsError(
            f"Patches of the scales {' and '.join(map(str, scales))} are selected",
            f"run generate to make all of one scale, or choose by where='scale = {scales[0]}'.",
        )


def _refuse_types(crop: object, seed: object, where: object) -> None:
    """Refuse what a script passes by mistake, before it fails in a worker, hours later."""
    numbers = {"crop": crop, "seed": seed} if crop is not None else {"seed": seed}
    for name, value in numbers.items():
        if not isinstance(value, Integral):
            raise DatasetAssetsError(f"{name} is {value!r}", "give a whole number.")
    if not (where is None or isinstance(where, str)):
        raise DatasetAssetsError(f"where is {where!r}", "give a condition as text.")


def _refuse_crop(crop: int, columns: Columns) -> None:
    if crop < columns.scale or crop % columns.scale:
        raise DatasetAssetsError(
            f"crop is {crop}, which is not a multiple of the scale {columns.scale}",
            _nearest(crop, columns.scale),
        )
    small = np.flatnonzero(np.minimum(columns.widths, columns.heights) < crop)
    if len(small):
        first = small[0]
        side = min(int(columns.widths.min()), int(columns.heights.min()))
        largest = side // columns.scale * columns.scale
        raise DatasetAssetsError(
            f"crop is {crop}, and {counted(len(small), 'patch')} {are(len(small))} smaller, such "
            f"as {columns.name(first)} of the format {columns.formats[first]} "
            f"({columns.widths[first]}x{columns.heights[first]})",
            f"set crop to {largest} or less, or choose larger formats by formats=.",
        )


def _nearest(crop: int, scale: int) -> str:
    below = crop // scale * scale
    return (
        f"the nearest ones are {below} and {below + scale}." if below > 0 else f"the nearest one is {scale}."
    )


def _sizes(sizes: set[tuple[int, ...]]) -> str:
    return " and ".join(f"{width}x{height}" for height, width in sorted(sizes))
