"""What a film held before it was enlarged: made films, enlarged by known factors and coded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dataset_assets.video.active_area import Bars
from dataset_assets.video.geometry import FrameGeometry
from dataset_assets.video.probing import VideoInfo, probe
from dataset_assets.video.true_resolution import FrameLines, measure
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import Shot, sdr_frames

SIZE = (960, 540)
SHOTS = tuple(Shot(seed, 7, 4, 2) for seed in range(40, 48))
X264 = {"preset": "veryfast", "crf": "16"}
KERNELS = {"bicubic": cv2.INTER_CUBIC, "lanczos": cv2.INTER_LANCZOS4}
NO_BARS = Bars(0, 0, 0, 0)

Picture = NDArray[np.uint8]


def enlarged(share: float, kernel: str = "bicubic", bars: int = 0) -> Iterator[Picture]:
    """Sharp frames of a share of the size, enlarged, with black columns at both sides."""
    width, height = SIZE[0] - 2 * bars, SIZE[1]
    for frame in sdr_frames(SHOTS, round(width * share), round(height * share)):
        picture = cv2.resize(frame, (width, height), interpolation=KERNELS[kernel])
        yield np.pad(picture, ((0, 0), (bars, bars), (0, 0))).astype(np.uint8)


def coded(path: Path, frames: Iterator[Picture], **options: str) -> VideoInfo:
    write_video(path, frames, keyint=7, options=X264 | options)
    return probe(path)


def held(info: VideoInfo) -> tuple[int, int]:
    assert info.true_resolution is not None
    return info.true_resolution.width, info.true_resolution.height


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("share", "size"), [(2 / 3, (640, 360)), (5 / 6, (800, 450))])
def test_the_size_before_an_enlargement_is_found(
    tmp_path: Path, kernel: str, share: float, size: tuple[int, int]
) -> None:
    info = coded(tmp_path / "film.mkv", enlarged(share, kernel))
    assert info.true_resolution is not None
    assert info.true_resolution.is_sure
    assert np.abs(np.subtract(held(info), size)).max() <= 1
    assert info.is_enlarged
    assert info.geometry.working_size == SIZE


@pytest.mark.parametrize("crf", ["16", "30"])
def test_nothing_is_found_in_a_sharp_film_however_it_is_coded(tmp_path: Path, crf: str) -> None:
    info = coded(tmp_path / "film.mkv", enlarged(1), crf=crf)
    assert info.true_resolution is not None
    assert info.true_resolution.z < 5
    assert held(info) == SIZE
    assert not info.is_enlarged


def test_nothing_is_found_in_a_soft_film(tmp_path: Path) -> None:
    soft = (cv2.GaussianBlur(frame, (0, 0), 1.5).astype(np.uint8) for frame in enlarged(1))
    info = coded(tmp_path / "film.mkv", soft)
    assert held(info) == SIZE


def test_the_edges_of_bars_are_no_enlargement(tmp_path: Path) -> None:
    info = coded(tmp_path / "film.mkv", enlarged(1, bars=8))
    assert info.active.width < SIZE[0]
    assert held(info) == SIZE


def test_what_bars_hide_is_told_by_the_other_axis(tmp_path: Path) -> None:
    info = coded(tmp_path / "film.mkv", enlarged(2 / 3, bars=90))
    assert np.abs(np.subtract(held(info), (640, 360))).max() <= 1


def test_an_enlarged_film_of_10_bits_is_found(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    options = {"preset": "ultrafast", "qp": "18"}
    write_video(path, enlarged(2 / 3), codec="libx265", pix_fmt="yuv420p10le", keyint=7, options=options)
    assert held(probe(path)) == (640, 360)


def test_the_height_of_interlaced_frames_is_not_measured() -> None:
    frames = [lines_of(frame) for frame in islice(enlarged(2 / 3), 0, None, 7)]
    whole = measure(frames, NO_BARS, "h264", interlaced=False)
    assert whole is not None
    assert (whole.width, whole.height) == (640, 360)
    other = [lines_of(frame) for frame in islice(enlarged(1), 0, None, 7)]
    woven = [FrameLines(one.rows, two.columns, 8) for one, two in zip(frames, other, strict=True)]
    by_width = measure(woven, NO_BARS, "h264", interlaced=True)
    assert by_width is not None
    assert (by_width.width, by_width.height) == (640, 360)


def test_too_few_frames_too_small_ones_and_black_ones_are_not_measured() -> None:
    frames = [lines_of(frame) for frame in islice(enlarged(2 / 3), 0, None, 7)]
    assert measure(frames[:2], NO_BARS, "h264", interlaced=False) is None
    black = [FrameLines.of(np.zeros((540, 960), np.uint8), 8)] * 8
    assert measure(black, NO_BARS, "h264", interlaced=False) is None
    small = [lines_of(frame[:300, :300]) for frame in islice(enlarged(2 / 3), 0, None, 7)]
    assert measure(small, NO_BARS, "h264", interlaced=False) is None


def lines_of(frame: Picture) -> FrameLines:
    return FrameLines.of(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.uint8), 8)


@pytest.mark.parametrize(
    ("coded_size", "size", "share"),
    [
        ((1920, 1080), (1280, 720), 2 / 3),
        ((1920, 1080), (1858, 1080), 1.0),
        ((3840, 2160), (1920, 1080), 1.0),
        ((3840, 2160), (1280, 720), 2 / 3),
        ((1920, 1080), (1280, 1080), 2 / 3),
    ],
)
def test_the_working_frame_counts_and_not_the_coded_one(
    coded_size: tuple[int, int], size: tuple[int, int], share: float
) -> None:
    geometry = FrameGeometry(*coded_size)
    assert float(geometry.share_held(size)) == pytest.approx(share)
    scaled = FrameGeometry(*coded_size, held=size).working_size
    assert scaled == (round(1920 * share), round(1080 * share))
