"""Frames by PTS against a plain decoding loop, in every container and order of asking; and damage."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest

from dataset_assets.video.decode import CorruptFrameError, FrameReader
from dataset_assets.video.planes import plane_samples
from dataset_assets_tests.encode import ordinary_priority
from dataset_assets_tests.films import Film, Shot, sdr_frames
from dataset_assets_tests.video.reference import digest, ffmpeg_luma, plain_frames, psnr

WINDOW = 7
SHOTS = (Shot(1, 27), Shot(2, 33, -2, 2))
FRAMES = sum(shot.frames for shot in SHOTS)
OPEN_GOP = {"x264-params": "scenecut=0:bframes=3:b-pyramid=normal:open-gop=1"}
OPEN_GOP_HEVC = {"x265-params": "log-level=error:scenecut=0:bframes=4:b-pyramid=1:open-gop=1"}
VARIABLE = tuple(np.cumsum(np.random.default_rng(0).integers(1000, 9000, FRAMES)).tolist())


@dataclass(frozen=True)
class Kind:
    """How a film is made that may be hard to read."""

    name: str
    codec: str
    options: Mapping[str, str] = field(default_factory=dict)
    container: Mapping[str, str] = field(default_factory=dict)
    keyint: int = 12
    b_frames: int | None = None
    pts: Sequence[int] | None = None
    pix_fmt: str = "yuv420p"


KINDS = [
    Kind("open-gop-hevc.mkv", "libx265", OPEN_GOP_HEVC),
    Kind("open-gop-hevc.mp4", "libx265", OPEN_GOP_HEVC),
    Kind("open-gop-hevc.ts", "libx265", OPEN_GOP_HEVC),
    Kind("open-gop.mkv", "libx264", OPEN_GOP),
    Kind("open-gop.mp4", "libx264", OPEN_GOP),
    Kind("open-gop.ts", "libx264", OPEN_GOP),
    Kind("intra-refresh.mkv", "libx264", {"x264-params": "intra-refresh=1:bframes=0"}),
    Kind("no-cues.mkv", "libx264", OPEN_GOP, {"live": "1"}),
    Kind("no-cues-hevc.mkv", "libx265", OPEN_GOP_HEVC, {"live": "1"}),
    Kind("fragmented.mp4", "libx264", OPEN_GOP, {"movflags": "frag_keyframe+empty_moov"}),
    Kind("variable.mp4", "libx264", OPEN_GOP, pts=VARIABLE),
    Kind("variable.ts", "libx264", OPEN_GOP, pts=VARIABLE),
    Kind("negative-start.mp4", "libx264", OPEN_GOP, pts=range(-112500, 112500, 3750)),
    Kind("hidden-frames.webm", "libvpx-vp9", {"cpu-used": "5", "auto-alt-ref": "1", "lag-in-frames": "16"}),
    Kind("av1.mkv", "libsvtav1", {"preset": "12"}),
    Kind("mpeg2.ts", "mpeg2video", b_frames=2),
    Kind("mpeg4.avi", "mpeg4", b_frames=2),
    Kind("film.flv", "libx264", OPEN_GOP),
    Kind("all-intra.mov", "prores_ks", pix_fmt="yuv422p10le", keyint=1),
    Kind("short-gops.mkv", "libx265", {"x265-params": "log-level=error:open-gop=1:bframes=1"}, keyint=2),
]


def write(path: Path, kind: Kind) -> None:
    time_base = Fraction(1, 90000) if kind.pts else Fraction(1, 24)
    with ordinary_priority(), av.open(path, "w", options=dict(kind.container)) as container:
        options = dict(kind.options)
        stream = cast("av.VideoStream", container.add_stream(kind.codec, rate=24, options=options))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = 160, 90, kind.pix_fmt
        context.gop_size, context.time_base = kind.keyint, time_base
        if kind.b_frames is not None:
            context.max_b_frames = kind.b_frames
        for index, picture in enumerate(sdr_frames(SHOTS, 160, 90)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=kind.pix_fmt)
            frame.pts, frame.time_base = kind.pts[index] if kind.pts else index, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def film_of(kind: Kind, folder: Path) -> Path:
    path = folder / f"decode-{kind.name}"
    if not path.exists():
        part = folder / f"part-{os.getpid()}-{kind.name}"
        write(part, kind)
        part.replace(path)
    return path


def window(reader: FrameReader, target: int) -> tuple[int, list[tuple[int, str]]]:
    """The keyframe at or before a PTS, and the 7 frames from the PTS on."""
    keyframe = reader.keyframe_at(target)
    assert keyframe is not None
    frames = islice(reader.frames(keyframe, target), WINDOW)
    return keyframe, [(frame.pts, digest(frame)) for frame in frames if frame.pts is not None]


def targets(stamps: Sequence[int]) -> Iterator[int]:
    """Forwards through a film, and then anywhere."""
    rng = np.random.default_rng(1)
    yield from sorted(rng.choice(stamps, 6).tolist())
    yield from rng.choice(stamps, 6).tolist()
    yield from (stamps[-1], stamps[0])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_windows_are_slices_of_a_plain_decode(kind: Kind, films_folder: Path) -> None:
    film = film_of(kind, films_folder)
    expected = plain_frames(film)
    stamps = [pts for pts, _ in expected]
    assert stamps == sorted(set(stamps))
    assert len(stamps) == (FRAMES if kind.name != "negative-start.mp4" else FRAMES // 2)
    with FrameReader(film) as used:
        for target in targets(stamps):
            with FrameReader(film) as fresh:
                answer = window(fresh, target)
            assert window(used, target) == answer, "an answer depends on what was asked before"
            assert answer[1] == [(pts, shown) for pts, shown in expected if pts >= target][:WINDOW]
        assert used.spans()[-1][1] > stamps[-1]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_keyframes_are_those_of_the_packets(kind: Kind, films_folder: Path) -> None:
    film = film_of(kind, films_folder)
    with av.open(film) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    stamps = [packet.pts if packet.pts is not None else packet.dts for packet in packets]
    keyframes = [
        pts for pts, packet in zip(stamps, packets, strict=True) if packet.is_keyframe and pts is not None
    ]
    assert len(keyframes) >= 3
    with FrameReader(film) as reader:
        for pts in [keyframes[-1] + 1, *keyframes, keyframes[2] - 1, keyframes[1] + 1, keyframes[0]]:
            assert reader.keyframe_at(pts) == max(key for key in keyframes if key <= pts)
        assert reader.keyframe_at(keyframes[0] - 1000) == keyframes[0]
        for key, following in zip(keyframes, [*keyframes[1:], None], strict=True):
            assert reader.keyframe_after(key, 10**9) == following
        assert reader.keyframe_after(keyframes[0], keyframes[1]) is None
        assert (
            reader.stamps(keyframes[1], 9)
            == sorted(pts for pts in stamps if pts is not None and pts >= keyframes[1])[:9]
        )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_keyframe_decoded_alone_is_that_of_a_plain_decode(kind: Kind, films_folder: Path) -> None:
    film = film_of(kind, films_folder)
    expected = plain_frames(film)
    pictures = []
    with FrameReader(film) as reader:
        for target in [pts for pts, _ in expected][::5]:
            keyframe = reader.keyframe_at(target)
            assert keyframe is not None
            if (picture := reader.keyframe_picture(keyframe)) is not None:
                pictures.append((picture.pts, digest(picture)))
        # The reader goes on as if nothing had been.
        assert window(reader, expected[3][0])[1] == expected[3 : 3 + WINDOW]
    assert set(pictures) <= set(expected)
    # Behind a recovery point the picture is whole only later; AVI stores no time stamps.
    assert len(pictures) >= 3 or kind.name in ("intra-refresh.mkv", "mpeg4.avi")


def test_going_forward_decodes_nothing_twice(pq_film: Film) -> None:
    with FrameReader(pq_film.path) as reader:
        keyframe = reader.keyframe_at(0)
        assert keyframe is not None
        first = list(islice(reader.frames(keyframe, keyframe), 3))
        codec = reader.stream.codec_context
        going_on = list(islice(reader.frames(keyframe, (first[-1].pts or 0) + 1), 2))
        # Seeking would have flushed the decoder, or opened another.
        assert reader.stream.codec_context is codec
    assert [frame.key_frame for frame in first + going_on] == [True, False, False, False, False]
    stamps = [frame.pts for frame in first + going_on]
    assert stamps == [0, 42, 83, 125, 167]


def remux(source: Path, target: Path, *, drop: int) -> None:
    """Leaves one packet out."""
    with av.open(source) as container, av.open(target, "w") as copy:
        stream = container.streams.video[0]
        copied = copy.add_stream_from_template(stream)
        for number, packet in enumerate(container.demux(stream)):
            if packet.size and number != drop:
                packet.stream = copied
                copy.mux(packet)


def test_a_missing_frame_is_no_window(sdr_film: Film, tmp_path: Path) -> None:
    film = tmp_path / "hole.mkv"
    remux(sdr_film.path, film, drop=15)
    with FrameReader(film, max_step=62) as reader:
        assert len(window(reader, 0)[1]) == WINDOW
        with pytest.raises(CorruptFrameError, match="missing before PTS 667"):
            window(reader, 500)
        assert len(window(reader, 1000)[1]) == WINDOW


def overwrite(source: Path, target: Path, place: int, count: int) -> None:
    content = bytearray(source.read_bytes())
    content[place : place + count] = np.random.default_rng(0).bytes(count)
    target.write_bytes(content)


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".mp4"])
def test_damage_reaches_no_window(suffix: str, sdr_film: Film, tmp_path: Path) -> None:
    sound, film = tmp_path / f"sound{suffix}", tmp_path / f"damaged{suffix}"
    remux(sdr_film.path, sound, drop=-1)
    overwrite(sound, film, sound.stat().st_size // 2, 400)
    expected = dict(plain_frames(sound))
    corrupt = 0
    with FrameReader(film) as reader:
        for target in list(expected)[::3]:
            try:
                frames = window(reader, target)[1]
            except CorruptFrameError:
                corrupt += 1
                with FrameReader(film) as fresh, pytest.raises(CorruptFrameError):
                    window(fresh, target)
                continue
            assert all(expected[pts] == shown for pts, shown in frames)
    assert 1 <= corrupt <= 9


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_a_film_that_is_cut_off_gives_what_it_has(suffix: str, sdr_film: Film, tmp_path: Path) -> None:
    sound, film = tmp_path / f"sound{suffix}", tmp_path / f"cut{suffix}"
    remux(sdr_film.path, sound, drop=-1)
    content = sound.read_bytes()
    film.write_bytes(content[: len(content) * 2 // 3])
    expected = plain_frames(sound)
    with FrameReader(film) as reader:
        keyframe = reader.keyframe_at(expected[0][0])
        assert keyframe is not None
        found: list[tuple[int | None, str]] = []
        try:
            found.extend((frame.pts, digest(frame)) for frame in reader.frames(keyframe, keyframe))
        except CorruptFrameError:
            assert suffix == ".ts"
        assert found == expected[: len(found)]
        assert FRAMES // 2 < len(found) < len(expected)
        assert reader.spans()[-1][1] <= expected[len(found) + 2][0]
        assert window(reader, expected[0][0])[1] == expected[:WINDOW]


def test_time_stamps_that_run_backwards_make_no_window(tmp_path: Path) -> None:
    film = tmp_path / "film.avi"
    write(film, Kind("film.avi", "libx264", OPEN_GOP))
    with FrameReader(film) as reader, pytest.raises(CorruptFrameError, match="run backwards"):
        window(reader, 0)


def test_grey_recovery_frames_are_never_handed_out(shared_media: Path) -> None:
    """A naive seek into this film, whose only keyframe is the first, gives grey without any error."""
    film = shared_media / "film__mediabunny__hevc.ts"
    expected = dict(plain_frames(film))
    with FrameReader(film) as reader:
        for target in list(expected)[::40]:
            for pts, shown in window(reader, target)[1]:
                assert shown == expected[pts]


@pytest.fixture(scope="module")
def interlaced_film(films_folder: Path) -> Path:
    """Top field first: the odd lines of each frame are those of half a frame later; a keyframe every 10."""
    path = films_folder / "interlaced.mkv"
    pictures = list(sdr_frames([Shot(1, 60, 4, 0)], 320, 180))
    with av.open(path, "w") as container:
        parameters = {"x264-params": "interlaced=1:tff=1", "crf": "10", "preset": "veryfast"}
        stream = container.add_stream("libx264", rate=25, options=parameters)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.gop_size = 320, 180, "yuv420p", 10
        for index in range(30):
            woven = pictures[2 * index].copy()
            woven[1::2] = pictures[2 * index + 1][1::2]
            frame = av.VideoFrame.from_ndarray(woven, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("target", [0, 520, 800, 1160])
def test_deinterlaced_frames_are_bwdifs_in_their_own_place(target: int, interlaced_film: Path) -> None:
    expected = [pts for pts, _ in plain_frames(interlaced_film)]
    with FrameReader(interlaced_film, deinterlace=True) as used:
        window(used, 240)
        keyframe = used.keyframe_at(target)
        assert keyframe is not None
        frames = list(islice(used.frames(keyframe, target), WINDOW))
    assert [frame.pts for frame in frames] == [pts for pts in expected if pts >= target][:WINDOW]
    with FrameReader(interlaced_film, deinterlace=True) as fresh:
        assert window(fresh, target)[1] == [(frame.pts, digest(frame)) for frame in frames]
    size = (320, 180)
    for frame in frames:
        assert frame.pts is not None
        chain = f"bwdif=send_frame:auto:all,select='eq(pts,{2 * frame.pts})'"
        deinterlaced = ffmpeg_luma(interlaced_film, "1", chain, size)
        woven = ffmpeg_luma(interlaced_film, f"eq(pts,{frame.pts})", "null", size)
        luma = np.clip(plane_samples(frame, frame.planes[0]), 16, 235)
        assert psnr(luma, deinterlaced) > psnr(luma, woven) + 3
        if frame.pts != keyframe:
            assert psnr(luma, deinterlaced) > 60


def test_a_reader_does_not_grow(films_folder: Path) -> None:
    for name in ("open-gop.ts", "no-cues.mkv"):
        film = film_of(next(kind for kind in KINDS if kind.name == name), films_folder)
        stamps = [pts for pts, _ in plain_frames(film)]
        with FrameReader(film) as reader:
            sizes = []
            for number in range(330):
                window(reader, stamps[number * 17 % len(stamps)])
                if number in (29, 329):
                    sizes.append(resident_bytes())
        # 300 windows of 7 frames are 45 MB.
        assert sizes[1] - sizes[0] < 15e6


def resident_bytes() -> int:
    status = Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("this system does not tell a process's memory in /proc")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
