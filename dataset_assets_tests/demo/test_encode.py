"""The demo's `write_video` and the PQ signal, against numpy formulas and the bundled ffmpeg."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from dataset_assets.demo.encode import BT2020_PQ, StaticHdrMetadata, pq_signal, write_video
from dataset_assets_tests import encode
from dataset_assets_tests.encode import rgb_linear_to_pq_yuv10


def noise_frames(count: int, seed: int = 0) -> Iterator[NDArray[np.uint8]]:
    """Unrelated pictures of 64x48: a cut before every frame."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield rng.integers(0, 256, (48, 64, 3), np.uint8)


def ffmpeg(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_keyframes_stand_at_keyint_and_nowhere_else(tmp_path: Path, codec: str) -> None:
    film = tmp_path / "film.mkv"
    write_video(film, noise_frames(25), codec=codec, rate=25, keyint=10)
    with av.open(film) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    times = [packet.pts * packet.time_base for packet in packets if packet.pts is not None]
    assert len(times) == 25
    keyframes = [time for packet, time in zip(packets, times, strict=True) if packet.is_keyframe]
    assert keyframes == [Fraction(0), Fraction(2, 5), Fraction(4, 5)]


def test_static_hdr_metadata_is_found_by_ffmpeg(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    planes = rgb_linear_to_pq_yuv10(np.full((64, 64, 3), 100, np.float32))
    metadata = StaticHdrMetadata(max_cll_nits=900, max_fall_nits=300, mastering_max_nits=1000)
    write_video(
        film,
        [planes] * 12,
        codec="libx265",
        pix_fmt="yuv420p10le",
        colour=BT2020_PQ,
        static_hdr=metadata,
    )
    shown = ffmpeg("-i", film, "-vf", "showinfo", "-f", "null", "-").stderr.decode()
    assert "MaxCLL=900, MaxFALL=300" in shown
    assert "min_luminance=0.005000, max_luminance=1000.000000" in shown
    assert "yuv420p10le(tv, bt2020nc/bt2020/smpte2084" in shown


def test_static_hdr_metadata_is_refused_for_another_encoder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="libx265 only, not by libx264"):
        write_video(tmp_path / "film.mkv", noise_frames(2), static_hdr=StaticHdrMetadata(1000))


def test_a_film_that_fails_halfway_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    def broken() -> Iterator[NDArray[np.uint8]]:
        yield from noise_frames(3)
        raise RuntimeError("no more pictures")

    film = tmp_path / "film.mp4"
    film.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="no more pictures"):
        write_video(film, broken())
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    assert film.read_bytes() == b"old"


def test_no_frames_are_an_error_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no frames"):
        write_video(tmp_path / "film.mp4", [])
    assert list(tmp_path.iterdir()) == []


def test_pq_has_the_published_values() -> None:
    # ITU-R BT.2408-7, table 1 gives 58 % for 203 nits; the others follow from SMPTE ST 2084 to four places.
    nits = np.array([0, 100, 203, 1000, 4000, 10000], np.float32)
    assert pq_signal(nits) == pytest.approx([0, 0.5081, 0.5807, 0.7518, 0.9026, 1], abs=1e-4)


@pytest.mark.parametrize("nits", [(100.0, 100.0, 100.0), (900.0, 300.0, 50.0), (5.0, 20.0, 80.0)])
def test_zscale_reads_back_the_light_that_went_into_pq(
    tmp_path: Path, nits: tuple[float, float, float]
) -> None:
    film = tmp_path / "film.mkv"
    planes = rgb_linear_to_pq_yuv10(np.full((64, 64, 3), nits, np.float32))
    write_video(
        film,
        [planes] * 12,
        codec="libx265",
        pix_fmt="yuv420p10le",
        colour=BT2020_PQ,
        options={"x265-params": "lossless=1"},
    )
    chain = "zscale=t=linear:npl=100,format=gbrpf32le"
    raw = ffmpeg("-i", film, "-frames:v", "1", "-vf", chain, "-f", "rawvideo", "-").stdout
    green, blue, red = np.frombuffer(raw, np.float32).reshape(3, 64, 64)[:, 32, 32] * 100
    # A code of 10 bits is up to 1.3 % of the light; chroma's codes add to it.
    assert (red, green, blue) == pytest.approx(nits, rel=0.04)


def test_encoding_av1_leaves_the_process_its_ordinary_priority(tmp_path: Path) -> None:
    frames = [np.zeros((64, 64, 3), np.uint8)] * 3
    encode.write_video(tmp_path / "film.mkv", frames, codec="libsvtav1", options={"preset": "12"})
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
