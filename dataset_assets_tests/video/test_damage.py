"""Blocks that a lost decoder paints, against pictures that cameras and encoders make."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from dataset_assets.video.damage import MAX_EXCESS, show_blocks, tile_excesses
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
        assert (tile_excesses(samples if bit_depth == 8 else deep, bit_depth).max() > MAX_EXCESS) == expected


def test_edges_of_things_are_not_blocks() -> None:
    """A wall of windows: thousands of sharp edges, but the grid is not theirs."""
    wall = np.full((360, 640), 90, np.uint8)
    for y in range(5, 350, 22):
        for x in range(3, 620, 19):
            wall[y : y + 13, x : x + 11] = 200
    assert tile_excesses(wall).max() < MAX_EXCESS / 2


@pytest.mark.parametrize("size", [(0, 0), (7, 5), (16, 16), (64, 90), (180, 320), (1080, 1920)])
def test_a_picture_of_one_grey_or_of_noise_is_none(size: tuple[int, int]) -> None:
    assert tile_excesses(np.full(size, 16, np.uint8)).max() <= 0
    noise = np.random.default_rng(0).integers(0, 255, size, dtype=np.uint8)
    assert tile_excesses(noise).max() < MAX_EXCESS


def decoded(pictures: list[npt.NDArray[np.uint8]]) -> list[av.VideoFrame]:
    return [av.VideoFrame.from_ndarray(picture, format="gray") for picture in pictures]


@pytest.mark.parametrize("block", [8, 16])
def test_pixel_art_is_sound(block: int) -> None:
    """Blocks in every part of every frame are the film's, also where some of it is flat."""
    small = picture(640 // block * 2, 360 // block)
    small[: 360 // block // 4] = 90
    frames = [np.kron(small[:, i : i + 640 // block], np.ones((block, block), np.uint8)) for i in range(7)]
    assert not show_blocks(decoded(frames))


@pytest.mark.parametrize("where", [slice(3, 4), slice(2, 7), slice(0, 7)])
def test_blocks_in_a_part_of_a_window_are_not_the_films(where: slice) -> None:
    """In one frame, in all that depend on a damaged one, and in all of them."""
    whole = picture(660)
    frames = [whole[:, 2 * i : 2 * i + 640].copy() for i in range(7)]
    blocks = np.random.default_rng(0).integers(0, 255, (18, 24), dtype=np.uint8)
    for frame in frames[where]:
        frame[216:, 448:] = np.kron(blocks, np.ones((8, 8), np.uint8))
    assert show_blocks(decoded(frames))


def test_a_small_picture_of_blocks_is_not_taken_for_a_film_of_blocks() -> None:
    damaged = picture(128, 64)
    blocks = np.random.default_rng(0).integers(0, 255, (3, 16), dtype=np.uint8)
    damaged[40:] = np.kron(blocks, np.ones((8, 8), np.uint8))
    assert show_blocks(decoded([damaged] * 7))


def test_sound_films_are_not_called_damaged(
    sdr_film: Film, pq_film: Film, hlg_film: Film, letterboxed_film: Film
) -> None:
    for film in (sdr_film, pq_film, hlg_film, letterboxed_film):
        with FrameReader(film.path) as reader:
            keyframe = reader.keyframe_at(0)
            assert keyframe is not None
            assert not any(show_blocks([frame]) for frame in islice(reader.frames(keyframe, 0), 0, 36, 5))


def test_the_sample_films_are_not_called_damaged(shared_media: Path) -> None:
    for film in sorted(shared_media.glob("film__*.mp4")):
        with FrameReader(film) as reader:
            keyframe = reader.keyframe_at(0)
            assert keyframe is not None
            assert not any(show_blocks([frame]) for frame in islice(reader.frames(keyframe, 0), 0, 7, 6)), (
                film
            )
