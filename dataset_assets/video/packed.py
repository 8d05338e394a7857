"""MPEG-4 films whose packets hold two frames each, as DivX and XviD pack B-frames into AVI.

A placeholder follows in the place of each B-frame. The time stamps that FFmpeg guesses fit neither. Here:
separating the frames. Not here: decoding (`decode`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import av
from av.bitstream import BitStreamFilterContext

# The start code of a VOP, MPEG-4's word for a coded picture; the 2 bits behind it are its type.
VOP = b"\x00\x00\x01\xb6"
B_VOP = 2
# Packets looked at: 2 s, of which every third holds two frames where any does.
MAX_PACKETS = 50


def has_packed_frames(container: av.container.InputContainer, stream: av.VideoStream) -> bool:
    """Return whether packets hold two frames; reads some where the film is MPEG-4."""
    codec = stream.codec_context
    if codec is None or codec.name != "mpeg4":
        return False
    try:
        return any(bytes(packet).count(VOP) > 1 for packet in islice(container.demux(stream), MAX_PACKETS))
    except av.FFmpegError:
        return False


def unpacked(
    packets: Iterable[av.Packet[av.VideoStream]], stream: av.VideoStream
) -> Iterator[av.Packet[av.VideoStream]]:
    """Yield packets of one frame each, with their PTS.

    A B-frame is shown when it is decoded, any other one when the next of its kind is.

    Args:
        packets: The packets of a film, from a seek on.
        stream: Its stream.
    """
    unpack = BitStreamFilterContext("mpeg4_unpack_bframes", in_stream=stream)
    waiting: list[av.Packet[av.VideoStream]] = []
    end = None
    for packed in packets:
        for packet in unpack.filter(packed):
            if not _is_b_frame(packet):
                yield from _shown_at(waiting, packet.dts)
                waiting = []
            else:
                packet.pts = packet.dts
            waiting.append(packet)
            end = None if packet.dts is None else packet.dts + (packet.duration or 1)
    yield from _shown_at(waiting, end)


def _shown_at(waiting: list[av.Packet[av.VideoStream]], pts: int | None) -> list[av.Packet[av.VideoStream]]:
    """Return the frame that waited for its PTS, and the B-frames behind it."""
    if waiting:
        waiting[0].pts = pts
    return waiting


def _is_b_frame(packet: av.Packet[av.VideoStream]) -> bool:
    content = bytes(packet)
    place = content.find(VOP)
    return 0 <= place < len(content) - 4 and content[place + 4] >> 6 == B_VOP
