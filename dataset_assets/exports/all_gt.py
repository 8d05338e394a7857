"""Ground truth of all frames: from the data set where it stores it, else cropped from the film again.

Not here: which window is where in the film, and how it is read (`generate.Replay`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Final

from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports.pictures import Picture, TripletReader
from dataset_assets.exports.selected import Item, row_file
from dataset_assets.frames import FileKind
from dataset_assets.generate import Replay
from dataset_assets.video import look_at, seen

# Threads ask for windows in nearly the order of the film; 7 crops of 1920x1080 take 44 MB.
KEPT_WINDOWS: Final = 4

_Window = tuple[str, int]


class AllGt:
    """Ground truth of all frames of triplets. Threads may share it; films are read by one at a time."""

    def __init__(
        self, settings: Settings, data_set: DataSet, reader: TripletReader, items: Sequence[Item]
    ) -> None:
        """Open nothing.

        Args:
            settings: The configuration, which names the films.
            data_set: The data set.
            reader: Reads the data set's files.
            items: The triplets that may be asked for.
        """
        self._settings = settings
        self._data_set = data_set
        self._reader = reader
        self._lock = Lock()
        self._video = ""
        self._replay: Replay | None = None
        self._kept: OrderedDict[_Window, Mapping[str, Picture]] = OrderedDict()
        self._of_window: dict[_Window, list[Item]] = {}
        for item in items:
            self._of_window.setdefault(_window_of(item), []).append(item)

    def frames(self, item: Item) -> Picture:
        """Return frames 0..6: shape (7, height, width, 3), uint8, channels blue, green, red.

        Raises:
            VideoError: The film cannot be read.
            DatasetAssetsError: The patch is not what the film shows under the configuration.
        """
        stored = self._reader.all_gt(item)
        if stored is not None:
            return stored
        window = _window_of(item)
        with self._lock:
            if window not in self._kept:
                self._kept[window] = self._replayed(window)
                if len(self._kept) > KEPT_WINDOWS:
                    self._kept.popitem(last=False)
            return self._kept[window][item.name]

    def close(self) -> None:
        """Close the film."""
        if self._replay is not None:
            self._replay.close()
            self._replay = None

    def _replayed(self, window: _Window) -> Mapping[str, Picture]:
        """Return the frames of every triplet of a window, by name, from one reading of it."""
        video, _ = window
        if self._replay is None or video != self._video:
            self.close()
            self._replay = Replay(self._settings, self._data_set, video)
            self._video = video
        items = self._of_window[window]
        crops = self._replay.gt_frames([item.row for item in items])
        return {item.name: frames for item, frames in zip(items, crops, strict=True)}


def check_films(settings: Settings, items: Sequence[Item]) -> None:
    """Check that the films exist that ground truth is cropped from again, before hours of work.

    Raises:
        ConfigError: The configuration has no such video.
        DatasetAssetsError: A film is absent.
    """
    keys = sorted({item.triplet.video for item in items if row_file(item.row, FileKind.GT7) is None})
    films = {key: settings.video(key).path for key in keys}
    look_at(films.values())
    absent = [key for key, film in films.items() if seen(film) is None]
    if absent:
        raise DatasetAssetsError(
            f"The ground truth of all frames is not stored, and {counted(len(absent), 'film')} to crop it "
            f"from cannot be found, such as {absent[0]} ({films[absent[0]]})",
            "make the films accessible, or leave --gt all out.",
        )


def _window_of(item: Item) -> _Window:
    return item.triplet.video, item.row.window
