"""What the scores of a data set's patches cost, by format, and how many patches hold nothing to learn.

    python -m benchmarks.scoring CONFIG

CPU ms a patch, the median over all patches of a format and three rounds: reading its two files, and measuring
what each module of `scores` does. What `dataset-assets score` takes beside is writing the tables.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import cv2
import numpy as np

from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet, Triplet, read_frames
from dataset_assets.frames import FileKind
from dataset_assets.scores import (
    CropPlace,
    blockiness,
    detail_db,
    flat_share,
    luma,
    motion,
    noise_sigma,
    score_patch,
    still_pairs,
    subtitle,
)
from dataset_assets.video import combed_share

ROUNDS = 3
NOTHING_TO_LEARN_DB = 50.0
PLACE = CropPlace(0.5, 0.3, 0.5)

_T = TypeVar("_T")


def main() -> None:
    """Measure all patches, one format after the other."""
    cv2.setNumThreads(1)
    data_set = DataSet.of(load_settings(Path(sys.argv[1])))
    formats: dict[str, list[Triplet]] = defaultdict(list)
    for triplet in data_set.triplets():
        formats[f"{triplet.row.width}x{triplet.row.height}"].append(triplet)
    details: list[float] = []
    for name, triplets in sorted(formats.items(), key=lambda item: len(item[0])):
        costs_s: dict[str, list[float]] = defaultdict(list)
        for _ in range(ROUNDS):
            for triplet in triplets:
                details.append(_measure(data_set, triplet, costs_s))
        shown = ", ".join(f"{part} {1000 * median(each):.2f}" for part, each in costs_s.items())
        print(f"{name}, {len(triplets)} patches, CPU ms each: {shown}")
    share = np.mean([each > NOTHING_TO_LEARN_DB for each in details])
    print(f"{len(details) // ROUNDS} patches, nothing to learn in {share:.1%}")


def _measure(data_set: DataSet, triplet: Triplet, costs_s: dict[str, list[float]]) -> float:
    """Measure a patch; return its `detail_db`."""

    def timed(part: str, work: Callable[[], _T]) -> _T:
        began_s = time.process_time()
        result = work()
        costs_s[part].append(time.process_time() - began_s)
        return result

    read = partial(read_frames, data_set.folder, triplet.row)
    gt_frames = timed("reading GT", partial(read, FileKind.GT))
    lr = timed("reading LR", partial(read, FileKind.LR7))
    if gt_frames is None or lr is None:
        raise SystemExit(f"{triplet.row.gt_path}: a file of it is not what its row describes")
    gt = gt_frames[0]
    detail = timed("detail_db", lambda: detail_db(gt, lr[len(lr) // 2]))
    gt_luma, lr_luma = luma(gt), np.stack([luma(frame) for frame in lr])
    timed("noise_sigma", lambda: noise_sigma(gt_luma))
    timed("blockiness", lambda: blockiness(gt_luma))
    timed("flat_share", lambda: flat_share(gt_luma))
    timed("motion", lambda: motion(lr_luma))
    timed("still_pairs", lambda: still_pairs(lr))
    timed("combing", lambda: combed_share(gt_luma))
    timed("subtitle", lambda: subtitle(gt_luma, lr_luma, PLACE))
    timed("all scores", lambda: score_patch(gt, lr, PLACE))
    return detail


if __name__ == "__main__":
    main()
