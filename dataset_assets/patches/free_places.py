"""The places for a crop that overlap none of the crops that are taken, so that one can be drawn uniformly.

Places are top-left corners. Here: whole numbers alone. Not here: what is drawn, and which of several places
is taken (`planning`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dataset_assets.video import Rect

_Cell = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class FreePlaces:
    """All free places, in a fixed order.

    Attributes:
        size: Width and height of the crop.
        cells: Rectangles of places, each by its left, top, right and bottom edge, the latter two exclusive.
        count: How many places there are.
    """

    size: tuple[int, int]
    cells: Sequence[_Cell]
    count: int

    def at(self, number: int) -> Rect:
        """Return the crop at a place, by its number below `count`."""
        for left, top, right, bottom in self.cells:
            width = right - left
            places = width * (bottom - top)
            if number < places:
                return Rect(left + number % width, top + number // width, *self.size)
            number -= places
        raise IndexError("there are fewer free places")


def free_places(area: Rect, taken: Sequence[Rect]) -> FreePlaces:
    """Return the places in an area for a further crop of the size of those that are taken.

    A crop excludes the places less than its width and its height away. The edges of what crops exclude cut
    the area into cells, each of which is free or excluded as a whole.

    Args:
        area: What crops lie in.
        taken: The crops that are taken, at least one, all of one size.
    """
    width, height = taken[0].width, taken[0].height
    ends_x, ends_y = area.x + area.width - width + 1, area.y + area.height - height + 1
    excluded = [(each.x - width + 1, each.y - height + 1, each.x + width, each.y + height) for each in taken]
    columns = _edges(area.x, ends_x, [edge for each in excluded for edge in (each[0], each[2])])
    rows = _edges(area.y, ends_y, [edge for each in excluded for edge in (each[1], each[3])])
    cells = [
        (left, top, right, bottom)
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
        if not any(x <= left < end_x and y <= top < end_y for x, y, end_x, end_y in excluded)
    ]
    count = sum((right - left) * (bottom - top) for left, top, right, bottom in cells)
    return FreePlaces((width, height), cells, count)


def _edges(start: int, end: int, edges: Sequence[int]) -> list[int]:
    """Return the edges of the cells of one axis, its ends among them."""
    return sorted({start, end, *(edge for edge in edges if start < edge < end)})
