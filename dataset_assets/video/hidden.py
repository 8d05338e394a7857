"""Lines that a container hides: Matroska's PixelCrop, the clean aperture of MP4 and MOV.

The decoder outputs these lines like any other. PyAV shows no side data of streams, but FFmpeg's own
description of a film does. Not here: leaving them out of patches (`probing`, `active_area`).
"""

from __future__ import annotations

import re
from typing import Any, cast

import av
import av.logging

from dataset_assets.video.active_area import MIN_ACTIVE_SIDE, Bars

NOTHING = Bars(0, 0, 0, 0)
_STREAM = re.compile(r"^  Stream #0:(\d+)")
_CROPPING = re.compile(r"^ +Frame Cropping: (\d+)/(\d+)/(\d+)/(\d+)$")


def hidden_lines(stream: av.VideoStream) -> tuple[Bars, list[str]]:
    """Return the lines at each side of the coded picture that its container hides.

    Args:
        stream: The film's video stream.

    Returns:
        The lines; and a warning if almost nothing would be left, so that none count as hidden.
    """
    hidden = _cropping(_description(stream.container), stream.index)
    width = stream.width - hidden.left - hidden.right
    height = stream.height - hidden.top - hidden.bottom
    if min(width, height) >= MIN_ACTIVE_SIDE or hidden == NOTHING:
        return hidden, []
    return NOTHING, [f"its container shows {max(0, width)}x{max(0, height)} pixels only, which is ignored"]


def _description(container: av.container.Container) -> str:
    level = av.logging.get_level()
    # FFmpeg describes a film in its log. No other thread's messages are caught, and these are let go.
    av.logging.set_level(av.logging.INFO)
    try:
        # PyAV's stubs lack it.
        description: str = cast("Any", container).dumps_format()
        return description
    finally:
        av.logging.set_level(level)


def _cropping(description: str, index: int) -> Bars:
    """Return the side data `Frame Cropping: left/right/top/bottom` of a stream."""
    current = -1
    for line in description.splitlines():
        if stream := _STREAM.match(line):
            current = int(stream[1])
        elif current == index and (sides := _CROPPING.match(line)):
            left, right, top, bottom = map(int, sides.groups())
            return Bars(left, top, right, bottom)
    return NOTHING
