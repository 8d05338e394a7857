"""Whether two pictures show the same: what changes nothing, what does, and pictures that show little."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dataset_assets.windows import (
    COARSE_LIMIT,
    FINE_LIMIT,
    ComparablePicture,
    coarse_vectors,
    fine_vectors,
    likeness,
)
from dataset_assets.windows.measures import signature
from dataset_assets_tests.films import Shot, sdr_frames

SIZE = 480, 270


def picture(seed: int, exposure: float = 1.0) -> NDArray[np.uint8]:
    """The luma of a picture of the tests' films."""
    (frame,) = sdr_frames([Shot(seed, 1, exposure=exposure)], *SIZE)
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def is_same(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    """What both steps say of two pictures."""
    pair = [signature(each).reshape(1, -1) for each in (first, second)]
    coarse, fine = (vectors(pair[0]) @ vectors(pair[1]).T for vectors in (coarse_vectors, fine_vectors))
    if 1 - coarse[0, 0] > COARSE_LIMIT or 1 - fine[0, 0] > FINE_LIMIT:
        return False
    return likeness(*(ComparablePicture.of(each) for each in (first, second))).is_same


def coded(of: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, content = cv2.imencode(".jpg", of, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


def smaller(of: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(of, (320, 180), interpolation=cv2.INTER_AREA), np.uint8)


def noisy(of: NDArray[np.uint8], sigma: float, seed: int = 0) -> NDArray[np.uint8]:
    grain = np.random.default_rng(seed).normal(0, sigma, of.shape)
    return np.clip(of + grain, 0, 255).astype(np.uint8)


def moved(of: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(np.roll(of, (2, 7), axis=(0, 1)), np.uint8)


def cropped(of: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(of[4:-4, 8:-8], SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def darker(of: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return (of * 0.4).astype(np.uint8)


@pytest.mark.parametrize("change", [smaller, moved, cropped, darker])
def test_the_same_picture_scaled_moved_cropped_darker_and_poorly_coded_is_the_same(
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> None:
    for seed in range(8):
        first = picture(seed)
        assert is_same(first, coded(change(first), 30)), seed


def test_grain_changes_nothing() -> None:
    first = picture(1)
    assert is_same(noisy(first, 6, 1), noisy(first, 6, 2))


def test_other_pictures_are_others_also_in_the_dark() -> None:
    for exposure in (1.0, 0.05, 0.01):
        shown = [coded(picture(seed, exposure), 75) for seed in range(14)]
        assert not any(is_same(*pair) for pair in itertools.combinations(shown, 2)), exposure


@pytest.mark.parametrize("level", [0, 3, 16, 200])
def test_flat_pictures_match_nothing_not_even_one_another(level: int) -> None:
    flat = np.full(SIZE[::-1], level, np.uint8)
    assert not is_same(flat, flat)
    assert not is_same(coded(noisy(flat, 1.5, 1), 75), coded(noisy(flat, 1.5, 2), 75))
    ramp = np.clip(flat + np.linspace(0, 20, SIZE[0])[None], 0, 255).astype(np.uint8)
    assert not is_same(coded(noisy(ramp, 1.5, 1), 75), coded(noisy(ramp, 1.5, 2), 75))


def test_titles_with_other_words_on_black_are_others() -> None:
    titles = []
    for words in ("A FILM BY NOBODY", "THE END OF IT ALL", "SOME YEARS LATER", "WITH THANKS TO"):
        title = np.zeros(SIZE[::-1], np.uint8)
        cv2.putText(title, words, (80, 140), cv2.FONT_HERSHEY_DUPLEX, 1.0, 230, 2, cv2.LINE_AA)
        titles.append(coded(title, 75))
    assert not any(is_same(*pair) for pair in itertools.combinations(titles, 2))
