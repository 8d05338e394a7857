"""What a film was scanned as, measured: films made by ffmpeg's filters, flagged rightly, wrongly or not."""

from __future__ import annotations

import shlex
import subprocess
from itertools import islice
from pathlib import Path

import imageio_ffmpeg
import pytest

from dataset_assets.errors import VideoError
from dataset_assets.video.combs import has_combs, sample_lines
from dataset_assets.video.decode import FrameReader
from dataset_assets.video.probing import VideoInfo, probe

# Fields, frames of film, and how they become frames.
SOURCE = "mandelbrot=size=320x192:start_scale=1.2:end_scale=0.05:end_pts=160:maxiter=120:rate="
FIELDS, FRAMES = f"{SOURCE}50,format=yuv420p", f"{SOURCE}25,format=yuv420p"
X264 = "-c:v libx264 -preset ultrafast -crf 14 -g 12"
MPEG2 = "-c:v mpeg2video -q:v 2 -g 12"
TOP, BOTTOM = "tinterlace=interleave_top", "tinterlace=interleave_bottom"
HEVC_FIELDS = "-c:v libx265 -preset ultrafast -crf 20 -x265-params log-level=error:keyint=12:interlace="


def make(path: Path, source: str, chain: str, encoder: str, seconds: float = 2) -> Path:
    ffmpeg([*shlex.split(f"-f lavfi -i {source} -t {seconds} -vf {chain} {encoder}"), str(path)])
    return path


def ffmpeg(arguments: list[str]) -> None:
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *arguments], check=True, timeout=60
    )


def has_any_combs(info: VideoInfo) -> bool:
    """Whether any window of the film, as it is read for patches, has combs."""
    with FrameReader(info.path, deinterlace=info.interlaced, field_order=info.field_order) as reader:
        lines = [sample_lines(frame) for frame in islice(reader.frames(info.start_pts, info.start_pts), 40)]
    return any(has_combs(lines[start : start + 7]) for start in range(0, len(lines) - 6, 7))


@pytest.mark.parametrize(
    ("name", "chain", "encoder", "order"),
    [
        ("unflagged.mkv", f"{TOP},setfield=prog", X264, "tff"),
        ("bottom-first.mkv", f"{BOTTOM},setfield=prog", X264, "bff"),
        ("flagged.mkv", f"{BOTTOM},setfield=bff", f"{X264} -x264-params bff=1", "bff"),
        ("flagged-wrongly.mkv", f"{BOTTOM},setfield=tff", f"{X264} -x264-params tff=1", "bff"),
        ("unflagged.ts", f"{TOP},setfield=prog", MPEG2, "tff"),
        ("flagged.mpg", f"{TOP},setfield=tff", f"{MPEG2} -flags +ildct+ilme", "tff"),
        ("unflagged.mov", f"{TOP},setfield=prog,format=yuv422p10le", "-c:v prores_ks", "tff"),
    ],
)
def test_interlaced_film_is_refused_or_deinterlaced_whatever_is_flagged(
    name: str, chain: str, encoder: str, order: str, tmp_path: Path
) -> None:
    film = make(tmp_path / name, FIELDS, chain, encoder)
    with pytest.raises(VideoError) as refused:
        probe(film)
    assert str(refused.value) == (
        "it is interlaced, which would put combs into patches; set base_settings.interlaced to "
        '"deinterlace" or leave it out'
    )
    info = probe(film, interlaced="deinterlace")
    assert (info.interlaced, info.field_order) == (True, order)
    assert not has_any_combs(info)


@pytest.mark.parametrize("setting", ["refuse", "deinterlace"])
@pytest.mark.parametrize(
    ("name", "chain", "encoder"),
    [
        ("plain.mkv", "null", X264),
        ("carried.mkv", "setfield=tff", f"{X264} -x264-params tff=1"),
        ("carried.ts", "setfield=tff", f"{MPEG2} -flags +ildct+ilme"),
    ],
)
def test_progressive_film_is_taken_as_it_is_whatever_is_flagged(
    name: str, chain: str, encoder: str, setting: str, tmp_path: Path
) -> None:
    film = make(tmp_path / name, FRAMES, chain, encoder)
    info = probe(film, interlaced="deinterlace" if setting == "deinterlace" else "refuse")
    assert (info.interlaced, info.field_order) == (False, None)
    assert not has_any_combs(info)


@pytest.mark.parametrize(("first", "order"), [("top", "tff"), ("bottom", "bff")])
def test_telecined_film_is_refused_with_what_undoes_it(first: str, order: str, tmp_path: Path) -> None:
    film = make(tmp_path / "film.mkv", FRAMES, f"telecine={first},setfield=prog", "-c:v ffv1", 4)
    for setting in ("refuse", "deinterlace"):
        with pytest.raises(VideoError, match="it is telecined") as refused:
            probe(film, interlaced="deinterlace" if setting == "deinterlace" else "refuse")
    assert f"order={order}" in str(refused.value)
    info = probe(undone(str(refused.value), film))
    assert not info.interlaced
    assert not has_any_combs(info)


@pytest.mark.parametrize(("first", "container"), [("tff", "mkv"), ("bff", "ts"), ("tff", "mp4")])
def test_fields_coded_as_pictures_are_refused_with_what_weaves_them(
    first: str, container: str, tmp_path: Path
) -> None:
    woven = f"{TOP if first == 'tff' else BOTTOM},setfield={first}"
    film = make(
        tmp_path / f"film.{container}", FIELDS, f"{woven},separatefields,setfield=prog", HEVC_FIELDS + first
    )
    for setting in ("refuse", "deinterlace"):
        with pytest.raises(VideoError, match="each field is coded as a picture") as refused:
            probe(film, interlaced="deinterlace" if setting == "deinterlace" else "refuse")
    info = probe(undone(str(refused.value), film), interlaced="deinterlace")
    assert (info.geometry.coded_height, info.interlaced, info.field_order) == (192, True, first)


def undone(refusal: str, film: Path) -> Path:
    """What the command in a refusal makes of a film."""
    command = shlex.split(refusal.split("`")[1])
    path = film.with_name("undone.mkv")
    ffmpeg([{"FILE": str(film), "film.mkv": str(path)}.get(word, word) for word in command[1:]])
    return path


def test_where_nothing_moves_flags_decide(tmp_path: Path) -> None:
    still = "testsrc=size=320x192:rate=25:duration=0.04,loop=-1:1"
    film = make(tmp_path / "still.mkv", still, "setfield=tff", f"{X264} -x264-params tff=1")
    info = probe(film, interlaced="deinterlace")
    assert (info.interlaced, info.field_order) == (True, None)
    assert not probe(make(tmp_path / "plain.mkv", still, "null", X264)).interlaced


def test_a_film_that_is_interlaced_here_and_there_is_taken_with_a_warning(tmp_path: Path) -> None:
    parts = [
        make(tmp_path / "film.mkv", FRAMES, "null", X264, 4),
        make(tmp_path / "fields.mkv", FIELDS, f"{TOP},setfield=prog", X264),
    ]
    listing = tmp_path / "parts.txt"
    listing.write_text("".join(f"file '{part}'\n" for part in parts))
    film = tmp_path / "joined.mkv"
    ffmpeg(["-f", "concat", "-safe", "0", "-i", str(listing), "-c", "copy", str(film)])
    info = probe(film)
    assert not info.interlaced
    assert not has_any_combs(info)  # of the first 40 frames
    with FrameReader(film) as reader:
        keyframe = reader.keyframe_at(4600)
        assert keyframe is not None
        assert has_combs([sample_lines(frame) for frame in islice(reader.frames(keyframe, keyframe), 7)])
