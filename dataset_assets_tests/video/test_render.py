"""Crops against the reference chain of the bundled ffmpeg, and against each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from av.video.reformatter import ColorPrimaries

from dataset_assets.video import render
from dataset_assets.video.colour import Colour, ColourOrder
from dataset_assets.video.geometry import FrameGeometry, Orientation, Rect
from dataset_assets.video.planes import plane_samples
from dataset_assets.video.probing import VideoInfo, probe
from dataset_assets.video.render import CropRenderer, PreviewRenderer, preview_luma
from dataset_assets_tests.encode import (
    BT601,
    BT709,
    BT2020_HLG,
    BT2020_PQ,
    ChromaLocation,
    ColourTags,
    StaticHdrMetadata,
    rgb_linear_to_hlg_yuv10,
    rgb_linear_to_pq_yuv10,
    write_video,
)
from dataset_assets_tests.films import Film, scene
from dataset_assets_tests.video.reference import (
    crop,
    ffmpeg_luma,
    hdr_chain,
    luma_of,
    psnr,
    read,
    sdr_chain,
)

FILM_PSNR, HARSH_PSNR, SDR_PSNR = 48, 42, 50
PQ = Colour("yuv420p10le", 10, "bt2020", "smpte2084", "bt2020nc", full_range=False, peak=10.0)
SDR = Colour("yuv420p", 8, "bt709", "bt709", "bt709", full_range=False, peak=0.0)
RGB = replace(BT709, matrix=0, full_range=True)
ORDERS: list[ColourOrder] = ["exact", "fast"]

Picture = npt.NDArray[np.float32]


def bars(height: int, width: int) -> Picture:
    """BT.2020's primaries and their sums at 50, 200, 1000 and 4000 nit."""
    colours = [(r, g, b) for r in (0, 1) for g in (0, 1) for b in (0, 1)]
    nits = np.array((50, 200, 1000, 4000), np.float32)
    small = nits[:, None, None] * np.array(colours, np.float32)[None]
    return small.repeat(height // 4, 0).repeat(width // 8, 1)


def saturation_gradients(height: int, width: int) -> Picture:
    """All hues from white to full saturation, 600 nit."""
    hue = np.linspace(0, 6, width, dtype=np.float32)
    offsets = np.array([0, 4, 2], np.float32)
    pure = np.clip(np.abs((hue[:, None] + offsets) % 6 - 3) - 1, 0, 1)
    saturation = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    picture: Picture = 600 * (1 - saturation + saturation * pure[None]).astype(np.float32)
    return picture


def colour_noise(height: int, width: int) -> Picture:
    noise = np.random.default_rng(0).gamma(1.0, 120, (height, width, 3)).astype(np.float32)
    return np.minimum(cv2.GaussianBlur(noise, (0, 0), 1.0), 4000).astype(np.float32)


def thin_lines(height: int, width: int) -> Picture:
    """Lines of two pixels, 800 nit on black."""
    picture = np.zeros((height, width, 3), np.float32)
    for first in (10, 11):
        picture[:, first::37] = 800
        picture[first::29] = 800
    return picture


HARSH = [bars, saturation_gradients, colour_noise, thin_lines]


def write_still(
    path: Path, planes: npt.NDArray[np.uint16], colour: ColourTags, **settings: object
) -> VideoInfo:
    """Seven equal frames, hardly compressed."""
    options = {"preset": "ultrafast", "x265-params": "qp=4"}
    arguments = {"codec": "libx265", "pix_fmt": "yuv420p10le", "options": options} | settings
    write_video(path, [planes] * 7, colour=colour, **arguments)  # type: ignore[arg-type]
    return probe(path)


@pytest.fixture(scope="module")
def uhd_film(films_folder: Path) -> VideoInfo:
    """A strip of UHD film-like HDR10, which is halved."""
    light = 100 * scene(540, 3840, 7)
    static_hdr = StaticHdrMetadata(max_cll_nits=1000, mastering_max_nits=1000)
    return write_still(
        films_folder / "uhd-strip.mkv", rgb_linear_to_pq_yuv10(light), BT2020_PQ, static_hdr=static_hdr
    )


@pytest.mark.parametrize("colour_order", ORDERS)
@pytest.mark.parametrize("number", [3, 20])
def test_pq_crops_are_the_reference_chains(pq_film: Film, number: int, colour_order: ColourOrder) -> None:
    info = probe(pq_film.path)
    frames = read(info, number + 2)
    frame, neighbour = frames[number], frames[number + 1]
    assert frame.pts is not None
    reference = ffmpeg_luma(pq_film.path, frame.pts, hdr_chain(info, "8"), (1920, 1080))
    for rect in (Rect(0, 0, 540, 540), Rect(613, 211, 720, 405), Rect(1200, 360, 720, 720)):
        expected = reference[rect.y : rect.bottom, rect.x : rect.right]
        assert psnr(luma_of(crop(info, frame, rect, colour_order)), expected) >= FILM_PSNR
        # The camera moves by 4 pixels a frame or 2: an off-by-one cannot pass.
        assert psnr(luma_of(crop(info, neighbour, rect, colour_order)), expected) < 40


@pytest.mark.parametrize("colour_order", ORDERS)
def test_uhd_crops_are_the_reference_chains(uhd_film: VideoInfo, colour_order: ColourOrder) -> None:
    assert uhd_film.geometry.working_size == (1920, 270)
    reference = ffmpeg_luma(uhd_film.path, 0, hdr_chain(uhd_film), (1920, 270))
    picture = crop(uhd_film, read(uhd_film, 1)[0], colour_order=colour_order)
    assert psnr(luma_of(picture), reference) >= FILM_PSNR


@pytest.mark.parametrize("draw", HARSH)
def test_harsh_uhd_pictures_are_right_in_exact_order(
    draw: Callable[[int, int], Picture], films_folder: Path
) -> None:
    film = films_folder / f"harsh-{draw.__name__}.mkv"
    static_hdr = StaticHdrMetadata(max_cll_nits=4000, mastering_max_nits=4000)
    planes = rgb_linear_to_pq_yuv10(draw(540, 3840))
    info = write_still(film, planes, BT2020_PQ, static_hdr=static_hdr)
    frame = read(info, 1)[0]
    reference = ffmpeg_luma(film, 0, hdr_chain(info, "40"), (1920, 270))
    assert psnr(luma_of(crop(info, frame)), reference) >= HARSH_PSNR
    if draw is thin_lines:
        assert psnr(luma_of(crop(info, frame, colour_order="fast")), reference) < HARSH_PSNR


def test_hlg_crops_are_the_reference_chains(hlg_film: Film) -> None:
    info = probe(hlg_film.path)
    for frame in read(info, 26)[::25]:
        assert frame.pts is not None
        reference = ffmpeg_luma(hlg_film.path, frame.pts, hdr_chain(info), (1280, 720))
        assert psnr(luma_of(crop(info, frame)), reference) >= FILM_PSNR


def test_scaled_hlg_is_the_reference_chains(tmp_path: Path) -> None:
    info = write_still(tmp_path / "hlg.mkv", rgb_linear_to_hlg_yuv10(0.265 * scene(360, 2560, 8)), BT2020_HLG)
    reference = ffmpeg_luma(info.path, 0, hdr_chain(info), (1920, 270))
    assert psnr(luma_of(crop(info, read(info, 1)[0])), reference) >= FILM_PSNR


@pytest.mark.parametrize("location", [None, "left", "center", "topleft"])
def test_chroma_is_taken_from_where_it_lies(location: ChromaLocation | None, tmp_path: Path) -> None:
    planes = rgb_linear_to_pq_yuv10(colour_noise(240, 640))
    info = write_still(tmp_path / "film.mkv", planes, BT2020_PQ, chroma_location=location)
    frame = read(info, 1)[0]
    reference = ffmpeg_luma(info.path, 0, hdr_chain(info, "10"), (640, 240))
    assert psnr(luma_of(crop(info, frame)), reference) >= 54
    assert info.colour.chroma_location == (location or "left")
    elsewhere: ChromaLocation = "center" if info.colour.chroma_location != "center" else "left"
    shifted = replace(info, colour=replace(info.colour, chroma_location=elsewhere))
    assert psnr(luma_of(crop(shifted, frame)), reference) < 52


@pytest.mark.parametrize(
    ("pix_fmt", "colour", "width"),
    [
        ("yuv420p", BT709, 640),
        ("yuv420p", BT709, 3840),
        ("yuv420p", BT601, 640),
        ("yuv420p", replace(BT709, full_range=True), 640),
        ("yuv420p", replace(BT601, full_range=True), 640),
        ("yuv420p10le", BT709, 3840),
        ("yuv422p10le", BT709, 640),
        ("yuv422p10le", BT709, 3840),
        ("yuv444p12le", BT709, 640),
        ("yuv420p10le", replace(BT709, primaries=BT2020_PQ.primaries, matrix=BT2020_PQ.matrix), 640),
        ("yuv420p10le", replace(BT709, primaries=ColorPrimaries.SMPTE432), 640),
        ("yuv420p10le", replace(BT709, primaries=ColorPrimaries.SMPTE432), 3840),
        ("yuv420p", replace(BT709, primaries=ColorPrimaries.SMPTE432), 640),
        ("yuv422p", BT601, 640),
        ("gbrp", RGB, 640),
        ("gbrp10le", RGB, 3840),
    ],
)
def test_sdr_crops_keep_their_luma(pix_fmt: str, colour: ColourTags, width: int, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    light = np.clip(scene(108, width, 9), 0, 1) ** (1 / 2.4)
    rgb = np.rint(16 + 220 * light).astype(np.uint8)
    if pix_fmt == "gbrp":
        frames = [av.VideoFrame.from_ndarray(rgb, format="rgb24")] * 7
        write_video(film, frames, codec="libx264rgb", pix_fmt="rgb24", colour=colour, options={"qp": "0"})
    else:
        write_video(film, [rgb] * 7, codec="ffv1", pix_fmt=pix_fmt, colour=colour, keyint=1)
    info = probe(film)
    assert info.colour.pix_fmt == pix_fmt
    size = info.geometry.working_size
    assert size == ((640, 108) if width == 640 else (1920, 54))
    reference = ffmpeg_luma(film, 0, sdr_chain(info), size)
    assert psnr(luma_of(crop(info, read(info, 1)[0])), reference) >= SDR_PSNR


def test_wide_gamut_sdr_gets_the_references_colours(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    tags = replace(BT709, primaries=ColorPrimaries.SMPTE432)
    # Inside BT.709 too, so that nothing is clipped, in flat fields, so that chroma has no edges.
    colours = np.array([[220, 220, 220], [150, 70, 60], [70, 140, 80], [60, 80, 150], [30, 30, 30]], np.uint8)
    rgb = np.repeat(np.repeat(colours[None], 64, 0), 64, 1)
    write_video(film, [rgb] * 7, codec="ffv1", pix_fmt="yuv420p10le", colour=tags, keyint=1)
    info = probe(film)
    picture = crop(info, read(info, 1)[0])
    assert info.warnings == ()
    chain = "zscale=p=bt709,zscale=m=gbr:r=full,format=gbrp"
    # ffmpeg_luma hands out the first plane: green. Red and blue by exchanging planes.
    for channel, planes in ((1, "0:1:2"), (0, "1:0:2"), (2, "2:0:1")):
        plane = ffmpeg_luma(film, 0, f"{chain},shuffleplanes={planes}", (320, 64))
        expected = plane[32, 32::64]
        found = picture[32, 32::64, channel].astype(float)
        assert np.abs(np.clip(found, 16, 235) - expected).max() <= 1
    assert np.abs(picture[32, 32::64, ::-1].astype(int) - colours).max() > 8


def test_a_film_for_the_eye_keeps_its_colours(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    colours = np.array([[0, 0, 0], [255, 255, 255], [200, 30, 40], [20, 180, 60], [30, 40, 200]], np.uint8)
    rgb = np.repeat(np.repeat(colours[None], 64, 0), 64, 1)
    for pix_fmt, tags in (
        ("yuv420p", BT709),
        ("yuv444p", BT601),
        ("yuv444p", replace(BT709, full_range=True)),
    ):
        write_video(film, [rgb] * 7, codec="ffv1", pix_fmt=pix_fmt, colour=tags, keyint=1)
        info = probe(film)
        picture = crop(info, read(info, 1)[0])
        assert np.abs(picture[32, 32::64, ::-1].astype(int) - colours).max() <= 2


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_pictures_stand_upright_as_ffmpeg_turns_them(turn: int, mirrored: bool, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    light = np.clip(scene(180, 320, 2), 0, 1) ** (1 / 2.4)
    rgb = np.rint(255 * light).astype(np.uint8)
    options = {"preset": "ultrafast", "crf": "4"}
    write_video(film, [rgb] * 7, rotation_degrees=turn, mirrored=mirrored, options=options)
    info = probe(film)
    size = (180, 320) if turn in (90, 270) else (320, 180)
    assert info.geometry.working_size == size
    reference = ffmpeg_luma(film, 0, "null", size, autorotate=True)
    assert psnr(luma_of(crop(info, read(info, 1)[0])), reference) >= SDR_PSNR
    rect = Rect(20, 30, 99, 101)
    expected = reference[rect.y : rect.bottom, rect.x : rect.right]
    assert psnr(luma_of(crop(info, read(info, 1)[0], rect)), expected) >= SDR_PSNR


@pytest.mark.parametrize(("sar", "size"), [(Fraction(2), (320, 90)), (Fraction(16, 15), (320, 169))])
def test_wide_pixels_are_made_square_by_less_height(
    sar: Fraction, size: tuple[int, int], tmp_path: Path
) -> None:
    check_square_pixels(tmp_path, sar, size)


@pytest.mark.parametrize(("sar", "size"), [(Fraction(1, 2), (160, 180)), (Fraction(8, 9), (284, 180))])
def test_tall_pixels_are_made_square_by_less_width(
    sar: Fraction, size: tuple[int, int], tmp_path: Path
) -> None:
    check_square_pixels(tmp_path, sar, size)


def check_square_pixels(folder: Path, sar: Fraction, size: tuple[int, int]) -> None:
    film = folder / "film.mp4"
    rgb = np.rint(255 * np.clip(scene(180, 320, 2), 0, 1) ** (1 / 2.4)).astype(np.uint8)
    write_video(film, [rgb] * 7, sample_aspect=sar, options={"preset": "ultrafast", "crf": "4"})
    info = probe(film)
    assert info.geometry.working_size == size
    reference = ffmpeg_luma(film, 0, sdr_chain(info), size)
    assert psnr(luma_of(crop(info, read(info, 1)[0])), reference) >= SDR_PSNR


def noise_frame(width: int, height: int, colour: Colour) -> av.VideoFrame:
    """The worst that scaling can meet: every sample on its own."""
    frame = av.VideoFrame(width, height, colour.pix_fmt)
    rng = np.random.default_rng(1)
    for plane in frame.planes:
        samples = plane_samples(frame, plane)
        low, high = 16 << (colour.bit_depth - 8), 235 << (colour.bit_depth - 8)
        samples[:] = rng.integers(low, high, samples.shape)
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    return frame


def rects(width: int, height: int) -> list[Rect]:
    rng = np.random.default_rng(2)
    places = [
        Rect(0, 0, 540, 240),
        Rect(width - 540, height - 240, 540, 240),
        Rect(width - 99, 0, 99, 77),
        Rect(1, 1, 99, 77),
    ]
    for _ in range(6):
        crop_width, crop_height = (int(side) for side in rng.integers(3, 240, 2))
        x, y = int(rng.integers(width - crop_width)), int(rng.integers(height - crop_height))
        places.append(Rect(x, y, crop_width, crop_height))
    return places


@pytest.mark.parametrize(
    ("width", "height"),
    [(1280, 720), (3840, 642), (2880, 642), (1998, 1080)],
    ids=["1", "2", "3/2", "no common grid"],
)
@pytest.mark.parametrize(
    ("colour", "colour_order"),
    [(PQ, "exact"), (PQ, "fast"), (SDR, "exact"), (replace(SDR, pix_fmt="yuv444p"), "exact")],
)
def test_crops_are_slices_of_the_working_frame(
    width: int, height: int, colour: Colour, colour_order: ColourOrder
) -> None:
    geometry = FrameGeometry(width, height)
    frame = noise_frame(width, height, colour)
    renderer = CropRenderer(colour, geometry, colour_order)
    whole = renderer.crop([frame], geometry.working_rect)[0]
    for rect in rects(*geometry.working_size):
        picture = renderer.crop([frame], rect)[0]
        assert np.array_equal(picture, whole[rect.y : rect.bottom, rect.x : rect.right]), rect


def test_an_odd_frame_is_cut_to_its_last_pixel() -> None:
    colour = replace(SDR, pix_fmt="yuv444p")
    geometry, frame = FrameGeometry(721, 401), noise_frame(721, 401, colour)
    renderer = CropRenderer(colour, geometry)
    whole = renderer.crop([frame], geometry.working_rect)[0]
    for rect in rects(721, 401):
        picture = renderer.crop([frame], rect)[0]
        assert np.array_equal(picture, whole[rect.y : rect.bottom, rect.x : rect.right]), rect


@pytest.mark.parametrize(("width", "height"), [(2560, 480), (4096, 512)], ids=["4/3", "32/15"])
@pytest.mark.parametrize("colour_order", ORDERS)
def test_crops_at_odd_ratios_are_slices_but_for_rounding(
    width: int, height: int, colour_order: ColourOrder
) -> None:
    geometry = FrameGeometry(width, height)
    planes = rgb_linear_to_pq_yuv10(100 * scene(height, width, 4))
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p10le")
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    renderer = CropRenderer(PQ, geometry, colour_order)
    whole = renderer.crop([frame], geometry.working_rect)[0]
    for rect in rects(*geometry.working_size)[:4]:
        picture = renderer.crop([frame], rect)[0]
        assert psnr(picture, whole[rect.y : rect.bottom, rect.x : rect.right]) >= 60


@pytest.mark.parametrize(
    ("width", "height"), [(3840, 642), (2560, 480), (1998, 1080)], ids=["2", "4/3", "no common grid"]
)
def test_crops_made_together_are_those_made_alone(width: int, height: int) -> None:
    geometry = FrameGeometry(width, height, orientation=Orientation(transpose=True, flip_x=True))
    frames = [noise_frame(width, height, PQ)] * 2
    outer = Rect(8, 8, 240, 600)
    inner = Rect(30, 100, 90, 240)
    wanted = [inner, outer, Rect(200, 100, 100, 100), inner]
    together = CropRenderer(PQ, geometry).crops(frames, wanted)
    for rect, pictures in zip(wanted, together, strict=True):
        assert pictures.shape == (2, rect.height, rect.width, 3)
        assert np.array_equal(pictures, CropRenderer(PQ, geometry).crop(frames, rect)), rect


@pytest.mark.parametrize("colour_order", ORDERS)
def test_a_whole_uhd_frame_is_rendered_in_bands_without_seams(
    colour_order: ColourOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    geometry, frame = FrameGeometry(3840, 640), noise_frame(3840, 640, PQ)
    monkeypatch.setattr(render, "MAX_RGB_PIXELS", 3840 * 640)
    whole = CropRenderer(PQ, geometry, colour_order).crop([frame], geometry.working_rect)
    monkeypatch.setattr(render, "MAX_RGB_PIXELS", 1920 * 50)
    assert np.array_equal(
        CropRenderer(PQ, geometry, colour_order).crop([frame], geometry.working_rect), whole
    )


def test_rendering_leaves_frames_as_they_were(pq_film: Film) -> None:
    info = probe(pq_film.path)
    frame = read(info, 3)[2]
    before = frame.pts, frame.time_base, plane_samples(frame, frame.planes[0]).copy()
    first = crop(info, frame, Rect(0, 0, 99, 99))
    preview_luma(PreviewRenderer(info.colour, info.geometry).picture(frame))
    assert (frame.pts, frame.time_base) == before[:2]
    assert np.array_equal(plane_samples(frame, frame.planes[0]), before[2])
    assert np.array_equal(crop(info, frame, Rect(0, 0, 99, 99)), first)


def test_a_renderer_takes_frames_in_any_order(pq_film: Film) -> None:
    info = probe(pq_film.path)
    frames = read(info, 6)
    renderer = CropRenderer(info.colour, info.geometry)
    rect = Rect(100, 100, 60, 60)
    forwards = renderer.crop(frames, rect)
    assert np.array_equal(renderer.crop(frames[::-1], rect)[::-1], forwards)
    assert len({picture.tobytes() for picture in forwards}) == len(frames)


def test_previews_are_the_crops_luma_at_picked_samples(pq_film: Film) -> None:
    info = probe(pq_film.path)
    frame = read(info, 1)[0]
    preview = preview_luma(PreviewRenderer(info.colour, info.geometry).picture(frame))
    assert preview.shape == (270, 480)
    picked = (luma_of(crop(info, frame)) - 16) * 255 / 219
    # Chroma is picked, where the crop interpolates it.
    assert psnr(preview, picked[::4, ::4]) >= 48
    assert psnr(preview, picked[1::4, 1::4]) < 40


def test_a_preview_shows_its_area_only(letterboxed_film: Film) -> None:
    info = probe(letterboxed_film.path)
    frame = read(info, 1)[0]
    area = info.geometry.coded_rect(info.active)
    preview = preview_luma(PreviewRenderer(info.colour, info.geometry, area).picture(frame))
    assert preview.shape == (round(area.height / 4), 480)
    assert preview[0].mean() > 5
    assert preview[-1].mean() > 5
