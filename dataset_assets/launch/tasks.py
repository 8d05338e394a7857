"""What a worker is asked to make of a video: the assets that are missing or stale, or forced.

Which they are is decided in `automation.pending`; in which order and where they are made, in `supervisor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataset_assets.assets import SCENE_WINDOWS, SOURCE_VIDEO, patches_asset
from dataset_assets.automation import pending_assets
from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset import AssetStatus


@dataclass(frozen=True, slots=True)
class Task:
    """A video, and the assets of it that are to be materialised.

    Attributes:
        key: The video's key.
        assets: Names of the assets.
        may_replace: Whether many finished patches may be deleted or made again.
    """

    key: str
    assets: Sequence[str]
    may_replace: bool = False


def pending_task(
    settings: Settings,
    entry: VideoEntry,
    statuses: Mapping[str, AssetStatus],
    categories: Sequence[str],
    *,
    force: bool,
) -> Task | None:
    """Return the assets of a video that are missing or stale, or forced; None where there is none.

    With chosen categories, only they are forced: their windows are replayed.

    Args:
        settings: The configuration.
        entry: The video.
        statuses: The states of its tables.
        categories: The chosen categories; all where empty.
        force: Whether to rebuild what is up to date.
    """
    chosen = list(categories or settings.categories)
    if force and not categories:
        return Task(entry.key, (SOURCE_VIDEO, SCENE_WINDOWS, *map(patches_asset, chosen)))
    assets = pending_assets(statuses, chosen).assets
    if force:
        assets = tuple(dict.fromkeys([*assets, *map(patches_asset, chosen)]))
    return Task(entry.key, assets) if assets else None
