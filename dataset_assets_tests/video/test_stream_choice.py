"""The film among several video streams: the one with the most pixels, never a cover."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from dataset_assets.errors import VideoError
from dataset_assets.video.probing import probe
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import Shot, sdr_frames

OPTIONS = {"preset": "ultrafast"}


def film(path: Path, width: int, height: int, frames: int = 30) -> Path:
    write_video(path, sdr_frames([Shot(1, frames, 2, 0)], width, height), options=OPTIONS)
    return path


def cover(path: Path, frames: int = 1) -> Path:
    pictures = [np.full((600, 600, 3), 90, np.uint8)] * frames
    write_video(path, pictures, codec="mjpeg", pix_fmt="yuvj420p", rate=1, keyint=1)
    return path


def together(target: Path, *sources: Path, default: int | None = None, attached: int | None = None) -> Path:
    """Puts the packets of several files into one, in the order of their times."""
    packets: list[tuple[Fraction, int, av.Packet[av.VideoStream], av.VideoStream]] = []
    containers = [av.open(source) for source in sources]
    with av.open(target, "w") as out:
        for number, container in enumerate(containers):
            stream = out.add_stream_from_template(container.streams.video[0])
            stream.disposition = Disposition(0)
            if number == default:
                stream.disposition = Disposition.default
            if number == attached:
                stream.disposition = Disposition.attached_pic
            for packet in container.demux(video=0):
                if packet.size and packet.pts is not None and packet.time_base is not None:
                    packets.append((packet.pts * packet.time_base, len(packets), packet, stream))
        for _, _, packet, stream in sorted(packets, key=lambda each: each[:2]):
            packet.stream = stream
            out.mux(packet)
    for container in containers:
        container.close()
    return target


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
@pytest.mark.parametrize("is_larger_first", [True, False])
def test_the_larger_stream_is_taken_and_it_is_said(
    is_larger_first: bool, suffix: str, tmp_path: Path
) -> None:
    sources = [film(tmp_path / "large.mp4", 320, 180), film(tmp_path / "small.mp4", 160, 90)]
    order = sources if is_larger_first else sources[::-1]
    info = probe(together(tmp_path / f"film{suffix}", *order))
    assert (info.geometry.coded_width, info.geometry.coded_height) == (320, 180)
    names = "#0 320x180, #1 160x90" if is_larger_first else "#0 160x90, #1 320x180"
    number = 0 if is_larger_first else 1
    assert f"it has 2 video streams ({names}), of which #{number} is used" in info.warnings


def test_of_equal_streams_the_default_one_is_taken(tmp_path: Path) -> None:
    sources = [film(tmp_path / "long.mp4", 320, 180, 40), film(tmp_path / "short.mp4", 320, 180, 30)]
    first = probe(together(tmp_path / "first.mkv", *sources, default=0))
    second = probe(together(tmp_path / "second.mkv", *sources, default=1))
    assert (round(first.duration_s, 2), round(second.duration_s, 2)) == (1.67, 1.25)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize("frames", [1, 2])
def test_a_track_of_pictures_is_no_film(frames: int, suffix: str, tmp_path: Path) -> None:
    sources = [cover(tmp_path / "cover.mkv", frames), film(tmp_path / "plain.mp4", 320, 180)]
    for order in (sources, sources[::-1]):
        info = probe(together(tmp_path / f"film{suffix}", *order))
        assert (info.codec, info.geometry.coded_width) == ("h264", 320)
        assert info.warnings == ()


def test_a_cover_alone_is_no_film(tmp_path: Path) -> None:
    both = together(
        tmp_path / "film.mp4",
        cover(tmp_path / "cover.mkv"),
        film(tmp_path / "plain.mp4", 320, 180),
        attached=0,
    )
    assert probe(both).geometry.coded_width == 320
    with pytest.raises(VideoError, match="it has no video stream"):
        probe(together(tmp_path / "cover.mp4", cover(tmp_path / "cover.mkv"), attached=0))
