"""Trying a candidate: its frames decoded and judged, and windows read again.

Brings placing, decoding and judging together. Which candidates are tried, and what is done with an accepted
window, is decided by the caller.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from itertools import islice

import av

from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video import CorruptFrameError, FrameReader, VideoInfo, has_parameters
from dataset_assets.windows.candidate import Candidate, FilmPictures
from dataset_assets.windows.duplicates import AcceptedSignatures
from dataset_assets.windows.exclusions import Exclusions
from dataset_assets.windows.judging import Judgement, judge
from dataset_assets.windows.measures import Preview, is_duplicate
from dataset_assets.windows.rules import Limits
from dataset_assets.windows.sampling import Placement


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate that was tried.

    Attributes:
        placement: Where it lies.
        time_s: Place of its first frame, or where that was looked for: seconds of film time.
        pts: PTS of the frames that were read: 7, or fewer where there are no more.
        keyframe: Whether its first frame is a keyframe.
        judgement: The verdict, and what was measured.
    """

    placement: Placement
    time_s: float
    pts: tuple[int, ...]
    keyframe: bool
    judgement: Judgement

    @property
    def reason(self) -> str | None:
        """Why it was rejected, None where it was accepted."""
        return self.judgement.reason


class WindowFinder:
    """Tries the candidates of one film, and reads windows again."""

    def __init__(
        self,
        reader: FrameReader,
        info: VideoInfo,
        limits: Limits,
        accepted: AcceptedSignatures,
        stop: threading.Event,
        excluded: Exclusions | None = None,
    ) -> None:
        """Prepare the previews.

        Args:
            reader: The open film.
            info: What probing found.
            limits: The limits that candidates are judged by.
            accepted: Windows that were accepted before every candidate that is tried.
            stop: Set when nothing more is wanted.
            excluded: What is excluded of the film; nothing where None.

        Raises:
            VideoError: The HDR table could not be baked.
        """
        self._reader = reader
        self._info = info
        self._limits = limits
        self._pictures = FilmPictures(info)
        self._accepted = accepted
        self._stop = stop
        self._excluded = excluded

    def try_out(self, placement: Placement) -> tuple[Tried, list[av.VideoFrame]]:
        """Decode and judge a candidate.

        Args:
            placement: Where it lies; not passed over.

        Returns:
            What came of it, and its 7 frames; none where it was rejected.

        Raises:
            CancelledError: `stop` was set.
        """
        if self._stop.is_set():
            raise CancelledError
        if placement.keyframe is None or placement.start is None:
            raise ValueError(f"candidate {placement.number} was passed over")
        frames, is_corrupt = self._read(placement.keyframe, placement.start)
        pts = tuple(frame.pts for frame in frames if frame.pts is not None)
        timeline = self._info.timeline
        candidate = Candidate(
            self._pictures,
            frames,
            self._accepted,
            is_corrupt=is_corrupt,
            has_film_parameters=all(map(self._has_film_parameters, frames)),
            is_complete=len(pts) == FRAMES_PER_WINDOW and pts[-1] < timeline.end_of_span(pts[0]),
            size_bytes=self._reader.size_bytes(pts),
            is_excluded=self._excluded is not None and self._excluded.hold_window(pts),
        )
        place_pts = pts[0] if pts else placement.start
        tried = Tried(
            placement,
            time_s=float(timeline.ticks_at(place_pts) * self._info.time_base),
            pts=pts,
            keyframe=bool(frames) and frames[0].key_frame,
            judgement=judge(candidate, self._limits),
        )
        return tried, frames if tried.reason is None else []

    def read_again(self, pts: Sequence[int]) -> list[av.VideoFrame]:
        """Decode a recorded window.

        Args:
            pts: PTS of its 7 frames.

        Returns:
            The frames; fewer than 7 if the film does not have them any more.
        """
        keyframe = self._reader.keyframe_at(pts[0])
        if keyframe is None:
            return []
        try:
            frames = list(islice(self._reader.frames(keyframe, pts[0]), FRAMES_PER_WINDOW))
        except CorruptFrameError:
            return []
        return frames if [frame.pts for frame in frames] == list(pts) else []

    def shows(self, frames: Sequence[av.VideoFrame], signature: Preview) -> bool:
        """Return whether a window that was read again shows the picture that its signature was taken of."""
        return is_duplicate(self._pictures.signature(frames), signature)

    def _read(self, keyframe: int, start: int) -> tuple[list[av.VideoFrame], bool]:
        """Decode a window, or what there is of it; and whether the decoder found errors."""
        frames: list[av.VideoFrame] = []
        try:
            frames.extend(islice(self._reader.frames(keyframe, start), FRAMES_PER_WINDOW))
            first = frames[0].pts if frames else None
            if first is not None and start > keyframe:
                nearest = self._reader.keyframe_at(first)
                if nearest is not None and nearest != keyframe:
                    # The window begins with the next keyframe. A replay decodes it from there, which gives
                    # other pixels where a frame depends on the one before (deinterlacing).
                    frames.clear()
                    frames.extend(islice(self._reader.frames(nearest, first), FRAMES_PER_WINDOW))
        except CorruptFrameError:
            return frames, True
        return frames, False

    def _has_film_parameters(self, frame: av.VideoFrame) -> bool:
        """Return whether a frame has the parameters that the film was probed with."""
        info, reader = self._info, self._reader
        return has_parameters(frame, reader.sar_at(frame.pts), info.parameters, reader.container_codes)
