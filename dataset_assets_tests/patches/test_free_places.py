"""Places for further crops: exactly those that overlap no crop, each of them once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.patches.free_places import free_places
from dataset_assets.video.geometry import Rect


@st.composite
def taken_crops(draw: st.DrawFn) -> tuple[Rect, list[Rect]]:
    """An area, and crops of one size in it that do not overlap."""
    area = Rect(draw(st.integers(0, 5)), draw(st.integers(0, 5)), *draw(st.tuples(*[st.integers(1, 24)] * 2)))
    width, height = draw(st.integers(1, area.width)), draw(st.integers(1, area.height))
    taken: list[Rect] = []
    for x, y in draw(st.lists(st.tuples(st.integers(0, 23), st.integers(0, 23)), min_size=1, max_size=8)):
        place = Rect(
            area.x + x % (area.width - width + 1), area.y + y % (area.height - height + 1), width, height
        )
        if not any(overlap(place, each) for each in taken):
            taken.append(place)
    return area, taken


def overlap(one: Rect, other: Rect) -> bool:
    return (
        abs(one.x - other.x) < (one.width + other.width) / 2
        and abs(one.y - other.y) < (one.height + other.height) / 2
        and one.width == other.width
    )


@given(taken_crops())
def test_the_places_are_those_of_a_search_of_all(case: tuple[Rect, list[Rect]]) -> None:
    area, taken = case
    width, height = taken[0].width, taken[0].height
    every = [
        Rect(x, y, width, height)
        for y in range(area.y, area.y + area.height - height + 1)
        for x in range(area.x, area.x + area.width - width + 1)
    ]
    free = [place for place in every if not any(overlap(place, each) for each in taken)]
    places = free_places(area, taken)
    found = [places.at(number) for number in range(places.count)]
    assert len(found) == len(set(found))
    assert set(found) == set(free)
