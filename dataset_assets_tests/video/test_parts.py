"""Films whose clock is set back: all of their frames are there, each under a PTS of its own."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_assets.video.decode import FrameReader
from dataset_assets.video.parts import CLOCK_TICKS, find_seams
from dataset_assets.video.probing import probe
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import Shot, sdr_frames

FRAME_BYTES, FRAME_TICKS = 50_000, 3600


class ListedClocks:
    """A film whose frames' places and stamps are known without a file; every 4th frame is stored early."""

    def __init__(self, lengths: list[int], starts: list[int]) -> None:
        shown = [
            start + FRAME_TICKS * index
            for length, start in zip(lengths, starts, strict=True)
            for index in range(length)
        ]
        stored = [index + (3 if index % 4 == 0 else -1) for index in range(len(shown))]
        edges = np.cumsum([0, *lengths])
        self.stamps = [
            shown[there] if bisect_left(edges, here + 1) == bisect_left(edges, there + 1) else shown[here]
            for here, there in enumerate(min(each, len(shown) - 1) for each in stored)
        ]
        self.seams = [int(edge) * FRAME_BYTES for edge in edges[1:-1]]
        self.size = len(shown) * FRAME_BYTES

    def clocks_from(self, byte: int) -> Iterator[tuple[int, int]]:
        for index in range(-(-byte // FRAME_BYTES), len(self.stamps)):
            yield index * FRAME_BYTES, self.stamps[index] % CLOCK_TICKS


@settings(deadline=None)
@given(st.lists(st.integers(400, 2000), min_size=1, max_size=4), st.integers(0, CLOCK_TICKS - 1))
def test_each_place_where_the_clock_is_set_back_is_found(lengths: list[int], start: int) -> None:
    film = ListedClocks(lengths, [start] * len(lengths))
    assert [behind for _, behind in find_seams(film, film.size)] == film.seams
    assert all(before < behind for before, behind in find_seams(film, film.size))


def test_a_clock_that_runs_on_has_no_seam() -> None:
    film = ListedClocks([500, 500], [CLOCK_TICKS - 100 * FRAME_TICKS, CLOCK_TICKS + 5000 * FRAME_TICKS])
    assert find_seams(film, film.size) == []


def test_a_part_that_begins_before_the_other_ends_is_found() -> None:
    film = ListedClocks([1000, 1000], [0, 950 * FRAME_TICKS])
    assert [behind for _, behind in find_seams(film, film.size)] == film.seams


def as_stream(film: Path, copy: Path, start_s: float) -> Path:
    """Copies a film's packets into a transport or program stream whose clock begins at `start_s`."""
    with av.open(film) as source, av.open(copy, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is not None and packet.dts is not None and packet.time_base is not None:
                packet.pts += round(start_s / packet.time_base)
                packet.dts += round(start_s / packet.time_base)
                packet.stream = stream
                target.mux(packet)
    return copy


def pictures(film: Path) -> list[bytes]:
    with av.open(film) as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("codec", "suffix", "starts"),
    [
        ("libx264", ".ts", (0, 0)),
        ("libx264", ".ts", (0, 2)),
        ("libx264", ".ts", (900, 3)),
        ("libx264", ".ts", (0, 900, 0)),
        ("mpeg2video", ".mpg", (0, 0)),
    ],
)
def test_all_frames_of_joined_films_are_read_in_any_order(
    codec: str, suffix: str, starts: tuple[float, ...], tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    options = (
        {"preset": "ultrafast", "bf": "2"} if codec == "libx264" else {"bf": "2", "qmin": "2", "b": "4M"}
    )
    write_video(film, sdr_frames([Shot(1, 96, 2, 0)], 320, 180), codec=codec, keyint=12, options=options)
    parts = [as_stream(film, tmp_path / f"{index}{suffix}", each) for index, each in enumerate(starts)]
    joined = tmp_path / f"two, joined,,:%03d ü{suffix}"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    truth = pictures(film)
    info = probe(joined)
    assert info.duration_s == pytest.approx(len(starts) * 4, abs=0.01)
    assert info.frame_rate == 24
    assert not info.vfr
    assert len(info.timeline.spans) == len(starts)
    places = info.timeline.spread(8)
    random.Random(0).shuffle(places)
    with FrameReader(joined, parts=info.parts, max_step=info.max_step) as reader:
        for place in places:
            keyframe = reader.keyframe_at(place)
            assert keyframe is not None
            frames = list(islice(reader.frames(keyframe, place), 7))
            first = int(frames[0].pts or 0)
            (start,) = (a for a, b in info.timeline.spans if a <= first < b)
            number = round((first - start) * info.time_base * 24)
            assert [frame.to_ndarray().tobytes() for frame in frames] == truth[number : number + 7]


def test_a_part_without_film_is_left_out_and_it_is_said(tmp_path: Path) -> None:
    film, joined = tmp_path / "film.mp4", tmp_path / "joined.ts"
    write_video(film, sdr_frames([Shot(1, 48, 2, 0)], 320, 180), keyint=12, options={"preset": "ultrafast"})
    whole = as_stream(film, tmp_path / "whole.ts", 900).read_bytes()
    other = as_stream(film, tmp_path / "other.ts", 3)
    with av.open(other) as container:
        places = [packet.pos or 0 for packet in container.demux(video=0)]
    # From the frame behind the first keyframe to before the second one.
    joined.write_bytes(whole + other.read_bytes()[places[1] : places[11]])
    info = probe(joined)
    assert info.duration_s == pytest.approx(2, abs=0.1)
    assert "% of its file, where its clock is set back, hold no film and are left out" in info.warnings[0]
