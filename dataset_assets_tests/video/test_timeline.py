"""Film time: spans without their gaps."""

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
