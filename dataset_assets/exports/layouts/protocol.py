"""What a layout is to the rest of an export.

A layout names its units, writes and reads them, and describes itself to its trainers. Not here: which units
are written again, when, and by how many threads (`writing`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from dataset_assets.exports.all_gt import AllGt
from dataset_assets.exports.options import Frames, GtFrames, LayoutName
from dataset_assets.exports.pictures import Picture, TripletReader
from dataset_assets.exports.selected import Item, Selected
from dataset_assets.exports.units import Unit

Kind = Literal["gt", "lr"]


@dataclass(frozen=True, slots=True)
class Job:
    """What a writer works on.

    Attributes:
        partial: The folder that the export is written in.
        former: The export before, from which units are taken over; None where there is none.
        selected: The triplets.
        reader: Reads the data set's files.
        all_gt: Gives the ground truth of all frames; None where the middle frame's is exported.
        workers: Threads.
    """

    partial: Path
    former: Path | None
    selected: Selected
    reader: TripletReader
    all_gt: AllGt | None
    workers: int


@dataclass(frozen=True, slots=True)
class Size:
    """An estimate of what an export takes.

    Attributes:
        size_bytes: Bytes that it takes on its disk, files that are linked not counted.
        peak_bytes: The most that it takes while it is written.
        files: Its files.
    """

    size_bytes: int
    peak_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Paste:
    """What a trainer's option block is made of.

    Attributes:
        folder: The export's folder, absolute.
        data_set: The data set's folder, absolute.
        scale: How many times smaller LR is.
        frames: LR frames of each window.
        gt: Whether GT of the middle frame is there, or of all.
        gt_size: The largest crop that all patches allow, divisible by the scale, in GT pixels.
        has_validation: Whether there is a validation split.
        selected: The triplets.
    """

    folder: Path
    data_set: Path
    scale: int
    frames: Frames
    gt: GtFrames
    gt_size: int
    has_validation: bool
    selected: Selected

    @property
    def gt_size_note(self) -> str:
        """What a comment says of the size of crops."""
        return f"gt_size {self.gt_size} is the largest for the smallest patch; divisible by {self.scale}"


def quoted(value: Path | str) -> str:
    """Return a string as YAML, TOML, JSON and Python read it, whatever is in it."""
    return json.dumps(str(value), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """One or more frames of a triplet as they lie in an export.

    Attributes:
        kind: Ground truth or LR.
        frames: Which frames of the window, stacked downwards.
        content: A PNG, or an array of shape (frames, height, width, 3), channels blue, green, red.
    """

    kind: Kind
    frames: tuple[int, ...]
    content: bytes | Picture


class Writer(Protocol):
    """Write the units of an export. Only `prepare` is called by several threads."""

    def keep(self, units: Sequence[Unit]) -> list[Unit]:
        """Delete what the partial folder holds of other units than these, which a stopped run stored.

        Returns:
            Those of them that need not be stored again.
        """

    def reuse(self, unit: Unit) -> bool:
        """Take a unit over from the former export, which has it with the same digest.

        Returns:
            Whether it could; the unit's files may be there in part otherwise.
        """

    def prepare(self, unit: Unit) -> Callable[[], None]:
        """Read and encode a unit.

        Returns:
            What stores it, called in the main thread.

        Raises:
            DatasetAssetsError: A file of the data set is not what its row describes.
        """

    def commit(self) -> None:
        """Hand what was stored since the last commit over to the operating system."""

    def finish(self) -> None:
        """Complete the export once all units are stored."""

    def close(self) -> None:
        """Close what is open; also after errors."""


class Reader(Protocol):
    """Read the triplets of a finished export."""

    def stored(self, item: Item) -> Iterator[Stored]:
        """Yield the frames of a triplet.

        Raises:
            OSError: A file is missing or cannot be read.
            LookupError: The triplet is not in the export.
            ValueError: A file is damaged.
        """

    def close(self) -> None:
        """Close what is open."""


class Layout(Protocol):
    """One way to lay triplets out for a trainer."""

    @property
    def name(self) -> LayoutName:
        """Its name."""

    @property
    def trainers(self) -> str:
        """Who reads it, in a few words."""

    @property
    def needs(self) -> Mapping[str, str]:
        """Modules beyond the project's own needs, and the extra of `dataset-assets` that installs each."""

    @property
    def links_gt(self) -> bool:
        """Whether GT files can be hard-linked into it."""

    @property
    def val_place(self) -> str:
        """Where its triplets for validation are, in a few words."""

    def units(self, selected: Selected) -> list[Unit]:
        """Return what is written in one step each, in the order to write it."""

    def writer(self, job: Job) -> Writer:
        """Open a writer."""

    def reader(self, folder: Path, selected: Selected) -> Reader:
        """Open a finished export."""

    def size(self, selected: Selected, *, links_gt: bool) -> Size:
        """Estimate what the export takes."""

    def block(self, paste: Paste) -> str:
        """Return the trainers' option blocks, in Markdown."""
