"""Read an export back: whether it holds what was selected, everything opens, and LR lies under its GT.

Here: what is found. Not here: how a layout is read (`layouts`), and repairing, which is exporting again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import numpy as np

from dataset_assets.counting import counted
from dataset_assets.exports.layouts.protocol import Kind, Reader, Stored
from dataset_assets.exports.pictures import Picture, TripletReader, decode
from dataset_assets.exports.planning import ExportPlan
from dataset_assets.exports.publishing import count_files, read_record
from dataset_assets.exports.selected import Item, lr_file
from dataset_assets.exports.units import read_units
from dataset_assets.frames import MIDDLE_FRAME
from dataset_assets.patches import Kernel, downscale, whole_png_size

# Triplets that are decoded and compared, spread evenly: 20 to 80 CPU ms each.
ALIGNED_SAMPLE: Final = 50
SHOWN: Final = 3


@dataclass(slots=True)
class ExportFindings:
    """What is wrong with an export; empty lists if nothing is.

    Attributes:
        counts: What is missing in it, and what is too much.
        opens: Pictures that are missing or damaged, or have another size than their rows.
        aligned: Triplets whose middle LR frame is not the downscale of their GT, or not that of the degraded
            stack.
        triplets: Triplets that were opened.
        compared: Triplets that were compared.
    """

    counts: list[str] = field(default_factory=list)
    opens: list[str] = field(default_factory=list)
    aligned: list[str] = field(default_factory=list)
    triplets: int = 0
    compared: int = 0


def check_export(plan: ExportPlan, *, on_triplets: Callable[[int], None] = lambda _: None) -> ExportFindings:
    """Read an export back.

    Args:
        plan: What it has to hold.
        on_triplets: Called with the number of further triplets that have been read.

    Returns:
        What is wrong with it.
    """
    found = ExportFindings()
    folder, items = plan.folder, plan.selected.items
    _check_counts(plan, folder, found)
    compared = {item.name for item in items[:: max(1, len(items) // ALIGNED_SAMPLE)]}
    source = TripletReader(plan.data_set, plan.selected.options.frames)
    with closing(plan.layout.reader(folder, plan.selected)) as reader:
        for item in items:
            pictures = _check_item(reader, item, found, compares=item.name in compared)
            if pictures and plan.selected.options.lr == "degraded":
                _check_degraded(source, item, pictures, found)
            elif pictures:
                _check_aligned(item, pictures, found)
            on_triplets(1)
    return found


def summary(problems: Sequence[str], remedy: str = "") -> str:
    """Return the first problems, how many more there are, and the remedy; empty where there is none."""
    if not problems:
        return ""
    more = len(problems) - SHOWN
    return "; ".join(problems[:SHOWN]) + (f"; and {counted(more, 'other')}" if more > 0 else "") + remedy


def _check_counts(plan: ExportPlan, folder: Path, found: ExportFindings) -> None:
    record, written = read_record(folder), read_units(folder)
    if record is None:
        found.counts.append(f"{folder} holds no finished export")
        return
    wanted = {unit.name: unit.digest for unit in plan.units}
    missing = sum(written.get(name) != digest for name, digest in wanted.items())
    if missing:
        found.counts.append(f"{missing} of {counted(len(wanted), 'unit')} missing or out of date")
    if more := len(written.keys() - wanted.keys()):
        found.counts.append(f"{counted(more, 'unit')} not selected")
    files = count_files(folder)
    if files != record["files"]:
        found.counts.append(f"{counted(files, 'file')} instead of {record['files']:,}")


def _check_item(reader: Reader, item: Item, found: ExportFindings, *, compares: bool) -> dict[Kind, Picture]:
    """Open a triplet; return the middle frames of a sound one that is to be compared."""
    found.triplets += 1
    try:
        stored = list(reader.stored(item))
        wrong = [each for each in stored if not _has_its_size(item, each)]
        pictures = (
            {each.kind: _middle(item, each) for each in stored if MIDDLE_FRAME in each.frames}
            if (compares and not wrong)
            else {}
        )
    except (OSError, LookupError, ValueError) as error:
        found.opens.append(f"{item.name}: {error}")
        return {}
    if wrong:
        kinds = ", ".join(dict.fromkeys(each.kind for each in wrong))
        found.opens.append(f"{item.name}: {kinds} damaged or of another size")
    return pictures


def _check_aligned(item: Item, pictures: Mapping[Kind, Picture], found: ExportFindings) -> None:
    found.compared += 1
    kernel = cast("Kernel", item.row.kernel)
    small = downscale(pictures["gt"][np.newaxis], kernel, item.row.scale)[0]
    if not np.array_equal(small, pictures["lr"]):
        found.aligned.append(f"{item.name}: the middle LR frame is not the {kernel} downscale of GT")


def _check_degraded(
    source: TripletReader, item: Item, pictures: Mapping[Kind, Picture], found: ExportFindings
) -> None:
    found.compared += 1
    frames = source.lr_frames(item)
    if not np.array_equal(frames[len(frames) // 2], pictures["lr"]):
        found.aligned.append(f"{item.name}: the middle LR frame is not that of {lr_file(item.row).path}")


def _has_its_size(item: Item, stored: Stored) -> bool:
    width, height = (item.row.width, item.row.height) if stored.kind == "gt" else item.lr_size
    if isinstance(stored.content, bytes):
        return whole_png_size(stored.content) == (width, len(stored.frames) * height)
    return stored.content.shape == (len(stored.frames), height, width, 3)


def _middle(item: Item, stored: Stored) -> Picture:
    """Return the middle frame of a window, (height, width, 3)."""
    pictures = decode(stored.content) if isinstance(stored.content, bytes) else stored.content
    frames = pictures.reshape(len(stored.frames), -1, pictures.shape[-2], 3)
    return cast("Picture", frames[stored.frames.index(MIDDLE_FRAME)])
