"""A contact sheet: many patches at a glance, small enough to live in a log of events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

COLUMNS = 6
CELL_WIDTH, CELL_HEIGHT = 160, 112
GAP = 5
CAPTION_HEIGHT = 14
# Dagster stores each event three times and shows it 990 pixels wide: bigger pictures cost and do not fit.
MAX_BYTES = 25_000
QUALITIES = (75, 60, 45, 30, 20)


def contact_sheet(patches: Sequence[tuple[Path, str]]) -> bytes:
    """Draws patches side by side with captions.

    Args:
        patches: PNG file and caption of each, in order; a file that cannot be read leaves its cell empty.

    Returns:
        A JPEG, 985 pixels wide, at most 25 kB unless even the lowest quality is larger.
    """
    cells = [_cell(path, caption) for path, caption in patches]
    while len(cells) % COLUMNS:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.hstack(cells[start : start + COLUMNS]) for start in range(0, len(cells), COLUMNS)]
    sheet = np.vstack(rows)[:-GAP, :-GAP]
    encoded = b""
    for quality in QUALITIES:
        encoded = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(encoded) <= MAX_BYTES:
            break
    return encoded


def _cell(path: Path, caption: str) -> npt.NDArray[np.uint8]:
    cell = np.zeros((CELL_HEIGHT + CAPTION_HEIGHT + GAP, CELL_WIDTH + GAP, 3), np.uint8)
    picture = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_4)
    if picture is not None:
        scale = min(CELL_WIDTH / picture.shape[1], CELL_HEIGHT / picture.shape[0])
        size = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        cell[: small.shape[0], : small.shape[1]] = small
    cv2.putText(
        cell, caption, (2, CELL_HEIGHT + 11), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (230, 230, 230), 1, cv2.LINE_AA
    )
    return cell
