"""A window through one video encoder and back.

The encoders are those of the PyAV wheel, one thread each, so that the same frames give the same bytes: x264
with its defaults does not (2 of 5 windows, mbtree with B-frames), without mbtree it does. Not here: which
codec and quality (`drawing`), and colour conversion (`planes`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias, cast

import av
import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.config import CodecName
from dataset_assets.degradation.drawing import Encoding
from dataset_assets.degradation.planes import from_planes, to_planes

RATE: Final = 24
# Sides are rounded up to blocks, by repeating the edge, and SVT-AV1 takes none below 64.
BLOCK, LEAST_SIDE = 16, 64
# What x264 and x265 write of themselves into their streams.
_OWN_NAME: Final = re.compile(rb"x264 - core \d+(?: r\d+)?|x265 \(build \d+\) - [\w.+-]+")
# FF_QP2LAMBDA: FFmpeg's unit of a fixed quantizer.
_LAMBDA: Final = 118

Pictures = npt.NDArray[np.uint8]
_Packet: TypeAlias = "av.Packet[av.VideoStream]"


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder of the wheel, and the decoder of its streams.

    Attributes:
        name: FFmpeg's name of it.
        decoder: FFmpeg's name of the decoder.
        options: Its options for a quality.
    """

    name: str
    decoder: str
    options: Callable[[int], dict[str, str]]


ENCODERS: Final[dict[CodecName, Encoder]] = {
    "h264": Encoder(
        "libx264",
        "h264",
        lambda crf: {"preset": "veryfast", "crf": str(crf), "x264-params": "threads=1:mbtree=0"},
    ),
    "hevc": Encoder(
        "libx265",
        "hevc",
        lambda crf: {
            "preset": "veryfast",
            "crf": str(crf),
            "x265-params": "pools=none:frame-threads=1:log-level=none",
        },
    ),
    "vp9": Encoder(
        "libvpx-vp9",
        "vp9",
        lambda crf: {"deadline": "good", "cpu-used": "8", "crf": str(crf), "b": "0", "threads": "1"},
    ),
    "av1": Encoder(
        "libsvtav1",
        "libdav1d",
        lambda crf: {"preset": "8", "crf": str(crf), "svtav1-params": "lp=1"},
    ),
    "mpeg2": Encoder(
        "mpeg2video",
        "mpeg2video",
        lambda quantizer: {
            "flags": "+qscale",
            "global_quality": str(quantizer * _LAMBDA),
            "qmin": str(quantizer),
            "qmax": str(quantizer),
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Coding:
    """What coding a window took.

    Attributes:
        encoder: The encoder and its build.
        options: Its options.
        coded_bytes: Bytes of the stream, frames that were dropped included.
    """

    encoder: str
    options: dict[str, str]
    coded_bytes: int


def missing_encoders(codecs: Iterable[CodecName]) -> list[CodecName]:
    """Return the codecs of which this machine's PyAV lacks the encoder or the decoder."""
    return [name for name in codecs if not _has(name)]


def _has(codec: CodecName) -> bool:
    encoder = ENCODERS[codec]
    try:
        av.Codec(encoder.name, "w")
        av.Codec(encoder.decoder, "r")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def code(frames: Pictures, drawn: Encoding) -> tuple[Pictures, Coding]:
    """Code frames and decode them again.

    Before them their mirror image in time is coded, and dropped: the encoder has begun long ago, and the
    scene moves as it does in the window. Frame 0 is 0.2 to 0.7 dB worse than the mean of its window then.
    With nothing before it, it is 0.9 to 2.2 dB better, and after itself repeated 0.8 to 2.3 dB, which a model
    can learn (h264, hevc, vp9, av1; 40 windows of 8 films).

    Args:
        frames: Shape (frames, height, width, 3), uint8, channels blue, green, red.
        drawn: The codec and its quality.

    Returns:
        The decoded frames, the same shape, and what it took.
    """
    encoder, sent = ENCODERS[drawn.codec], with_warm_up(frames, drawn.warm_up)
    height, width = frames.shape[1:3]
    options = encoder.options(drawn.quality)
    context = _encoder_context(encoder.name, _padded(width), _padded(height), options)
    packets = [packet for index, frame in enumerate(sent) for packet in context.encode(_yuv(frame, index))]
    packets += context.encode(None)
    decoded = _decoded(encoder.decoder, context.extradata, packets)
    if len(decoded) != len(sent):
        raise RuntimeError(f"{encoder.name} gave {len(decoded)} of {len(sent)} frames back")
    planes = (cast("Pictures", frame.to_ndarray()) for frame in decoded[drawn.warm_up :])
    shown = np.stack([from_planes(each)[:height, :width] for each in planes])
    build = _build(encoder.name, packets)
    return shown, Coding(build, options, sum(packet.size for packet in packets))


def with_warm_up(frames: Pictures, count: int) -> Pictures:
    """Return frames with so many before them: through the frames back and forth, none twice in a row.

    Args:
        frames: Shape (frames, height, width, 3).
        count: How many come before, at least 0.
    """
    last = len(frames) - 1
    if last == 0:
        return np.repeat(frames, count + 1, axis=0)
    places = np.abs(np.arange(-count, len(frames))) % (2 * last)
    return frames[np.where(places > last, 2 * last - places, places)]


def _encoder_context(name: str, width: int, height: int, options: dict[str, str]) -> av.VideoCodecContext:
    # SVT-AV1 writes 20 lines about itself to stderr for each window: errors alone.
    os.environ.setdefault("SVT_LOG", "1")
    context = cast("av.VideoCodecContext", av.CodecContext.create(name, "w"))
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, RATE), Fraction(RATE)
    context.thread_count = 1
    context.options = options
    return context


def _decoded(name: str, extradata: bytes | None, packets: Sequence[_Packet]) -> list[av.VideoFrame]:
    context = cast("av.VideoCodecContext", av.CodecContext.create(name, "r"))
    context.thread_count = 1
    if extradata is not None:
        context.extradata = extradata
    frames = [frame for packet in packets for frame in context.decode(packet)]
    return frames + context.decode(None)


def _padded(side: int) -> int:
    return max(LEAST_SIDE, side + -side % BLOCK)


def _yuv(frame: Pictures, index: int) -> av.VideoFrame:
    height, width = frame.shape[:2]
    whole = cv2.copyMakeBorder(
        frame, 0, _padded(height) - height, 0, _padded(width) - width, cv2.BORDER_REPLICATE
    )
    found = av.VideoFrame.from_ndarray(to_planes(cast("Pictures", whole)), format="yuv420p")
    found.pts, found.time_base = index, Fraction(1, RATE)
    return found


def _build(name: str, packets: Sequence[_Packet]) -> str:
    """Return what identifies an encoder's build: the same one gives the same bytes."""
    version = ".".join(map(str, av.library_versions["libavcodec"]))
    own = next((found for each in packets if (found := _OWN_NAME.search(bytes(each)))), None)
    parts = [name, *([own[0].decode()] if own else []), f"libavcodec {version}", f"PyAV {av.__version__}"]
    return ", ".join(parts)
