"""What of a run is worth looking at: which windows, rejected candidates and triplet its pictures show.

Not here: how they are drawn (`contact_sheet`), and where they are shown (`assets`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, TripletPaths, picture_name
from dataset_assets.gallery.contact_sheet import Box, Cell, contact_sheet, triplet_picture
from dataset_assets.generate import CategoryReport, VideoReport
from dataset_assets.tables import PatchRow, WindowRow
from dataset_assets.video import Rect

SHEET_WINDOWS = 18
STRIP_CANDIDATES = 6

_T = TypeVar("_T")


def windows_sheet(
    settings: Settings, data_set: DataSet, run: VideoReport, categories: Sequence[str]
) -> bytes | None:
    """Draw windows of a video, spread evenly over it, with the crops that categories took of them.

    Args:
        settings: The configuration.
        data_set: The data set.
        run: What a run did with the video.
        categories: Categories of the run; the place in the configuration names the colour of a crop.

    Returns:
        A JPEG for `contact_sheet`'s bounds; None where there is no window with a picture.
    """
    colours = {name: list(settings.categories).index(name) for name in categories}
    patches: dict[int, list[tuple[str, PatchRow]]] = {}
    for name in categories:
        for patch in run.categories[name].rows:
            patches.setdefault(patch.window, []).append((name, patch))
    rows = [row for row in data_set.tables.read_windows(run.key) if row.accepted]
    if any(patches.values()):
        rows = [row for row in rows if row.window in patches]
    cells = []
    for row, picture in _with_pictures(data_set, run, rows):
        crops = patches.get(row.window, [])
        boxes = [_box(run.info.active, patch, colours[name]) for name, patch in crops]
        formats = crops[0][1].format if len(categories) == 1 and crops else ""
        cells.append(Cell(picture, _caption(f"w{row.window}", row, formats), boxes))
    if not cells:
        return None
    legend = {name: colour for name, colour in colours.items() if run.categories[name].rows}
    return contact_sheet(_spread(cells, SHEET_WINDOWS), legend if len(legend) > 1 else None)


def rejected_strip(data_set: DataSet, run: VideoReport) -> bytes | None:
    """Draw rejected candidates of a video with their reasons, of every reason if there is room.

    Returns:
        A JPEG for `contact_sheet`'s bounds; None where there is no rejected candidate with a picture.
    """
    by_reason: dict[str, list[Cell]] = {}
    rejected = [row for row in data_set.tables.read_windows(run.key) if not row.accepted]
    for row, picture in _with_pictures(data_set, run, rejected):
        by_reason.setdefault(row.reason or "", []).append(Cell(picture, _caption(row.reason or "", row)))
    share = max(1, STRIP_CANDIDATES // max(1, len(by_reason)))
    first = [cell for cells in by_reason.values() for cell in _spread(cells, share)]
    rest = [cell for cells in by_reason.values() for cell in cells if cell not in first]
    chosen = [*first, *_spread(rest, max(0, STRIP_CANDIDATES - len(first)))][:STRIP_CANDIDATES]
    return contact_sheet(chosen) if chosen else None


def sample_triplet(data_set: DataSet, report: CategoryReport) -> bytes | None:
    """Draw the triplet with the most detail, which is the one whose GT takes the most bytes for its size.

    Returns:
        A JPEG, see `triplet_picture`; None where there is no triplet, or it cannot be read.
    """
    row = max(report.rows, key=lambda each: each.gt_bytes / (each.width * each.height), default=None)
    if row is None:
        return None
    paths = TripletPaths.of(row)
    kind = next(kind for kind in paths.by_kind if kind.is_lr)
    crop = f", crop {row.crop}" if row.crop else ""
    gt, lr = data_set.path_of(paths.gt), data_set.path_of(paths.by_kind[kind])
    return triplet_picture(gt, lr, kind, row.scale, f"window {row.window}{crop}, {row.format}")


def _with_pictures(
    data_set: DataSet, run: VideoReport, rows: Iterable[WindowRow]
) -> list[tuple[WindowRow, Path]]:
    """Return the rows whose picture was kept, and the picture."""
    pictures, found = data_set.pictures(run.key), []
    for row in rows:
        path = pictures.find(picture_name(run.info.fingerprint, row.pts, row.reason))
        if path is not None:
            found.append((row, path))
    return found


def _box(area: Rect, row: PatchRow, colour: int) -> Box:
    return Box(
        (row.x - area.x) / area.width,
        (row.y - area.y) / area.height,
        row.width / area.width,
        row.height / area.height,
        colour,
    )


def _caption(name: str, row: WindowRow, more: str = "") -> str:
    minutes, seconds = divmod(row.time_s, 60)
    return f"{name}  {int(minutes)}:{seconds:04.1f}  {more}".rstrip()


def _spread(values: Sequence[_T], most: int) -> list[_T]:
    """At most so many of the values, evenly."""
    count = min(len(values), most)
    return [values[index * len(values) // count] for index in range(count)]
