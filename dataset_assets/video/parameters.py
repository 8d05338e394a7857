"""The stream parameters of a frame: what all frames must share to be read as one film.

Broadcast recordings and joined files change size, pixel shape or colour tags on the way. A film is read with
the parameters that most of it has. Here: detecting frames with other ones. Not here: what is done with them
(`probing`, `windows.finding`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

import av
from av.sidedata.sidedata import Type as SideDataType

from dataset_assets.errors import VideoError
from dataset_assets.video.colour import NO_CODES, Colour, ColourCodes, tagged_colour
from dataset_assets.video.side_data import frame_side_data


@dataclass(frozen=True, slots=True)
class FrameParameters:
    """What a frame's pixels mean.

    Attributes:
        width: Width of the decoded picture in pixels.
        height: Height of the decoded picture in pixels.
        sar: Width of a pixel over its height as the codec has it; 0 where it says nothing.
        colour: Its colour tags, guesses filled in, without a peak.
    """

    width: int
    height: int
    sar: Fraction
    colour: Colour

    def differences(self, other: FrameParameters) -> str:
        """Describe for users how another frame's parameters differ from these."""
        mine, others = self.colour, other.colour
        pairs = (
            ("size", f"{self.width}x{self.height}", f"{other.width}x{other.height}"),
            ("pixel aspect ratio", _ratio(self.sar), _ratio(other.sar)),
            ("pixel format", mine.pix_fmt, others.pix_fmt),
            ("primaries", mine.primaries, others.primaries),
            ("transfer", mine.transfer, others.transfer),
            ("matrix", mine.matrix, others.matrix),
            ("range", mine.range_name, others.range_name),
        )
        return ", ".join(f"{name} {there} instead of {here}" for name, here, there in pairs if here != there)


def frame_parameters(frame: av.VideoFrame, sar: Fraction, container: ColourCodes) -> FrameParameters:
    """Read a decoded frame's parameters.

    Args:
        frame: The frame.
        sar: Its sample aspect ratio as the codec has it (`FrameReader.sar_at`).
        container: Colour tags of the container; they count where the frame has none.

    Raises:
        VideoError: Its colours cannot be converted faithfully.
    """
    return FrameParameters(frame.width, frame.height, sar, tagged_colour(frame, container)[0])


def has_parameters(
    frame: av.VideoFrame,
    sar: Fraction,
    wanted: FrameParameters,
    container: ColourCodes = NO_CODES,
) -> bool:
    """Return whether a frame can be read with the parameters of its film.

    Args:
        frame: The frame.
        sar: Its sample aspect ratio as the codec has it.
        wanted: The film's parameters.
        container: Colour tags of the container.
    """
    try:
        # Its side data, with a peak of its own, is left out: PyAV would hold each frame that is asked for it
        # until Python looks for cycles, 175 MB a window of UHD.
        return frame_parameters(frame, sar, container) == wanted
    except VideoError:
        return False


def static_hdr_metadata(frame: av.VideoFrame) -> tuple[int, float]:
    """Return MaxCLL and the mastering display's maximum, in nits, 0 where absent."""
    light = frame_side_data(frame, SideDataType.CONTENT_LIGHT_LEVEL)
    mastering = frame_side_data(frame, SideDataType.MASTERING_DISPLAY_METADATA)
    max_cll = struct.unpack_from("=I", light)[0] if light else 0
    max_nits = 0.0
    if mastering:
        # AVMasteringDisplayMetadata: 3 x 2 primaries, 2 white point, minimum and maximum luminance as
        # AVRationals. Its flag has_luminance is off for nonsense, which is to be reported.
        values = struct.unpack_from("=22i", mastering)
        numerator, denominator = values[18], values[19]
        max_nits = numerator / denominator if denominator else 0.0
    return max_cll, max_nits


def _ratio(sar: Fraction) -> str:
    return f"{sar.numerator}:{sar.denominator}"
