"""Gaps in the time stamps: found wherever they lie, and no window lost to them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video.probing import probe
from dataset_assets.video.survey import survey
from dataset_assets.video.timeline import Span, Timeline
from dataset_assets_tests.films import Film
from dataset_assets_tests.windows.samples import placements_of


class ListedFrames:
    """A film whose frames are known without a file."""

    def __init__(self, stamps: list[int], keyint: int, *, has_index: bool) -> None:
        self._stamps = stamps
        self._keyframes = stamps[::keyint]
        self._has_index = has_index

    def keyframe_at(self, pts: int) -> int | None:
        return self._keyframes[max(0, bisect_right(self._keyframes, pts) - 1)]

    def stamps(self, keyframe: int, count: int) -> list[int]:
        return [stamp for stamp in self._stamps if stamp >= keyframe][:count]

    def step_at(self, pts: int) -> Span | None:
        place = bisect_right(self._stamps, pts)
        return (self._stamps[place - 1], self._stamps[place]) if 0 < place < len(self._stamps) else None

    def indexed(self) -> list[int]:
        return self._keyframes if self._has_index else []


def stamps_with(gaps: Mapping[int, int], frames: int, start: int = 0) -> list[int]:
    """Stamps of `frames` frames of 40 ticks, a gap of so many ticks before each of the frames named."""
    steps = [40 + gaps.get(index, 0) for index in range(1, frames)]
    return [start, *(start + int(each) for each in np.cumsum(steps))]


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(8, 990), st.integers(20_000, 10**7), max_size=5),
    st.sampled_from([1, 10, 25, 250, 5000]),
    st.booleans(),
    st.integers(-(10**6), 10**6),
)
def test_every_long_gap_is_left_out(gaps: dict[int, int], keyint: int, has_index: bool, start: int) -> None:
    stamps = stamps_with(gaps, 1000, start)
    found = survey(ListedFrames(stamps, keyint, has_index=has_index), Timeline(((start, stamps[-1] + 40),)))
    assert found.timeline.length == 1000 * 40
    assert len(found.timeline.spans) == len(gaps) + 1
    assert (found.typical_step, found.varies) == (40, False)


def test_short_gaps_are_found_by_the_index() -> None:
    stamps = stamps_with({100: 2000, 141: 2000, 300: 2000, 400: 2000, 500: 2000}, 600)
    found = survey(ListedFrames(stamps, 25, has_index=True), Timeline(((0, stamps[-1] + 40),)))
    assert found.timeline.length == 600 * 40


def test_pauses_of_a_variable_frame_rate_are_no_gaps() -> None:
    stamps = stamps_with(dict.fromkeys(range(0, 600, 5), 40) | {299: 2000}, 600)
    found = survey(ListedFrames(stamps, 25, has_index=True), Timeline(((0, stamps[-1] + 40),)))
    assert found.varies
    assert len(found.timeline.spans) == 1


def with_gap(film: Path, copy: Path, first_s: float, gap_s: float) -> Path:
    """Copies a film's packets, those from `first_s` on `gap_s` later."""
    with av.open(film) as source, av.open(copy, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue
            if packet.pts * packet.time_base >= first_s:
                packet.pts += round(gap_s / packet.time_base)
                packet.dts += round(gap_s / packet.time_base)
            packet.stream = stream
            target.mux(packet)
    return copy


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_a_film_with_a_gap_gives_as_many_windows_as_without(
    suffix: str, sdr_film: Film, tmp_path: Path
) -> None:
    whole = probe(sdr_film.path)
    info = probe(with_gap(sdr_film.path, tmp_path / f"film{suffix}", 1.5, 600.0))
    assert info.duration_s == pytest.approx(whole.duration_s, abs=0.01)
    assert (info.frame_rate, info.vfr) == (whole.frame_rate, False)
    assert "its time stamps have a gap, 600.0 s without a frame" in info.warnings
    (_, end), (start, _) = info.timeline.spans
    needed = FRAMES_PER_WINDOW * info.frame_ticks
    placed = placements_of(info, 100)
    assert len(placed) == len(placements_of(whole, 100)) >= sdr_film.frames // FRAMES_PER_WINDOW - 1
    assert all(each.start >= start or each.start + needed <= end for each in placed if each.start is not None)
