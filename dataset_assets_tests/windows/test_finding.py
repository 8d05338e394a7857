"""Trying candidates of films whose cuts and frames are known."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from itertools import pairwise
from threading import Event
from typing import Literal

import av
import numpy as np
import pytest

from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video.decode import FrameReader
from dataset_assets.video.planes import luma_8bit
from dataset_assets.video.probing import VideoInfo, probe
from dataset_assets.windows.duplicates import AcceptedSignatures
from dataset_assets.windows.finding import Tried, WindowFinder
from dataset_assets.windows.sampling import Placement
from dataset_assets_tests.films import Film
from dataset_assets_tests.windows.samples import SAMPLINGS, Sampling, placements_of


@dataclass(frozen=True)
class LimitsSample:
    cut_rule: Literal["both", "blocks", "legacy"] = "both"
    max_mean_abs_diff: float = 45.0
    max_cut_score: float = 0.65


def finder_of(
    reader: FrameReader,
    info: VideoInfo,
    accepted: AcceptedSignatures | None = None,
    stop: Event | None = None,
    limits: LimitsSample | None = None,
) -> WindowFinder:
    return WindowFinder(
        reader, info, limits or LimitsSample(), accepted or AcceptedSignatures(), stop or Event()
    )


def try_all(
    film: Film, count: int, sampling: Sampling = "keyframe", limits: LimitsSample | None = None
) -> tuple[VideoInfo, list[Tried]]:
    """Tries the first so many candidates of a film, each as if none had been accepted before."""
    info = probe(film.path)
    with FrameReader(film.path) as reader:
        finder = finder_of(reader, info, limits=limits)
        return info, [finder.try_out(each)[0] for each in placements_of(info, count, sampling)]


def frame_numbers(film: Film, info: VideoInfo, pts: Sequence[int]) -> list[int]:
    return [round((each - info.start_pts) * info.time_base * film.rate) for each in pts]


def straddles(numbers: Sequence[int], cuts: Sequence[int]) -> bool:
    return any(numbers[0] < cut <= numbers[-1] for cut in cuts)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("fixture", ["sdr_film", "dark_cuts_film"])
def test_a_window_never_straddles_a_cut(
    fixture: str, sampling: Sampling, request: pytest.FixtureRequest
) -> None:
    film: Film = request.getfixturevalue(fixture)
    info, found = try_all(film, 20, sampling)
    whole = [each for each in found if each.reason != "too_few_frames"]
    cut = [each for each in whole if straddles(frame_numbers(film, info, each.pts), film.cuts)]
    assert 0 < len(cut) < len(whole)
    assert [each.reason == "cut" for each in whole] == [each in cut for each in whole]


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_windows_are_seven_frames_in_a_row_from_where_they_were_placed(
    sdr_film: Film, sampling: Sampling
) -> None:
    info, found = try_all(sdr_film, 20, sampling)
    accepted = [each for each in found if each.reason is None]
    assert len(accepted) >= 4
    for tried in accepted:
        numbers = frame_numbers(sdr_film, info, tried.pts)
        assert numbers == list(range(numbers[0], numbers[0] + FRAMES_PER_WINDOW))
        assert tried.placement.start is not None
        assert tried.pts[0] - info.frame_ticks < tried.placement.start <= tried.pts[0]
        assert tried.time_s == pytest.approx(numbers[0] / sdr_film.rate)
    in_order = sorted(accepted, key=lambda tried: tried.pts)
    assert all(before.pts[-1] < after.pts[0] for before, after in pairwise(in_order))


def test_windows_of_uneven_frames_are_seven_of_them_or_too_few(vfr_film: Film) -> None:
    info, found = try_all(vfr_film, 40, "uniform")
    assert len(found) > 8
    for tried in found:
        is_inside = len(tried.pts) == FRAMES_PER_WINDOW and tried.pts[-1] < info.end_pts
        assert is_inside == (tried.reason != "too_few_frames")


def test_fewer_frames_than_a_window_needs_are_said(sdr_film: Film) -> None:
    info = probe(sdr_film.path)
    with FrameReader(sdr_film.path) as reader:
        start = info.end_pts - 3 * info.frame_ticks
        placement = Placement(5, reader.keyframe_at(start), start)
        tried, frames = finder_of(reader, info).try_out(placement)
    assert (tried.reason, len(tried.pts), frames) == ("too_few_frames", 3, [])
    assert tried.placement is placement


def test_keyframe_sampling_starts_at_keyframes_first(sdr_film: Film) -> None:
    info, found = try_all(sdr_film, 4)
    for tried in found:
        assert tried.keyframe
        assert frame_numbers(sdr_film, info, tried.pts)[0] % sdr_film.keyint == 0


def test_uniform_sampling_starts_anywhere(sdr_film: Film) -> None:
    info, found = try_all(sdr_film, 6, "uniform")
    starts = [frame_numbers(sdr_film, info, tried.pts)[0] for tried in found]
    assert any(start % sdr_film.keyint for start in starts)


def test_a_rejected_candidate_is_measured_and_gives_no_frames(sdr_film: Film) -> None:
    limits = LimitsSample(cut_rule="blocks", max_cut_score=-1)
    _, found = try_all(sdr_film, 3, "uniform", limits)
    assert [tried.reason for tried in found] == ["cut"] * 3
    assert all(tried.judgement.measured is not None for tried in found)


def test_a_candidate_that_was_passed_over_cannot_be_tried(sdr_film: Film) -> None:
    info = probe(sdr_film.path)
    with FrameReader(sdr_film.path) as reader, pytest.raises(ValueError, match="candidate 3 was passed over"):
        finder_of(reader, info).try_out(Placement(3, 0, None))


def test_a_recorded_window_is_read_again_as_it_was(pq_film: Film) -> None:
    info = probe(pq_film.path)
    kept: list[tuple[tuple[int, ...], list[av.VideoFrame]]] = []
    with FrameReader(pq_film.path) as reader:
        finder = finder_of(reader, info)
        for placement in placements_of(info, 4, "uniform"):
            tried, frames = finder.try_out(placement)
            if frames:
                kept.append((tried.pts, frames))
    assert len(kept) >= 2
    with FrameReader(pq_film.path) as reader:
        finder = finder_of(reader, info)
        for pts, frames in reversed(kept):
            again = finder.read_again(pts)
            assert [frame.pts for frame in again] == list(pts)
            for one, other in zip(frames, again, strict=True):
                assert np.array_equal(luma_8bit(one), luma_8bit(other))


def test_frames_that_the_film_does_not_have_are_not_made_up(sdr_film: Film) -> None:
    info = probe(sdr_film.path)
    with FrameReader(sdr_film.path) as reader:
        finder = finder_of(reader, info)
        ticks = info.frame_ticks
        assert finder.read_again([info.start_pts + 1 + ticks * index for index in range(7)]) == []
        assert finder.read_again([info.end_pts + ticks * index for index in range(7)]) == []


def test_a_window_like_an_accepted_one_is_a_duplicate(sdr_film: Film) -> None:
    info, found = try_all(sdr_film, 4)
    first = next(each for each in found if each.reason is None)
    assert first.judgement.measured is not None
    accepted = AcceptedSignatures()
    accepted.add(first.judgement.measured.signature)
    with FrameReader(sdr_film.path) as reader:
        assert finder_of(reader, info, accepted).try_out(first.placement)[0].reason == "duplicate"


def test_nothing_more_is_tried_after_a_stop(sdr_film: Film) -> None:
    info = probe(sdr_film.path)
    stop = Event()
    stop.set()
    with FrameReader(sdr_film.path) as reader:
        finder = finder_of(reader, info, stop=stop)
        with pytest.raises(CancelledError):
            finder.try_out(placements_of(info, 1)[0])
