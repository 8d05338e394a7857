"""Black bars: found where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from dataset_assets.video.active_area import Bars, active_area, find_bars, has_window_bars
from dataset_assets.video.geometry import FrameGeometry, Orientation, Rect
from dataset_assets_tests.films import scene

HEIGHT, WIDTH = 270, 480
Luma = npt.NDArray[np.uint8]


def film(seed: int, exposure: float = 1.0) -> Luma:
    """Limited-range luma of a film-like picture."""
    signal = np.clip(exposure * scene(HEIGHT, WIDTH, seed).mean(axis=2), 0, 1) ** (1 / 2.4)
    luma: Luma = np.rint(16 + 219 * signal).astype(np.uint8)
    return luma


def stars(seed: int) -> Luma:
    rng = np.random.default_rng(seed)
    sky = rng.integers(16, 20, (HEIGHT, WIDTH)).astype(np.uint8)
    sky[rng.random((HEIGHT, WIDTH)) < 0.01] = 120
    return sky


def boxed(picture: Luma, bars: Bars, seed: int = 0) -> Luma:
    """Behind bars with an encoder's noise on them."""
    noisy = np.random.default_rng(seed).integers(14, 20, picture.shape).astype(np.uint8)
    rows, columns = slice(bars.top, HEIGHT - bars.bottom), slice(bars.left, WIDTH - bars.right)
    noisy[rows, columns] = picture[rows, columns]
    return noisy


@pytest.mark.parametrize(
    "bars",
    [Bars(0, 34, 0, 34), Bars(60, 0, 60, 0), Bars(60, 34, 60, 34), Bars(0, 20, 0, 48), Bars(0, 0, 0, 0)],
)
@pytest.mark.parametrize("exposure", [1.0, 0.05])
def test_bars_are_found_to_the_line(bars: Bars, exposure: float) -> None:
    pictures = [boxed(film(seed, exposure), bars, seed) for seed in range(4)]
    assert find_bars(pictures, full_range=False) == bars


def test_bars_around_a_starry_sky_are_found() -> None:
    bars = Bars(0, 34, 0, 34)
    assert find_bars([boxed(stars(seed), bars, seed) for seed in range(12)], full_range=False) == bars


def test_a_starry_sky_without_bars_has_none() -> None:
    found = find_bars([stars(seed) for seed in range(12)], full_range=False)
    assert found == Bars(0, 0, 0, 0)


def test_a_planet_before_black_sky_is_no_picture_in_bars() -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    planet = np.where(np.hypot(x - 240, y - 135) < 100, 150, 16).astype(np.uint8)
    assert find_bars([planet], full_range=False) == Bars(0, 0, 0, 0)


def test_a_logo_or_a_subtitle_in_a_bar_is_no_picture() -> None:
    bars = Bars(0, 34, 0, 34)
    pictures = [boxed(film(seed), bars) for seed in range(4)]
    pictures[2][245:255, 236:242] = 235
    assert find_bars(pictures, full_range=False) == bars


def test_bars_count_where_all_pictures_have_them() -> None:
    pictures = [boxed(film(seed), Bars(0, 34, 0, 34)) for seed in range(3)]
    assert find_bars([*pictures, film(9)], full_range=False) == Bars(0, 0, 0, 0)


def test_full_range_black_is_zero() -> None:
    picture = boxed(film(1), Bars(0, 34, 0, 34))
    assert find_bars([picture], full_range=True) == Bars(0, 0, 0, 0)
    black = np.where(picture < 20, 3, picture).astype(np.uint8)
    assert find_bars([black], full_range=True) == Bars(0, 34, 0, 34)


def test_black_pictures_say_nothing() -> None:
    black = np.full((HEIGHT, WIDTH), 16, np.uint8)
    assert find_bars([black, black], full_range=False) is None
    assert not has_window_bars([black], full_range=False)


@pytest.mark.parametrize(
    ("geometry", "area"),
    [
        (FrameGeometry(3840, 2160), Rect(0, 140, 1920, 800)),
        (FrameGeometry(3840, 2160, orientation=Orientation(flip_y=True)), Rect(0, 140, 1920, 800)),
        (
            FrameGeometry(3840, 2160, orientation=Orientation(transpose=True, flip_x=True)),
            Rect(140, 0, 800, 1920),
        ),
    ],
)
def test_the_area_lies_two_lines_inside_the_bars(geometry: FrameGeometry, area: Rect) -> None:
    assert active_area(Bars(0, 276, 0, 276), geometry) == area


def test_the_area_of_uneven_bars_is_turned_with_the_picture() -> None:
    turned = FrameGeometry(1280, 720, orientation=Orientation(transpose=True, flip_x=True))
    # A quarter clockwise: the coded top is at the right.
    assert active_area(Bars(0, 50, 0, 0), turned) == Rect(0, 0, 720 - 52, 1280)
    assert active_area(Bars(0, 0, 0, 50), turned) == Rect(52, 0, 720 - 52, 1280)


def test_a_scene_in_another_aspect_ratio_has_window_bars() -> None:
    assert has_window_bars([boxed(film(1), Bars(0, 12, 0, 13))], full_range=False)
    assert has_window_bars([boxed(film(1), Bars(40, 0, 40, 0))], full_range=False)
    assert not has_window_bars([film(1)], full_range=False)
    # One side only is night sky or a wall.
    assert not has_window_bars([boxed(film(1), Bars(0, 40, 0, 0))], full_range=False)
    assert not has_window_bars([boxed(film(1), Bars(0, 3, 0, 3))], full_range=False)


def test_a_stripe_on_black_has_no_bars() -> None:
    """Inside its bars, moved in by what scaling smears, nothing would be left of it."""
    geometry = FrameGeometry(WIDTH, HEIGHT)
    assert active_area(Bars(0, 133, 0, 133), geometry) == Rect(0, 0, WIDTH, HEIGHT)
    assert active_area(Bars(0, 100, 0, 100), geometry) == Rect(0, 102, WIDTH, 66)
