"""What a video's page says about the exclusion of its windows.

Here: the states of a window and their texts. Not here: keeping exclusions (`dataset`), and changing them from
the page (`ui`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from dataset_assets.config import VideoEntry
from dataset_assets.frames import FRAMES_PER_WINDOW, MIDDLE_FRAME
from dataset_assets.reasons import EXCLUDED
from dataset_assets.tables import Provenance, VideoRow, WindowRow
from dataset_assets.video import Extent
from dataset_assets.windows import Exclusions, about_time_base, has_frame

State = Literal["", "to_exclude", "excluded", "to_bring_back", "in_range"]

STATE_TEXTS: Final[Mapping[State, str]] = {
    "": "",
    "to_exclude": "Excluded by hand: the next run deletes its patches and tries another place.",
    "excluded": "Excluded by hand.",
    "to_bring_back": "No longer excluded: the next run makes its patches again.",
    "in_range": "Touches a range that the configuration excludes.",
}


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Whether a window is excluded, and what the next run does about it.

    Attributes:
        state: The state.
        frames: PTS of its first, middle and last frame.
        is_made: Whether the last run accepted it.
    """

    state: State
    frames: tuple[int, int, int]
    is_made: bool


class ExclusionStates:
    """The states of one video's windows."""

    def __init__(
        self,
        entry: VideoEntry | None,
        row: VideoRow | None,
        windows: Provenance | None,
        excluded: frozenset[int],
    ) -> None:
        """Store what is excluded.

        Args:
            entry: The video; None where it is not in the configuration any more.
            row: Its row in the videos table.
            windows: What its windows table was made from.
            excluded: What `ExcludedWindows` holds of it.
        """
        self._frames = excluded
        self._ranges: Exclusions | None = None
        if entry is not None and row is not None and windows is not None and windows.sampled is not None:
            extent = Extent(windows.sampled.spans, windows.sampled.frame_ticks)
            time_base = about_time_base(extent, row.duration_s)
            self._ranges = Exclusions.of(extent, time_base, entry.excluded_ranges, ())

    def of(self, row: WindowRow) -> Exclusion | None:
        """Return the state of a window; None for other candidates."""
        if len(row.pts) < FRAMES_PER_WINDOW or not (row.accepted or row.reason == EXCLUDED):
            return None
        return Exclusion(
            self._state(row), (row.pts[0], row.pts[MIDDLE_FRAME], row.pts[-1]), is_made=row.accepted
        )

    def _state(self, row: WindowRow) -> State:
        is_excluded = has_frame(row.pts, self._frames)
        if row.accepted:
            return "to_exclude" if is_excluded else ""
        if is_excluded:
            return "excluded"
        is_in_range = self._ranges is not None and self._ranges.hold_window(row.pts)
        return "in_range" if is_in_range else "to_bring_back"
