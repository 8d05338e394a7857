"""Near-duplicates as pairs of videos: how many windows, where they lie, and what that looks like.

For the command, Dagster and the gallery alike. Not here: finding them (`near_duplicates`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Final

from dataset_assets.dataset import DataSet
from dataset_assets.tables import DuplicateRow

# Neighbouring moments look the same too: the times of one shot differ by this much from the pair's offset.
SAME_OFFSET_S: Final = 1.0
# Enough of the windows lie at one offset; an edited trailer or a recap has many.
MOST: Final = 0.6
# Most of the longer film, without its credits and what was cut away.
SAME_FILM: Final = 0.75
# An opening begins within this many seconds, or this share of a short film.
_BEGINNING_S: Final = 300.0
_BEGINNING: Final = 0.2


@dataclass(frozen=True, slots=True)
class VideoPair:
    """Two videos with windows that show the same.

    Attributes:
        video: Key of the later video, whose windows are left out.
        of_video: Key of the earlier one.
        rows: Its windows and those that they show again, by time.
        duration_s: Length of the later film; 0 where unknown.
        of_duration_s: Length of the earlier film.
    """

    video: str
    of_video: str
    rows: tuple[DuplicateRow, ...]
    duration_s: float
    of_duration_s: float

    @property
    def offset_s(self) -> float:
        """How many seconds later the same is shown in the later video; the median."""
        return median(row.time_s - row.of_time_s for row in self.rows)

    @property
    def at_offset(self) -> tuple[DuplicateRow, ...]:
        """The rows whose times differ by the pair's offset."""
        offset_s = self.offset_s
        return tuple(row for row in self.rows if abs(row.time_s - row.of_time_s - offset_s) <= SAME_OFFSET_S)

    @property
    def kind(self) -> str:
        """What it looks like: `same film`, `opening`, `shared part`, or `scattered` as a recap is."""
        together = self.at_offset
        if len(together) < MOST * len(self.rows):
            return "scattered"
        span_s = together[-1].time_s - together[0].time_s
        lengths_s = [each for each in (self.duration_s, self.of_duration_s) if each]
        if lengths_s and span_s >= SAME_FILM * max(lengths_s):
            return "same film"
        starts = (
            (together[0].time_s, self.duration_s),
            (min(row.of_time_s for row in together), self.of_duration_s),
        )
        if all(start_s <= min(_BEGINNING_S, _BEGINNING * length_s) for start_s, length_s in starts):
            return "opening"
        return "shared part"


@dataclass(frozen=True, slots=True)
class DuplicatesReport:
    """What comparing the videos did.

    Attributes:
        rows: All near-duplicates.
        videos: Videos that are compared.
        made: Videos that were compared just now.
        removed: Videos of the last run that are gone.
        confirmed: Candidates that the pictures were read of, just now.
        problems: One message for each video that could not be read.
        cpu_s: CPU seconds of the process meanwhile.
        wall_s: Seconds it took.
    """

    rows: tuple[DuplicateRow, ...]
    videos: int
    made: int
    removed: int
    confirmed: int
    problems: tuple[str, ...]
    cpu_s: float
    wall_s: float

    @property
    def windows(self) -> int:
        """Windows that show what one of an earlier video shows."""
        return len({(row.video, row.window) for row in self.rows})


def video_pairs(data_set: DataSet, rows: Iterable[DuplicateRow]) -> list[VideoPair]:
    """Return the pairs of videos with near-duplicates, those with the most first.

    Args:
        data_set: The data set.
        rows: The near-duplicates.

    Raises:
        DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
    """
    lengths_s: dict[str, float] = {}
    pairs = []
    ordered = sorted(rows, key=lambda row: (row.video, row.of_video, row.time_s, row.window))
    for (video, of_video), found in groupby(ordered, key=lambda row: (row.video, row.of_video)):
        for key in (video, of_video):
            if key not in lengths_s:
                film = data_set.tables.read_video(key)
                lengths_s[key] = film.duration_s if film else 0.0
        pairs.append(VideoPair(video, of_video, tuple(found), lengths_s[video], lengths_s[of_video]))
    return sorted(pairs, key=lambda pair: (-len(pair.rows), pair.video, pair.of_video))
