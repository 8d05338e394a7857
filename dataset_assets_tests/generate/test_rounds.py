"""Rounds through made-up films: what is tried and what stays depend on film, seed and number, and no more."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.generate.rounds import Rounds, evenly_first
from dataset_assets.reasons import PASSED_OVER
from dataset_assets.tables import WindowRow
from dataset_assets.windows import DUPLICATE, OVERLAP, SIGNATURE_HEIGHT, SIGNATURE_WIDTH, Placement
from dataset_assets_tests.tables.samples import ACCEPTED
from dataset_assets_tests.windows.samples import SAMPLINGS, MadeUpFilm, Sampling, film_of, films, steady_film

SIZES = (1, 2, 7, 10**6)


@dataclass(frozen=True)
class Story:
    """A made-up film with what it shows; verdicts are functions of the place alone.

    Attributes:
        film: Its frames.
        unusable: Parts of which nothing is accepted, as shares of its frames.
        pictures: It shows so many pictures over and over, of which windows are duplicates; 0: all differ.
    """

    film: MadeUpFilm
    unusable: Sequence[tuple[float, float]] = ()
    pictures: int = 0

    def judged(self, placement: Placement) -> WindowRow:
        assert placement.start is not None
        pts = self.film.window_at(placement.start)
        place = self.film.frames.index(pts[0]) if pts else len(self.film.frames)
        reason = None
        if len(pts) < FRAMES_PER_WINDOW or pts[-1] >= self.film.end_of_span(pts[0]):
            reason = "too_few_frames"
        elif any(first <= place / len(self.film.frames) < end for first, end in self.unusable):
            reason = "near_black"
        return replace(
            ACCEPTED,
            window=placement.number,
            keyframe_pts=placement.keyframe,
            start_pts=placement.start,
            pts=pts,
            signature=picture(place // FRAMES_PER_WINDOW % self.pictures if self.pictures else place),
            accepted=reason is None,
            reason=reason,
        )


def picture(number: int) -> bytes:
    rng = np.random.default_rng(number)
    return rng.integers(0, 256, (SIGNATURE_HEIGHT, SIGNATURE_WIDTH), np.uint8).tobytes()


@dataclass
class Table:
    """The rows of a film's candidates."""

    rows: dict[int, WindowRow] = field(default_factory=dict)

    def row(self, number: int) -> WindowRow | None:
        return self.rows.get(number)

    def add(self, row: WindowRow) -> None:
        self.rows[row.window] = row

    def skips(self, placement: Placement) -> bool:
        if placement.start is not None:
            return False
        over = replace(ACCEPTED, accepted=False, reason=PASSED_OVER, pts=(), signature=None)
        self.add(
            replace(over, window=placement.number, keyframe_pts=placement.keyframe, start_pts=placement.start)
        )
        return True

    def placements(self) -> dict[int, Placement]:
        return {
            number: Placement(number, row.keyframe_pts, row.start_pts) for number, row in self.rows.items()
        }


@dataclass(frozen=True)
class Settings:
    """What shapes a table beside the film."""

    sampling: Sampling = "keyframe"
    seed: int = 0
    max_attempts: int = 4


@dataclass(frozen=True)
class Result:
    """What a run ends with."""

    rows: Mapping[int, WindowRow]
    accepted: tuple[int, ...]
    tried: int
    is_full: bool


def run(
    story: Story,
    targets: Sequence[int],
    chosen: Settings,
    rows: Mapping[int, WindowRow] | None = None,
    *,
    size: int = 10**6,
    order: int = 0,
) -> Result:
    """Go through the stages of a run, as `VideoPass` does.

    Args:
        story: The film.
        targets: Windows wanted by each category; the largest is that of the film.
        chosen: The settings.
        rows: What earlier runs recorded.
        size: Candidates of a round at most.
        order: Seed of the order in which the candidates of a round are looked at.
    """
    table = Table(dict(rows or {}))
    sequence = story.film.sequence(chosen.sampling, seed=chosen.seed, known=table.placements())
    rounds = Rounds(table, sequence, max(targets, default=0) * chosen.max_attempts)
    for target in sorted(set(targets) - {0}):
        while batch := rounds.next_round(target, size):
            for each in random.Random(order).sample(batch, len(batch)):
                if table.row(each.number) is None:
                    table.add(story.judged(each))
            rounds.settle(batch)
    kept = {number: row for number, row in sorted(table.rows.items()) if number < sequence.number}
    return Result(kept, tuple(rounds.accepted), rounds.tried, rounds.is_full)


stories = st.builds(
    Story,
    films(),
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 0.4)).map(lambda part: (part[0], part[0] + part[1])),
        max_size=4,
    ),
    st.sampled_from([0, 0, 1, 3, 12]),
)
choices = st.builds(
    Settings, st.sampled_from(SAMPLINGS), st.integers(0, 2**31), st.sampled_from([1, 2, 4, 10])
)
targets = st.lists(st.integers(0, 40), min_size=1, max_size=3)
sizes = st.sampled_from(SIZES)


@given(stories, choices, st.integers(1, 30))
def test_windows_for_a_number_are_the_first_of_those_for_one_more(
    story: Story, chosen: Settings, target: int
) -> None:
    few, more = run(story, [target], chosen), run(story, [target + 1], chosen)
    assert more.accepted[: len(few.accepted)] == few.accepted
    assert {number: more.rows.get(number) for number in few.rows} == few.rows
    assert len(few.accepted) <= target


@given(stories, choices, targets, sizes, st.integers(0, 2**31))
def test_rounds_stages_and_the_order_of_work_change_nothing(
    story: Story, chosen: Settings, wanted: list[int], size: int, order: int
) -> None:
    assert run(story, wanted, chosen, size=size, order=order) == run(story, [max(wanted)], chosen)


@settings(max_examples=60)
@given(stories, choices, st.lists(targets, min_size=1, max_size=4), sizes)
def test_any_way_to_a_target_ends_where_a_fresh_run_does(
    story: Story, chosen: Settings, steps: list[list[int]], size: int
) -> None:
    """Up, down, several weights, with and without candidates to spare."""
    rows: Mapping[int, WindowRow] = {}
    for step in steps:
        result = run(story, step, chosen, rows, size=size)
        rows = result.rows
        assert result == run(story, step, chosen)


@given(stories, choices, targets, sizes, st.data())
def test_rows_that_a_killed_run_lost_or_had_not_settled_come_again(
    story: Story, chosen: Settings, wanted: list[int], size: int, data: st.DataObject
) -> None:
    whole = run(story, wanted, chosen)
    left = {}
    for number in data.draw(st.sets(st.sampled_from(sorted(whole.rows)))) if whole.rows else ():
        row = whole.rows[number]
        if row.reason in (DUPLICATE, OVERLAP):
            row = data.draw(st.sampled_from([row, replace(row, accepted=True, reason=None)]))
        left[number] = row
    assert run(story, wanted, chosen, left, size=size) == whole


@given(stories, choices, targets, st.tuples(st.floats(0, 1), st.floats(0, 0.4)))
def test_windows_that_other_limits_reject_make_room_for_their_like(
    story: Story, chosen: Settings, wanted: list[int], part: tuple[float, float]
) -> None:
    """Recorded verdicts are judged again one by one; what depends on other windows is settled once more."""
    strict = replace(story, unusable=[*story.unusable, (part[0], sum(part))])
    left = {}
    for number, row in run(story, wanted, chosen).rows.items():
        if row.is_tried and row.reason in (None, DUPLICATE, OVERLAP):
            again = strict.judged(Placement(number, row.keyframe_pts, row.start_pts))
            row = row if again.accepted else again
        left[number] = row
    assert run(strict, wanted, chosen, left) == run(strict, wanted, chosen)


@given(stories, choices, st.integers(1, 40))
def test_no_two_windows_share_frames_or_a_picture(story: Story, chosen: Settings, target: int) -> None:
    found = run(story, [target], chosen)
    accepted = [found.rows[number] for number in found.accepted]
    assert {number for number, row in found.rows.items() if row.accepted} == set(found.accepted)
    for one, other in combinations(accepted, 2):
        assert set(one.pts).isdisjoint(other.pts)
        assert one.signature != other.signature
    for row in found.rows.values():
        earlier = [each for each in accepted if each.window < row.window]
        if row.reason == DUPLICATE:
            assert any(each.signature == row.signature for each in earlier)
        if row.reason == OVERLAP:
            assert any(each.pts[0] <= row.pts[-1] and row.pts[0] <= each.pts[-1] for each in earlier)


@given(stories, choices, st.integers(1, 40))
def test_a_film_that_falls_short_is_full_or_its_tries_are_used_up(
    story: Story, chosen: Settings, target: int
) -> None:
    found = run(story, [target], chosen)
    assert found.tried == sum(row.is_tried for row in found.rows.values()) <= target * chosen.max_attempts
    if len(found.accepted) < target:
        assert found.is_full or found.tried == target * chosen.max_attempts
    # None is tried that is not needed: the last one was accepted.
    if found.accepted and len(found.accepted) == target:
        assert max(found.rows) == found.accepted[-1]


def test_candidates_that_are_passed_over_cost_no_try() -> None:
    story = Story(steady_film(350, 10**6))
    found = run(story, [50], Settings(max_attempts=1))
    assert len(found.accepted) == found.tried == 50
    assert len(found.rows) > 50


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("gops", [(24,), (48, 240, 100)])
def test_unusable_parts_leave_their_share_to_the_rest_of_the_film(
    sampling: Sampling, gops: tuple[int, ...]
) -> None:
    story = Story(steady_film(20_000, *gops), [(0.0, 0.3), (0.6, 0.7)])
    found = run(story, [100], Settings(sampling))
    assert len(found.accepted) == 100
    assert 150 <= found.tried <= 190


def test_windows_of_uneven_frames_that_overlap_are_settled_by_number() -> None:
    """Frames last 10 or 40 ticks: 7 of them last longer than the mean in some parts."""
    story = Story(film_of([*[10] * 300, *[40] * 300], [10**6]))
    found = run(story, [200], Settings("uniform", max_attempts=10))
    assert sum(row.reason == OVERLAP for row in found.rows.values()) > 5
    assert len(found.accepted) > 40


def test_the_first_of_two_windows_that_show_the_same_stays() -> None:
    story = Story(steady_film(700, 24), pictures=1)
    found = run(story, [5], Settings(max_attempts=3))
    assert found.accepted == (0,)
    assert {row.reason for row in found.rows.values() if row.is_tried} == {None, DUPLICATE}
    assert found.tried == 15


def test_small_rounds_leave_a_part_of_the_film_that_is_spread_evenly() -> None:
    """What a killed run leaves is a smaller data set."""
    story = Story(steady_film(24_000, 24))
    sequence = story.film.sequence()
    rounds = Rounds(Table(), sequence, 10 * 500)
    starts: list[int] = []
    for _ in range(10):
        starts += [each.start or 0 for each in rounds.next_round(500, 10)]
    tenths = {start // 96_000 for start in starts}
    assert len(starts) == 100
    assert tenths == set(range(10))


def test_a_round_in_which_gops_become_shared_takes_all_that_is_missing() -> None:
    """The film is decoded once for all of them: another small round would decode the same GOPs again."""
    story = Story(steady_film(4_800, 240))
    rounds = Rounds(Table(), story.film.sequence(), 10 * 50)
    batches = []
    while batch := rounds.next_round(50, 7):
        batches.append(batch)
        rounds.accepted += [each.number for each in batch]
    *small, last = batches
    assert len(small) > 1
    assert {len(batch) for batch in small} == {7}
    assert all(each.is_at_keyframe for batch in small for each in batch)
    assert len(last) == 50 - 7 * len(small)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 100])
def test_windows_in_strata_are_taken_in_an_order_of_which_any_part_is_spread(count: int) -> None:
    order = evenly_first(range(count))
    assert sorted(order) == list(range(count))
    for taken in range(2, count + 1):
        places = sorted(order[:taken])
        gaps = [later - one for one, later in zip(places, [*places[1:], count], strict=True)]
        assert max(gaps) <= 4 * count / taken


def test_windows_in_strata_come_first_and_shrink_and_grow_as_others_do() -> None:
    film = steady_film(2400, 24)
    story = Story(film)
    older = {number: story.judged(Placement(number, number * 9600, number * 9600)) for number in range(10)}

    def grown(target: int, rows: Mapping[int, WindowRow]) -> tuple[dict[int, WindowRow], list[int]]:
        table = Table(dict(rows))
        strata = [row for number, row in rows.items() if number < 10]
        sequence = film.sequence(taken=[row.pts[0] for row in strata], first=10)
        rounds = Rounds(table, sequence, 10_000, [row.window for row in strata])
        while batch := rounds.next_round(target, 7):
            for each in batch:
                table.add(story.judged(each))
            rounds.settle(batch)
        return {number: table.rows[number] for number in rounds.accepted}, rounds.accepted

    rows, accepted = grown(15, older)
    assert set(accepted[:10]) == set(range(10))
    assert accepted[10:] == sorted(accepted[10:])
    assert min(accepted[10:]) == 10
    assert grown(20, rows)[1][:15] == accepted
    assert grown(15, grown(20, rows)[0])[1][:15] == accepted
