"""Find a window: attempts in a stratum until one is accepted.

Here: sampling, decoding and judging combined. Not here: what is done with an accepted window.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol

import av

from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video import CorruptFrameError, FrameReader, VideoInfo, has_parameters
from dataset_assets.windows.candidate import Candidate, FilmPictures
from dataset_assets.windows.duplicates import AcceptedSignatures
from dataset_assets.windows.judging import Judgement, judge
from dataset_assets.windows.measures import Preview, is_duplicate
from dataset_assets.windows.rules import Limits
from dataset_assets.windows.sampling import Start, Stratum, attempt_times, find_start


class FindingSettings(Limits, Protocol):
    """The settings that finding needs; `config.BaseSettings` has them."""

    @property
    def seed(self) -> int:
        """Seed of all random choices."""

    @property
    def max_attempts(self) -> int:
        """Attempts at a window before it is given up."""

    @property
    def sampling(self) -> Literal["keyframe", "uniform"]:
        """Where a window starts."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One candidate place for a window.

    Attributes:
        window: Number of the window.
        attempt: Number of the attempt, from 0.
        time_s: Place of its first frame, or where that was searched: seconds of film time.
        pts: PTS of the frames that were read: 7, or fewer where the attempt failed before.
        keyframe: Whether the window starts at a keyframe.
        judgement: The verdict, and what was measured.
    """

    window: int
    attempt: int
    time_s: float
    pts: tuple[int, ...]
    keyframe: bool
    judgement: Judgement

    @property
    def reason(self) -> str | None:
        """Why it was rejected, None where it was accepted."""
        return self.judgement.reason


class WindowFinder:
    """Finds the windows of one film, and reads them again."""

    def __init__(
        self,
        reader: FrameReader,
        info: VideoInfo,
        key: str,
        settings: FindingSettings,
        accepted: AcceptedSignatures,
        stop: threading.Event,
    ) -> None:
        """Prepare the previews.

        Args:
            reader: The open film.
            info: What probing found.
            key: The video's key, part of every draw.
            settings: Sampling and limits.
            accepted: The windows accepted so far, so that none is accepted twice.
            stop: Set when the search shall end.

        Raises:
            VideoError: The HDR table could not be baked.
        """
        self._reader = reader
        self._info = info
        self._key = key
        self._settings = settings
        self._pictures = FilmPictures(info)
        self._accepted = accepted
        self._stop = stop

    def find(self, stratum: Stratum) -> tuple[list[Attempt], list[av.VideoFrame]]:
        """Try places in a stratum until a window is accepted.

        Returns:
            Every attempt in order, the accepted one last; and its 7 frames, none if all were rejected.

        Raises:
            CancelledError: `stop` was set.
        """
        settings = self._settings
        attempts: list[Attempt] = []
        frames: list[av.VideoFrame] = []
        tried: list[range] = []
        for time_pts in attempt_times(settings.seed, self._key, stratum, settings.max_attempts):
            if self._stop.is_set():
                raise CancelledError
            start = find_start(self._reader, stratum, time_pts, settings.sampling, tried)
            if start is None:
                continue
            frames.clear()  # 175 MB of UHD, before as many are decoded
            attempt, frames = self._try(stratum, start, len(attempts))
            tried.append(range(start.pts, (attempt.pts or (start.pts,))[0] + 1))
            attempts.append(attempt)
            if attempt.reason is None:
                return attempts, frames
        return attempts, []

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

    def _try(self, stratum: Stratum, start: Start, number: int) -> tuple[Attempt, list[av.VideoFrame]]:
        frames, is_corrupt = self._read(start)
        pts = tuple(frame.pts for frame in frames if frame.pts is not None)
        candidate = Candidate(
            self._pictures,
            frames,
            self._accepted,
            is_corrupt=is_corrupt,
            has_film_parameters=all(map(self._has_film_parameters, frames)),
            is_complete=len(pts) == FRAMES_PER_WINDOW and pts[-1] < stratum.end_pts,
        )
        place_pts = pts[0] if pts else start.pts
        attempt = Attempt(
            window=stratum.window,
            attempt=number,
            time_s=float(self._info.timeline.ticks_at(place_pts) * self._info.time_base),
            pts=pts,
            keyframe=bool(frames) and frames[0].key_frame,
            judgement=judge(candidate, self._settings),
        )
        return attempt, frames

    def _read(self, start: Start) -> tuple[list[av.VideoFrame], bool]:
        """Decode a window as far as possible; return whether the decoder found errors too."""
        frames: list[av.VideoFrame] = []
        try:
            frames.extend(islice(self._reader.frames(start.keyframe, start.pts), FRAMES_PER_WINDOW))
            first = frames[0].pts if frames else None
            if first is not None and start.pts > start.keyframe:
                keyframe = self._reader.keyframe_at(first)
                if keyframe is not None and keyframe != start.keyframe:
                    # The window begins with the next keyframe. A replay decodes it from there, which gives
                    # other pixels where a frame depends on the one before (deinterlacing).
                    frames.clear()
                    frames.extend(islice(self._reader.frames(keyframe, first), FRAMES_PER_WINDOW))
        except CorruptFrameError:
            return frames, True
        return frames, False

    def _has_film_parameters(self, frame: av.VideoFrame) -> bool:
        """Return whether a frame has the parameters that the film was probed with."""
        info, reader = self._info, self._reader
        return has_parameters(frame, reader.sar_at(frame.pts), info.parameters, reader.container_codes)
