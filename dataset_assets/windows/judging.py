"""Judge a candidate: the rule that rejects it, and the record of what was measured on it.

The rules themselves are in `rules`, the measures in `candidate`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataset_assets.detail_map import DetailMap
from dataset_assets.windows.candidate import Candidate
from dataset_assets.windows.rules import SHOWN_FRAMES, Limits, RejectionRule, rejecting_rule


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on a candidate; `Candidate` describes the scores.

    Attributes:
        signature: Shape (18, 32), uint8: the middle frame's thumbnail that duplicates are detected by.
        preview: Shape (height, width, 3), uint8, blue, green, red: what users see of the window. The active
            area, upright, some 480 pixels across, of the frames that the rule names, side by side.
    """

    mean_abs_diff: float
    cut_score: float
    brightness: float
    contrast: float
    sharpness: float
    repeated_frames: int
    combing: float
    bits_per_pixel: float | None
    detail: DetailMap
    signature: npt.NDArray[np.uint8]
    preview: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a candidate.

    Attributes:
        rule: The rule that rejects it, None where it is accepted.
        measured: What was measured; None where it was rejected before.
    """

    rule: RejectionRule | None
    measured: Measured | None

    @property
    def reason(self) -> str | None:
        """Why it is rejected, None where it is accepted."""
        return self.rule.name if self.rule else None


def judge(candidate: Candidate, limits: Limits) -> Judgement:
    """Judge a candidate, and measure it unless it was rejected before that."""
    rule = rejecting_rule(candidate, limits)
    if rule is not None and not rule.is_measured:
        return Judgement(rule, None)
    measured = Measured(
        mean_abs_diff=candidate.mean_abs_diff,
        cut_score=candidate.cut_score,
        brightness=candidate.brightness,
        contrast=candidate.contrast,
        sharpness=candidate.sharpness,
        repeated_frames=candidate.repeated_frames,
        combing=candidate.combing,
        bits_per_pixel=candidate.bits_per_pixel,
        detail=candidate.detail,
        signature=candidate.signature,
        preview=candidate.picture(rule.shown_frames if rule else SHOWN_FRAMES),
    )
    return Judgement(rule, measured)
