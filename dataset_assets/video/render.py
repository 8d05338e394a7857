"""Decoded frames to 8-bit SDR pictures: crops of the working frame, and small previews.

Colour conversion, tone-mapping and scaling run in libavfilter graphs built here. Not here: which crops are
wanted, and what is done with them (`patches`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import TypeVar, cast

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.filter import Graph
from av.filter.context import FilterContext

from dataset_assets.video.colour import HALD_LEVEL, Colour, ColourOrder, bake_lut, scales_last
from dataset_assets.video.geometry import FrameGeometry, Orientation, Rect
from dataset_assets.video.planes import plane_samples

# Lanczos at 2:1 reaches 6 source pixels to each side and the chroma upsampling before it 4 more.
MARGIN = 12
# A ratio such as 4096:1920 = 32:15 repeats every 15 working pixels; beyond this a region could not be cut
# where both grids meet, and the full width or height is rendered instead.
MAX_GRID_PERIOD = 32
# 16-bit RGB of 3840x2160 takes 50 MB in each filter; by bands of this size 13, for 4 % more to render.
MAX_RGB_PIXELS = 1 << 21
EXACT_FLAGS = "accurate_rnd+full_chroma_int+full_chroma_inp"
SCALE_FLAGS = f"lanczos+{EXACT_FLAGS}"
# At the coded size only chroma is interpolated: as the reference's zscale does where it tone-maps (bicubic:
# 50 dB instead of 56 on colour noise), sharper where nothing is to be matched.
HDR_CHROMA_FLAGS = f"bilinear+{EXACT_FLAGS}"
SDR_CHROMA_FLAGS = f"bicubic+{EXACT_FLAGS}"
# libavfilter's table look-up is SIMD for this format alone: 5 CPU ms a megapixel instead of 19 to 24.
RGB_FORMAT = "gbrp16le"
# swscale knows BT.601's matrix by one name for its H.273 codes.
SWSCALE_MATRICES = {
    "bt709": "bt709",
    "fcc": "fcc",
    "bt470bg": "bt601",
    "smpte170m": "bt601",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020",
}
PREVIEW_WIDTH = 480
HALD_SIDE = HALD_LEVEL**3
TABLE_COLOUR = Colour(RGB_FORMAT, 16, "bt709", "bt709", "gbr", full_range=True, peak=0.0)
CLOCK = Fraction(1, 1000)

_Sample = TypeVar("_Sample", bound=np.generic)


class CropRenderer:
    """Renders crops of a video's working frames.

    HDR is tone-mapped at full size and scaled after (`exact`, the reference's order) or scaled first
    (`fast`). A crop equals that part of the entire working frame: in every bit where the scale is a multiple
    of 1/65536 (1, 2, 3/2 ...), else within a code on film, since swscale rounds its steps.
    """

    def __init__(self, colour: Colour, geometry: FrameGeometry, colour_order: ColourOrder = "exact") -> None:
        """Prepare a renderer; a filter graph is built when a crop of another size is asked for.

        Raises:
            VideoError: The HDR table could not be baked.
        """
        self._colour = colour
        self._geometry = geometry
        self._scales_last = scales_last(colour_order)
        self._pipeline: tuple[tuple[int, int, int, int], _Pipeline] | None = None
        ratios = zip((geometry.coded_width, geometry.coded_height), geometry.scaled_size, strict=True)
        # swscale counts its steps in 1/65536: where the scale is none of these it rounds them, and a part
        # that is rendered separately differs from that part of the frame by up to a code.
        self._is_cut_equal = all(65536 * coded % scaled == 0 for coded, scaled in ratios)

    def crops(self, frames: Sequence[av.VideoFrame], rects: Sequence[Rect]) -> list[npt.NDArray[np.uint8]]:
        """Render several crops of the same frames.

        One that lies inside a larger one is cut out of it where that gives the same bits.

        Args:
            frames: Decoded frames of the video.
            rects: The crops in working-frame pixels.

        Returns:
            For each crop what `crop` returns.
        """
        rendered: dict[Rect, npt.NDArray[np.uint8]] = {}
        for rect in sorted(set(rects), key=lambda each: -each.width * each.height):
            around = next((known for known in rendered if known.contains(rect)), None)
            if around is None or not self._is_cut_equal:
                rendered[rect] = self.crop(frames, rect)
            else:
                x, y = rect.x - around.x, rect.y - around.y
                rendered[rect] = rendered[around][:, y : y + rect.height, x : x + rect.width]
        return [rendered[rect] for rect in rects]

    def crop(self, frames: Sequence[av.VideoFrame], rect: Rect) -> npt.NDArray[np.uint8]:
        """Render the same crop of several frames.

        Args:
            frames: Decoded frames of the video.
            rect: The crop in working-frame pixels.

        Returns:
            Shape (len(frames), height, width, 3), uint8, channels in OpenCV's order blue, green, red; full
            range BT.709 SDR.
        """
        scaled = self._geometry.before_turning(rect)
        pictures = np.empty((len(frames), scaled.height, scaled.width, 3), np.uint8)
        rows = self._band_rows(scaled)
        for top in range(0, scaled.height, rows):
            height = min(rows, scaled.height - top)
            band = Rect(scaled.x, scaled.y + top, scaled.width, height)
            self._render(frames, band, pictures[:, top : top + height])
        return np.ascontiguousarray(turned_upright(pictures, self._geometry.orientation))

    def _band_rows(self, scaled: Rect) -> int:
        """Return the rows that are rendered at a time, so that pictures between two filters are small."""
        across, down = self._regions(scaled)
        if down.scaled_length == self._geometry.scaled_size[1] and not self._is_cut_equal:
            # The grids hardly meet: each band would be rendered from the full height.
            return scaled.height
        is_full_size = self._scales_last and self._colour.is_converted
        pixels = (
            across.coded_length * down.coded_length
            if is_full_size
            else across.scaled_length * down.scaled_length
        )
        return ceil(scaled.height / ceil(pixels / MAX_RGB_PIXELS))

    def _regions(self, scaled: Rect) -> tuple[_Region, _Region]:
        """Return the spans across and down that are rendered for a rectangle of the scaled frame."""
        geometry = self._geometry
        width, height = geometry.scaled_size
        return (
            _region(scaled.x, scaled.width, geometry.coded_width, width),
            _region(scaled.y, scaled.height, geometry.coded_height, height),
        )

    def _render(self, frames: Sequence[av.VideoFrame], scaled: Rect, pictures: npt.NDArray[np.uint8]) -> None:
        """Render a rectangle of the scaled frame into a picture for each frame."""
        across, down = self._regions(scaled)
        key = (across.coded_length, down.coded_length, across.scaled_length, down.scaled_length)
        # One graph is kept: it is built in 1 to 2 ms, and holds up to 50 MB of table and frames.
        if self._pipeline is None or self._pipeline[0] != key:
            self._pipeline = None
            coded_size = (self._geometry.coded_width, self._geometry.coded_height)
            pipeline = _Pipeline(self._colour, coded_size, key[:2], key[2:], scale_last=self._scales_last)
            self._pipeline = key, pipeline
        _, pipeline = self._pipeline
        x, y = scaled.x - across.scaled_start, scaled.y - down.scaled_start
        for frame, picture in zip(frames, pictures, strict=True):
            region = pipeline.run(frame, across.coded_start, down.coded_start)
            picture[:] = region[y : y + scaled.height, x : x + scaled.width]


class PreviewRenderer:
    """Renders small tone-mapped pictures of a video's frames, coded orientation and shape.

    Samples are picked, not averaged: the mean difference of two previews then estimates that of the full
    pictures.
    """

    def __init__(self, colour: Colour, geometry: FrameGeometry, area: Rect | None = None) -> None:
        """Prepare the one filter graph that is needed.

        Args:
            colour: The video's colour.
            geometry: The video's geometry.
            area: The part of the coded frame that is wanted, on even places; all of it by default.

        Raises:
            VideoError: The HDR table could not be baked.
        """
        self._geometry = geometry
        self._area = area or Rect(0, 0, geometry.coded_width, geometry.coded_height)
        shrink = min(1.0, PREVIEW_WIDTH / self._area.width)
        size = (max(1, round(self._area.width * shrink)), max(1, round(self._area.height * shrink)))
        colour = replace(colour, pix_fmt=_without_subsampling(colour.pix_fmt))
        self._small = av.VideoFrame(*size, colour.pix_fmt)
        self._pipeline = _Pipeline(colour, size, size, size, scale_last=False)

    def picture(self, frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
        """Render a frame's preview.

        Returns:
            Shape (height, width, 3), uint8, channels blue, green, red, full range, at most 480 wide.
        """
        area = self._area
        for plane, small in zip(frame.planes, self._small.planes, strict=True):
            target = plane_samples(self._small, small)
            height, width = target.shape
            columns = slice(area.x * plane.width // frame.width, area.right * plane.width // frame.width)
            rows = slice(area.y * plane.height // frame.height, area.bottom * plane.height // frame.height)
            samples = plane_samples(frame, plane)[rows, columns]
            target[:] = cv2.resize(samples, (width, height), interpolation=cv2.INTER_NEAREST)
        return self._pipeline.run(self._small, 0, 0)

    def upright(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return a preview as the working frame shows it: turned upright, of square pixels."""
        scaled_width, scaled_height = self._geometry.scaled_size
        width = self._area.width * scaled_width / self._geometry.coded_width
        height = self._area.height * scaled_height / self._geometry.coded_height
        size = (picture.shape[1], max(1, round(picture.shape[1] * height / width)))
        if size[1] != picture.shape[0]:
            picture = cast("npt.NDArray[np.uint8]", cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        return turned_upright(picture, self._geometry.orientation)


def preview_luma(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the luma of a preview.

    Args:
        picture: What `PreviewRenderer.picture` rendered.

    Returns:
        Shape (height, width), uint8 BT.709 luma, full range 0..255.
    """
    # OpenCV's own grey conversion has BT.601 weights; these are BT.709's.
    weights = np.array([[0.0722, 0.7152, 0.2126]], np.float32)
    return cast("npt.NDArray[np.uint8]", cv2.transform(picture, weights))


@lru_cache(maxsize=16)
def nominal_white(colour: Colour) -> float:
    """Return the value that swscale gives nominal white in its 16-bit RGB, as a share of 65535.

    swscale's 16-bit RGB is linear in its input, but its white lies at 65283 (limited range; full range
    depends on the depth) instead of 65535: unnoticed that is 0.39 % too dark, 5 dB of luma PSNR.
    """
    size = (32, 32)
    frame = av.VideoFrame(*size, colour.pix_fmt)
    white = (1 << colour.bit_depth) - 1 if colour.full_range else 235 << (colour.bit_depth - 8)
    for index, plane in enumerate(frame.planes):
        is_chroma = index > 0 and not frame.format.is_rgb
        plane_samples(frame, plane)[:] = 1 << (colour.bit_depth - 1) if is_chroma else white
    graph = Graph()
    chain = [_source(graph, size, colour), _to_rgb(graph, size, colour, SDR_CHROMA_FLAGS)]
    sink = _connect(graph, [*chain, graph.add("format", RGB_FORMAT)])
    frame.time_base, frame.pts = CLOCK, 0
    chain[0].push(frame)
    rgb = cast("av.VideoFrame", sink.pull())
    return float(plane_samples(rgb, rgb.planes[0])[16, 16]) / 65535


@dataclass(frozen=True, slots=True)
class _Region:
    """The span along one axis that is rendered for a crop, where the coded and the scaled grid meet."""

    coded_start: int
    coded_length: int
    scaled_start: int
    scaled_length: int


def _region(start: int, length: int, coded_total: int, scaled_total: int) -> _Region:
    """Return the smallest span on the common grid that holds the crop and its margins.

    Its length depends on that of the crop alone, except at the far border: one filter graph serves the bands
    of a crop, and the next crop of its size.
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
    ) -> None:
        is_converted = colour.is_converted
        white = nominal_white(colour)
        # Behind the table white is at 65535; without one it is still where swscale puts it.
        self._to_8_bit = 255 / 65535 if is_converted else 255 / 65535 / white
        self._count = 0
        graph = Graph()
        graph.threads = 1
        self._graph = graph  # a FilterContext does not keep its graph alive
        self._source = _source(graph, frame_size, colour)
        self._crop = graph.add("crop", f"{region_size[0]}:{region_size[1]}:0:0:exact=1")
        is_scaled = region_size != out_size
        scale_last = scale_last and is_converted
        chroma_flags = HDR_CHROMA_FLAGS if is_converted else SDR_CHROMA_FLAGS
        rgb_size = region_size if scale_last else out_size
        flags = SCALE_FLAGS if is_scaled and not scale_last else chroma_flags
        chain = [_to_rgb(graph, rgb_size, colour, flags), graph.add("format", RGB_FORMAT)]
        if is_converted:
            table_source = _source(graph, (HALD_SIDE, HALD_SIDE), TABLE_COLOUR)
            look_up = graph.add("haldclut", "interp=tetrahedral:clut=first:threads=1")
            table_source.link_to(look_up, 0, 1)
            chain.append(look_up)
        if is_scaled and scale_last:
            chain.append(graph.add("scale", f"{out_size[0]}:{out_size[1]}:flags={SCALE_FLAGS}:threads=1"))
        self._sink = _connect(graph, [self._source, self._crop, *chain])
        if is_converted:
            table_source.push(_table_frame(bake_lut(colour.transfer, colour.primaries, colour.peak, white)))
            table_source.push(None)

    def run(self, frame: av.VideoFrame, x: int, y: int) -> npt.NDArray[np.uint8]:
        """Return the region at (x, y) of the frame: shape (height, width, 3), uint8, blue, green, red."""
        self._crop.process_command("x", str(x))
        self._crop.process_command("y", str(y))
        # haldclut pairs its inputs by time: a tick a frame keeps them in order whatever PTS the film has.
        pts = frame.pts
        frame.pts, frame.time_base = self._count, CLOCK
        self._count += 1
        self._source.push(frame)
        frame.pts = pts
        rgb = cast("av.VideoFrame", self._sink.pull())
        green, blue, red = (
            cv2.convertScaleAbs(plane_samples(rgb, plane), alpha=self._to_8_bit) for plane in rgb.planes
        )
        return cast("npt.NDArray[np.uint8]", cv2.merge([blue, green, red]))


def turned_upright(pictures: npt.NDArray[_Sample], orientation: Orientation) -> npt.NDArray[_Sample]:
    """Return a view of pictures, shape (..., height, width, channels), that shows them upright."""
    if orientation.transpose:
        pictures = pictures.swapaxes(-3, -2)
    return pictures[..., :: -1 if orientation.flip_y else 1, :: -1 if orientation.flip_x else 1, :]


def _source(graph: Graph, size: tuple[int, int], colour: Colour) -> FilterContext:
    return graph.add(
        "buffer",
        f"video_size={size[0]}x{size[1]}:pix_fmt={colour.pix_fmt}:time_base={CLOCK.numerator}/{CLOCK.denominator}"
        f":colorspace={colour.matrix}:range={colour.range_name}",
    )


def _to_rgb(graph: Graph, size: tuple[int, int], colour: Colour, flags: str) -> FilterContext:
    options = f"{size[0]}:{size[1]}:flags={flags}:in_range={colour.range_name}:out_range=pc:threads=1"
    if colour.matrix != "gbr":
        # The filter does not look at the frame's chroma location (left instead of center: 44 to 104 dB).
        options += (
            f":in_color_matrix={SWSCALE_MATRICES[colour.matrix]}:in_chroma_loc={colour.chroma_location}"
        )
    return graph.add("scale", options)


def _table_frame(lut: npt.NDArray[np.uint16]) -> av.VideoFrame:
    """Return the table as a Hald picture: nearly free, where libavfilter parses a .cube for 70 ms."""
    table = av.VideoFrame(HALD_SIDE, HALD_SIDE, RGB_FORMAT)
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
    """Return the 4:4:4 format of the same depth; RGB stays what it is."""
    if pix_fmt.startswith("gbrp"):
        return pix_fmt
    depth = av.VideoFormat(pix_fmt).components[0].bits
    return "yuv444p" if depth == 8 else f"yuv444p{depth}le"
