"""What stays of a video's windows where exclusions alone changed since they were found.

Worked out from rows, since footers do not say which windows are excluded by now. Not here: making windows of
what is left (`generate`), and how far a video has come (`completion`).
"""

from __future__ import annotations

from dataclasses import dataclass

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.reasons import EXCLUDED
from dataset_assets.tables import Counts, Provenance, WindowRow
from dataset_assets.video import Extent
from dataset_assets.windows import Exclusions, about_time_base


@dataclass(frozen=True, slots=True)
class Remaining:
    """What stays of a windows table.

    Attributes:
        windows: Numbers of the windows that stay.
        possible: Windows that the film can give at most, those that stay included.
    """

    windows: frozenset[int]
    possible: int


def remaining(
    settings: Settings,
    entry: VideoEntry,
    tables: TableStore,
    footer: tuple[Provenance, Counts],
    excluded: frozenset[int],
) -> Remaining | None:
    """Return what stays of a windows table that other exclusions make stale.

    Args:
        settings: The configuration.
        entry: The video.
        tables: The data set's tables.
        footer: That of the windows table.
        excluded: PTS of the middle frames of windows that are excluded by hand.

    Returns:
        What stays; None where the tables do not say where candidates lie.

    Raises:
        DatasetAssetsError: A table is damaged, or from a newer release.
    """
    made, counts = footer
    film = tables.read_video(entry.key)
    if made.sampled is None or film is None:
        return None
    extent = Extent(made.sampled.spans, made.sampled.frame_ticks)
    time_base = about_time_base(extent, film.duration_s)
    exclusions = Exclusions.of(extent, time_base, entry.excluded_ranges, excluded)

    def holds(row: WindowRow) -> bool:
        is_place_held = row.start_pts is not None and exclusions.hold_place(row.start_pts)
        return is_place_held or exclusions.hold_window(row.pts)

    rows = tables.read_windows(entry.key)
    stay = frozenset(row.window for row in rows if row.accepted and not holds(row))
    returning = sum(row.reason == EXCLUDED and not holds(row) for row in rows)
    # Excluded windows count as if they had not been tried.
    tried = counts.candidates - (counts.accepted - len(stay))
    tries = max(0, settings.window_target(entry) * settings.base.max_attempts - tried)
    return Remaining(stay, len(stay) + (returning if made.sampled.is_full else tries))
