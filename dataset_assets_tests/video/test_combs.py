"""Combs found in pictures: of fields of two moments, and not in fine lines, grain and flashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dataset_assets.video.combs import (
    MIN_VISIBLE_SHARE,
    Lines,
    comb_votes,
    combed_share,
    first_field,
    has_combs,
    is_telecined,
    looks_combed,
    sample_lines,
    total,
)
from dataset_assets.video.geometry import Rect
from dataset_assets_tests.films import Shot, interlaced, sdr_frames, telecined

WIDTH, HEIGHT = 640, 360
Picture = NDArray[np.uint8]


def lines_of(pictures: Sequence[Picture], area: Rect | None = None) -> list[Lines]:
    frames = [av.VideoFrame.from_ndarray(picture, format="gray") for picture in pictures]
    return [sample_lines(frame, area) for frame in frames]


def grey(pictures: Iterator[Picture], count: int = 7) -> list[Picture]:
    return [np.ascontiguousarray(picture[..., 1]) for picture in islice(pictures, count)]


def pan(frames: int, step_x: int = 4, step_y: int = 2) -> Iterator[Picture]:
    return sdr_frames([Shot(3, frames, step_x, step_y)], WIDTH, HEIGHT)


@pytest.mark.parametrize("step", [(1, 0), (2, 0), (4, 2), (10, 0), (0, 6)])
@pytest.mark.parametrize("top_first", [True, False])
def test_fields_of_two_moments_are_detected_with_their_order(step: tuple[int, int], top_first: bool) -> None:
    lines = lines_of(grey(interlaced(pan(14, *step), top_first=top_first)))
    votes = comb_votes(lines)
    assert total(votes).combed == ("tff" if top_first else "bff")
    assert not is_telecined(votes)
    assert has_combs(lines)


@pytest.mark.parametrize("start", range(5))
def test_telecine_is_detected_at_every_phase(start: int) -> None:
    lines = lines_of(grey(telecined(pan(12)), 12)[start : start + 7])
    votes = comb_votes(lines)
    assert total(votes).combed == "tff"
    assert is_telecined(votes)


@pytest.mark.parametrize("step", [(0, 0), (1, 0), (4, 2), (24, 0), (0, 1), (0, 2), (0, 3)])
@pytest.mark.parametrize("sigma", [0, 8])
def test_a_progressive_pan_has_no_combs(step: tuple[int, int], sigma: int) -> None:
    rng = np.random.default_rng(0)
    pictures = [
        np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)
        for picture in grey(pan(7, *step))
    ]
    assert not has_combs(lines_of(pictures))


def test_a_small_thing_that_moves_over_what_stands_still_is_enough() -> None:
    (ground,) = grey(pan(1), 1)
    (thing,) = grey(sdr_frames([Shot(9, 1)], 64, 64), 1)
    moments = []
    for moment in range(14):
        picture = ground.copy()
        picture[100:164, 200 + 2 * moment : 264 + 2 * moment] = thing
        moments.append(picture[..., None])
    assert has_combs(lines_of(grey(interlaced(iter(np.repeat(moments, 3, axis=3))))))
    assert not has_combs(lines_of([moment[..., 0] for moment in moments[::2]]))


def stripes() -> Picture:
    return np.tile(np.array([[60], [180]], np.uint8), (HEIGHT, WIDTH))


def ruled() -> Picture:
    return np.where(np.arange(2 * HEIGHT)[:, None] % 8 == 3, 230, 40).repeat(WIDTH, 1).astype(np.uint8)


def text() -> Picture:
    page = np.full((2 * HEIGHT, WIDTH), 20, np.uint8)
    for baseline in range(12, 2 * HEIGHT, 14):
        cv2.putText(page, "The quick = brown fox jumps " * 4, (3, baseline), 0, 0.4, 235)
    return page


def pixel_art() -> Picture:
    cells = np.random.default_rng(0).choice([30, 80, 140, 220], (HEIGHT, WIDTH // 2))
    return np.kron(cells, np.ones((2, 2))).astype(np.uint8)


@pytest.mark.parametrize("chart", [stripes, ruled, text, pixel_art])
@pytest.mark.parametrize("step", [0, 1, 2, 3, 4])
def test_fine_lines_that_scroll_are_no_combs(chart: Callable[[], Picture], step: int) -> None:
    page = chart()
    pictures = [np.roll(page, -step * index, axis=0)[:HEIGHT] for index in range(7)]
    assert not has_combs(lines_of(pictures))


@pytest.mark.parametrize("gains", [(1, 1, 1, 1.4, 1, 1, 1), (1, 0.5) * 4, (1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)])
@pytest.mark.parametrize("chart", [stripes, text])
def test_flashes_and_fades_are_no_combs(chart: Callable[[], Picture], gains: Sequence[float]) -> None:
    page = chart()[:HEIGHT].astype(np.float32)
    pictures = [np.clip(page * gain, 0, 255).astype(np.uint8) for gain in gains[:7]]
    assert not has_combs(lines_of(pictures))


def test_only_the_area_counts_and_its_lines_keep_their_fields() -> None:
    still = grey(pan(1), 1) * 7
    moving = grey(interlaced(pan(14)))
    half = [np.vstack([top[:180], bottom[180:]]) for top, bottom in zip(still, moving, strict=True)]
    assert not has_combs(lines_of(half, Rect(0, 0, WIDTH, 180)))
    assert total(comb_votes(lines_of(half, Rect(0, 181, WIDTH, 179)))).combed == "tff"


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_samples_are_judged_as_8_bit_ones(bits: int) -> None:
    pictures = grey(interlaced(pan(14)))
    frames = [
        av.VideoFrame.from_ndarray(picture * np.uint16(1 << (bits - 8)), format=f"gray{bits}le")
        for picture in pictures
    ]
    assert comb_votes([sample_lines(frame) for frame in frames]) == comb_votes(lines_of(pictures))


@pytest.mark.parametrize("size", [(8, 8), (64, 16), (4, 64)])
def test_pictures_that_are_too_small_have_no_combs(size: tuple[int, int]) -> None:
    pictures = [np.zeros(size[::-1], np.uint8)] * 7
    assert not has_combs(lines_of(pictures))
    assert not looks_combed(pictures[0])


@pytest.mark.parametrize("top_first", [True, False])
def test_the_first_of_two_fields_is_found_by_weaving_them(top_first: bool) -> None:
    (picture,) = grey(pan(1), 1)
    fields = [picture[0::2], picture[1::2]]
    ordered = fields if top_first else fields[::-1]
    assert first_field(lines_of([field.copy() for field in ordered])) == ("tff" if top_first else "bff")


def test_a_picture_by_itself_looks_combed_or_not() -> None:
    (combed,), (whole,) = grey(interlaced(pan(2, 6, 0)), 1), grey(pan(1), 1)
    assert looks_combed(combed)
    assert not looks_combed(whole)


def test_the_share_of_combed_blocks_follows_the_part_that_is_combed() -> None:
    (combed,), (whole,) = grey(interlaced(pan(2, 6, 0)), 1), grey(pan(1), 1)
    half = np.vstack([combed[:160], whole[160:]])
    assert combed_share(whole) == 0.0
    assert MIN_VISIBLE_SHARE < combed_share(half) < combed_share(combed) <= 1.0
