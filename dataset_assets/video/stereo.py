"""Refuse films with both eyes in each picture, since a patch would cross the seam.

Not here: films with each eye in its own layer, of which the first one is decoded (`decode`).
"""

from __future__ import annotations

import struct
from fractions import Fraction

import av
from av.sidedata.sidedata import Type as SideDataType

from dataset_assets.errors import VideoError
from dataset_assets.video.side_data import frame_side_data

# AVStereo3DType, the first field of AVStereo3D; the third is 1 or 2 where a frame is one eye's.
NAMES = {
    1: "side by side",
    2: "one above the other",
    3: "in turns",
    4: "in a checkerboard",
    5: "side by side in a checkerboard",
    6: "in alternating lines",
    7: "in alternating columns",
    8: "in an unknown arrangement",
}
SIDE_BY_SIDE, ABOVE, IN_TURNS, UNKNOWN = 1, 2, 3, 8
# A film is 4:3 to 2.4:1: a pair of whole pictures of it is wider than the first, or narrower than the second.
WIDE_PAIR, HIGH_PAIR = 2.6, 1.25
# Bytes of an HEVC configuration record before its parameter sets.
HVCC_BYTES = 22


def refuse_both_eyes(stream: av.VideoStream, frame: av.VideoFrame) -> None:
    """Refuse a frame that contains both eyes.

    Args:
        stream: The film's video stream.
        frame: One of its frames.

    Raises:
        VideoError: It holds both eyes, by its own flag or by its container's.
    """
    if stream.metadata.get("stereo_mode", "").startswith("anaglyph"):
        raise VideoError(
            "it is 3D as an anaglyph, and its colours would be wrong", "use the 2D version of the film"
        )
    flag = frame_side_data(frame, SideDataType.STEREO3D)
    if flag is None:
        return
    kind, _, view = struct.unpack_from("=3i", flag)
    is_one_eye = view in (1, 2)
    if kind not in NAMES or (kind == UNKNOWN and (is_one_eye or _has_layers(stream))):
        return
    # A container calls so what H.264 codes as two views (MVC), of which the first one is decoded.
    if kind == IN_TURNS and not is_one_eye:
        return
    raise VideoError(
        f"it is 3D, both eyes {NAMES[kind]}, and patches would lie across the seam",
        f"{_one_eye(kind, frame, stream.sample_aspect_ratio or Fraction(1))}use the 2D version of the film",
    )


def _one_eye(kind: int, frame: av.VideoFrame, sar: Fraction) -> str:
    """Return the command that keeps the left eye at its right shape, else nothing."""
    if kind not in (SIDE_BY_SIDE, ABOVE):
        return ""
    aspect = frame.width * (sar or 1) / frame.height
    if kind == SIDE_BY_SIDE:
        half, eye = "iw/2:ih", sar if aspect > WIDE_PAIR else sar * 2
    else:
        half, eye = "iw:ih/2", sar if aspect < HIGH_PAIR else sar / 2
    filters = f"crop={half}:0:0,setsar={eye.numerator}/{eye.denominator},sidedata=delete:STEREO3D"
    options = f"-vf {filters} -metadata:s:v stereo_mode=mono -crf 12"
    return f"keep one eye with `ffmpeg -i FILE {options} film.mkv`, or "


def _has_layers(stream: av.VideoStream) -> bool:
    """Return whether each eye has a layer of its own (MV-HEVC), of which the first one is decoded."""
    codec = stream.codec_context
    extradata = codec.extradata if codec is not None and codec.name == "hevc" else None
    if not extradata:
        return False
    # Its video parameter set begins with the NAL header 40 01; bits 6 to 11 behind that count further layers.
    place = extradata.find(b"\x40\x01", HVCC_BYTES if extradata[0] == 1 else 0)
    parameters = extradata[place + 2 : place + 4] if place >= 0 else b""
    return len(parameters) == 2 and bool(int.from_bytes(parameters) >> 4 & 63)
