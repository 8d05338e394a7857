"""Blocks that a lost decoder paints, against pictures that cameras and encoders make."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dataset_assets.video.damage import MAX_EXCESS, block_excess, looks_damaged
from dataset_assets.video.decode import FrameReader
from dataset_assets_tests.films import Film, scene


def picture(width: int = 640, height: int = 360) -> npt.NDArray[np.uint8]:
    light = np.clip(scene(height, width, 3), 0, 1) ** (1 / 2.4)
    luma: npt.NDArray[np.uint8] = np.rint(255 * light[..., 1]).astype(np.uint8)
    return luma


@pytest.mark.parametrize("bit_depth", [8, 10, 12])
def test_blocks_in_a_corner_are_found_at_any_depth(bit_depth: int) -> None:
    whole = picture()
    damaged = whole.copy()
    blocks = np.random.default_rng(0).integers(0, 255, (15, 20), dtype=np.uint8)
    damaged[240:, 480:] = np.kron(blocks, np.ones((8, 8), np.uint8))
    for samples, expected in ((whole, False), (damaged, True)):
        deep = (samples.astype(np.uint16) << (bit_depth - 8)).astype(np.uint16)
        assert (block_excess(samples if bit_depth == 8 else deep, bit_depth) > MAX_EXCESS) == expected


def test_edges_of_things_are_not_blocks() -> None:
    """A wall of windows: thousands of sharp edges, but the grid is not theirs."""
    wall = np.full((360, 640), 90, np.uint8)
    for y in range(5, 350, 22):
        for x in range(3, 620, 19):
            wall[y : y + 13, x : x + 11] = 200
    assert block_excess(wall) < MAX_EXCESS / 2


@pytest.mark.parametrize("size", [(0, 0), (7, 5), (16, 16), (64, 90), (180, 320), (1080, 1920)])
def test_a_picture_of_one_grey_or_of_noise_is_none(size: tuple[int, int]) -> None:
    assert block_excess(np.full(size, 16, np.uint8)) <= 0
    assert block_excess(np.random.default_rng(0).integers(0, 255, size, dtype=np.uint8)) < MAX_EXCESS


def test_sound_films_are_not_called_damaged(
    sdr_film: Film, pq_film: Film, hlg_film: Film, letterboxed_film: Film
) -> None:
    for film in (sdr_film, pq_film, hlg_film, letterboxed_film):
        with FrameReader(film.path) as reader:
            keyframe = reader.keyframe_at(0)
            assert keyframe is not None
            assert not any(looks_damaged(frame) for frame in islice(reader.frames(keyframe, 0), 0, 36, 5))


def test_the_sample_films_are_not_called_damaged(shared_media: Path) -> None:
    for film in sorted(shared_media.glob("film__*.mp4")):
        with FrameReader(film) as reader:
            keyframe = reader.keyframe_at(0)
            assert keyframe is not None
            assert not any(looks_damaged(frame) for frame in islice(reader.frames(keyframe, 0), 0, 7, 6)), (
                film
            )
