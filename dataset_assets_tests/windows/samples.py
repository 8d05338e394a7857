"""Films for the tests of windows: made-up facts, and a small real film of one shot after the other."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from dataset_assets.video.colour import Colour
from dataset_assets.video.fingerprint import Fingerprint
from dataset_assets.video.geometry import FrameGeometry, Rect
from dataset_assets.video.parameters import FrameParameters
from dataset_assets.video.probing import VideoInfo
from dataset_assets.video.timeline import Timeline


def made_up_info(start_pts: int, end_pts: int, frame_ticks: int) -> VideoInfo:
    """A film of which only the span and the frame rate matter; a tick is a millisecond."""
    colour = Colour("yuv420p", 8, "bt709", "bt709", "bt709", full_range=False, peak=0)
    return VideoInfo(
        path=Path("film.mkv"),
        fingerprint=Fingerprint(1, 1, "a"),
        size_bytes=1,
        container="matroska",
        codec="h264",
        profile=None,
        geometry=FrameGeometry(1280, 720),
        colour=colour,
        parameters=FrameParameters(1280, 720, Fraction(1), colour),
        active=Rect(0, 0, 1280, 720),
        frame_rate=Fraction(1000, frame_ticks),
        time_base=Fraction(1, 1000),
        parts=(),
        timeline=Timeline(((start_pts, end_pts),)),
        vfr=False,
        interlaced=False,
        field_order=None,
        max_cll=0,
        mastering_max_nits=0,
        warnings=(),
    )


class ListedKeyframes:
    """Keyframes that are known without a film."""

    def __init__(self, keyframes: Sequence[int]) -> None:
        self._keyframes = sorted(keyframes)

    def keyframe_at(self, pts: int) -> int | None:
        before = [keyframe for keyframe in self._keyframes if keyframe <= pts]
        return before[-1] if before else next(iter(self._keyframes), None)

    def keyframe_after(self, keyframe: int, until: int) -> int | None:
        return next((each for each in self._keyframes if keyframe < each < until), None)
