"""Black bars: found where they are, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from dataset_assets.video.active_area import Bars, active_area, find_bars, has_crop_bar, has_window_bars
from dataset_assets.video.geometry import FrameGeometry, Orientation, Rect
from dataset_assets_tests.films import scene

HEIGHT, WIDTH = 270, 480
LETTERBOX = Bars(0, 34, 0, 34)
Luma = npt.NDArray[np.uint8]


@cache
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


def noisy(picture: Luma, sigma: float, seed: int) -> Luma:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def letterboxed(seed: int, black: int = 16, bars: Bars = LETTERBOX) -> Luma:
    """Behind bars that hold nothing."""
    boxed_ = np.full((HEIGHT, WIDTH), black, np.uint8)
    rows, columns = slice(bars.top, HEIGHT - bars.bottom), slice(bars.left, WIDTH - bars.right)
    boxed_[rows, columns] = film(seed)[rows, columns]
    return boxed_


def written(picture: Luma, *lines: tuple[str, int]) -> Luma:
    """With lines of white text, centred, on their base lines."""
    result = picture.copy()
    for text, y in lines:
        (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 0.55, 1)
        cv2.putText(result, text, ((WIDTH - width) // 2, y), cv2.FONT_HERSHEY_DUPLEX, 0.55, 235, 1)
    return result


def subtitle(picture: Luma) -> Luma:
    return written(picture, ("He was here yesterday, and we have to go", 258))


def two_lines(picture: Luma) -> Luma:
    """A subtitle half in the picture and half in the bar."""
    return written(
        picture, ("We have to leave this valley before", 236), ("the night comes, he said to them", 254)
    )


def box_behind_text(picture: Luma) -> Luma:
    result = picture.copy()
    result[243:265, 40:440] = 90
    return subtitle(result)


def logo(picture: Luma) -> Luma:
    result = picture.copy()
    result[8:26, 420:465] = 200
    return result


def time_code(picture: Luma) -> Luma:
    result = picture.copy()
    cv2.putText(result, "01:02:03:04", (20, 22), cv2.FONT_HERSHEY_DUPLEX, 0.5, 235, 1)
    return result


TEXTS = [subtitle, two_lines, box_behind_text, logo, time_code]


@pytest.mark.parametrize("every", [1, 2, 13])
@pytest.mark.parametrize("put", TEXTS)
@pytest.mark.parametrize("sigma", [0, 3])
def test_text_and_logos_in_bars_are_no_picture(put: Callable[[Luma], Luma], every: int, sigma: float) -> None:
    pictures = [letterboxed(seed) for seed in range(13)]
    pictures = [put(each) if index % every == 0 else each for index, each in enumerate(pictures)]
    pictures = [noisy(each, sigma, index) for index, each in enumerate(pictures)]
    assert find_bars(pictures, full_range=False) == LETTERBOX


@pytest.mark.parametrize(
    "bars", [LETTERBOX, Bars(60, 0, 60, 0), Bars(60, 34, 60, 34), Bars(0, 0, 0, 40), Bars(0, 40, 0, 0)]
)
@pytest.mark.parametrize(("black", "full_range"), [(16, False), (0, True)])
@pytest.mark.parametrize("sigma", [1.6, 3, 6, 10])
def test_noise_over_bars_is_no_picture(bars: Bars, black: int, full_range: bool, sigma: float) -> None:
    pictures = [noisy(letterboxed(seed, black, bars=bars), sigma, seed) for seed in range(6)]
    assert find_bars(pictures, full_range=full_range) == bars


def test_a_subtitle_in_the_bar_below_a_starry_sky_is_no_picture() -> None:
    pictures = [subtitle(boxed(stars(seed), LETTERBOX, seed)) for seed in range(12)]
    found = find_bars(pictures, full_range=False)
    assert found is not None
    assert found.bottom == pytest.approx(34, abs=1)


def test_a_logo_of_another_aspect_does_not_open_the_bars() -> None:
    """Of 13 sampled frames two show the studio's logo, which fills the frame; the film never does."""
    pictures = [letterboxed(seed) for seed in range(11)]
    assert find_bars([film(20), film(20), *pictures], full_range=False) == LETTERBOX
    assert find_bars([*(film(seed) for seed in range(20, 24)), *pictures], full_range=False) == Bars(
        0, 0, 0, 0
    )


def test_lines_that_are_black_in_some_shots_only_are_left_out_of_all() -> None:
    pictures = [letterboxed(seed, bars=Bars(2, 0, 0, 1)) for seed in range(4)]
    assert find_bars([*pictures, *(film(seed) for seed in range(5, 12))], full_range=False) == Bars(
        2, 0, 0, 1
    )


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


@pytest.mark.parametrize("put", TEXTS)
@pytest.mark.parametrize("sigma", [0, 3])
def test_text_and_noise_hide_no_window_bars(put: Callable[[Luma], Luma], sigma: float) -> None:
    window = [noisy(put(letterboxed(1)), sigma, seed) for seed in range(3)]
    assert has_window_bars(window, full_range=False)


@pytest.mark.parametrize(
    "bars",
    [
        Bars(0, 40, 0, 0),
        Bars(0, 0, 0, 40),
        Bars(30, 0, 0, 0),
        Bars(0, 1, 0, 0),
        Bars(0, 0, 0, 2),
        Bars(0, 0, 1, 0),
    ],
)
def test_black_lines_at_one_side_are_window_bars_where_they_stay(bars: Bars) -> None:
    window = [boxed(film(1), bars, seed) for seed in range(3)]
    assert has_window_bars(window, full_range=False)
    deep = [(each.astype(np.uint16) * 4).astype(np.uint16) for each in window]
    assert has_window_bars(deep, full_range=False, bit_depth=10)
    # One picture alone may show a wall.
    assert not has_window_bars(window[:1], full_range=False)
    assert has_crop_bar(window[:1], full_range=False)


def sky(slope: float) -> Luma:
    """Night sky that gets brighter downwards, with noise."""
    rows = 14 + slope * np.arange(HEIGHT)[:, None] + np.zeros(WIDTH)
    return noisy(np.clip(rows, 16, 235).astype(np.uint8), 1.0, 1)


def hill() -> Luma:
    """A black hill before a bright sky."""
    picture = film(1).copy()
    for x in range(WIDTH):
        picture[int(200 + 30 * np.sin(x / 80)) :, x] = 16
    return picture


def lamp() -> Luma:
    """A bright window in a dark room."""
    picture = np.full((HEIGHT, WIDTH), 18, np.uint8)
    picture[60:180, 200:280] = 180
    return picture


@pytest.mark.parametrize("picture", [sky(0.3), sky(0.8), hill(), lamp(), stars(1)])
def test_dark_edges_of_a_picture_are_no_bars(picture: Luma) -> None:
    assert not has_window_bars([picture] * 3, full_range=False)
    assert not has_crop_bar([picture], full_range=False)
    assert find_bars([picture] * 3, full_range=False) in (Bars(0, 0, 0, 0), None)


def test_a_stripe_on_black_has_no_bars() -> None:
    """Inside its bars, moved in by what scaling smears, nothing would be left of it."""
    geometry = FrameGeometry(WIDTH, HEIGHT)
    assert active_area(Bars(0, 133, 0, 133), geometry) == Rect(0, 0, WIDTH, HEIGHT)
    assert active_area(Bars(0, 100, 0, 100), geometry) == Rect(0, 102, WIDTH, 66)
