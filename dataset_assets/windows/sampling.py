"""Where windows are tried: strata of a film, and the attempts inside each.

A window never leaves its stratum, so windows never overlap, and where each is tried is a function of (seed,
key, window, attempt) alone. Reading frames and judging them does not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, assert_never

from dataset_assets.draws import draw_int
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video import VideoInfo


@dataclass(frozen=True, slots=True)
class Stratum:
    """The part of a film that one window is taken from.

    Attributes:
        window: Number of the window, from 0.
        start_pts: The first PTS of the stratum.
        end_pts: The PTS before which the window's last frame starts.
        last_start_pts: The last PTS at which a window may be asked for.
    """

    window: int
    start_pts: int
    end_pts: int
    last_start_pts: int


@dataclass(frozen=True, slots=True)
class Start:
    """Where the frames of an attempt begin.

    Attributes:
        keyframe: PTS of the keyframe that decoding starts from.
        pts: PTS from which frames are taken.
    """

    keyframe: int
    pts: int


class KeyframeIndex(Protocol):
    """What sampling needs of a film."""

    def keyframe_at(self, pts: int) -> int | None:
        """Return the last keyframe at or before `pts`, else the first of the film."""

    def keyframe_after(self, keyframe: int, until: int) -> int | None:
        """Return the first keyframe after the one given, if it lies before `until`."""


def strata(info: VideoInfo, windows: int) -> list[Stratum]:
    """Cut a film's own time into equal strata, one for each window and none across a gap.

    Args:
        info: The film.
        windows: Windows wanted.

    Returns:
        As many strata as windows, fewer where the film is too short for 7 frames in each.
    """
    needed = FRAMES_PER_WINDOW * info.frame_ticks
    return [
        Stratum(window, start, end, max(start, end - needed))
        for window, (start, end) in enumerate(info.timeline.pieces(windows, needed))
    ]


def attempt_times(seed: int, key: str, stratum: Stratum, max_attempts: int) -> list[int]:
    """Draw the times of a window's attempts.

    The first is uniform in the stratum. The others follow it forward in time, so that decoding goes forward
    too, and wrap around the stratum once.

    Returns:
        `max_attempts` PTS in the order to try them.
    """
    room = stratum.last_start_pts - stratum.start_pts + 1
    times = [
        stratum.start_pts + draw_int(room, seed, key, "time", stratum.window, attempt)
        for attempt in range(max_attempts)
    ]
    first, others = times[0], sorted(times[1:])
    return [first, *(t for t in others if t >= first), *(t for t in others if t < first)]


def find_start(
    index: KeyframeIndex,
    stratum: Stratum,
    time_pts: int,
    sampling: Literal["keyframe", "uniform"],
    tried: Sequence[range],
) -> Start | None:
    """Turn a drawn time into the place where decoding and the window start.

    With `keyframe` sampling a window starts at the keyframe at or before the time, else at the next one, as
    long as it lies in the stratum and was not tried; else, and with `uniform`, at the first frame at or after
    the time.

    Args:
        index: The film's keyframes.
        stratum: The stratum of the window.
        time_pts: The drawn time.
        sampling: Which of the two ways.
        tried: For each earlier attempt the PTS that lead to the same first frame.

    Returns:
        The start, or None where the film has no keyframe or the same frames were tried before.
    """
    before = index.keyframe_at(time_pts)
    if before is None:
        return None
    start = Start(before, max(before, time_pts))
    match sampling:
        case "keyframe":
            keyframe = _keyframe_of(index, stratum, before)
            if keyframe is not None and not _is_tried(keyframe, tried):
                start = Start(keyframe, keyframe)
        case "uniform":
            pass
        case _:
            assert_never(sampling)
    return None if _is_tried(start.pts, tried) else start


def _keyframe_of(index: KeyframeIndex, stratum: Stratum, before: int) -> int | None:
    """Return the keyframe `before` a drawn time, else the next; None where that lies outside the stratum."""
    keyframe: int | None = before
    if before < stratum.start_pts:
        keyframe = index.keyframe_after(before, stratum.last_start_pts + 1)
    is_inside = keyframe is not None and stratum.start_pts <= keyframe <= stratum.last_start_pts
    return keyframe if is_inside else None


def _is_tried(pts: int, tried: Sequence[range]) -> bool:
    return any(pts in span for span in tried)
