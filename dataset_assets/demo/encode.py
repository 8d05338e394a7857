"""Encode small films with known properties: `write_video` and the signals of HDR video.

Here: PyAV as an encoder, and the textbook formulas from linear light to PQ code values. Not here: decoding,
tone-mapping, the choice of pictures.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

Picture = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class ColourTags:
    """How RGB becomes code values of limited range, and the tags in the file.

    Attributes:
        primaries: Code point of ITU-T H.273, as in FFmpeg.
        transfer: Code point of ITU-T H.273, as in FFmpeg.
        matrix: Code point of ITU-T H.273, as in FFmpeg.
    """

    primaries: int
    transfer: int
    matrix: int


BT709 = ColourTags(ColorPrimaries.BT709, ColorTrc.BT709, Colorspace.ITU709)
BT2020_PQ = ColourTags(ColorPrimaries.BT2020, ColorTrc.SMPTE2084, Colorspace.BT2020)


@dataclass(frozen=True)
class StaticHdrMetadata:
    """Static metadata of HDR10: the mastering display (SMPTE ST 2086) and the content's light (CTA-861.3).

    A mastering display has the primaries P3-D65, the usual one for films.

    Attributes:
        max_cll_nits: MaxCLL, the brightest pixel of the film; None leaves MaxCLL and MaxFALL out.
        max_fall_nits: MaxFALL, the brightest mean of a frame.
        mastering_max_nits: Peak of the mastering display; None leaves the mastering display out.
        mastering_min_nits: Black of the mastering display.
    """

    max_cll_nits: int | None = None
    max_fall_nits: int = 0
    mastering_max_nits: float | None = None
    mastering_min_nits: float = 0.005

    def x265_params(self) -> str:
        """Return the same as options of libx265 (chromaticities in 1/50000, luminances in 1/10000 nit)."""
        params = ["hdr10=1", "repeat-headers=1"]
        if self.max_cll_nits is not None:
            params.append(f"max-cll={self.max_cll_nits},{self.max_fall_nits}")
        if self.mastering_max_nits is not None:
            luminances = f"L({round(self.mastering_max_nits * 1e4)},{round(self.mastering_min_nits * 1e4)})"
            chromaticities = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
            params.append(f"master-display={chromaticities}{luminances}")
        return ":".join(params)


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
) -> None:
    """Encode frames into a film that appears under its name only when it is complete.

    A keyframe is at every `keyint`-th frame and nowhere else, not even at cuts.

    Args:
        path: The film; its suffix names the container, its folder exists. An older one is replaced.
        frames: At least one, all of one size: uint8 RGB (height, width, 3), converted by the matrix of
            `colour`; or, for the pixel format yuv420p10le, uint16 (height * 3 / 2, width), its planes one
            under the other.
        codec: FFmpeg's name of an encoder.
        pix_fmt: FFmpeg's name of the pixel format in the film.
        rate: Frames per second.
        colour: How RGB is coded, and the tags.
        static_hdr: Static metadata, for libx265 only.
        keyint: Frames from one keyframe to the next.
        options: The encoder's own; `x265-params` are added to those of this function and win over them.

    Raises:
        ValueError: `static_hdr` is asked of another encoder than libx265, or `frames` is empty.
    """
    pictures = (_video_frame(frame, pix_fmt, colour) for frame in frames)
    first = next(pictures, None)
    if first is None:
        raise ValueError(f"no frames to write into {path}")
    merged = encoder_options(codec, static_hdr, options or {})
    with whole_file(path) as part, av.open(part, "w") as container:
        stream = cast(av.VideoStream, container.add_stream(codec, rate=Fraction(rate), options=merged))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = first.width, first.height, pix_fmt
        context.gop_size = keyint
        context.time_base = 1 / Fraction(rate)
        _tag(context, colour)
        for index, frame in enumerate(itertools.chain([first], pictures)):
            frame.pts, frame.time_base = index, context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@contextmanager
def whole_file(path: Path) -> Generator[Path]:
    """Yield a temporary name in the same folder, and rename the file if the block succeeds."""
    part = path.with_name(f".part-{path.name}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def encoder_options(
    codec: str, static_hdr: StaticHdrMetadata | None, options: Mapping[str, str]
) -> dict[str, str]:
    """Return options that fix the keyframes, silence the encoder and carry what FFmpeg has no field for.

    Raises:
        ValueError: `static_hdr` is asked of another encoder than libx265.
    """
    if codec != "libx265":
        if static_hdr is not None:
            raise ValueError(f"static HDR metadata is written by libx265 only, not by {codec}")
        return ({"sc_threshold": "0"} if codec == "libx264" else {}) | dict(options)
    params = ["log-level=error", "scenecut=0", "open-gop=0"]
    if static_hdr is not None:
        params.append(static_hdr.x265_params())
    if "x265-params" in options:
        params.append(options["x265-params"])
    return dict(options) | {"x265-params": ":".join(params)}


def _tag(target: av.VideoCodecContext | av.VideoFrame, colour: ColourTags) -> None:
    target.color_primaries = colour.primaries
    target.color_trc = colour.transfer
    target.colorspace = colour.matrix
    target.color_range = ColorRange.MPEG


def _video_frame(picture: Picture, pix_fmt: str, colour: ColourTags) -> av.VideoFrame:
    if picture.dtype == np.uint8:
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format=pix_fmt, dst_colorspace=colour.matrix, dst_color_range=ColorRange.MPEG
        )
    else:
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p10le")
    _tag(frame, colour)
    return frame


def pq_signal(nits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert luminance to the PQ signal: the inverse EOTF of SMPTE ST 2084 (ITU-R BT.2100-2, table 4).

    Args:
        nits: Any shape, 0..10000; what lies outside is clipped.

    Returns:
        The same shape, 0..1.
    """
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = np.clip(nits / np.float32(10000), 0, 1) ** np.float32(m1)
    signal: NDArray[np.float32] = ((c1 + c2 * power) / (1 + c3 * power)) ** np.float32(m2)
    return signal


def bt2020_ycbcr(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert R'G'B' to Y'CbCr with non-constant luminance (ITU-R BT.2020-2, table 4).

    Args:
        signal: (height, width, 3), 0..1.

    Returns:
        The same shape: Y' 0..1, Cb and Cr -0.5..0.5.
    """
    red, green, blue = (signal[..., i] for i in range(3))
    luma = np.float32(0.2627) * red + np.float32(0.6780) * green + np.float32(0.0593) * blue
    ycbcr = [luma, (blue - luma) / np.float32(1.8814), (red - luma) / np.float32(1.4746)]
    return np.stack(ycbcr, axis=-1).astype(np.float32, copy=False)


def yuv420p10_planes(luma: NDArray[np.float32], chroma: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Convert Y' and subsampled chroma to limited 10-bit planes (ITU-R BT.2100-2, table 9).

    Args:
        luma: (height, width), 0..1.
        chroma: (height / 2, width / 2, 2), -0.5..0.5.

    Returns:
        (height * 3 / 2, width): the planes Y', Cb, Cr one under the other, as `write_video` takes them.
    """
    height, width = luma.shape
    planes = np.empty((height * 3 // 2, width), np.uint16)
    planes[:height] = np.clip(np.rint(876 * luma + 64), 4, 1019)
    codes = np.clip(np.rint(896 * chroma + 512), 4, 1019).astype(np.uint16)
    planes[height:] = np.moveaxis(codes, -1, 0).reshape(height // 2, width)
    return planes
