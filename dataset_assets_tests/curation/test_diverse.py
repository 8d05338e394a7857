"""Choosing few of many patches so that they differ."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dataset_assets.curation.diverse import diverse, vectors_of

KINDS, OF_KIND = 6, 40


@pytest.fixture
def vectors() -> NDArray[np.float32]:
    """40 patches of each of 6 kinds, which differ far more from kind to kind than within one."""
    random = np.random.default_rng(0)
    centres = np.repeat(10 * np.eye(KINDS), OF_KIND, axis=0)
    return (centres + random.normal(0, 0.3, centres.shape)).astype(np.float32)


def kinds(found: list[int]) -> list[int]:
    return sorted(index // OF_KIND for index in found)


def test_one_patch_of_each_kind_is_chosen(vectors: NDArray[np.float32]) -> None:
    films = [f"film-{index % 8}" for index in range(len(vectors))]
    found = diverse(vectors, films, [0.0] * len(films), KINDS)
    assert kinds(found) == list(range(KINDS))
    assert len({films[index] for index in found}) == KINDS


def test_the_same_patches_give_the_same_choice(vectors: NDArray[np.float32]) -> None:
    films = ["film"] * len(vectors)
    times_s = [float(index) for index in range(len(vectors))]
    found = diverse(vectors, films, times_s, 11, span_s=3.0)
    assert diverse(vectors, films, times_s, 11, span_s=3.0) == found
    assert len(set(found)) == 11


def test_kinds_that_were_chosen_before_give_no_other(vectors: NDArray[np.float32]) -> None:
    films = [f"film-{index % 8}" for index in range(len(vectors))]
    found = diverse(vectors, films, [0.0] * len(films), KINDS, chosen=[5, 3 * OF_KIND])
    assert kinds(found) == [1, 2, 4, 5]


def test_the_films_share_the_choice(vectors: NDArray[np.float32]) -> None:
    """Though one film has most patches, and those in the middle of every kind."""
    films = ["long" if index % 10 else f"short-{index // 10}" for index in range(len(vectors))]
    found = diverse(vectors, films, [0.0] * len(films), KINDS)
    assert kinds(found) == list(range(KINDS))
    assert [films[index] for index in found].count("long") <= 1


def test_neighbours_in_time_are_not_both_chosen_where_there_are_others(vectors: NDArray[np.float32]) -> None:
    films = ["film"] * len(vectors)
    times_s = [float(index % OF_KIND) for index in range(len(vectors))]
    found = diverse(vectors, films, times_s, KINDS, span_s=4.0)
    chosen_s = sorted(times_s[index] for index in found)
    assert kinds(found) == list(range(KINDS))
    assert min(np.diff(chosen_s)) > 4


@pytest.mark.parametrize("count", [3, 7])
def test_no_more_are_chosen_than_there_are(count: int) -> None:
    vectors = np.eye(5, dtype=np.float32)
    assert len(diverse(vectors, ["film"] * 5, [0.0] * 5, count)) == min(count, 5)
    assert diverse(vectors, ["film"] * 5, [0.0] * 5, count, chosen=list(range(5))) == []


def test_patches_that_are_all_the_same_are_no_error() -> None:
    vectors = vectors_of(np.ones((4, 3)), np.zeros((4, 576), np.uint8))
    assert np.isfinite(vectors).all()
    assert len(diverse(vectors, ["film"] * 4, [0.0] * 4, 2)) == 2


def test_the_look_counts_whatever_its_brightness_and_contrast() -> None:
    random = np.random.default_rng(0)
    one, two = (random.integers(0, 100, 576).astype(np.uint8) for _ in range(2))
    signatures = np.stack([one, one * 2, one // 2 + 60, two])
    vectors = vectors_of(np.ones((4, 1)), signatures)
    distances = np.linalg.norm(vectors - vectors[0], axis=1)
    assert distances[3] > 5 * distances[:3].max()
