"""Decoded frames to 8-bit SDR pictures: crops of the working frame, and small previews.

Colour conversion, tone-mapping and scaling run in libavfilter graphs built here. Which crops are wanted, and
what is done with them, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Literal, cast

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.filter import Graph
from av.filter.context import FilterContext

from dataset_assets.video.colour import HALD_LEVEL, Colour, bake_lut
from dataset_assets.video.geometry import FrameGeometry, Rect
from dataset_assets.video.planes import ChromaLocation, plane_samples

ColourOrder = Literal["exact", "fast"]

# Lanczos at 2:1 reaches 6 source pixels to each side and the chroma upsampling before it 4 more.
MARGIN = 12
# A ratio such as 4096:1920 = 32:15 repeats every 15 working pixels; beyond this a region could not be cut where
# both grids meet, and the whole width or height is rendered instead.
MAX_GRID_PERIOD = 32
EXACT_FLAGS = "accurate_rnd+full_chroma_int+full_chroma_inp"
SCALE_FLAGS = f"lanczos+{EXACT_FLAGS}"
# At the coded size only chroma is interpolated: as the reference's zscale does where it tone-maps (bicubic: 50 dB
# instead of 56 on colour noise), sharper where nothing is to be matched.
HDR_CHROMA_FLAGS = f"bilinear+{EXACT_FLAGS}"
SDR_CHROMA_FLAGS = f"bicubic+{EXACT_FLAGS}"
PREVIEW_WIDTH = 480
HALD_SIDE = HALD_LEVEL**3
CLOCK = Fraction(1, 1000)


class CropRenderer:
    """Renders crops of a video's working frames.

    HDR is tone-mapped at full size and scaled after (`exact`, the reference's order) or scaled first
    (`fast`). A crop equals that part of the whole working frame: in every bit where the scale is a multiple of
    1/65536 (1, 2, 3/2 ...), else within a code on film, since swscale rounds its steps.
    """

    def __init__(self, colour: Colour, geometry: FrameGeometry, colour_order: ColourOrder = "exact") -> None:
        """Prepares a renderer; filter graphs are built when a crop size is first asked for.

        Raises:
            VideoError: The HDR table could not be baked.
        """
        self._colour = colour
        self._geometry = geometry
        self._colour_order = colour_order
        self._pipelines: dict[tuple[int, int, int, int], _Pipeline] = {}

    def crop(self, frames: Sequence[av.VideoFrame], rect: Rect) -> npt.NDArray[np.uint8]:
        """Renders the same crop of several frames.

        Args:
            frames: Decoded frames of the video.
            rect: The crop in working-frame pixels.

        Returns:
            Shape (len(frames), height, width, 3), uint8, channels in OpenCV's order blue, green, red; full
            range BT.709 SDR.
        """
        scaled = self._geometry.before_turning(rect)
        coded_size = (self._geometry.coded_width, self._geometry.coded_height)
        left, right = (
            _region(start, length, coded, total)
            for start, length, coded, total in zip(
                (scaled.x, scaled.y),
                (scaled.width, scaled.height),
                coded_size,
                self._geometry.scaled_size,
                strict=True,
            )
        )
        key = (left.coded_length, right.coded_length, left.scaled_length, right.scaled_length)
        pipeline = self._pipelines.get(key)
        if pipeline is None:
            pipeline = self._pipelines[key] = _Pipeline(
                self._colour, coded_size, key[:2], key[2:], scale_last=self._colour_order == "exact"
            )
        x, y = scaled.x - left.scaled_start, scaled.y - right.scaled_start
        pictures = []
        for frame in frames:
            region = pipeline.run(frame, left.coded_start, right.coded_start)
            pictures.append(self._turn_upright(region[y : y + scaled.height, x : x + scaled.width]))
        return np.stack(pictures)

    def _turn_upright(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        orientation = self._geometry.orientation
        if orientation.transpose:
            picture = picture.swapaxes(0, 1)
        return picture[:: -1 if orientation.flip_y else 1, :: -1 if orientation.flip_x else 1]


class PreviewRenderer:
    """Renders small tone-mapped luma pictures of a video's frames, coded orientation and shape.

    Samples are picked, not averaged: the mean difference of two previews then estimates that of the whole
    pictures.
    """

    def __init__(self, colour: Colour, geometry: FrameGeometry, area: Rect | None = None) -> None:
        """Prepares the one filter graph that is needed.

        Args:
            colour: The video's colour.
            geometry: The video's geometry.
            area: The part of the coded frame that is wanted, on even places; all of it by default.

        Raises:
            VideoError: The HDR table could not be baked.
        """
        self._area = area or Rect(0, 0, geometry.coded_width, geometry.coded_height)
        shrink = min(1.0, PREVIEW_WIDTH / self._area.width)
        size = (max(1, round(self._area.width * shrink)), max(1, round(self._area.height * shrink)))
        pix_fmt = _without_subsampling(colour.pix_fmt)
        self._small = av.VideoFrame(*size, pix_fmt)
        self._pipeline = _Pipeline(colour, size, size, size, scale_last=False, pix_fmt=pix_fmt)

    def luma(self, frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
        """Renders a frame's preview.

        Returns:
            Shape (height, width), uint8 BT.709 luma, full range 0..255, at most 480 wide.
        """
        area = self._area
        for plane, small in zip(frame.planes, self._small.planes, strict=True):
            target = plane_samples(self._small, small)
            height, width = target.shape
            columns = slice(area.x * plane.width // frame.width, area.right * plane.width // frame.width)
            rows = slice(area.y * plane.height // frame.height, area.bottom * plane.height // frame.height)
            samples = plane_samples(frame, plane)[rows, columns]
            target[:] = cv2.resize(samples, (width, height), interpolation=cv2.INTER_NEAREST)
        picture = self._pipeline.run(self._small, 0, 0)
        # OpenCV's own grey conversion has BT.601 weights; these are BT.709's.
        weights = np.array([[0.0722, 0.7152, 0.2126]], np.float32)
        return cast("npt.NDArray[np.uint8]", cv2.transform(picture, weights))


@lru_cache(maxsize=16)
def nominal_white(pix_fmt: str, matrix: str, range_name: str) -> float:
    """The value that swscale gives nominal white in its 16-bit RGB, as a share of 65535.

    swscale's 16-bit RGB is linear in its input, but its white lies at 65283 (limited range; full range depends on
    the depth) instead of 65535: unnoticed that is 0.39 % too dark, 5 dB of luma PSNR.
    """
    frame = av.VideoFrame(32, 32, pix_fmt)
    bits = frame.format.components[0].bits
    white = (1 << bits) - 1 if range_name == "pc" else 235 << (bits - 8)
    for index, plane in enumerate(frame.planes):
        plane_samples(frame, plane)[:] = white if index == 0 or frame.format.is_rgb else 1 << (bits - 1)
    graph = Graph()
    chain = [
        _source(graph, (32, 32), pix_fmt, matrix, range_name),
        _to_rgb(graph, (32, 32), pix_fmt, matrix, range_name, "left", SDR_CHROMA_FLAGS),
    ]
    _connect(graph, [*chain, graph.add("format", "gbrp16le")])
    frame.time_base, frame.pts = CLOCK, 0
    graph.vpush(frame)
    rgb = graph.vpull()
    return float(plane_samples(rgb, rgb.planes[0])[16, 16]) / 65535


@dataclass(frozen=True, slots=True)
class _Region:
    """The span along one axis that is rendered for a crop, where the coded and the scaled grid meet."""

    coded_start: int
    coded_length: int
    scaled_start: int
    scaled_length: int


def _region(start: int, length: int, coded_total: int, scaled_total: int) -> _Region:
    """The smallest span on the common grid that holds the crop and its margins.

    Its length depends on that of the crop alone, except at the far border: few filter graphs serve all crops.
    """
    ratio = Fraction(coded_total, scaled_total)
    period = ratio.denominator
    while (period * ratio) % 4:
        period *= 2
    whole = _Region(0, coded_total, 0, scaled_total)
    if period > MAX_GRID_PERIOD:
        return whole
    margin = ceil(MARGIN / ratio)
    scaled_length = ceil((length + 2 * margin) / period + 1) * period
    scaled_start = max(0, start - margin) // period * period
    if scaled_length >= scaled_total:
        return whole
    if scaled_start + scaled_length > scaled_total:
        scaled_start = (scaled_total - scaled_length) // period * period
        scaled_length = scaled_total - scaled_start
    return _Region(int(scaled_start * ratio), int(scaled_length * ratio), scaled_start, scaled_length)


class _Pipeline:
    """A filter graph that cuts a region out of a frame and makes it an 8-bit SDR picture of a given size."""

    def __init__(
        self,
        colour: Colour,
        frame_size: tuple[int, int],
        region_size: tuple[int, int],
        out_size: tuple[int, int],
        *,
        scale_last: bool,
        pix_fmt: str | None = None,
    ) -> None:
        pix_fmt = pix_fmt or colour.pix_fmt
        self._white = nominal_white(pix_fmt, colour.matrix, colour.range_name)
        self._is_hdr = colour.hdr_format is not None
        self._count = 0
        graph = Graph()
        graph.threads = 1
        self._graph = graph  # a FilterContext does not keep its graph alive
        self._source = _source(graph, frame_size, pix_fmt, colour.matrix, colour.range_name)
        width, height = region_size
        self._crop = graph.add("crop", f"{width}:{height}:0:0:exact=1")
        if self._is_hdr:
            table_source = _source(graph, (HALD_SIDE, HALD_SIDE), "gbrp16le", "gbr", "pc")
            look_up = graph.add("haldclut", "interp=tetrahedral:threads=1")
            table_source.link_to(look_up, 0, 1)
        if self._is_hdr and scale_last:
            chain = [
                _to_rgb(graph, region_size, colour.matrix, colour.range_name, TO_RGB_FLAGS),
                graph.add("format", "gbrp16le"),
                look_up,
            ]
            if region_size != out_size:
                chain.append(graph.add("scale", f"{out_size[0]}:{out_size[1]}:flags={SCALE_FLAGS}:threads=1"))
        else:
            flags = TO_RGB_FLAGS if region_size == out_size else SCALE_FLAGS
            chain = [
                _to_rgb(graph, out_size, colour.matrix, colour.range_name, flags),
                graph.add("format", "gbrp16le"),
            ]
            if self._is_hdr:
                chain.append(look_up)
        self._sink = _connect(graph, [self._source, self._crop, *chain])
        if self._is_hdr:
            table_source.push(
                _table_frame(bake_lut(colour.transfer, colour.primaries, colour.peak, self._white))
            )
            table_source.push(None)

    def run(self, frame: av.VideoFrame, x: int, y: int) -> npt.NDArray[np.uint8]:
        """The region at (x, y) of the frame: shape (height, width, 3), uint8, blue, green, red."""
        self._crop.process_command("x", str(x))
        self._crop.process_command("y", str(y))
        # The table's input pairs frames by time: one tick for each keeps them in order whatever the film's PTS are.
        pts = frame.pts
        frame.pts, frame.time_base = self._count, CLOCK
        self._count += 1
        self._source.push(frame)
        frame.pts = pts
        rgb = cast("av.VideoFrame", self._sink.pull())
        # After the table white is at 65535; without one it is still where swscale put it.
        scale = 255 / 65535 / (1.0 if self._is_hdr else self._white)
        green, blue, red = (
            cv2.convertScaleAbs(plane_samples(rgb, plane), alpha=scale) for plane in rgb.planes
        )
        return cast("npt.NDArray[np.uint8]", cv2.merge([blue, green, red]))


def _source(graph: Graph, size: tuple[int, int], pix_fmt: str, matrix: str, range_name: str) -> FilterContext:
    return graph.add(
        "buffer",
        f"video_size={size[0]}x{size[1]}:pix_fmt={pix_fmt}:time_base={CLOCK.numerator}/{CLOCK.denominator}"
        f":colorspace={matrix}:range={range_name}",
    )


def _to_rgb(graph: Graph, size: tuple[int, int], matrix: str, range_name: str, flags: str) -> FilterContext:
    options = f"{size[0]}:{size[1]}:flags={flags}:in_range={range_name}:out_range=pc:threads=1"
    # swscale knows BT.601's matrix by one name for its three H.273 codes, and RGB has none.
    swscale_matrix = {"gbr": None, "bt470bg": "bt601", "smpte170m": "bt601", "bt2020nc": "bt2020"}.get(
        matrix, matrix
    )
    return graph.add("scale", options + (f":in_color_matrix={swscale_matrix}" if swscale_matrix else ""))


def _table_frame(lut: npt.NDArray[np.uint16]) -> av.VideoFrame:
    """The table as a Hald picture: nearly free to hand over, where libavfilter parses a .cube for 70 ms."""
    table = av.VideoFrame(HALD_SIDE, HALD_SIDE, "gbrp16le")
    # haldclut reads the picture's planes as R, G, B, though the format stores G, B, R.
    for plane, channel in zip(table.planes, lut, strict=True):
        plane_samples(table, plane)[:] = channel.reshape(HALD_SIDE, HALD_SIDE)
    table.pts, table.time_base = 0, CLOCK
    return table


def _connect(graph: Graph, chain: Sequence[FilterContext]) -> FilterContext:
    sink = graph.add("buffersink")
    for before, after in zip(chain, [*chain[1:], sink], strict=True):
        before.link_to(after)
    graph.configure()
    return sink


def _without_subsampling(pix_fmt: str) -> str:
    """The 4:4:4 format of the same depth; RGB stays what it is."""
    if pix_fmt.startswith("gbrp"):
        return pix_fmt
    depth = av.VideoFormat(pix_fmt).components[0].bits
    return "yuv444p" if depth == 8 else f"yuv444p{depth}le"
