"""One candidate or window at a time: tried or read again, cropped, downscaled, scored and encoded.

What is made of a candidate depends on it and on the windows that were accepted before its round. Not here:
many at a time (`lanes`), which windows stay, and the writing of files and tables (`video_pass`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import av
import numpy as np
import numpy.typing as npt

from dataset_assets.config import BaseSettings
from dataset_assets.dataset import encode_picture, picture_name
from dataset_assets.detail_map import DetailMap
from dataset_assets.errors import SourceLostError, VideoError
from dataset_assets.frames import FRAMES_PER_WINDOW, MIDDLE_FRAME, FileKind
from dataset_assets.generate.reaching import OnAway, open_reader, watched
from dataset_assets.generate.rows import window_row
from dataset_assets.patches import (
    EncodedTriplet,
    Kernel,
    Plan,
    PlannedPatch,
    encode_triplet,
    stack_triplet,
)
from dataset_assets.scores import CropPlace, PatchScores, score_patch
from dataset_assets.tables import WindowRow
from dataset_assets.video import RETRY_DELAYS_S, CropRenderer, FrameReader, Rect, Source, VideoInfo
from dataset_assets.windows import (
    AcceptedSignatures,
    Exclusions,
    Placement,
    Tried,
    WindowFinder,
    rule_named,
    signature_from,
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Job:
    """What is wanted of one candidate.

    Attributes:
        placement: Where it lies.
        recorded: Its row in the table; None where it is to be tried.
        plans: The plans of the categories that want a patch of it where it is accepted, by category.
        kinds: The files to make of each patch, by category and the patch's number in the window; None for a
            patch that is not wanted, none for one that only loses files.
        fills: How much detail the film's first windows hold, see `PatchPlan.patches`.
    """

    placement: Placement
    recorded: WindowRow | None
    plans: Mapping[str, Plan]
    kinds: Mapping[str, Sequence[Collection[FileKind] | None]]
    fills: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class MadePatch:
    """What was made of one patch.

    Attributes:
        planned: What was planned.
        triplet: Its PNG files.
        scores: Its scores; None where its largest LR stack is not made.
    """

    planned: PlannedPatch
    triplet: EncodedTriplet
    scores: PatchScores | None


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of one candidate.

    Attributes:
        job: What was wanted.
        row: Its row, recorded or new.
        patches: What was planned and is wanted, by category; empty where it was rejected.
        pictures: JPEG files of a new one, by name.
    """

    job: Job
    row: WindowRow
    patches: Mapping[str, Sequence[MadePatch]]
    pictures: Mapping[str, bytes]

    @property
    def is_new(self) -> bool:
        """Whether it was tried."""
        return self.job.recorded is None


class Lane:
    """One decoder, and what makes triplets of its frames."""

    def __init__(
        self,
        info: VideoInfo,
        settings: BaseSettings,
        accepted: AcceptedSignatures,
        stop: threading.Event,
        excluded: Exclusions | None = None,
        on_away: OnAway | None = None,
    ) -> None:
        """Open the film.

        Args:
            info: What probing found.
            settings: Limits, colour order and kernel.
            accepted: The windows that were accepted before the present round.
            stop: Set when nothing more is wanted.
            excluded: What is excluded of the film; nothing where None.
            on_away: Called when the film has gone away, and when it is there again.

        Raises:
            VideoError: The film cannot be opened, or the HDR table not be baked.
        """
        self._info = info
        self._settings = settings
        self._accepted = accepted
        self._stop = stop
        self._excluded = excluded
        self._on_away = on_away
        self._source = Source(info.path, info.fingerprint)
        self._renderer = CropRenderer(info.colour, info.geometry, settings.colour_order)
        self._kernel: Kernel = settings.lr_kernel
        # What later scoring measures too; a patch that only gets another file keeps its scores.
        self._scored_stack = FileKind.LR7 if 7 in settings.lr_stacks else FileKind.LR5
        self._reader: FrameReader | None = None
        self._finder = self._open()

    def close(self) -> None:
        """Close the film."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def make(self, job: Job) -> Made:
        """Try a candidate, or read a window again, and make its triplets.

        While the film's disk is away, it retries at growing intervals. The window found is the same whether
        the disk was away before or not.

        Raises:
            SourceLostError: The film stayed away.
            SourceChangedError: The file is another one by now.
            VideoError: A recorded window can no longer be read.
            CancelledError: Nothing more is wanted.
        """
        return self._retried(partial(self._make, job))

    def replay(self, window: WindowRow, rects: Sequence[Rect]) -> list[npt.NDArray[np.uint8]]:
        """Read an accepted window again, and crop all its frames.

        Retries as `make` does, and raises the same errors.

        Args:
            window: Its row.
            rects: The crops in working-frame pixels.

        Returns:
            For each crop frames 0..6: shape (7, height, width, 3), uint8, channels blue, green, red.
        """

        def crops() -> list[npt.NDArray[np.uint8]]:
            return self._renderer.crops(self._read_again(window), rects)

        return self._retried(crops)

    def _retried(self, work: Callable[[], _T]) -> _T:
        with watched(self._on_away) as lost:
            for delay_s in RETRY_DELAYS_S:
                try:
                    return self._checked(work)
                except SourceLostError:
                    lost()
                    self.close()
                    if _is_stopped_within(self._stop, delay_s):
                        raise CancelledError from None
            return self._checked(work)

    def _checked(self, work: Callable[[], _T]) -> _T:
        try:
            if self._reader is None:
                self._finder = self._open()
            return work()
        except VideoError:
            self._source.check()  # an error of decoding is not the reason if the file is away or was replaced
            raise

    def _open(self) -> WindowFinder:
        self._reader = open_reader(self._info)
        return WindowFinder(
            self._reader, self._info, self._settings, self._accepted, self._stop, self._excluded
        )

    def _make(self, job: Job) -> Made:
        if self._stop.is_set():
            raise CancelledError
        frames: list[av.VideoFrame] = []
        if job.recorded is None:
            tried, frames = self._finder.try_out(job.placement)
            made = Made(job, window_row(tried), {}, self._pictures(tried))
            if _doubts_source(made.row):
                self._source.check()
        else:
            made = Made(job, job.recorded, {}, {})
        if not made.row.accepted or not job.plans:
            return made
        detail = None if made.row.detail_map is None else DetailMap(made.row.detail_map)
        wanted = [
            (name, patch, kinds)
            for name, plan in job.plans.items()
            for patch in plan(made.row.window, detail, job.fills)
            if (kinds := job.kinds[name][patch.crop]) is not None
        ]
        if not frames:
            frames = self._read_again(made.row)
        crops = self._renderer.crops(frames, [patch.rect for _, patch, _ in wanted])
        patches: dict[str, list[MadePatch]] = {}
        for (category, patch, kinds), crop in zip(wanted, crops, strict=True):
            pictures = stack_triplet(crop, kinds, self._kernel, self._settings.scale)
            triplet, scores = encode_triplet(pictures), None
            if self._scored_stack in pictures:
                scores = self._score(crop[MIDDLE_FRAME], pictures[self._scored_stack], patch)
            patches.setdefault(category, []).append(MadePatch(patch, triplet, scores))
        return replace(made, patches=patches)

    def _score(
        self, gt: npt.NDArray[np.uint8], stack: npt.NDArray[np.uint8], patch: PlannedPatch
    ) -> PatchScores:
        """Score a patch by its ground truth and its largest LR stack, frames below one another."""
        rect, working_size = patch.rect, self._info.geometry.working_size
        place = CropPlace.of_crop(rect.y, rect.width, rect.height, working_size)
        return score_patch(gt, stack.reshape(len(self._scored_stack.frames), -1, *stack.shape[1:]), place)

    def _pictures(self, tried: Tried) -> dict[str, bytes]:
        name = picture_name(self._info.fingerprint, tried.pts, tried.reason)
        measured = tried.judgement.measured
        return {name: encode_picture(measured.preview)} if name is not None and measured is not None else {}

    def _read_again(self, recorded: WindowRow) -> list[av.VideoFrame]:
        frames = self._finder.read_again(recorded.pts)
        if len(frames) < FRAMES_PER_WINDOW:
            raise VideoError(
                f"the frames of window {recorded.window} at {recorded.time_s:.1f} s cannot be read any more",
                "the file is damaged or changed: replace it, or run generate with --force",
            )
        if recorded.signature is not None and not self._finder.shows(
            frames, signature_from(recorded.signature)
        ):
            raise VideoError(
                f"window {recorded.window} at {recorded.time_s:.1f} s shows another picture than when it was "
                "found",
                "the file was changed: run generate with --force",
            )
        return frames


def _doubts_source(row: WindowRow) -> bool:
    rule = rule_named(row.reason)
    return rule is not None and rule.doubts_source


def _is_stopped_within(stop: threading.Event, delay_s: float) -> bool:
    return stop.wait(delay_s)
