"""Subtitles drawn into films by another program, and films without any."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from dataset_assets.scores import CropPlace, subtitle
from dataset_assets_tests.scores.samples import Picture, grey, lr_of, panned

WIDTH, HEIGHT = 1280, 720
LIKE_A_SUBTITLE = 0.15
LINE = "We should go back there tomorrow"


def frames(step: int = 2) -> Picture:
    return panned(7, step, WIDTH, HEIGHT)


def with_text(
    pictures: Picture, *, height: float = 0.85, colour: tuple[int, int, int] = (240, 240, 240), moves: int = 0
) -> Picture:
    """The frames with a line of text, outlined in black, as players draw it."""
    font = ImageFont.load_default(size=40)
    drawn = []
    for index, picture in enumerate(pictures):
        page = Image.fromarray(picture)
        place = (WIDTH // 2 + moves * index, int(height * HEIGHT))
        ImageDraw.Draw(page).text(
            place, LINE, fill=colour, font=font, anchor="mm", stroke_width=3, stroke_fill=(0, 0, 0)
        )
        drawn.append(np.asarray(page))
    return np.stack(drawn)


def score(pictures: Picture, x: int = 0, y: int = 0, width: int = WIDTH, height: int = HEIGHT) -> float:
    """The score of a crop of a film of 1280x720."""
    crops = pictures[:, y : y + height, x : x + width]
    lr = np.stack([grey(lr_of(crop)) for crop in crops])
    return subtitle(grey(crops[3]), lr, CropPlace(y / HEIGHT, width / WIDTH, height / HEIGHT))


@pytest.mark.parametrize("step", [2, 6])
def test_text_is_found_in_a_whole_frame_and_nothing_without(step: int) -> None:
    pictures = frames(step)
    assert score(pictures) == 0.0
    assert score(with_text(pictures)) > LIKE_A_SUBTITLE


def test_text_over_a_shot_that_stands_still_reads_higher_than_its_lamps_alone() -> None:
    assert score(with_text(frames(0))) > 2 * score(frames(0))


def test_a_crop_shows_what_it_holds_of_the_text() -> None:
    pictures = with_text(frames())
    assert score(pictures, x=360, y=300, width=540, height=405) > LIKE_A_SUBTITLE
    assert score(pictures, x=360, y=0, width=540, height=405) == 0.0, "above the text"
    assert score(pictures, x=0, y=300, width=360, height=405) == 0.0, "beside the text, with a letter or two"


@pytest.mark.parametrize("changes", [{"moves": 6}, {"height": 0.2}, {"colour": (60, 20, 90)}])
def test_text_that_moves_lies_above_or_is_dark_is_not_found(changes: dict[str, object]) -> None:
    assert score(with_text(frames(), **changes)) == 0.0  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(7, 2, 2), (5, 32, 32), (7, 27, 48)])
def test_small_crops_are_measured_without_an_error(size: tuple[int, int, int]) -> None:
    _, height, width = size
    gt = np.zeros((3 * height, 3 * width), np.uint8)
    for top in (0.0, 0.55, 0.9):
        assert subtitle(gt, np.zeros(size, np.uint8), CropPlace(top, 0.05, 0.05)) == 0.0
