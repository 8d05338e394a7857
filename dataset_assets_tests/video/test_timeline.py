"""Film time: spans without their gaps, and pieces that cross none."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.video.timeline import Timeline


def _joined(lengths: list[tuple[int, int]], start: int) -> Timeline:
    spans = []
    for length, gap in lengths:
        spans.append((start, start + length))
        start += length + gap
    return Timeline(tuple(spans))


timelines = st.builds(
    _joined,
    st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 10**6)), min_size=1, max_size=6),
    st.integers(-(10**6), 10**9),
)


@given(timelines, st.integers(1, 200), st.integers(1, 300))
def test_pieces_lie_in_one_span_each_and_are_long_enough(line: Timeline, count: int, shortest: int) -> None:
    pieces = line.pieces(count, shortest)
    assert 1 <= len(pieces) <= count
    assert all(before[1] <= after[0] for before, after in pairwise(pieces))
    for start, end in pieces:
        assert any(first <= start < end <= last for first, last in line.spans)
        assert end - start >= shortest or len(pieces) == 1


@given(timelines, st.integers(1, 200))
def test_a_gap_costs_no_piece_where_spans_are_long(line: Timeline, count: int) -> None:
    shortest = min(end - start for start, end in line.spans) // (count + 1)
    if shortest:
        assert len(line.pieces(count, shortest)) == count


def test_a_film_without_a_gap_is_cut_into_equal_pieces() -> None:
    assert Timeline(((5, 105),)).pieces(3, 7) == [(5, 38), (38, 71), (71, 105)]
    assert Timeline(((5, 105),)).pieces(0, 7) == []


@given(timelines)
def test_film_time_is_every_tick_of_the_spans_in_order(line: Timeline) -> None:
    places = line.spread(min(line.length, 50))
    assert places[0] == line.start
    assert all(before < after for before, after in pairwise(places))
    assert all(any(start <= place < end for start, end in line.spans) for place in places)
    assert line.pts_at(line.length - 1) == line.end - 1
    ticks = {0, 1, line.length // 3, line.length // 2, line.length - 1} & set(range(line.length))
    assert all(line.ticks_at(line.pts_at(each)) == each for each in ticks)
    assert line.ticks_at(line.start - 5) == -5


def test_gaps_are_left_out_wherever_they_lie() -> None:
    line = Timeline(((0, 100),))
    assert line.without([(40, 60), (20, 30)]).spans == ((0, 20), (30, 40), (60, 100))
    assert line.without([(-5, 10), (90, 120)]).spans == ((10, 90),)
    assert line.without([(200, 300)]) == line
    assert line.without([(40, 60)]).length == 80
