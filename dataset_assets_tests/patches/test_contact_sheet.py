"""The contact sheet: readable as a JPEG, small, and the patches in their order."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from dataset_assets.patches.contact_sheet import MAX_BYTES, contact_sheet


def test_the_patches_stand_in_rows_of_six_in_their_order(tmp_path: Path) -> None:
    colours = [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 255, 0),
        (0, 255, 255),
        (255, 0, 255),
        (255, 255, 255),
    ]
    patches = []
    for index, colour in enumerate(colours):
        path = tmp_path / f"{index}.png"
        Image.new("RGB", (720, 504), colour).save(path)
        patches.append((path, f"{index} small"))
    sheet = contact_sheet(patches)
    picture = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB")).astype(int)
    assert picture.shape[:2] == (2 * 131 - 5, 985)
    assert len(sheet) <= MAX_BYTES
    for index, colour in enumerate(colours):
        row, column = divmod(index, 6)
        seen = picture[131 * row + 50, 165 * column + 80]
        assert np.abs(seen - colour).max() < 40


def test_a_file_that_is_gone_leaves_its_cell_empty(tmp_path: Path) -> None:
    sheet = contact_sheet([(tmp_path / "gone.png", "gone")])
    picture = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB"))
    assert picture[:100].max() < 20
