"""Encrypted films are refused as such, and clear ones that look a little like them are taken."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from dataset_assets.errors import VideoError
from dataset_assets.video.probing import probe
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import Shot, sdr_frames

SENTENCE = "it is encrypted, and nothing here can decrypt it; use an unencrypted copy of the film"
VIDEO_PID = 0x100


def film(path: Path, codec: str = "libx264") -> Path:
    options = {"preset": "ultrafast", "crf": "10"} if codec == "libx264" else {"b": "4M"}
    write_video(path, sdr_frames([Shot(1, 72, 2, 0)], 320, 180), codec=codec, keyint=12, options=options)
    return path


def scrambled(path: Path, *, first: float = 0.0, share: float = 1.0) -> Path:
    """Scrambles a share of the video's packets behind a place of a transport stream."""
    rng = np.random.default_rng(0)
    content = bytearray(path.read_bytes())
    for place in range(0, len(content), 188):
        pid = (content[place + 1] & 0x1F) << 8 | content[place + 2]
        if pid == VIDEO_PID and place >= first * len(content) and rng.random() < share:
            payload = place + 4 + (1 + content[place + 4] if content[place + 3] & 0x20 else 0)
            content[place + 3] |= 0x80
            content[payload : place + 188] = rng.bytes(place + 188 - payload)
    path.write_bytes(content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(VideoError) as refused:
        probe(path)
    return str(refused.value)


@pytest.mark.parametrize("share", [1.0, 0.98])
def test_a_scrambled_transport_stream_is_refused(share: float, tmp_path: Path) -> None:
    assert refusal(scrambled(film(tmp_path / "film.ts"), share=share)) == SENTENCE


def test_a_scrambled_blu_ray_stream_is_refused(tmp_path: Path) -> None:
    content = scrambled(film(tmp_path / "film.ts")).read_bytes()
    packets = (content[place : place + 188] for place in range(0, len(content), 188))
    path = tmp_path / "film.m2ts"
    path.write_bytes(b"".join(bytes(4) + packet for packet in packets))
    assert refusal(path) == SENTENCE


def test_the_clear_part_of_a_scrambled_film_is_used_and_it_is_said(tmp_path: Path) -> None:
    info = probe(scrambled(film(tmp_path / "film.ts"), first=0.6))
    assert info.warnings[0].startswith("about ")
    assert info.warnings[0].endswith(" % of its video is encrypted and cannot be used")


def test_a_copied_dvd_is_refused_as_encrypted(tmp_path: Path) -> None:
    path = film(tmp_path / "film.vob", "mpeg2video")
    content = bytearray(path.read_bytes())
    for place in range(0, len(content), 4096):
        place = content.find(b"\x00\x00\x01\xe0", place)
        if place >= 0:
            content[place + 6] |= 0x10
    path.write_bytes(content)
    assert refusal(path) == SENTENCE


@pytest.mark.parametrize("fragments", [[], ["-movflags", "frag_keyframe"]])
def test_common_encryption_of_mp4_is_refused(fragments: list[str], tmp_path: Path) -> None:
    clear, path = film(tmp_path / "clear.mp4"), tmp_path / "film.mp4"
    key = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb"]
    key += ["-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"]
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error"]
    subprocess.run([*ffmpeg, "-i", clear, "-c", "copy", *fragments, *key, path], check=True)
    assert refusal(path) == SENTENCE


@pytest.mark.parametrize(
    ("name", "codec"), [("film.ts", "libx264"), ("film.vob", "mpeg2video"), ("film.mpg", "mpeg1video")]
)
def test_clear_films_are_taken(name: str, codec: str, tmp_path: Path) -> None:
    assert not any("encrypted" in warning for warning in probe(film(tmp_path / name, codec)).warnings)


def test_a_damaged_flag_is_no_encryption(tmp_path: Path) -> None:
    path = scrambled(film(tmp_path / "film.ts"), first=0.5, share=0.01)
    assert not any("encrypted" in warning for warning in probe(path).warnings)
