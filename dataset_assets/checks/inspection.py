"""Read triplets of a video back: complete files, no cut, no black bar, no combs.

Here: what is measured. Not here: the limits and verdicts (`verdicts`). Of at most 50 triplets the files are
read and their checksums tested, and their pictures too, 20 to 35 CPU ms each: of a UHD film's 1.5 CPU s for a
window 2 % with 50 windows, 0.1 % with a thousand. Reading all of them would move every byte a second time
over the network; sizes and hashes of the rows are those of the bytes that were written, and `verify` reads
all files back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.dataset import DataSet, triplet_files
from dataset_assets.frames import FileKind
from dataset_assets.patches import whole_png_size
from dataset_assets.tables import PatchRow
from dataset_assets.video import has_crop_bar, looks_combed
from dataset_assets.windows import cut_score

SAMPLE = 50
# In a crop, a fast object changes as much as a cut: the limit of full frames, 0.65, takes 1.8 % of 11,494
# crops of windows without a cut of 37 films for a cut. But a cut separates only one pair of neighbours. Of
# crops over real cuts 96.5 % show a pair that leads the next by 0.25, of the others 0.4 % in the films with
# the most alarms (screen recordings, test cards), a tenth of the alarms without the lead.
MAX_CROP_CUT_SCORE = 0.65
MIN_CUT_LEAD = 0.25

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a category's triplets of a video.

    Attributes:
        triplets: How many there are.
        broken: Ids of the sampled triplets with a file that is missing, damaged, or not as its row describes
            it.
        sampled: Triplets that were read.
        over_a_cut: Ids of those whose frames show a cut.
        barred: Ids of those with a black bar along an edge.
        combed: Ids of those with combs in the ground truth.
    """

    triplets: int
    broken: tuple[str, ...]
    sampled: int
    over_a_cut: tuple[str, ...]
    barred: tuple[str, ...]
    combed: tuple[str, ...] = ()


def inspect_triplets(data_set: DataSet, rows: Sequence[PatchRow]) -> Inspection:
    """Read the files of a sample spread evenly over the triplets, and test their pictures.

    Args:
        data_set: The data set.
        rows: The triplets.
    """
    step = max(1, -(-len(rows) // SAMPLE))
    broken, over_a_cut, barred, combed = [], [], [], []
    sample = rows[::step]
    for row in sample:
        files = _complete_files(data_set, row)
        if files is None:
            broken.append(row.patch_id)
            continue
        gt, frames = _luma(files[FileKind.GT]), _lr_frames(files)
        if shows_cut(frames):
            over_a_cut.append(row.patch_id)
        if has_crop_bar([gt], full_range=True) or has_crop_bar(frames, full_range=True):
            barred.append(row.patch_id)
        if looks_combed(gt):
            combed.append(row.patch_id)
    return Inspection(len(rows), tuple(broken), len(sample), tuple(over_a_cut), tuple(barred), tuple(combed))


def shows_cut(frames: Sequence[Picture]) -> bool:
    """Return whether a crop's frames show a cut.

    Args:
        frames: Luma of the 5 or 7 LR frames, (height, width) uint8.
    """
    luma = [frame.astype(np.float32) for frame in frames]
    if cut_score(luma) <= MAX_CROP_CUT_SCORE:
        return False
    *_, next_to_worst, worst = sorted(cut_score(pair) for pair in pairwise(luma))
    return worst - next_to_worst >= MIN_CUT_LEAD


def _complete_files(data_set: DataSet, row: PatchRow) -> dict[FileKind, bytes] | None:
    """Return the files of a triplet that are what its row says; None where one is not."""
    contents = {}
    for file in triplet_files(row):
        try:
            content = data_set.path_of(file.path).read_bytes()
        except OSError:
            return None
        if len(content) != file.size_bytes or whole_png_size(content) != (file.width, file.height):
            return None
        contents[file.kind] = content
    return contents


def _lr_frames(files: Mapping[FileKind, bytes]) -> list[Picture]:
    """Return the luma of the frames of a triplet's largest LR stack."""
    kind = max((kind for kind in files if kind.is_lr), key=lambda kind: len(kind.frames))
    stack = _luma(files[kind])
    return list(stack.reshape(len(kind.frames), -1, stack.shape[1]))


def _luma(content: bytes) -> Picture:
    """Return the luma of a picture file."""
    luma = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if luma is None:
        raise ValueError("a PNG whose checksums are right cannot be decoded")
    return luma.astype(np.uint8, copy=False)
