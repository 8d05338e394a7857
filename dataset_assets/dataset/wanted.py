"""Which states of a video's tables are worth showing: those of what is wanted, or was made.

Not here: the states themselves (`status`), and how they are shown (`cli`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset.status import WINDOWS, AssetStatus


def wanted_statuses(
    settings: Settings, entry: VideoEntry, statuses: Mapping[str, AssetStatus]
) -> dict[str, AssetStatus]:
    """Leave out the states of tables that nothing is wanted of and that hold nothing to delete.

    Args:
        settings: The configuration.
        entry: The video.
        statuses: Its states, as `DataSet.statuses` returns them.
    """
    targets = {WINDOWS: settings.window_target(entry)}
    targets |= {category: settings.target(entry, category) for category in settings.categories}
    return {
        name: status
        for name, status in statuses.items()
        if targets.get(name, 1) or status.state in ("stale", "partial")
    }
