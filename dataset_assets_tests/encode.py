"""Encoding the films of the tests: every tag, turn and time stamp that a film can have.

Belongs here: PyAV as an encoder, and the formulas from linear light to HDR code values that the demo has no
use for. The pictures are in films.py.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from dataset_assets.demo.encode import (
    StaticHdrMetadata,
    bt2020_ycbcr,
    encoder_options,
    pq_signal,
    whole_file,
    yuv420p10_planes,
)

__all__ = [
    "BT601",
    "BT709",
    "BT2020_HLG",
    "BT2020_PQ",
    "ColourTags",
    "StaticHdrMetadata",
    "bt2020_ycbcr",
    "hlg_signal",
    "pq_signal",
    "rgb_linear_to_hlg_yuv10",
    "rgb_linear_to_pq_yuv10",
    "write_video",
    "yuv420p10",
]

Picture = NDArray[np.uint8] | NDArray[np.uint16] | av.VideoFrame
ChromaLocation = Literal["left", "center", "topleft"]


@dataclass(frozen=True)
class ColourTags:
    """How RGB becomes code values, and what the file says about it.

    Attributes:
        primaries: Code point of ITU-T H.273, as in FFmpeg.
        transfer: Code point of ITU-T H.273, as in FFmpeg.
        matrix: Code point of ITU-T H.273, as in FFmpeg.
        full_range: True for 0..255, False for 16..235 and their like in more bits.
        written: False codes the pictures so, but leaves the tags out of the file.
    """

    primaries: int
    transfer: int
    matrix: int
    full_range: bool = False
    written: bool = True


BT601 = ColourTags(ColorPrimaries.SMPTE170M, ColorTrc.SMPTE170M, Colorspace.ITU601)
BT709 = ColourTags(ColorPrimaries.BT709, ColorTrc.BT709, Colorspace.ITU709)
BT2020_PQ = ColourTags(ColorPrimaries.BT2020, ColorTrc.SMPTE2084, Colorspace.BT2020)
BT2020_HLG = ColourTags(ColorPrimaries.BT2020, ColorTrc.ARIB_STD_B67, Colorspace.BT2020)


def write_video(
    path: Path,
    frames: Iterable[Picture],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: Fraction | int = 24,
    colour: ColourTags = BT709,
    static_hdr: StaticHdrMetadata | None = None,
    keyint: int = 24,
    options: Mapping[str, str] | None = None,
    sample_aspect: Fraction | None = None,
    rotation_degrees: int = 0,
    mirrored: bool = False,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    chroma_location: ChromaLocation | None = None,
) -> None:
    """Encode frames into a film that appears under its name only when it is whole.

    A keyframe stands at every `keyint`-th frame and nowhere else, also where the picture cuts.

    Args:
        path: The film; its suffix names the container, its folder exists. An older one is replaced.
        frames: At least one, all of one size: uint8 RGB (height, width, 3), converted by the matrix and range
            of `colour`; uint16 (height * 3 / 2, width), the planes of yuv420p10le one under the other; or a
            frame of PyAV.
        codec: FFmpeg's name of an encoder.
        pix_fmt: FFmpeg's name of the pixel format in the film.
        rate: Frames per second; with `pts` only what the file says.
        colour: How RGB is coded, and the tags.
        static_hdr: Static metadata, for libx265 only.
        keyint: Frames from one keyframe to the next.
        options: The encoder's own; `x265-params` are added to those of this function and win over them.
        sample_aspect: Width to height of a sample; None leaves it out.
        rotation_degrees: Counter-clockwise turn that the player has to apply, in the display matrix.
        mirrored: Whether the player has to mirror left and right, in the display matrix.
        pts: One per frame, rising, in `time_base`; None counts frames.
        time_base: Seconds per tick; None is 1 / `rate`. Matroska rounds to milliseconds.
        chroma_location: Where the file says that chroma samples lie; None leaves it out.

    Raises:
        ValueError: `static_hdr` is asked of another encoder than libx265, or `frames` is empty.
        IndexError: `pts` is shorter than `frames`.
    """
    pictures = (_video_frame(frame, pix_fmt, colour) for frame in frames)
    first = next(pictures, None)
    if first is None:
        raise ValueError(f"no frames to write into {path}")
    located = {} if chroma_location is None else {"chroma_sample_location": chroma_location}
    merged = encoder_options(codec, static_hdr, located | dict(options or {}))
    with whole_file(path) as part, ordinary_priority(), av.open(part, "w") as container:
        stream = cast(av.VideoStream, container.add_stream(codec, rate=Fraction(rate), options=merged))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = first.width, first.height, pix_fmt
        context.gop_size = keyint
        context.time_base = time_base or 1 / Fraction(rate)
        _tag(context, colour)
        if sample_aspect is not None:
            context.sample_aspect_ratio = sample_aspect
        if rotation_degrees or mirrored:
            stream.set_display_rotation(rotation_degrees, hflip=mirrored)
        for index, frame in enumerate(itertools.chain([first], pictures)):
            frame.pts = index if pts is None else pts[index]
            frame.time_base = context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@contextmanager
def ordinary_priority() -> Iterator[None]:
    """Take back the priority that SVT-AV1 gives the thread of a root user that opens it.

    SCHED_FIFO 99 would pass on to every process that the tests start later: browsers and services at
    real-time priority leave nothing of two cores to anything else.
    """
    try:
        yield
    finally:
        if hasattr(os, "sched_setscheduler"):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _tag(target: av.VideoCodecContext | av.VideoFrame, colour: ColourTags) -> None:
    if not colour.written:
        return
    target.color_primaries = colour.primaries
    target.color_trc = colour.transfer
    target.colorspace = colour.matrix
    target.color_range = ColorRange.JPEG if colour.full_range else ColorRange.MPEG


def _video_frame(picture: Picture, pix_fmt: str, colour: ColourTags) -> av.VideoFrame:
    if isinstance(picture, av.VideoFrame):
        frame = picture if picture.format.name == pix_fmt else picture.reformat(format=pix_fmt)
    elif picture.dtype == np.uint8:
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format=pix_fmt,
            dst_colorspace=colour.matrix,
            dst_color_range=ColorRange.JPEG if colour.full_range else ColorRange.MPEG,
        )
    else:
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p10le")
        if pix_fmt != "yuv420p10le":
            frame = frame.reformat(format=pix_fmt)
    # A decoded frame remembers that it was a keyframe, and would be made one again.
    frame.pict_type = PictureType.NONE
    _tag(frame, colour)
    return frame


def hlg_signal(scene: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scene light to the HLG signal: the OETF of ARIB STD-B67 (ITU-R BT.2100-2, table 5).

    Args:
        scene: Any shape, 0..1; what lies outside is clipped.

    Returns:
        The same shape, 0..1.
    """
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene = np.clip(scene, 0, 1)
    # The logarithm is taken of at least 1/12, where the two branches meet.
    logarithmic = a * np.log(12 * np.maximum(scene, 1 / 12) - b) + c
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), logarithmic).astype(np.float32)


def yuv420p10(ycbcr: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Y'CbCr to limited 10-bit planes of 4:2:0 with chroma at the left (ITU-R BT.2100-2, table 9).

    A chroma sample lies on an even column, halfway between two lines: the mean of the two lines, filtered by
    (1, 2, 1) / 4 along them.

    Args:
        ycbcr: (height, width, 3), both sides even: Y' 0..1, Cb and Cr -0.5..0.5.

    Returns:
        (height * 3 / 2, width): the planes Y', Cb, Cr one under the other, as `write_video` takes them.
    """
    low_pass = np.array([0.25, 0.5, 0.25], np.float32)
    smooth = cv2.sepFilter2D(
        ycbcr[..., 1:], -1, low_pass, np.ones(1, np.float32), borderType=cv2.BORDER_REPLICATE
    )
    chroma = (smooth[0::2, 0::2] + smooth[1::2, 0::2]) * np.float32(0.5)
    return yuv420p10_planes(ycbcr[..., 0], chroma.astype(np.float32, copy=False))


def rgb_linear_to_pq_yuv10(nits: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Linear BT.2020 light in nits (height, width, 3) to the planes of `yuv420p10`, coded as PQ."""
    return yuv420p10(bt2020_ycbcr(pq_signal(nits)))


def rgb_linear_to_hlg_yuv10(scene: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Linear BT.2020 scene light 0..1 (height, width, 3) to the planes of `yuv420p10`, coded as HLG."""
    return yuv420p10(bt2020_ycbcr(hlg_signal(scene)))
