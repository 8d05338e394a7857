"""Pictures for users: windows with their crops drawn in, a triplet enlarged; small enough for an event log.

Not here: what is shown, and of which video (`sheets`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.frames import FileKind

COLUMNS = 6
CELL_WIDTH, CELL_HEIGHT = 160, 112
GAP = 5
LINE_HEIGHT = 14
# Dagster stores each event three times and shows it 990 pixels wide: bigger pictures cost and do not fit.
MAX_WIDTH = 990
MAX_BYTES = 25_000
QUALITIES = (75, 60, 45, 30, 20)
SHRINK = 0.75
MAX_DETAIL_HEIGHT = 360
BACKGROUND = 24
FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.36
TEXT_COLOUR = (235, 235, 235)
# Blue, green, red: most colour-blind people can distinguish them (Okabe and Ito). A dark edge separates them
# from the picture.
BOX_COLOURS = ((0, 159, 230), (233, 180, 86), (115, 158, 0), (167, 121, 204), (66, 228, 240))
EDGE_COLOUR = (0, 0, 0)

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Box:
    """A crop in a picture: shares of the picture's width and height, and the number of its colour."""

    x: float
    y: float
    width: float
    height: float
    colour: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture of a sheet.

    Attributes:
        picture: Its file; a cell whose file cannot be read stays empty.
        caption: The text below it.
        boxes: What is drawn into it.
    """

    picture: Path
    caption: str
    boxes: Sequence[Box] = ()


def contact_sheet(cells: Sequence[Cell], legend: Mapping[str, int] | None = None) -> bytes:
    """Draw pictures side by side, six in a row, with captions.

    Args:
        cells: At least one, in order.
        legend: Number of the colour of each kind of box, by name; drawn above the pictures.

    Returns:
        A JPEG, at most 985 pixels wide and of at most 25 kB.
    """
    pictures = [_fit(cell) for cell in cells]
    height = max(picture.shape[0] for picture in pictures)
    drawn = [_cell(picture, height, cell.caption) for picture, cell in zip(pictures, cells, strict=True)]
    drawn += [np.full_like(drawn[0], BACKGROUND)] * (-len(drawn) % min(COLUMNS, len(drawn)))
    rows = [np.hstack(drawn[start : start + COLUMNS]) for start in range(0, len(drawn), COLUMNS)]
    sheet = np.vstack(rows)[:-GAP, :-GAP]
    if legend:
        sheet = np.vstack([_legend(sheet.shape[1], legend), sheet])
    return _small_jpeg(sheet)


def triplet_picture(gt: Path, lr: Path, kind: FileKind, scale: int, caption: str) -> bytes | None:
    """Show the middle of a triplet's GT, pixel for pixel, beside the same of its LR, enlarged.

    Args:
        gt: The GT file.
        lr: A file of LR frames.
        kind: Its kind.
        scale: How many times smaller LR is.
        caption: The text above it.

    Returns:
        A JPEG, at most 985 pixels wide and of at most 25 kB; None where a file cannot be read.
    """
    sharp, stack = cv2.imread(str(gt)), cv2.imread(str(lr))
    if sharp is None or stack is None:
        return None
    small = stack.reshape(-1, sharp.shape[0] // scale, *stack.shape[1:])[kind.middle]
    width = min(small.shape[1], (MAX_WIDTH - GAP) // 2 // scale)
    height = min(small.shape[0], MAX_DETAIL_HEIGHT // scale)
    x, y = (small.shape[1] - width) // 2, (small.shape[0] - height) // 2
    enlarged = small[y : y + height, x : x + width].repeat(scale, axis=0).repeat(scale, axis=1)
    x, y, width, height = (scale * value for value in (x, y, width, height))
    halves = (sharp[y : y + height, x : x + width], enlarged)
    gap = np.full((height, GAP, 3), BACKGROUND, np.uint8)
    sheet = np.hstack([halves[0], gap, halves[1]])
    titles = np.full((LINE_HEIGHT, sheet.shape[1], 3), BACKGROUND, np.uint8)
    _write(titles, f"GT  {caption}", 2)
    _write(titles, f"LR, {scale} times as large", width + GAP + 2)
    return _small_jpeg(np.vstack([titles, sheet]))


def _fit(cell: Cell) -> Picture:
    """Return a cell's picture in its size on the sheet, with its boxes."""
    picture = cv2.imread(str(cell.picture), cv2.IMREAD_COLOR)
    if picture is None:
        return np.full((CELL_HEIGHT // 2, CELL_WIDTH, 3), BACKGROUND, np.uint8)
    scale = min(CELL_WIDTH / picture.shape[1], CELL_HEIGHT / picture.shape[0])
    width, height = (max(1, round(length * scale)) for length in (picture.shape[1], picture.shape[0]))
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    for thickness, is_edge in ((3, True), (1, False)):
        for box in cell.boxes:
            colour = EDGE_COLOUR if is_edge else BOX_COLOURS[box.colour % len(BOX_COLOURS)]
            first = (round(box.x * (width - 1)), round(box.y * (height - 1)))
            last = (round((box.x + box.width) * (width - 1)), round((box.y + box.height) * (height - 1)))
            cv2.rectangle(small, first, last, colour, thickness)
    return small.astype(np.uint8, copy=False)


def _cell(picture: Picture, height: int, caption: str) -> Picture:
    cell = np.full((height + LINE_HEIGHT + GAP, CELL_WIDTH + GAP, 3), BACKGROUND, np.uint8)
    x = (CELL_WIDTH - picture.shape[1]) // 2
    cell[: picture.shape[0], x : x + picture.shape[1]] = picture
    _write(cell[:, :CELL_WIDTH], caption, 2, height)
    return cell


def _legend(width: int, legend: Mapping[str, int]) -> Picture:
    line = np.full((LINE_HEIGHT + GAP, width, 3), BACKGROUND, np.uint8)
    x = 2
    for name, colour in legend.items():
        x += _write(line, name, x, colour=BOX_COLOURS[colour % len(BOX_COLOURS)]) + 4 * GAP
    return line


def _write(
    picture: Picture, text: str, x: int, y: int = 0, colour: tuple[int, int, int] = TEXT_COLOUR
) -> int:
    """Write a line of text whose top is at `y`; return its width in pixels."""
    cv2.putText(picture, text, (x, y + LINE_HEIGHT - 3), FONT, FONT_SCALE, colour, 1, cv2.LINE_AA)
    (width, _), _ = cv2.getTextSize(text, FONT, FONT_SCALE, 1)
    return width


def _small_jpeg(picture: Picture) -> bytes:
    """Return the picture as a JPEG of at most 25 kB: of lower quality, and smaller where needed."""
    while True:
        for quality in QUALITIES:
            encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
            if len(encoded) <= MAX_BYTES:
                return encoded
        size = (int(picture.shape[1] * SHRINK), int(picture.shape[0] * SHRINK))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
