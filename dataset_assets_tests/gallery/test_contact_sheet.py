"""Pictures for people: JPEGs that fit the UI, cells in their order, crops drawn where they lie."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from dataset_assets.frames import FileKind
from dataset_assets.gallery.contact_sheet import BOX_COLOURS, Box, Cell, contact_sheet, triplet_picture
from dataset_assets.patches.kernels import downscale
from dataset_assets.patches.png import encode_png
from dataset_assets.patches.triplets import stack_triplet

COLOURS = [
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 0),
    (0, 255, 255),
    (255, 0, 255),
    (255, 255, 255),
]
CELL_WIDTH, CELL_HEIGHT = 165, 90 + 14 + 5


def seen(jpeg: bytes) -> npt.NDArray[np.int_]:
    assert len(jpeg) <= 25_000
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.format == "JPEG"
        assert image.width <= 990
        return np.asarray(image.convert("RGB")).astype(int)


def plain(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (480, 270)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


def test_pictures_stand_in_rows_of_six_in_their_order(tmp_path: Path) -> None:
    cells = [Cell(plain(tmp_path / f"{index}.png", colour), "w0") for index, colour in enumerate(COLOURS)]
    sheet = seen(contact_sheet(cells))
    assert sheet.shape[:2] == (2 * CELL_HEIGHT - 5, 985)
    for index, colour in enumerate(COLOURS):
        row, column = divmod(index, 6)
        assert np.abs(sheet[CELL_HEIGHT * row + 45, CELL_WIDTH * column + 80] - colour).max() < 40


def test_a_caption_stands_below_its_picture(tmp_path: Path) -> None:
    grey = plain(tmp_path / "grey.png", (128, 128, 128))
    with_caption, without = (
        seen(contact_sheet([Cell(grey, "w7 0:34.5")])),
        seen(contact_sheet([Cell(grey, "")])),
    )
    assert with_caption[92:].max() > 150
    assert without[94:].max() < 60
    assert np.abs(with_caption[:85] - without[:85]).max() < 20


def test_crops_are_drawn_where_they_lie_in_their_colours(tmp_path: Path) -> None:
    grey = plain(tmp_path / "grey.png", (128, 128, 128))
    boxes = [Box(0.25, 0.2, 0.5, 0.6, 0), Box(0.0, 0.0, 1.0, 1.0, 1)]
    sheet = seen(contact_sheet([Cell(grey, "", boxes)]))[:90, :160]
    for (x, y), colour in (((40, 45), 0), ((119, 45), 0), ((80, 18), 0), ((80, 71), 0), ((0, 45), 1)):
        blue, green, red = BOX_COLOURS[colour]
        near = sheet[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].reshape(-1, 3)
        assert np.abs(near - (red, green, blue)).sum(axis=1).min() < 150, (x, y)
    assert np.abs(sheet[45, 80] - 128).max() < 20  # nothing inside
    assert np.abs(sheet[10, 60] - 128).max() < 20


def test_a_legend_names_each_kind_of_box_in_its_colour(tmp_path: Path) -> None:
    cells = [Cell(plain(tmp_path / "black.png", (0, 0, 0)), "")]
    sheet = seen(contact_sheet(cells * 6, {"general": 0, "space": 1}))
    assert sheet.shape[0] == CELL_HEIGHT - 5 + 19
    line = sheet[:14].reshape(-1, 3)
    for blue, green, red in BOX_COLOURS[:2]:
        assert np.abs(line - (red, green, blue)).sum(axis=1).min() < 150


def test_a_portrait_picture_keeps_its_shape(tmp_path: Path) -> None:
    sheet = seen(contact_sheet([Cell(plain(tmp_path / "tall.png", (255, 255, 255), (270, 480)), "")]))
    lit = sheet[:100].max(axis=2) > 128
    assert lit.any(axis=0).sum() == 63
    assert sheet.shape[0] == 112 + 14


def test_a_file_that_is_gone_leaves_its_cell_empty(tmp_path: Path) -> None:
    assert seen(contact_sheet([Cell(tmp_path / "gone.png", "")])).max() < 60


def test_noise_that_compresses_badly_fits_all_the_same(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (270, 480, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((160, 90)).save(tmp_path / "noise.png")
    seen(contact_sheet([Cell(tmp_path / "noise.png", "w0 0:00.0")] * 18))


@pytest.mark.parametrize(
    ("kind", "scale"), [(FileKind.LR5, 3), (FileKind.LR7, 3), (FileKind.LR7, 2), (FileKind.LR7, 4)]
)
def test_a_triplets_picture_shows_the_same_place_sharp_and_enlarged(
    tmp_path: Path, kind: FileKind, scale: int
) -> None:
    rng = np.random.default_rng(2)
    soft = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((720, 408))
    frames = np.stack([np.roll(np.asarray(soft), 30 * shift, axis=1) for shift in range(-3, 4)])
    gt, lr = stack_triplet(frames, (FileKind.GT, kind), "bicubic", scale).values()
    paths = (tmp_path / "gt.png", tmp_path / "lr.png")
    for path, picture in zip(paths, (gt, lr), strict=True):
        path.write_bytes(encode_png(picture))
    jpeg = triplet_picture(*paths, kind, scale, "window 3, medium_169")
    assert jpeg is not None
    sheet = seen(jpeg)
    assert sheet[2:12, :200].max() > 150  # the caption
    height, half = sheet.shape[0] - 14, (sheet.shape[1] - 5) // 2
    sharp, enlarged = sheet[14:, :half], sheet[14:, half + 5 :]
    y, x = (408 - height) // 2, (720 - half) // 2
    middle = frames[3, y : y + height, x : x + half, ::-1]
    assert np.abs(sharp - middle).mean() < 8
    small = downscale(frames[3:4], "bicubic", scale)[0].repeat(scale, axis=0).repeat(scale, axis=1)
    assert np.abs(enlarged - small[y : y + height, x : x + half, ::-1]).mean() < 8
    assert np.abs(enlarged - frames[2, y : y + height, x : x + half, ::-1]).mean() > 20  # not another frame


def test_a_triplet_that_cannot_be_read_has_no_picture(tmp_path: Path) -> None:
    assert triplet_picture(tmp_path / "gt.png", tmp_path / "lr7.png", FileKind.LR7, 3, "") is None
