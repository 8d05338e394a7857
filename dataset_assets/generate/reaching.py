"""Reach a film's file: open it for decoding, notice that it is away, and look its keyframes up.

Not here: what is made of its frames (`lane`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep as pause

from dataset_assets.errors import SourceLostError, VideoError
from dataset_assets.video import RETRY_DELAYS_S, FrameReader, Source, VideoInfo

OnAway = Callable[[bool], None]


@contextmanager
def watched(on_away: OnAway | None) -> Iterator[Callable[[], None]]:
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
        with watched(self._on_away) as lost:
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
                self._reader = open_reader(self._info)
            keyframe = self._reader.keyframe_at(pts)
        except VideoError:
            self._source.check()
            raise
        if keyframe is None:
            self._source.check()  # a film that went away looks as if it had none
        return keyframe


def open_reader(info: VideoInfo) -> FrameReader:
    """Open a film as probing found it.

    Raises:
        VideoError: The file is missing, is not a film, or has no video stream.
    """
    return FrameReader(
        info.path,
        parts=info.parts,
        deinterlace=info.interlaced,
        field_order=info.field_order,
        max_step=info.max_step,
    )
