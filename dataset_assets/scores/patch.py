"""All scores of a patch, from its GT and its largest LR stack.

Not here: what each of them is (the other modules).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.scores.detail import detail_db, flat_share
from dataset_assets.scores.neighbours import motion, still_pairs
from dataset_assets.scores.noise import blockiness, noise_sigma
from dataset_assets.scores.subtitles import CropPlace, subtitle
from dataset_assets.video import combed_share

SCORES_VERSION: Final = 1
"""Raised by one whenever a score is added or would be another number for the same files.

Scores of another version are measured again; patches, windows and exports do not depend on it.
"""


@dataclass(frozen=True, slots=True)
class PatchScores:
    """The scores of a patch; each is described where it is measured.

    Attributes:
        detail_db: Of GT and the middle LR frame, dB.
        noise_sigma: Of GT, levels.
        blockiness: Of GT, a ratio.
        flat_share: Of GT, 0..1.
        motion: Of the LR stack, levels.
        still_pairs: Of the LR stack, pairs of neighbours.
        combing: Of GT, 0..1: `video.combed_share`.
        subtitle: Of GT and the LR stack, 0..1; None where it is not known where the crop lies.
    """

    detail_db: float
    noise_sigma: float
    blockiness: float
    flat_share: float
    motion: float
    still_pairs: int
    combing: float
    subtitle: float | None


def score_patch(
    gt: npt.NDArray[np.uint8], lr: npt.NDArray[np.uint8], place: CropPlace | None = None
) -> PatchScores:
    """Measure all scores of a patch.

    Args:
        gt: Ground truth, shape (height, width, 3), uint8, channels blue, green, red.
        lr: LR frames in presentation order, shape (frames, height / scale, width / scale, 3), uint8, the same
            channels; an odd number, whose middle one is of the same frame as GT.
        place: Where the crop lies in its working frame, if that is known.
    """
    gt_luma = luma(gt)
    lr_luma = np.stack([luma(frame) for frame in lr])
    return PatchScores(
        detail_db=_recorded(detail_db(gt, lr[len(lr) // 2])),
        noise_sigma=_recorded(noise_sigma(gt_luma)),
        blockiness=_recorded(blockiness(gt_luma)),
        flat_share=_recorded(flat_share(gt_luma)),
        motion=_recorded(motion(lr_luma)),
        still_pairs=still_pairs(lr),
        combing=_recorded(combed_share(gt_luma)),
        subtitle=None if place is None else _recorded(subtitle(gt_luma, lr_luma, place)),
    )


def luma(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the luma of a picture (BT.601 weights, as all scores were tried): (height, width) uint8."""
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


def _recorded(score: float) -> float:
    """Return a score as the table keeps it, so that a fresh row equals the same row read back."""
    return float(np.float32(score))
