"""Where candidates lie: properties of the sequence over made-up films, and the keyframe rule."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video import Extent
from dataset_assets.windows import CandidateSequence, Placement
from dataset_assets_tests.windows.samples import (
    KEY,
    SAMPLINGS,
    MadeUpFilm,
    Sampling,
    film_of,
    films,
    placed,
    steady_film,
)

COUNT = 60

samplings = st.sampled_from(SAMPLINGS)
seeds = st.integers(0, 2**31)


@given(films(), samplings, seeds)
def test_a_candidate_lies_in_its_span_behind_its_keyframe(
    film: MadeUpFilm, sampling: Sampling, seed: int
) -> None:
    needed = FRAMES_PER_WINDOW * film.extent.frame_ticks
    for each in placed(film.sequence(sampling, seed=seed), COUNT):
        assert each.start is not None
        assert each.keyframe == film.keyframe_at(each.start)
        (span,) = [span for span in film.spans if span[0] <= each.start < span[1]]
        assert each.start + needed <= span[1] or each.start == span[0]


@given(films(), samplings, seeds)
def test_candidates_are_seven_frames_apart(film: MadeUpFilm, sampling: Sampling, seed: int) -> None:
    ticks_at = film.extent.timeline.ticks_at
    sequence = film.sequence(sampling, seed=seed)
    starts = sorted(ticks_at(each.start) for each in placed(sequence, COUNT) if each.start is not None)
    needed = FRAMES_PER_WINDOW * film.extent.frame_ticks
    assert all(later - one >= needed for one, later in pairwise(starts))


@given(films(), samplings, seeds, st.sets(st.integers(0, COUNT)), st.integers(0, COUNT))
def test_known_candidates_lie_where_they_are_placed_again(
    film: MadeUpFilm, sampling: Sampling, seed: int, forgotten: set[int], until: int
) -> None:
    """Whatever an earlier run looked up, and in whatever order the film is asked."""
    whole = list(islice(film.sequence(sampling, seed=seed), COUNT))
    known = {each.number: each for each in whole[:until] if each.number not in forgotten}
    assert list(islice(film.sequence(sampling, seed=seed, known=known), COUNT)) == whole
    assert [each.number for each in whole] == list(range(len(whole)))


@given(films(), samplings, seeds)
def test_known_candidates_are_not_looked_up(film: MadeUpFilm, sampling: Sampling, seed: int) -> None:
    whole = list(islice(film.sequence(sampling, seed=seed), COUNT))

    def unreadable(_: int) -> int:
        raise AssertionError("a known candidate was looked up")

    known = {each.number: each for each in whole}
    again = CandidateSequence(film.extent, unreadable, seed, KEY, sampling, known=known)
    assert list(islice(again, len(whole))) == whole


@settings(max_examples=50)
@given(films(), samplings, seeds)
def test_a_film_ends_once_it_is_full(film: MadeUpFilm, sampling: Sampling, seed: int) -> None:
    sequence = film.sequence(sampling, seed=seed)
    found = sum(each.start is not None for each in sequence)
    length = sum(end - start for start, end in film.spans)
    cells = length // (FRAMES_PER_WINDOW * film.extent.frame_ticks)
    assert 1 <= found <= max(1, cells)
    # Its end is recorded too: a row for each candidate.
    assert sequence.number <= 20 * cells + 50


@pytest.mark.parametrize("gops", [(1,), (5,), (12,), (24,), (48, 240, 100), (10**6,)])
@pytest.mark.parametrize("frames", [120, 798, 2499])
def test_uniform_sampling_takes_every_frame_of_a_short_film(frames: int, gops: tuple[int, ...]) -> None:
    for seed in range(3):
        sequence = steady_film(frames, *gops).sequence("uniform", seed=seed)
        assert len(placed(sequence, frames)) == frames // FRAMES_PER_WINDOW


@given(st.integers(FRAMES_PER_WINDOW, 900), samplings, seeds)
def test_a_short_film_of_one_gop_gives_every_frame(frames: int, sampling: Sampling, seed: int) -> None:
    sequence = steady_film(frames, frames).sequence(sampling, seed=seed)
    assert len(placed(sequence, frames)) == frames // FRAMES_PER_WINDOW


@pytest.mark.parametrize("gops", [(1,), (7,), (12,), (24,), (240,), (48, 240, 100), (10**6,)])
@pytest.mark.parametrize("frames", [120, 798, 2499])
def test_keyframe_sampling_takes_as_many_windows_as_each_gop_of_a_short_film_holds(
    frames: int, gops: tuple[int, ...]
) -> None:
    film = steady_film(frames, *gops)
    ends = [*film.keyframes[1:], 40 * frames]
    room = sum((end - start) // 40 // 7 for start, end in zip(film.keyframes, ends, strict=True))
    for seed in range(3):
        found = len(placed(film.sequence("keyframe", seed=seed), frames))
        assert found >= max(room, frames // FRAMES_PER_WINDOW if gops == (1,) else 0)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_candidates_are_spread_evenly_however_many_there_are(sampling: Sampling) -> None:
    film = steady_film(100_000, 24)
    starts = [each.start or 0 for each in placed(film.sequence(sampling), 1000)]
    for count in (10, 33, 100, 700, 1000):
        inside = sorted(starts[:count])
        gaps = [later - one for one, later in pairwise([0, *inside, 40 * 100_000])]
        assert max(gaps) < 2.2 * 40 * 100_000 / count


def test_the_sequence_depends_on_seed_and_video() -> None:
    film = steady_film(100_000, 24)

    def starts(seed: int, key: str) -> tuple[Placement, ...]:
        sequence = CandidateSequence(film.extent, film.keyframe_at, seed, key, "keyframe")
        return tuple(islice(sequence, 5))

    assert len({starts(0, "a"), starts(1, "a"), starts(0, "b")}) == 3


def test_keyframe_sampling_starts_at_keyframes_while_there_are_free_ones() -> None:
    film = steady_film(24 * 100, 24)
    found = placed(film.sequence(), 40)
    assert all(each.is_at_keyframe for each in found)
    assert len({each.start for each in found}) == 40


def test_a_gop_is_shared_once_candidates_are_denser_than_gops() -> None:
    found = placed(steady_film(240 * 20, 240).sequence(), 60)
    at_keyframe = [each.is_at_keyframe for each in found]
    assert sum(at_keyframe) == 20
    assert sum(at_keyframe[:18]) >= 17
    inside = [(each.start or 0) - (each.keyframe or 0) for each in found if not each.is_at_keyframe]
    assert all(distance % (FRAMES_PER_WINDOW * 40) == 0 for distance in inside)


def test_uniform_sampling_starts_anywhere() -> None:
    found = placed(steady_film(240 * 20, 240).sequence("uniform"), 20)
    assert sum(each.is_at_keyframe for each in found) <= 2


def test_frames_before_the_first_keyframe_are_not_asked_for() -> None:
    film = MadeUpFilm(range(0, 8000, 40), [4000], ((0, 8000),))
    for sampling in SAMPLINGS:
        assert all((each.start or 0) >= 4000 for each in placed(film.sequence(sampling), 20))


def test_a_film_without_keyframes_has_no_candidates() -> None:
    extent = Extent(((0, 40_000),), 40)
    for sampling in SAMPLINGS:
        assert placed(CandidateSequence(extent, lambda _: None, 0, KEY, sampling), 5) == []


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_film_of_seven_frames_has_one_candidate(sampling: Sampling) -> None:
    (only,) = placed(steady_film(7).sequence(sampling), 5)
    assert only.start == 0
    # Rounded time stamps may make it look a little shorter.
    (only,) = placed(MadeUpFilm(range(5, 285, 40), [5], ((5, 282),)).sequence(sampling), 5)
    assert only.start == 5


@given(films(), samplings, seeds, st.integers(1, 8))
def test_candidates_keep_away_from_windows_of_the_release_before(
    film: MadeUpFilm, sampling: Sampling, seed: int, count: int
) -> None:
    """A data set that was placed in strata goes on with the numbers behind them."""
    taken = [film.frames[len(film.frames) * index // count] for index in range(count)]
    sequence = film.sequence(sampling, seed=seed, taken=taken, first=count)
    found = list(islice(sequence, COUNT))
    assert [each.number for each in found] == list(range(count, count + len(found)))
    ticks_at = film.extent.timeline.ticks_at
    needed = FRAMES_PER_WINDOW * film.extent.frame_ticks
    for start in (each.start for each in found if each.start is not None):
        assert all(abs(ticks_at(start) - ticks_at(pts)) >= needed for pts in taken)


def test_a_gap_holds_no_candidate() -> None:
    film = film_of([40] * 240, [24], {100: 10**7})
    for sampling in SAMPLINGS:
        found = placed(film.sequence(sampling), 100)
        assert len(found) >= 28
        assert {each.start is not None and each.start < 5000 for each in found} == {True, False}
