"""The map of detail: what it keeps of mean squares, and what is read from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.detail_map import MAP_HEIGHT, MAP_WIDTH, DetailMap, quantile


def test_mean_squares_are_kept_within_a_sixth_of_a_db() -> None:
    cells = np.geomspace(1e-3, 1e4, MAP_WIDTH * MAP_HEIGHT).astype(np.float32).reshape(MAP_HEIGHT, MAP_WIDTH)
    kept = DetailMap.of_mean_squares(cells)
    assert len(kept.content) == 576
    for row, column in ((0, 0), (9, 16), (17, 31)):
        found = kept.mean_square(column / 32, row / 18, (column + 1) / 32, (row + 1) / 18)
        assert 10 * np.log10(found / cells[row, column]) == pytest.approx(0, abs=1 / 6 + 1e-3)


@given(st.tuples(*[st.floats(0, 1)] * 4))
def test_a_part_has_the_mean_of_its_cells_by_their_area(edges: tuple[float, float, float, float]) -> None:
    left, right = sorted(edges[:2])
    top, bottom = sorted(edges[2:])
    if min(right - left, bottom - top) < 1e-3:
        return
    cells = np.zeros((MAP_HEIGHT, MAP_WIDTH), np.float32)
    cells[:, : MAP_WIDTH // 2] = 100
    found = DetailMap.of_mean_squares(cells).mean_square(left, top, right, bottom)
    inside = max(0.0, min(right, 0.5) - left) / (right - left)
    assert found == pytest.approx(100 * inside, rel=0.05, abs=0.01)


def test_detail_all_over_fills_a_picture_and_detail_in_one_place_does_not() -> None:
    everywhere = DetailMap.of_mean_squares(np.full((MAP_HEIGHT, MAP_WIDTH), 10, np.float32))
    place = np.full((MAP_HEIGHT, MAP_WIDTH), 0.1, np.float32)
    place[:6, :8] = 10 * 12
    somewhere = DetailMap.of_mean_squares(place)
    assert everywhere.mean_square(0, 0, 1, 1) == pytest.approx(somewhere.mean_square(0, 0, 1, 1), rel=0.1)
    assert everywhere.fill > somewhere.fill + 10


def test_a_quantile_grows_from_nought_to_one() -> None:
    fills = (-2.0, 0.0, 1.0, 7.0)
    found = [quantile(fill, fills) for fill in (-50, -2, 0, 0.5, 1, 7, 50)]
    assert found == pytest.approx([0, 1 / 8, 3 / 8, 1 / 2, 5 / 8, 7 / 8, 1])
    assert quantile(3.0, (3.0, 3.0)) == pytest.approx(0.5)
    assert quantile(1.0, (0.0, 1.0, 1.0, 1.0, 2.0)) == pytest.approx(0.5)
