"""The samples of decoded frames as they are: planes as arrays, untouched luma, and where chroma samples lie.

Not here: converting colours (`render`).
"""

from __future__ import annotations

from typing import Literal

import av
import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.video.geometry import Rect

ChromaLocation = Literal["left", "center", "topleft", "top", "bottomleft", "bottom"]

# Columns and rows from the top left one of four luma samples to their 4:2:0 chroma sample (ITU-T H.273).
CHROMA_OFFSETS: dict[tuple[float, float], ChromaLocation] = {
    (0.0, 0.5): "left",
    (0.5, 0.5): "center",
    (0.0, 0.0): "topleft",
    (0.5, 0.0): "top",
    (0.0, 1.0): "bottomleft",
    (0.5, 1.0): "bottom",
}
# For swscale "center" is also what is not tagged, which zimg, and with it the reference chain, takes for
# left. Only these codecs can tag it or have no other.
CODECS_WITH_CENTRED_CHROMA = ("h264", "hevc", "vvc", "mjpeg", "mpeg1video", "theora")


def plane_samples(
    frame: av.VideoFrame, plane: av.video.plane.VideoPlane
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return a view, without copying, of one plane's samples: shape (height, width)."""
    dtype = np.dtype(np.uint8 if frame.format.components[0].bits == 8 else np.uint16)
    rows = np.frombuffer(memoryview(plane), dtype).reshape(-1, plane.line_size // dtype.itemsize)
    return rows[: plane.height, : plane.width]


def luma_8bit(frame: av.VideoFrame, area: Rect | None = None, step: int = 1) -> npt.NDArray[np.uint8]:
    """Return a frame's untouched luma, brought to 8 bit by dropping the lowest bits; green for RGB.

    Args:
        frame: A decoded frame.
        area: The part of the coded frame that is wanted; all of it by default.
        step: Every how many samples one is taken, along both axes.

    Returns:
        Shape (ceil(height / step), ceil(width / step)), uint8, code values (limited range stays limited).
    """
    area = area or Rect(0, 0, frame.width, frame.height)
    samples = plane_samples(frame, frame.planes[0])[area.y : area.bottom : step, area.x : area.right : step]
    return (samples >> (frame.format.components[0].bits - 8)).astype(np.uint8)


def scaled_luma(frame: av.VideoFrame, area: Rect, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return a part of a frame's luma scaled down by averaging; green for RGB.

    Args:
        frame: A decoded frame.
        area: The part of the coded frame.
        size: Width and height that it is scaled to.

    Returns:
        Shape (height, width), float32, code values on the 8-bit scale 0..255.
    """
    samples = plane_samples(frame, frame.planes[0])[area.y : area.bottom, area.x : area.right]
    luma = cv2.resize(samples, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    luma *= 0.5 ** (frame.format.components[0].bits - 8)
    return luma


def measure_chroma_location(scratch: av.VideoFrame, codec: str) -> ChromaLocation:
    """Return where the samples of subsampled chroma are.

    PyAV does not show the tag, but its conversions obey it: one chroma sample is raised, the frame brought to
    4:4:4, and the centre of mass of what comes out is where the sample lay.

    Args:
        scratch: A decoded frame of the video; its first chroma plane is overwritten.
        codec: FFmpeg's name of the codec.

    Returns:
        The location; `left` where nothing is tagged and for anything but 4:2:0, as standards have it.
    """
    kind = scratch.format
    if kind.is_rgb or (kind.chroma_width(4), kind.chroma_height(4)) != (2, 2):
        return "left"
    scratch.make_writable()
    chroma = plane_samples(scratch, scratch.planes[1])
    row, column = chroma.shape[0] // 2, chroma.shape[1] // 2
    bits = kind.components[1].bits
    chroma[:] = 1 << (bits - 1)
    chroma[row, column] += 1 << (bits - 2)
    upsampled = scratch.reformat(format="yuv444p16le", interpolation="BILINEAR")
    top, left = max(0, 2 * row - 4), max(0, 2 * column - 4)
    patch = plane_samples(upsampled, upsampled.planes[1])[top : top + 10, left : left + 10]
    weights = np.maximum(0, patch.astype(np.float64) - patch[0, 0])
    x = weights.sum(axis=0) @ np.arange(patch.shape[1]) / weights.sum() + left - 2 * column
    y = weights.sum(axis=1) @ np.arange(patch.shape[0]) / weights.sum() + top - 2 * row
    place = CHROMA_OFFSETS.get((round(2 * x) / 2, round(2 * y) / 2), "left")
    return "left" if place == "center" and codec not in CODECS_WITH_CENTRED_CHROMA else place
