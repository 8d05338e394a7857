"""Windows of one film made side by side: tried or read again, cropped, downscaled and encoded in threads.

A lane is a thread with a decoder of its own. What is made of a candidate depends on it and on the windows
that were accepted before its round, so results are the same however many lanes there are. Which windows stay
is settled by the caller, and so is the writing of files and tables.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from time import sleep as pause
from types import TracebackType
from typing import Self, TypeVar

import av
import numpy as np
import numpy.typing as npt

from dataset_assets.config import BaseSettings
from dataset_assets.dataset import encode_picture, picture_name
from dataset_assets.errors import SourceLostError, VideoError
from dataset_assets.frames import FRAMES_PER_WINDOW, FileKind
from dataset_assets.generate.rows import window_row
from dataset_assets.patches import EncodedTriplet, Kernel, PlannedPatch, encode_triplet, stack_triplet
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
OnAway = Callable[[bool], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What is wanted of one candidate.

    Attributes:
        placement: Where it lies.
        recorded: Its row in the table; None where it is to be tried.
        patches: The patches to make of it where it is accepted, by category.
        kinds: The files to make of each patch, by category.
    """

    placement: Placement
    recorded: WindowRow | None
    patches: Mapping[str, PlannedPatch]
    kinds: Mapping[str, Collection[FileKind]]


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of one candidate.

    Attributes:
        job: What was wanted.
        row: Its row, recorded or new.
        triplets: PNG files by category; empty where it was rejected.
        pictures: JPEG files of a new one, by name.
    """

    job: Job
    row: WindowRow
    triplets: Mapping[str, EncodedTriplet]
    pictures: Mapping[str, bytes]

    @property
    def is_new(self) -> bool:
        """Whether it was tried."""
        return self.job.recorded is None


@contextmanager
def _watched(on_away: OnAway | None) -> Iterator[Callable[[], None]]:
    """Give what is called each time that the film is away; report the first time, and the end of it."""
    is_away = False

    def lost() -> None:
        nonlocal is_away
        if on_away is not None and not is_away:
            on_away(True)
        is_away = True

    try:
        yield lost
    finally:
        if on_away is not None and is_away:
            on_away(False)


def _doubts_source(row: WindowRow) -> bool:
    rule = rule_named(row.reason)
    return rule is not None and rule.doubts_source


class KeyframeIndex:
    """The keyframes of a film, for placing candidates; opened when the first is asked for."""

    def __init__(self, info: VideoInfo, on_away: OnAway | None = None) -> None:
        """Open nothing yet.

        Args:
            info: What probing found.
            on_away: Called when the film has gone away, and when it is there again.
        """
        self._info = info
        self._on_away = on_away
        self._source = Source(info.path, info.fingerprint)
        self._reader: FrameReader | None = None

    def keyframe_at(self, pts: int) -> int | None:
        """Return the last keyframe at or before `pts`, else the film's first; None where there is none.

        While the film's disk is away it tries again, later and later.

        Raises:
            SourceLostError: The film stayed away.
            SourceChangedError: The file is another one by now.
            VideoError: The film cannot be opened.
        """
        with _watched(self._on_away) as lost:
            for delay_s in RETRY_DELAYS_S:
                try:
                    return self._keyframe_at(pts)
                except SourceLostError:
                    lost()
                    self.close()
                    pause(delay_s)
            return self._keyframe_at(pts)

    def close(self) -> None:
        """Close the film."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _keyframe_at(self, pts: int) -> int | None:
        try:
            if self._reader is None:
                self._source.check()
                self._reader = _open(self._info)
            keyframe = self._reader.keyframe_at(pts)
        except VideoError:
            self._source.check()
            raise
        if keyframe is None:
            self._source.check()  # a film that went away looks as if it had none
        return keyframe


def _open(info: VideoInfo) -> FrameReader:
    return FrameReader(
        info.path,
        parts=info.parts,
        deinterlace=info.interlaced,
        field_order=info.field_order,
        max_step=info.max_step,
    )


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
        with _watched(self._on_away) as lost:
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
        self._reader = _open(self._info)
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
        if not made.row.accepted or not job.patches:
            return made
        if not frames:
            frames = self._read_again(made.row)
        crops = self._renderer.crops(frames, [patch.rect for patch in job.patches.values()])
        triplets = {
            category: encode_triplet(
                stack_triplet(crop, job.kinds[category], self._kernel, self._settings.scale)
            )
            for category, crop in zip(job.patches, crops, strict=True)
        }
        return replace(made, triplets=triplets)

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


def _is_stopped_within(stop: threading.Event, delay_s: float) -> bool:
    return stop.wait(delay_s)


class Lanes:
    """A number of lanes, and the jobs spread over them."""

    def __init__(
        self, count: int, checkpoint_every: int, open_lane: Callable[[threading.Event], Lane]
    ) -> None:
        """Store the arguments; nothing is started.

        Args:
            count: Lanes at most.
            checkpoint_every: Windows that a killed run may lose.
            open_lane: Opens a lane, in its thread; the event is set when nothing more is wanted.
        """
        # Neighbours share a GOP: a lane takes a few in a row, so that fewer frames are decoded twice.
        self._batch = max(1, checkpoint_every // (2 * count)) if count > 1 else 1
        # Twice as many as lanes, so that none waits for the first; with one lane nothing runs ahead.
        self._batches = 2 * count - 1
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="lane")
        self._open_lane = open_lane
        self._own = threading.local()
        self._opened: list[Lane] = []

    @property
    def ahead(self) -> int:
        """Windows that may be made while the one before them is not returned yet."""
        return self._batch * (self._batches - 1)

    def __enter__(self) -> Self:
        """Return the lanes themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the lanes and close their films."""
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)
        for lane in self._opened:
            lane.close()

    def make(self, jobs: Iterable[Job]) -> Iterator[Made]:
        """Make all jobs.

        Yields:
            What was made, in the order of the jobs.

        Raises:
            VideoError: The film cannot be opened, or a recorded window no longer be read.
        """
        waiting, running = iter(jobs), deque[Future[list[Made]]]()
        while batch := list(islice(waiting, self._batch)):
            running.append(self._pool.submit(self._make_all, batch))
            if len(running) == self._batches:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()

    def _make_all(self, jobs: Sequence[Job]) -> list[Made]:
        lane: Lane | None = getattr(self._own, "lane", None)
        if lane is None:
            lane = self._own.lane = self._open_lane(self._stop)
            self._opened.append(lane)
        return [lane.make(job) for job in jobs]
