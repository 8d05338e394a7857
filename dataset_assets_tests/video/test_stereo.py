"""Films that hold both eyes in each picture are refused, and one eye of the remedy is taken."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import av
import imageio_ffmpeg
import pytest

from dataset_assets.errors import VideoError
from dataset_assets.video.probing import probe
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import Shot, sdr_frames


def make_film(
    path: Path, packing: int | None, size: tuple[int, int] = (320, 180), stereo_mode: str = ""
) -> Path:
    """A film with H.264's flag of frame packing, or with Matroska's."""
    options = {"preset": "ultrafast"} | (
        {} if packing is None else {"x264-params": f"frame-packing={packing}"}
    )
    plain = path.with_name("plain.mkv")
    write_video(plain, sdr_frames([Shot(1, 40, 2, 0)], *size), options=options)
    with av.open(plain) as source, av.open(path, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        if stereo_mode:
            stream.metadata["stereo_mode"] = stereo_mode
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return path


def refusal(film: Path) -> str:
    with pytest.raises(VideoError) as refused:
        probe(film)
    return str(refused.value)


@pytest.mark.parametrize(
    ("packing", "size", "name", "eye"),
    [
        (3, (320, 180), "side by side", (160, 90)),
        (3, (640, 180), "side by side", (320, 180)),
        (4, (320, 180), "one above the other", (160, 90)),
        (4, (320, 360), "one above the other", (320, 180)),
    ],
)
def test_both_eyes_are_refused_and_the_remedy_gives_one(
    packing: int, size: tuple[int, int], name: str, eye: tuple[int, int], tmp_path: Path
) -> None:
    film = make_film(tmp_path / "film.mkv", packing, size)
    sentence = refusal(film)
    assert sentence.startswith(
        f"it is 3D, both eyes {name}, and patches would lie across the seam; keep one eye"
    )
    command = re.search("`ffmpeg -i FILE (.*) film.mkv`", sentence)
    assert command is not None
    one = tmp_path / "one.mkv"
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", film, *shlex.split(command[1]), one],
        check=True,
    )
    assert probe(one).geometry.working_size == eye


@pytest.mark.parametrize("packing", [0, 1, 2, 5])
def test_eyes_that_no_crop_parts_are_refused(packing: int, tmp_path: Path) -> None:
    sentence = refusal(make_film(tmp_path / "film.mkv", packing))
    assert sentence.endswith("patches would lie across the seam; use the 2D version of the film")


def test_the_containers_word_counts(tmp_path: Path) -> None:
    assert "side by side" in refusal(make_film(tmp_path / "film.mkv", None, stereo_mode="left_right"))
    assert "as an anaglyph" in refusal(
        make_film(tmp_path / "film.mkv", None, stereo_mode="anaglyph_cyan_red")
    )
    # MVC: the second view is not decoded.
    assert probe(make_film(tmp_path / "film.mkv", None, stereo_mode="block_lr")).vfr is False


@pytest.mark.parametrize("packing", [None, 6])
def test_flat_films_are_taken(packing: int | None, tmp_path: Path) -> None:
    assert probe(make_film(tmp_path / "film.mkv", packing)).codec == "h264"


def test_a_flag_that_comes_later_counts(tmp_path: Path) -> None:
    flat, packed = tmp_path / "flat.ts", tmp_path / "packed.ts"
    make_film(flat, None)
    make_film(packed, 3)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(flat.read_bytes() + packed.read_bytes())
    assert "side by side" in refusal(joined)
