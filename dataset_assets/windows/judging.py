"""Judging a window: its scores, and the reason for which it is rejected.

The measures themselves are in `measures` and `cuts`; here they get their pictures and their limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import av
import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.frames import MIDDLE_FRAME
from dataset_assets.video.active_area import has_window_bars
from dataset_assets.video.combs import has_combs, sample_lines
from dataset_assets.video.planes import luma_8bit, plane_samples
from dataset_assets.video.probe import VideoInfo
from dataset_assets.video.render import PREVIEW_WIDTH, PreviewRenderer, preview_luma
from dataset_assets.windows import measures
from dataset_assets.windows.cuts import cut_score

Reason = Literal[
    "too_few_frames",
    "corrupt",
    "blocky",
    "other_parameters",
    "cut",
    "near_black",
    "flat",
    "black_bars",
    "blurred",
    "combed",
    "duplicate",
]

# Of attempts that end before their frames are measured, there is no picture either.
UNMEASURED: frozenset[Reason] = frozenset({"too_few_frames", "corrupt", "blocky", "other_parameters"})


class Limits(Protocol):
    """The settings that judging needs; `config.BaseSettings` has them."""

    @property
    def cut_rule(self) -> Literal["both", "blocks", "legacy"]:
        """Which test tells a cut."""

    @property
    def max_mean_abs_diff(self) -> float:
        """The difference of first and last preview at which there is a cut, 0..255."""

    @property
    def max_cut_score(self) -> float:
        """The score of the block test above which there is a cut."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was measured on a window, and the verdict.

    Attributes:
        mean_abs_diff: v2.0's measure: mean difference of the first and last preview, 0..255.
        cut_score: Largest score of the block test, 0 (the same picture) to about 1 (unrelated or blended).
        brightness: 99.5th percentile of the middle frame's preview, 0..255.
        contrast: Standard deviation of the middle frame's preview.
        sharpness: How sharp the middle frame's sharpest edges are, 0..1.
        repeated_frames: How many of the 6 pairs of neighbours show the same picture; never a reason.
        signature: Shape (18, 32), uint8: the middle frame's thumbnail that duplicates are told by.
        preview: Shape (height, width, 3), uint8, blue, green, red: what people should see of the window. The
            active area of the middle frame, upright, some 480 pixels across; where there is a cut that of the
            first frame and that of the last, side by side.
        reason: Why the window is rejected, None where it is accepted.
    """

    mean_abs_diff: float
    cut_score: float
    brightness: float
    contrast: float
    sharpness: float
    repeated_frames: int
    signature: npt.NDArray[np.uint8]
    preview: npt.NDArray[np.uint8]
    reason: Reason | None


class AcceptedSignatures:
    """The signatures of a film's accepted windows, searchable without looking closely at each.

    One thread may add while others search: they see the windows that were there when they began, or more.
    """

    def __init__(self) -> None:
        self._count = 0
        self._means = np.zeros(64)
        self._signatures = np.zeros((64, measures.SIGNATURE_HEIGHT, measures.SIGNATURE_WIDTH), np.uint8)

    def add(self, signature: npt.NDArray[np.uint8]) -> None:
        """Remembers an accepted window."""
        if self._count == len(self._means):
            self._means = np.concatenate([self._means, self._means])
            self._signatures = np.concatenate([self._signatures, self._signatures])
        self._means[self._count] = signature.mean()
        self._signatures[self._count] = signature
        self._count += 1

    def contains_like(self, signature: npt.NDArray[np.uint8]) -> bool:
        """Whether an accepted window shows the same picture.

        Pictures cannot differ less than their means do; in a dark film, where the means are all alike, one
        subtraction for all of them takes 2 ms for 1,000 windows and one for each takes 20.
        """
        limit = measures.DUPLICATE_MEAN_DIFF
        count = self._count  # read before the arrays, which another thread may replace by longer ones
        near = np.flatnonzero(np.abs(self._means[:count] - signature.mean()) <= limit)
        if not near.size:
            return False
        known = self._signatures[near]
        diffs = np.abs(known.astype(np.int16) - signature).mean(axis=(1, 2))
        return any(measures.is_duplicate(each, signature) for each in known[diffs <= limit])


class Judge:
    """Judges the windows of one film."""

    def __init__(self, info: VideoInfo, limits: Limits) -> None:
        """Prepare the preview renderer.

        Raises:
            VideoError: The HDR table could not be baked.
        """
        self._info = info
        self._limits = limits
        self._area = info.geometry.coded_rect(info.active)
        self._preview = PreviewRenderer(info.colour, info.geometry, self._area)

    def judge(self, frames: Sequence[av.VideoFrame], accepted: AcceptedSignatures) -> Judgement:
        """Judges a window of 7 decoded frames.

        Args:
            frames: The window, presentation order.
            accepted: The film's windows accepted so far.
        """
        pictures = [self._preview.picture(frame) for frame in frames[::MIDDLE_FRAME]]
        first, middle, last = map(preview_luma, pictures)
        lumas = [self._luma(frame) for frame in frames]
        mean_abs_diff = measures.mean_abs_diff(first, last)
        score = cut_score([luma.astype(np.float32) for luma in lumas])
        bright, contrast = measures.brightness(middle), measures.contrast(middle)
        sharp = measures.sharpness(self._working_luma(frames[MIDDLE_FRAME]))
        repeats = measures.repeated_frames(lumas)
        signature = measures.signature(middle)
        reason: Reason | None = None
        if self._is_cut(mean_abs_diff, score):
            reason = "cut"
        elif bright < measures.MIN_BRIGHTNESS:
            reason = "near_black"
        elif contrast < measures.MIN_CONTRAST:
            reason = "flat"
        elif self._has_bars(frames):
            reason = "black_bars"
        elif sharp < measures.MIN_SHARPNESS:
            reason = "blurred"
        elif has_combs([sample_lines(frame, self._area) for frame in frames]):
            reason = "combed"
        elif accepted.contains_like(signature):
            reason = "duplicate"
        shown = [pictures[0], pictures[2]] if reason == "cut" else [pictures[1]]
        preview = np.hstack([self._preview.upright(picture) for picture in shown])
        return Judgement(mean_abs_diff, score, bright, contrast, sharp, repeats, signature, preview, reason)

    def signature(self, frames: Sequence[av.VideoFrame]) -> npt.NDArray[np.uint8]:
        """Return the signature of a window of 7 decoded frames, as `judge` takes it."""
        return measures.signature(preview_luma(self._preview.picture(frames[MIDDLE_FRAME])))

    def _is_cut(self, mean_abs_diff: float, score: float) -> bool:
        rule = self._limits.cut_rule
        by_difference = rule != "blocks" and mean_abs_diff >= self._limits.max_mean_abs_diff
        by_blocks = rule != "legacy" and score > self._limits.max_cut_score
        return by_difference or by_blocks

    def _has_bars(self, frames: Sequence[av.VideoFrame]) -> bool:
        area, colour = self._area, self._info.colour
        lumas = [
            plane_samples(frame, frame.planes[0])[area.y : area.bottom, area.x : area.right]
            for frame in frames[::MIDDLE_FRAME]
        ]
        return has_window_bars(lumas, full_range=colour.full_range, bit_depth=colour.bit_depth)

    def _luma(self, frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
        step = max(1, self._area.width // PREVIEW_WIDTH)
        return luma_8bit(frame, self._area, step)

    def _working_luma(self, frame: av.VideoFrame) -> npt.NDArray[np.float32]:
        """Untouched luma of the active area at working scale, 0..255."""
        area, scaled = self._area, self._info.geometry.before_turning(self._info.active)
        samples = plane_samples(frame, frame.planes[0])[area.y : area.bottom, area.x : area.right]
        picture = cv2.resize(samples, (scaled.width, scaled.height), interpolation=cv2.INTER_AREA)
        luma: npt.NDArray[np.float32] = picture.astype(np.float32)
        luma *= 0.5 ** (self._info.colour.bit_depth - 8)
        return luma
