"""What a run did with a video: read by the command line and the assets' metadata.

Not here: how reports are shown (`cli`, `assets`), and judging them (`checks`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from dataset_assets.tables import PatchRow
from dataset_assets.video import VideoInfo


@dataclass(frozen=True, slots=True)
class WindowsReport:
    """What a video's windows table holds now.

    Attributes:
        target: Windows wanted; 0 where no category has a format that fits the film.
        possible: Windows that the film is long enough for, at most `target`.
        accepted: Windows accepted.
        with_repeats: Accepted windows with a repeated frame.
        candidates: Candidates that were tried, accepted or not.
        rejected: Rejected candidates by reason.
        shortfall: Why fewer windows than were asked for were found, see `dataset.shortfall`, or why no format
            fits.
        rows: Rows of the table, with those of candidates that were passed over.
    """

    target: int
    possible: int
    accepted: int
    with_repeats: int
    candidates: int
    rejected: Mapping[str, int]
    shortfall: str
    rows: int

    @property
    def acceptance_rate(self) -> float:
        """Accepted candidates over those tried; 0 where none was."""
        return self.accepted / self.candidates if self.candidates else 0.0


@dataclass(frozen=True, slots=True)
class CategoryReport:
    """What a video's patches table of one category holds now.

    Attributes:
        target: Windows asked for.
        possible: Windows that the film is long and large enough for, at most `target`.
        made: Patches that this run made.
        rows: Every patch of the table.
        mix: Share of each format that fits; sums to 1.
        left_out: Formats that do not fit the active area.
        misfit: Why none fits; empty where one does.
        crops: Patches of a window at most.
    """

    target: int
    possible: int
    made: int
    rows: tuple[PatchRow, ...]
    mix: Mapping[str, float]
    left_out: tuple[str, ...]
    misfit: str
    crops: int = 1

    @property
    def formats(self) -> dict[str, int]:
        """Patches by format."""
        return dict(Counter(row.format for row in self.rows))

    @property
    def window_formats(self) -> dict[str, int]:
        """Windows with patches, by format."""
        return dict(Counter(row.format for row in self.rows if not row.crop))

    @property
    def windows(self) -> int:
        """Windows with patches."""
        return sum(self.window_formats.values())

    @property
    def patches_target(self) -> int:
        """Patches asked for; of windows that are missing at most."""
        return len(self.rows) + (self.target - self.windows) * self.crops

    @property
    def size_bytes(self) -> int:
        """Bytes of all triplets."""
        return sum(row.size_bytes for row in self.rows)


@dataclass(frozen=True, slots=True)
class VideoReport:
    """What a run did with a video.

    Attributes:
        key: The video's key.
        info: What probing found.
        windows: The windows table.
        finds_windows: Whether windows were requested; else finished ones were replayed.
        categories: The categories asked for.
        cpu_s: CPU seconds of this process spent on it.
        wall_s: Seconds it took.
    """

    key: str
    info: VideoInfo
    windows: WindowsReport
    finds_windows: bool
    categories: Mapping[str, CategoryReport]
    cpu_s: float
    wall_s: float

    @property
    def made(self) -> int:
        """Patches that this run made."""
        return sum(category.made for category in self.categories.values())
