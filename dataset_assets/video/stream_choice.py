"""Choose the video stream that is the film.

Not here: reading its packets (`packets`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import av
from av.stream import Disposition

# Covers and thumbnails of chapters.
NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
# A stream of fewer packets by the time that another one has had so many (10 s) is pictures, but no film; so
# is one of slides, at less than this share of the rate of another one.
MIN_PACKETS, BUSIEST_PACKETS = 7, 240
MIN_RATE_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Attributes:
        index: The stream's number in its container.
        warnings: A message if there was a choice.
    """

    index: int
    warnings: tuple[str, ...]


def choose_video(container: av.container.InputContainer) -> Choice | None:
    """Choose the film among the video streams of a container.

    It is the one with the most pixels; among equals the one that is marked as default, else the first. Those
    that no decoder here knows come last. Where there are several, packets are read from the start on.

    Args:
        container: An open film, at its start.

    Returns:
        The choice; None where no stream is a film.
    """
    streams = [stream for stream in container.streams.video if not stream.disposition & NO_FILM]
    if len(streams) > 1:
        streams = _films(container, streams)
    if not streams:
        return None
    best = max(streams, key=_rank)
    if len(streams) == 1:
        return Choice(best.index, ())
    names = ", ".join(f"#{stream.index} {_name(stream)}" for stream in streams)
    return Choice(
        best.index, (f"it has {len(streams)} video streams ({names}), of which #{best.index} is used",)
    )


def _rank(stream: av.VideoStream) -> tuple[bool, int, bool, int]:
    if stream.codec_context is None:
        return False, 0, False, -stream.index
    is_default = bool(stream.disposition & Disposition.default)
    return True, stream.width * stream.height, is_default, -stream.index


def _name(stream: av.VideoStream) -> str:
    return f"{stream.width}x{stream.height}" if stream.codec_context is not None else "of an unknown format"


def _films(container: av.container.InputContainer, streams: Sequence[av.VideoStream]) -> list[av.VideoStream]:
    """Return the streams that hold more than a picture now and then, their sizes known."""
    counts: Counter[int] = Counter()
    try:
        for packet in container.demux(*streams):
            if not packet.size:
                continue
            counts[packet.stream_index] += 1
            _learn_size(packet)
            if max(counts.values()) >= BUSIEST_PACKETS:
                break
    except av.FFmpegError:
        pass  # a damaged film ends here
    most = max(counts.values(), default=0)
    least = max(min(MIN_PACKETS, most), most * MIN_RATE_SHARE)
    return [stream for stream in streams if counts[stream.index] >= least]


def _learn_size(packet: av.Packet[av.stream.Stream]) -> None:
    """Decode packets of a stream whose container has no size, until its own header has given it."""
    codec = packet.stream.codec_context
    if not isinstance(codec, av.VideoCodecContext) or codec.width:
        return
    try:
        codec.decode(packet)
    except av.FFmpegError:
        return
