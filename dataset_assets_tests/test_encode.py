"""The tests' `write_video` and the HDR signals, against numpy formulas and the bundled ffmpeg."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from dataset_assets.demo import encode
from dataset_assets_tests.encode import (
    BT601,
    BT709,
    BT2020_HLG,
    BT2020_PQ,
    ColourTags,
    StaticHdrMetadata,
    hlg_signal,
    rgb_linear_to_hlg_yuv10,
    rgb_linear_to_pq_yuv10,
    write_video,
    yuv420p10,
)

FULL_BT709 = ColourTags(BT709.primaries, BT709.transfer, BT709.matrix, full_range=True)


def noise_frames(count: int, seed: int = 0) -> Iterator[NDArray[np.uint8]]:
    """Unrelated pictures of 64x48: a cut before every frame."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield rng.integers(0, 256, (48, 64, 3), np.uint8)


def flat(rgb: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((64, 64, 3), rgb, np.uint8)


def ffmpeg(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True)


def codes_of_first_frame(film: Path) -> list[int]:
    with av.open(film) as container:
        frame = next(container.decode(video=0))
        return [np.frombuffer(bytes(plane), np.uint8)[0].item() for plane in frame.planes]


def test_what_both_encoders_can_write_is_the_same_film(tmp_path: Path) -> None:
    planes = rgb_linear_to_pq_yuv10(np.full((64, 64, 3), 100, np.float32))
    hdr: dict[str, Any] = {
        "codec": "libx265",
        "pix_fmt": "yuv420p10le",
        "static_hdr": StaticHdrMetadata(900, 300, 1000),
    }
    ours, demos = tmp_path / "ours.mp4", tmp_path / "demos.mp4"
    write_video(ours, noise_frames(12), keyint=5)
    encode.write_video(demos, noise_frames(12), keyint=5)
    assert ours.read_bytes() == demos.read_bytes()
    write_video(ours, [planes] * 12, colour=BT2020_PQ, **hdr)
    encode.write_video(demos, [planes] * 12, colour=encode.BT2020_PQ, **hdr)
    assert ours.read_bytes() == demos.read_bytes()


@pytest.mark.parametrize(
    ("colour", "red_weight", "blue_weight"),
    [(BT601, 0.299, 0.114), (BT709, 0.2126, 0.0722), (FULL_BT709, 0.2126, 0.0722)],
)
def test_rgb_is_coded_by_the_matrix_and_range_of_the_tags(
    tmp_path: Path, colour: ColourTags, red_weight: float, blue_weight: float
) -> None:
    film = tmp_path / "film.mkv"
    write_video(film, [flat((200, 100, 50))] * 2, colour=colour, options={"crf": "0"})
    red, green, blue = 200 / 255, 100 / 255, 50 / 255
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    chroma = [(blue - luma) / (2 - 2 * blue_weight), (red - luma) / (2 - 2 * red_weight)]
    if colour.full_range:
        expected = [255 * luma, *(255 * value + 128 for value in chroma)]
    else:
        expected = [219 * luma + 16, *(224 * value + 128 for value in chroma)]
    assert codes_of_first_frame(film) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_the_tags_stand_in_the_file_or_are_left_out(tmp_path: Path, suffix: str) -> None:
    tagged, untagged = tmp_path / f"tagged{suffix}", tmp_path / f"untagged{suffix}"
    write_video(tagged, noise_frames(2), colour=FULL_BT709)
    bare = ColourTags(BT709.primaries, BT709.transfer, BT709.matrix, written=False)
    write_video(untagged, noise_frames(2), colour=bare)
    for film, expected in ((tagged, (1, 1, 1, 2)), (untagged, (2, 2, 2, 0))):
        with av.open(film) as container:
            stream = container.streams.video[0]
            tags = (stream.color_primaries, stream.color_trc, stream.colorspace, stream.color_range)
        assert tags == expected


def test_variable_frame_times_are_kept(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    milliseconds = [0, 40, 80, 480, 500, 900]
    write_video(film, noise_frames(6), pts=milliseconds, time_base=Fraction(1, 1000))
    with av.open(film) as container:
        times = [round(frame.time * 1000) for frame in container.decode(video=0)]
    assert times == milliseconds


@pytest.mark.parametrize(
    ("rotation_degrees", "mirrored", "expected"),
    [
        (0, False, [["red", "green"], ["blue", "white"]]),
        (90, False, [["green", "white"], ["red", "blue"]]),
        (180, False, [["white", "blue"], ["green", "red"]]),
        (0, True, [["green", "red"], ["white", "blue"]]),
    ],
)
def test_the_display_matrix_turns_the_picture_in_ffmpeg(
    tmp_path: Path, rotation_degrees: int, mirrored: bool, expected: list[list[str]]
) -> None:
    names = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
    quarters = np.array([[names["red"], names["green"]], [names["blue"], names["white"]]], np.uint8)
    picture = quarters.repeat(32, axis=0).repeat(32, axis=1)
    film = tmp_path / "film.mp4"
    write_video(film, [picture] * 2, rotation_degrees=rotation_degrees, mirrored=mirrored)
    raw = ffmpeg("-i", film, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-").stdout
    upright = np.frombuffer(raw, np.uint8).reshape(64, 64, 3)[16::32, 16::32].astype(int)
    seen = [[min(names, key=lambda name: abs(names[name] - pixel).sum()) for pixel in row] for row in upright]
    assert seen == expected


def test_sample_aspect_and_chroma_location_stand_in_the_file(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    write_video(film, noise_frames(2), sample_aspect=Fraction(4, 3), chroma_location="topleft")
    shown = ffmpeg("-v", "verbose", "-i", film, "-f", "null", "-").stderr.decode()
    assert "SAR 4:3" in shown
    assert "topleft" in shown


def test_decoded_frames_are_encoded_again_without_their_old_keyframes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.mkv", tmp_path / "second.mkv"
    write_video(first, noise_frames(12), keyint=3)
    with av.open(first) as container:
        write_video(second, container.decode(video=0), keyint=12)
    with av.open(second) as container:
        assert sum(packet.is_keyframe for packet in container.demux(video=0) if packet.size) == 1


def test_hlg_has_its_fixed_points() -> None:
    scene = np.array([0, 1 / 48, 1 / 12, 1], np.float32)
    assert hlg_signal(scene) == pytest.approx([0, 0.25, 0.5, 1], abs=1e-5)


def test_chroma_lies_on_even_columns_between_two_lines() -> None:
    column, line = np.meshgrid(np.arange(64), np.arange(32))
    ycbcr = np.zeros((32, 64, 3), np.float32)
    ycbcr[..., 1] = (column - 32) / 100
    ycbcr[..., 2] = (line - 16) / 100
    planes = yuv420p10(ycbcr)
    assert planes.shape == (48, 64)
    cb, cr = planes[32:].reshape(2, 16, 32)
    expected_cb = np.rint(512 + 896 * (2 * np.arange(32) - 32) / 100)
    expected_cr = np.rint(512 + 896 * (2 * np.arange(16) + 0.5 - 16) / 100)
    # The first column has no left neighbour to be filtered with.
    assert (cb[:, 1:] == expected_cb[1:]).all()
    assert (cr == expected_cr[:, None]).all()


def test_hlg_grey_is_coded_without_chroma() -> None:
    planes = rgb_linear_to_hlg_yuv10(np.full((4, 4, 3), 1 / 12, np.float32))
    assert (planes[:4] == 502).all()
    assert (planes[4:] == 512).all()


def test_hlg_tags_stand_in_the_file(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    planes = rgb_linear_to_hlg_yuv10(np.full((64, 64, 3), 0.2, np.float32))
    write_video(film, [planes] * 12, codec="libx265", pix_fmt="yuv420p10le", colour=BT2020_HLG)
    shown = ffmpeg("-i", film, "-f", "null", "-").stderr.decode()
    assert "yuv420p10le(tv, bt2020nc/bt2020/arib-std-b67" in shown
