"""Where windows are tried: properties of strata, of the order of attempts, and of the keyframe rule."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video.probing import VideoInfo
from dataset_assets.windows.sampling import Start, Stratum, attempt_times, find_start, strata
from dataset_assets_tests.windows.samples import ListedKeyframes, made_up_info

Sampling = Literal["keyframe", "uniform"]
SAMPLINGS: tuple[Sampling, ...] = ("keyframe", "uniform")

STRATUM = Stratum(window=3, start_pts=1000, end_pts=2000, last_start_pts=1720)

films = st.builds(
    lambda start, ticks, frames: made_up_info(start, start + ticks * frames, ticks),
    st.integers(-(10**6), 10**9),
    st.integers(1, 100),
    st.integers(7, 5000),
)
stratums = st.builds(
    lambda window, start, length, room: Stratum(window, start, start + length, start + min(room, length)),
    st.integers(0, 10**6),
    st.integers(-(10**9), 10**9),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
)


@given(films, st.integers(1, 1000))
def test_strata_cover_the_film_without_overlap(info: VideoInfo, windows: int) -> None:
    found = strata(info, windows)
    assert found[0].start_pts == info.start_pts
    assert found[-1].end_pts == info.end_pts
    assert all(before.end_pts == after.start_pts for before, after in pairwise(found))
    assert [each.window for each in found] == list(range(len(found)))


@given(films, st.integers(1, 1000))
def test_strata_are_equally_long_and_each_has_room_for_a_window(info: VideoInfo, windows: int) -> None:
    found = strata(info, windows)
    lengths = {each.end_pts - each.start_pts for each in found}
    assert max(lengths) - min(lengths) <= 1
    assert min(lengths) >= FRAMES_PER_WINDOW * info.frame_ticks
    for each in found:
        assert each.start_pts <= each.last_start_pts <= each.end_pts - FRAMES_PER_WINDOW * info.frame_ticks
    frames = (info.end_pts - info.start_pts) // info.frame_ticks
    assert len(found) == min(windows, frames // FRAMES_PER_WINDOW)


def test_a_film_of_a_window_or_less_has_one_stratum() -> None:
    assert len(strata(made_up_info(0, 7 * 40, 40), 100)) == 1
    # Rounded time stamps may make a film of 7 frames look a little shorter.
    (only,) = strata(made_up_info(5, 5 + 7 * 40 - 3, 40), 100)
    assert (only.start_pts, only.last_start_pts) == (5, 5)


def test_no_windows_are_no_strata() -> None:
    assert strata(made_up_info(0, 10**6, 40), 0) == []


@given(stratums, st.integers(0, 2**31), st.integers(1, 100))
def test_attempts_lie_in_the_stratum_and_go_forward_but_for_one_wrap(
    stratum: Stratum, seed: int, max_attempts: int
) -> None:
    times = attempt_times(seed, "a-film", stratum, max_attempts)
    assert len(times) == max_attempts
    assert all(stratum.start_pts <= time <= stratum.last_start_pts for time in times)
    back = [index for index, (before, after) in enumerate(pairwise(times)) if after < before]
    assert len(back) <= 1
    if back:
        assert max(times[back[0] + 1 :]) < times[0]


@given(stratums, st.integers(0, 2**31), st.integers(1, 100))
def test_the_first_attempt_does_not_depend_on_how_many_follow(
    stratum: Stratum, seed: int, max_attempts: int
) -> None:
    (alone,) = attempt_times(seed, "a-film", stratum, 1)
    assert attempt_times(seed, "a-film", stratum, max_attempts)[0] == alone


def test_attempts_depend_on_seed_video_and_window() -> None:
    times = [
        attempt_times(seed, key, Stratum(window, 0, 10**9, 10**9), 5)
        for seed, key, window in ((0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1))
    ]
    assert len({tuple(each) for each in times}) == 4


def test_first_attempts_are_spread_over_the_stratum() -> None:
    firsts = [attempt_times(seed, "a", Stratum(0, 0, 1000, 999), 1)[0] for seed in range(2000)]
    for tenth in range(10):
        assert 140 <= sum(tenth * 100 <= first < tenth * 100 + 100 for first in firsts) <= 260


def test_a_window_starts_at_the_keyframe_before_the_drawn_time() -> None:
    index = ListedKeyframes([900, 1200, 1500])
    assert find_start(index, STRATUM, 1400, "keyframe", []) == Start(1200, 1200)


def test_a_window_starts_at_the_next_keyframe_where_the_one_before_lies_outside_the_stratum() -> None:
    index = ListedKeyframes([900, 1300])
    assert find_start(index, STRATUM, 1100, "keyframe", []) == Start(1300, 1300)


@pytest.mark.parametrize("keyframes", [[900], [900, 1721], [900, 2500]])
def test_without_a_keyframe_in_reach_a_window_starts_inside_the_gop(keyframes: list[int]) -> None:
    assert find_start(ListedKeyframes(keyframes), STRATUM, 1100, "keyframe", []) == Start(900, 1100)


def test_a_keyframe_that_was_tried_is_followed_by_the_drawn_time_itself() -> None:
    index = ListedKeyframes([1200])
    tried = [range(1200, 1201)]
    assert find_start(index, STRATUM, 1400, "keyframe", tried) == Start(1200, 1400)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_times_that_lead_to_frames_tried_before_are_passed_over(sampling: Sampling) -> None:
    tried = [range(1200, 1201), range(1380, 1421)]
    assert find_start(ListedKeyframes([1200]), STRATUM, 1400, sampling, tried) is None


def test_uniform_sampling_starts_at_the_drawn_time() -> None:
    assert find_start(ListedKeyframes([900, 1200]), STRATUM, 1400, "uniform", []) == Start(1200, 1400)


def test_frames_before_the_first_keyframe_are_not_asked_for() -> None:
    assert find_start(ListedKeyframes([1650]), STRATUM, 1100, "uniform", []) == Start(1650, 1650)


def test_a_film_without_keyframes_has_no_start() -> None:
    assert find_start(ListedKeyframes([]), STRATUM, 1100, "keyframe", []) is None


@given(
    st.lists(st.integers(0, 3000), min_size=1, unique=True).map(lambda each: [0, *each]),
    st.integers(1000, 1720),
    st.sampled_from(SAMPLINGS),
)
def test_a_start_lies_in_the_stratum_and_decoding_begins_at_the_nearest_keyframe(
    keyframes: list[int], time_pts: int, sampling: Sampling
) -> None:
    start = find_start(ListedKeyframes(keyframes), STRATUM, time_pts, sampling, [])
    assert start is not None
    assert STRATUM.start_pts <= start.pts <= STRATUM.last_start_pts
    assert start.keyframe == max(each for each in keyframes if each <= start.pts)


@given(
    st.lists(st.integers(10, 90), min_size=30, max_size=300),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(SAMPLINGS),
    st.integers(0, 2**31),
)
def test_windows_of_a_film_of_any_frame_rate_never_overlap(
    steps: list[int], windows: int, gop: int, sampling: Sampling, seed: int
) -> None:
    frames = [sum(steps[:index]) for index in range(len(steps))]
    info = made_up_info(0, sum(steps), max(1, round(sum(steps) / len(steps))))
    index = ListedKeyframes(frames[::gop])
    taken: list[list[int]] = []
    for stratum in strata(info, windows):
        for time_pts in attempt_times(seed, "a-film", stratum, 10):
            start = find_start(index, stratum, time_pts, sampling, [])
            assert start is not None
            window = [pts for pts in frames if pts >= start.pts][:FRAMES_PER_WINDOW]
            if len(window) == FRAMES_PER_WINDOW and window[-1] < stratum.end_pts:
                taken.append(window)
                break
    assert all(before[-1] < after[0] for before, after in pairwise(taken))


def test_every_frame_of_a_dense_film_of_constant_rate_is_taken() -> None:
    info = made_up_info(0, 70 * 40, 40)
    for stratum in strata(info, 10):
        times = attempt_times(0, "a-film", stratum, 10)
        starts = [find_start(ListedKeyframes([0]), stratum, time, "uniform", []) for time in times]
        assert starts[0] is not None
        assert starts[0].pts == stratum.start_pts
