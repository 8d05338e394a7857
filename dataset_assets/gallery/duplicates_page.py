"""What the page of near-duplicates shows: pairs of videos, and windows of both side by side.

Read from the table of near-duplicates; only the windows tables of videos that are in it are read. Not here:
HTML (`rendering`), and what makes windows near-duplicates (`windows`, `curation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from dataset_assets.config import Settings
from dataset_assets.curation import VideoPair, video_pairs
from dataset_assets.dataset import DataSet, current_duplicates, picture_name
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.tables import DuplicateRow

DUPLICATES_FILE: Final = "duplicates.html"
# From the page to the data set's folder.
_TO_DATA_SET: Final = "../"
# A series of 24 episodes with one opening has 276 pairs; their pictures load when they are scrolled to.
MOST_PAIRS: Final = 300
MOST_WINDOWS: Final = 12


@dataclass(frozen=True, slots=True)
class ShownWindows:
    """Two windows that show the same.

    Attributes:
        row: Their row in the table.
        picture: URL of the later video's picture; empty where there is none.
        of_picture: URL of the earlier one's.
    """

    row: DuplicateRow
    picture: str
    of_picture: str


@dataclass(frozen=True, slots=True)
class ShownPair:
    """Two videos with such windows.

    Attributes:
        pair: They, with all of their windows.
        name: Name of the later video.
        of_name: Name of the earlier one.
        windows: Some of their windows, spread evenly.
    """

    pair: VideoPair
    name: str
    of_name: str
    windows: tuple[ShownWindows, ...]


@dataclass(frozen=True, slots=True)
class DuplicatesPage:
    """Everything on the page of near-duplicates.

    Attributes:
        pairs: Those with the most windows first; at most `MOST_PAIRS`.
        all_pairs: How many there are.
        windows: Windows that show what one of an earlier video shows.
        is_compared: Whether the videos were ever compared.
        problem: Why the table cannot be shown; empty where it can.
    """

    pairs: tuple[ShownPair, ...] = ()
    all_pairs: int = 0
    windows: int = 0
    is_compared: bool = False
    problem: str = ""


def read_duplicates_page(settings: Settings, data_set: DataSet) -> DuplicatesPage:
    """Return what is to be shown of the near-duplicates."""
    try:
        rows = current_duplicates(data_set.tables)
        pairs = video_pairs(data_set, rows)
        reader = _Reader(settings, data_set)
        shown = tuple(reader.pair(each) for each in pairs[:MOST_PAIRS])
    except DatasetAssetsError as error:
        return DuplicatesPage(problem=str(error))
    return DuplicatesPage(
        pairs=shown,
        all_pairs=len(pairs),
        windows=len({(row.video, row.window) for row in rows}),
        is_compared=data_set.tables.duplicates_path.exists(),
    )


class _Reader:
    """Finds names and pictures of windows."""

    def __init__(self, settings: Settings, data_set: DataSet) -> None:
        self._data_set = data_set
        self._names = {entry.key: entry.name for entry in settings.videos}
        self._pictures: dict[str, dict[int, str]] = {}

    def pair(self, pair: VideoPair) -> ShownPair:
        step = max(1.0, len(pair.rows) / MOST_WINDOWS)
        chosen = [pair.rows[int(index * step)] for index in range(min(len(pair.rows), MOST_WINDOWS))]
        windows = (
            ShownWindows(
                row, self._picture(row.video, row.window), self._picture(row.of_video, row.of_window)
            )
            for row in chosen
        )
        return ShownPair(pair, self._name(pair.video), self._name(pair.of_video), tuple(windows))

    def _name(self, key: str) -> str:
        if key not in self._names:
            film = self._data_set.tables.read_video(key)
            self._names[key] = film.name if film else key
        return self._names[key]

    def _picture(self, key: str, window: int) -> str:
        if key not in self._pictures:
            self._pictures[key] = self._pictures_of(key)
        return self._pictures[key].get(window, "")

    def _pictures_of(self, key: str) -> dict[int, str]:
        """Return the URL of each window's picture."""
        tables, pictures = self._data_set.tables, self._data_set.pictures(key)
        made = tables.read_provenance(tables.windows_path(key))
        if made is None:
            return {}
        accepted = tables.read_accepted(key)
        folder = self._data_set.relative(pictures.folder).as_posix()
        found = {}
        for window, middle_pts in zip(accepted.windows.tolist(), accepted.middle_pts.tolist(), strict=True):
            name = picture_name(made.source_fingerprint, [middle_pts] * FRAMES_PER_WINDOW, None)
            if pictures.find(name):
                found[window] = _TO_DATA_SET + quote(f"{folder}/{name}", safe="/=")
        return found
