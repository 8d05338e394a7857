"""What degrading the LR of a data set costs, and how far it goes, by codec and by step.

    python -m benchmarks.degrading CONFIG [CONFIG ...]

CPU ms a window of a size, the median over its windows and three rounds: encoding the PNG, each step alone,
and each codec at three qualities, with 4 to 11 warm-up frames in turn. PSNR in dB against the clean frames:
the median over the windows; and by how much frame 0 is better than the mean frame of its window, the mean
over the windows: after the mirror image of the window as in `code`, with nothing before it, and after frame 0
repeated as often. What `dataset-assets degrade` takes beside is writing files and tables.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from statistics import fmean, median
from typing import Final, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.config import CodecName, load_settings
from dataset_assets.dataset import DataSet, read_frames
from dataset_assets.degradation import (
    Blurring,
    ChromaLoss,
    Drawn,
    Encoding,
    Noising,
    Scaling,
    code,
    degrade,
    psnr,
)
from dataset_assets.frames import FileKind
from dataset_assets.patches import encode_png
from dataset_assets.tables import PatchRow

ROUNDS: Final = 3
# Windows of each size, spread over the data set.
WINDOWS: Final = 16
WARM_UPS: Final = range(4, 12)
STEPS: Final[tuple[Drawn, ...]] = (
    Blurring(0.8, 0.8, 0.0),
    Scaling(0.75, "area", "bicubic"),
    Noising("gauss", 4.0, is_grey=False, seed=1),
    Noising("poisson", 4.0, is_grey=False, seed=1),
    ChromaLoss(420),
)
QUALITIES: Final[dict[CodecName, tuple[int, ...]]] = {
    "h264": (18, 26, 33),
    "hevc": (20, 28, 35),
    "vp9": (25, 35, 45),
    "av1": (25, 35, 45),
    "mpeg2": (2, 6, 12),
}

Frames = npt.NDArray[np.uint8]
_T = TypeVar("_T")


def main() -> None:
    """Measure windows of each size, of all data sets together."""
    cv2.setNumThreads(1)
    for size, patches in sorted(_patches(sys.argv[1:]).items()):
        some = patches[:: max(1, len(patches) // WINDOWS)][:WINDOWS]
        chosen = [
            frames for folder, row in some if (frames := read_frames(folder, row, FileKind.LR7)) is not None
        ]
        print(f"{size}, {len(chosen)} of {len(patches)} windows")
        cost_ms, _ = _measured(chosen, lambda frames: encode_png(frames.reshape(-1, *frames.shape[2:])))
        print(f"  PNG {cost_ms:.1f} CPU ms")
        for step in STEPS:
            cost_ms, found = _measured(chosen, lambda frames, step=step: degrade(frames, [step]))  # type: ignore[misc]
            print(f"  {step}: {cost_ms:.1f} CPU ms, {median(each.db for each in found):.1f} dB")
        for codec, qualities in QUALITIES.items():
            for quality in qualities:
                _print_codec(chosen, codec, quality)


def _patches(configs: Sequence[str]) -> dict[str, list[tuple[Path, PatchRow]]]:
    """Return the folder and the row of all patches, by the size of their LR."""
    found: dict[str, list[tuple[Path, PatchRow]]] = defaultdict(list)
    for config in configs:
        data_set = DataSet.of(load_settings(Path(config)))
        for triplet in data_set.triplets():
            row = triplet.row
            found[f"{row.width // row.scale}x{row.height // row.scale}"].append((data_set.folder, row))
    return found


def _print_codec(windows: Sequence[Frames], codec: CodecName, quality: int) -> None:
    warm_ups = cycle(WARM_UPS)
    cost_ms, found = _measured(windows, lambda frames: code(frames, Encoding(codec, quality, next(warm_ups))))
    pairs = list(zip(windows, (frames for frames, _ in found), strict=True))
    whole = median(psnr(clean, other) for clean, other in pairs)
    at_once = Encoding(codec, quality, 0)
    leads = {
        "mirrored": [_lead_db(clean, other) for clean, other in pairs],
        "begun": [_lead_db(frames, code(frames, at_once)[0]) for frames in windows],
        "repeated": [
            _lead_db(frames, code(np.concatenate([frames[:1].repeat(count, 0), frames]), at_once)[0][count:])
            for frames, count in zip(windows, cycle(WARM_UPS))
        ],
    }
    shown = ", ".join(f"{name} {fmean(each):+.1f}" for name, each in leads.items())
    kilobytes = median(coding.coded_bytes for _, coding in found) / 1000
    print(f"  {codec} {quality}: {cost_ms:.0f} CPU ms, {whole:.1f} dB, frame 0 {shown}, {kilobytes:.1f} kB")


def _lead_db(clean: Frames, other: Frames) -> float:
    """Return how much better frame 0 is than the mean frame."""
    each_db = [psnr(one, two) for one, two in zip(clean, other, strict=True)]
    return each_db[0] - fmean(each_db)


def _measured(windows: Sequence[Frames], work: Callable[[Frames], _T]) -> tuple[float, list[_T]]:
    """Return CPU ms of a window, and what the last round gave."""
    costs_s: list[float] = []
    found: list[_T] = []
    for _ in range(ROUNDS):
        found = []
        for frames in windows:
            began_s = time.process_time()
            found.append(work(frames))
            costs_s.append(time.process_time() - began_s)
    return 1000 * median(costs_s), found


if __name__ == "__main__":
    main()
