"""What a container hides stays hidden: the clean aperture of MP4, PixelCrop of Matroska."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from dataset_assets.video.geometry import Rect
from dataset_assets.video.probing import probe
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import Shot, sdr_frames

WIDTH, HEIGHT = 320, 180
OPTIONS = {"preset": "ultrafast", "crf": "10"}


def with_clean_aperture(film: Path, copy: Path, *fractions: tuple[int, int]) -> Path:
    """Adds a `clap` box: width, height, and the centre's distance from the picture's, as fractions."""
    content = bytearray(film.read_bytes())
    box = struct.pack(">I4s8i", 40, b"clap", *(number for fraction in fractions for number in fraction))
    parents, start, stop = [], 0, len(content)
    headers = {b"moov": 8, b"trak": 8, b"mdia": 8, b"minf": 8, b"stbl": 8, b"stsd": 16, b"avc1": 86}
    for kind, header in headers.items():
        while content[start + 4 : start + 8] != kind:
            start += struct.unpack_from(">I", content, start)[0]
        parents.append(start)
        stop = start + struct.unpack_from(">I", content, start)[0]
        start += header
    assert content.index(b"mdat") < parents[0]
    for place in parents:
        struct.pack_into(">I", content, place, struct.unpack_from(">I", content, place)[0] + len(box))
    content[stop:stop] = box
    copy.write_bytes(content)
    return copy


def as_matroska(film: Path, copy: Path) -> Path:
    with av.open(film) as source, av.open(copy, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return copy


def pictures(bars: int = 0) -> Iterator[npt.NDArray[np.uint8]]:
    """Green lines to be hidden: 12 above, 20 below, 8 left and 10 right; black ones inside of these."""
    for inside in sdr_frames([Shot(1, 12, 2, 0)], WIDTH - 18, HEIGHT - 32, bars=bars):
        frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        frame[..., 1] = 255
        frame[12:-20, 8:-10] = inside
        yield frame


APERTURE = ((302, 1), (148, 1), (-2, 2), (-4, 1))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("bars", [0, 20])
def test_the_active_area_lies_inside_what_is_shown(bars: int, suffix: str, tmp_path: Path) -> None:
    plain, film = tmp_path / "plain.mp4", tmp_path / "film.mp4"
    write_video(plain, pictures(bars), keyint=4, options=OPTIONS)
    with_clean_aperture(plain, film, *APERTURE)
    if suffix == ".mkv":
        film = as_matroska(film, tmp_path / "film.mkv")
    info = probe(film)
    assert info.active == Rect(10, 14 + bars, 320 - 22, 180 - 36 - 2 * bars)
    assert info.geometry.working_size == (WIDTH, HEIGHT)


def test_what_is_hidden_is_turned_with_the_picture(tmp_path: Path) -> None:
    plain, film = tmp_path / "plain.mp4", tmp_path / "film.mp4"
    write_video(plain, pictures(), options=OPTIONS, rotation_degrees=90)
    info = probe(with_clean_aperture(plain, film, *APERTURE))
    # Turned to the left, the right side is above and the upper side at the left.
    assert info.geometry.working_size == (HEIGHT, WIDTH)
    assert info.active == Rect(14, 12, 180 - 36, 320 - 22)


def test_halves_of_lines_are_hidden_too(tmp_path: Path) -> None:
    plain, film = tmp_path / "plain.mp4", tmp_path / "film.mp4"
    write_video(plain, pictures(), options=OPTIONS)
    active = probe(with_clean_aperture(plain, film, (603, 2), (2955, 20), (-1, 1), (-4, 1))).active
    assert Rect(8, 12, WIDTH - 18, HEIGHT - 32).contains(active)
    assert active.width >= WIDTH - 24


@pytest.mark.parametrize("aperture", [((640, 1), (180, 1), (0, 1), (0, 1)), ((4, 1), (4, 1), (0, 1), (0, 1))])
def test_nonsense_is_ignored(aperture: tuple[tuple[int, int], ...], tmp_path: Path) -> None:
    plain, film = tmp_path / "plain.mp4", tmp_path / "film.mp4"
    write_video(plain, pictures(), options=OPTIONS)
    info = probe(with_clean_aperture(plain, film, *aperture))
    assert info.active == Rect(0, 0, WIDTH, HEIGHT)
    is_said = "its container shows 4x4 pixels only, which is ignored" in info.warnings
    assert is_said == (aperture[0] == (4, 1))
