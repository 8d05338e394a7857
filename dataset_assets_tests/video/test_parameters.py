"""Films that change size, pixel shape or colour tags on the way, and tags that only the container has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from threading import Event
from typing import Any, Literal

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.bitstream import BitStreamFilterContext

from dataset_assets.errors import VideoError
from dataset_assets.video.decode import FrameReader
from dataset_assets.video.geometry import Rect
from dataset_assets.video.probing import VideoInfo, probe
from dataset_assets.windows.duplicates import AcceptedSignatures
from dataset_assets.windows.finding import Tried, WindowFinder
from dataset_assets_tests.encode import BT709, BT2020_PQ, ColourTags, StaticHdrMetadata, write_video
from dataset_assets_tests.films import Shot, pq_frames, sdr_frames
from dataset_assets_tests.video.reference import crop, ffmpeg_luma, hdr_chain, luma_of, psnr, read
from dataset_assets_tests.windows.samples import placements_of

RATE = 24
FRAMES = 48
X265 = "repeat-headers=1:log-level=error"
UNTAGGED = "colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2"


@dataclass(frozen=True)
class LimitsSample:
    cut_rule: Literal["both", "blocks", "legacy"] = "both"
    max_mean_abs_diff: float = 255.0
    max_cut_score: float = 2.0


def join(film: Path, parts: Sequence[Path]) -> Path:
    """Transport streams one behind the other, as recordings are."""
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    return film


def part(
    path: Path, frames: Iterator[npt.NDArray[Any]], count: int, start: int, **settings: Any
) -> tuple[Path, int]:
    """A transport stream of `count` frames whose clock begins at frame `start`."""
    pts = range(start, start + count)
    write_video(path, frames, rate=RATE, keyint=12, pts=pts, time_base=Fraction(1, RATE), **settings)
    return path, start + count


def sdr_part(path: Path, start: int, count: int, size: tuple[int, int] = (320, 180), **settings: Any) -> Path:
    options = {"qmin": "1", "qmax": "2"}
    frames = sdr_frames([Shot(1, count, 2, 0)], *size)
    return part(path, frames, count, start, codec="mpeg2video", options=options, **settings)[0]


def hevc_part(
    path: Path, start: int, count: int, colour: ColourTags, max_cll_nits: int | None = None
) -> Path:
    shots = [Shot(2, count, 2, 0)]
    frames = pq_frames(shots, 320, 180) if colour is BT2020_PQ else sdr_frames(shots, 320, 180)
    hdr = StaticHdrMetadata(max_cll_nits=max_cll_nits) if max_cll_nits else None
    options = {"preset": "ultrafast", "x265-params": X265}
    settings = {"codec": "libx265", "pix_fmt": "yuv420p10le", "colour": colour, "options": options}
    return part(path, frames, count, start, static_hdr=hdr, **settings)[0]


def tries_of(info: VideoInfo) -> list[Tried]:
    """Tries as many candidates as the film has room for."""
    with FrameReader(info.path, max_step=info.max_step) as reader:
        finder = WindowFinder(reader, info, LimitsSample(), AcceptedSignatures(), Event())
        return [finder.try_out(each)[0] for each in placements_of(info, FRAMES)]


def starts_s(tries: Sequence[Tried], reason: str | None) -> list[float]:
    return [each.time_s for each in tries if each.reason == reason]


def test_an_intro_of_another_size_is_left_out_and_said(tmp_path: Path) -> None:
    film = join(
        tmp_path / "film.ts",
        [
            sdr_part(tmp_path / "a.ts", 0, 24, (352, 288)),
            sdr_part(tmp_path / "b.ts", 24, 96, (640, 360)),
        ],
    )
    info = probe(film)
    assert (info.geometry.coded_width, info.geometry.coded_height) == (640, 360)
    assert any("of it has other parameters and is not used: size 352x288" in each for each in info.warnings)
    found = tries_of(info)
    assert min(starts_s(found, None)) >= 1.0
    assert len(starts_s(found, None)) >= 7
    # The first part's last packet is cut off, so what reaches over the seam is damaged by the recording.
    assert all(0.6 < time < 1.0 for time in starts_s(found, "corrupt"))
    assert any(time < 1.0 for time in starts_s(found, "other_parameters"))


def test_a_square_stays_square_where_the_pixel_shape_changes(tmp_path: Path) -> None:
    wide, tall = Fraction(16, 11), Fraction(12, 11)
    film = join(
        tmp_path / "film.ts",
        [
            sdr_part(tmp_path / "a.ts", 0, FRAMES, (352, 288), sample_aspect=wide),
            sdr_part(tmp_path / "b.ts", FRAMES, 2 * FRAMES, (352, 288), sample_aspect=tall),
        ],
    )
    info = probe(film)
    assert info.geometry.sar == tall
    assert any("pixel aspect ratio 16:11 instead of 12:11" in each for each in info.warnings)
    found = tries_of(info)
    changed_s = FRAMES / RATE
    assert min(starts_s(found, None)) >= changed_s
    # Frames 0..6 of a window that begins a quarter of a second before the change reach into it.
    others = starts_s(found, "other_parameters")
    assert others
    assert max(others) < changed_s


@pytest.mark.parametrize("order", ["pq first", "pq last"])
def test_windows_with_other_tags_than_most_of_the_film_are_rejected(order: str, tmp_path: Path) -> None:
    pq_at, sdr_at = (0, 2 * FRAMES) if order == "pq first" else (FRAMES, 0)
    pq = hevc_part(tmp_path / "pq.ts", pq_at, 2 * FRAMES, BT2020_PQ, max_cll_nits=300)
    sdr = hevc_part(tmp_path / "sdr.ts", sdr_at, FRAMES, BT709)
    film = join(tmp_path / "film.ts", [pq, sdr] if order == "pq first" else [sdr, pq])
    info = probe(film)
    assert (info.colour.hdr_format, info.colour.peak, info.max_cll) == ("pq", 3.0, 300)
    assert any("transfer bt709 instead of smpte2084" in each for each in info.warnings)
    found = tries_of(info)
    pq_s = range(2 * FRAMES) if order == "pq first" else range(FRAMES, 3 * FRAMES)
    accepted, others = starts_s(found, None), starts_s(found, "other_parameters")
    assert accepted
    assert others
    assert all(pq_s.start <= round(time * RATE) <= pq_s.stop - 7 for time in accepted)
    with FrameReader(film) as reader:
        window = next(each for each in found if each.reason is None)
        keyframe = reader.keyframe_at(window.pts[0])
        assert keyframe is not None
        frame = next(reader.frames(keyframe, window.pts[3]))
        reference = ffmpeg_luma(film, window.pts[3], hdr_chain(info), (320, 180))
        assert psnr(luma_of(crop(info, frame)), reference) >= 45


def test_untagged_frames_do_not_take_the_tags_of_the_streams_first_headers(tmp_path: Path) -> None:
    parts = [
        hevc_part(tmp_path / "pq.ts", 0, FRAMES // 2, BT2020_PQ),
        hevc_part(tmp_path / "sdr.ts", FRAMES // 2, 2 * FRAMES, replace(BT709, written=False)),
    ]
    info = probe(join(tmp_path / "film.ts", parts))
    assert info.colour.hdr_format is None
    assert any("untagged, taken as" in each for each in info.warnings)
    assert any("transfer smpte2084 instead of bt709" in each for each in info.warnings)
    assert min(starts_s(tries_of(info), None)) >= FRAMES / 2 / RATE


def rewritten(film: Path, copy: Path, bitstream_filter: str, **options: str) -> Path:
    """The same pictures in a container that keeps the tags, with other tags in the stream."""
    with av.open(film) as source, av.open(copy, "w", options=options) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        editor = BitStreamFilterContext(bitstream_filter, source.streams.video[0], stream)
        for packet in source.demux(video=0):
            for each in editor.filter(packet if packet.size else None):
                each.stream = stream
                target.mux(each)
    return copy


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_tags_that_only_the_container_has_count(suffix: str, tmp_path: Path) -> None:
    film = tmp_path / "tagged.mkv"
    options = {"preset": "ultrafast", "x265-params": X265}
    frames = pq_frames([Shot(3, 24, 2, 0)], 320, 180)
    write_video(film, frames, codec="libx265", pix_fmt="yuv420p10le", colour=BT2020_PQ, options=options)
    options = {"movflags": "write_colr"} if suffix == ".mp4" else {}
    copy = rewritten(film, tmp_path / f"copy{suffix}", f"hevc_metadata={UNTAGGED}", **options)
    with av.open(copy) as container:
        frame = next(container.decode(video=0))
        assert isinstance(frame, av.VideoFrame)
        assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (2, 2, 2)
    tagged, untagged = probe(film), probe(copy)
    assert untagged.colour == tagged.colour
    assert untagged.warnings == ()
    rect = Rect(40, 20, 240, 135)
    ours = crop(untagged, read(untagged)[3], rect)
    assert np.array_equal(ours, crop(tagged, read(tagged)[3], rect))
    assert {each.reason for each in tries_of(untagged)} == {None}


@pytest.mark.parametrize(
    ("tag", "what"),
    [
        ("matrix_coefficients=8", "colour matrix (code 8"),
        ("matrix_coefficients=10", "colour matrix (code 10"),
        ("transfer_characteristics=9", "transfer characteristics (code 9"),
    ],
)
def test_a_tag_that_cannot_be_converted_is_refused(tag: str, what: str, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    write_video(film, sdr_frames([Shot(1, 24, 2, 0)], 320, 180), options={"preset": "ultrafast"})
    # Matroska itself can hold the tags: in a transport stream the stream alone has them.
    copy = rewritten(film, tmp_path / "copy.ts", f"h264_metadata={tag}")
    with pytest.raises(VideoError) as refused:
        probe(copy)
    assert what in str(refused.value)
    assert str(refused.value).endswith("; re-encode it as BT.709 or as BT.2020 with non-constant luminance")
