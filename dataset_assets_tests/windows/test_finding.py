"""Finding windows in films whose cuts and frames are known."""

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
from dataset_assets.windows.finding import Attempt, WindowFinder
from dataset_assets.windows.sampling import Stratum, strata
from dataset_assets_tests.films import Film

Sampling = Literal["keyframe", "uniform"]


@dataclass(frozen=True)
class SettingsSample:
    seed: int = 0
    max_attempts: int = 10
    sampling: Sampling = "keyframe"
    cut_rule: Literal["both", "blocks", "legacy"] = "both"
    max_mean_abs_diff: float = 45.0
    max_cut_score: float = 0.65


def finder_of(
    reader: FrameReader,
    info: VideoInfo,
    settings: SettingsSample,
    accepted: AcceptedSignatures | None = None,
    stop: Event | None = None,
) -> WindowFinder:
    return WindowFinder(reader, info, "a-film", settings, accepted or AcceptedSignatures(), stop or Event())


def find_all(
    film: Film, windows: int, settings: SettingsSample
) -> tuple[VideoInfo, list[Stratum], list[list[Attempt]]]:
    info = probe(film.path)
    cut = strata(info, windows)
    with FrameReader(film.path) as reader:
        finder = finder_of(reader, info, settings)
        return info, cut, [finder.find(stratum)[0] for stratum in cut]


def frame_numbers(film: Film, info: VideoInfo, pts: Sequence[int]) -> list[int]:
    return [round((each - info.start_pts) * info.time_base * film.rate) for each in pts]


def straddles(numbers: Sequence[int], cuts: Sequence[int]) -> bool:
    return any(numbers[0] < cut <= numbers[-1] for cut in cuts)


@pytest.mark.parametrize("sampling", ["keyframe", "uniform"])
@pytest.mark.parametrize("fixture", ["sdr_film", "dark_cuts_film"])
def test_a_window_never_straddles_a_cut(
    fixture: str, sampling: Sampling, request: pytest.FixtureRequest
) -> None:
    film: Film = request.getfixturevalue(fixture)
    info, _, found = find_all(film, 6, SettingsSample(sampling=sampling))
    whole = [each for attempts in found for each in attempts if each.reason != "too_few_frames"]
    cut = [each for each in whole if straddles(frame_numbers(film, info, each.pts), film.cuts)]
    assert 0 < len(cut) < len(whole)
    assert [each.reason == "cut" for each in whole] == [each in cut for each in whole]


@pytest.mark.parametrize("sampling", ["keyframe", "uniform"])
def test_windows_are_seven_frames_in_a_row_inside_their_strata(sdr_film: Film, sampling: Sampling) -> None:
    info, cut, found = find_all(sdr_film, 8, SettingsSample(sampling=sampling))
    accepted = [(stratum, attempts[-1]) for stratum, attempts in zip(cut, found, strict=True)]
    accepted = [(stratum, attempt) for stratum, attempt in accepted if attempt.reason is None]
    assert len(accepted) >= 4
    for stratum, attempt in accepted:
        numbers = frame_numbers(sdr_film, info, attempt.pts)
        assert numbers == list(range(numbers[0], numbers[0] + FRAMES_PER_WINDOW))
        assert stratum.start_pts <= attempt.pts[0]
        assert attempt.pts[-1] < stratum.end_pts
        assert attempt.time_s == pytest.approx(numbers[0] / sdr_film.rate)
    assert all(before.pts[-1] < after.pts[0] for (_, before), (_, after) in pairwise(accepted))


@pytest.mark.parametrize("seed", range(4))
def test_windows_of_uneven_frames_keep_to_their_strata(vfr_film: Film, seed: int) -> None:
    _, cut, found = find_all(vfr_film, 10, SettingsSample(sampling="uniform", seed=seed))
    sound = [(stratum, each) for stratum, attempts in zip(cut, found, strict=True) for each in attempts]
    for stratum, each in sound:
        is_inside = len(each.pts) == FRAMES_PER_WINDOW and each.pts[-1] < stratum.end_pts
        assert is_inside == (each.reason != "too_few_frames")
    assert any(each.reason == "too_few_frames" for _, each in sound)


def test_keyframe_sampling_starts_at_keyframes_first(sdr_film: Film) -> None:
    info, _, found = find_all(sdr_film, 3, SettingsSample())
    for attempts in found:
        assert attempts[0].keyframe
        assert frame_numbers(sdr_film, info, attempts[0].pts)[0] % sdr_film.keyint == 0


def test_uniform_sampling_starts_anywhere(sdr_film: Film) -> None:
    info, _, found = find_all(sdr_film, 6, SettingsSample(sampling="uniform"))
    starts = [frame_numbers(sdr_film, info, attempts[0].pts)[0] for attempts in found]
    assert any(start % sdr_film.keyint for start in starts)


def test_every_attempt_is_kept_with_its_number_and_its_reason(dark_cuts_film: Film) -> None:
    _, _, found = find_all(dark_cuts_film, 8, SettingsSample())
    assert any(len(attempts) > 1 for attempts in found)
    for attempts in found:
        assert [attempt.attempt for attempt in attempts] == list(range(len(attempts)))
        assert all(attempt.reason is not None for attempt in attempts[:-1])


def test_a_window_is_given_up_after_max_attempts(sdr_film: Film) -> None:
    settings = SettingsSample(sampling="uniform", max_attempts=3, cut_rule="blocks", max_cut_score=-1)
    info = probe(sdr_film.path)
    with FrameReader(sdr_film.path) as reader:
        finder = finder_of(reader, info, settings)
        attempts, frames = finder.find(strata(info, 1)[0])
    assert [attempt.reason for attempt in attempts] == ["cut"] * 3
    assert frames == []


def test_a_place_is_not_tried_twice(sdr_film: Film) -> None:
    settings = SettingsSample(max_attempts=12, cut_rule="blocks", max_cut_score=-1)
    _, _, found = find_all(sdr_film, 3, settings)
    for attempts in found:
        starts = [attempt.pts[0] for attempt in attempts]
        # A time before one that led to a frame may lead there again; beyond that no frame is read in vain.
        assert len(starts) <= 2 * len(set(starts))


def test_a_recorded_window_is_read_again_as_it_was(pq_film: Film) -> None:
    info = probe(pq_film.path)
    settings = SettingsSample(sampling="uniform")
    kept: list[tuple[tuple[int, ...], list[av.VideoFrame]]] = []
    with FrameReader(pq_film.path) as reader:
        finder = finder_of(reader, info, settings)
        for stratum in strata(info, 3):
            attempts, frames = finder.find(stratum)
            if frames:
                kept.append((attempts[-1].pts, frames))
    assert len(kept) >= 2
    with FrameReader(pq_film.path) as reader:
        finder = finder_of(reader, info, settings)
        for pts, frames in reversed(kept):
            again = finder.read_again(pts)
            assert [frame.pts for frame in again] == list(pts)
            for one, other in zip(frames, again, strict=True):
                assert np.array_equal(luma_8bit(one), luma_8bit(other))


def test_frames_that_the_film_does_not_have_are_not_made_up(sdr_film: Film) -> None:
    info = probe(sdr_film.path)
    with FrameReader(sdr_film.path) as reader:
        finder = finder_of(reader, info, SettingsSample())
        ticks = info.frame_ticks
        assert finder.read_again([info.start_pts + 1 + ticks * index for index in range(7)]) == []
        assert finder.read_again([info.end_pts + ticks * index for index in range(7)]) == []


def test_a_window_like_an_accepted_one_is_a_duplicate(sdr_film: Film) -> None:
    info = probe(sdr_film.path)
    (stratum,) = strata(info, 1)
    settings = SettingsSample(max_attempts=1)
    with FrameReader(sdr_film.path) as reader:
        first = finder_of(reader, info, settings).find(stratum)[0][-1]
        assert first.judgement.measured is not None
        accepted = AcceptedSignatures()
        accepted.add(first.judgement.measured.signature)
        later = finder_of(reader, info, settings, accepted)
        assert later.find(stratum)[0][-1].reason == "duplicate"


def test_nothing_more_is_tried_after_a_stop(sdr_film: Film) -> None:
    info = probe(sdr_film.path)
    stop = Event()
    stop.set()
    with FrameReader(sdr_film.path) as reader:
        finder = finder_of(reader, info, SettingsSample(), stop=stop)
        with pytest.raises(CancelledError):
            finder.find(strata(info, 1)[0])
