"""The partitions: one for each video, by its key.

Not here: what is made of a video (`assets`).
"""

from __future__ import annotations

import dagster as dg

from dataset_assets.config import Settings

VIDEO_PARTITIONS = dg.DynamicPartitionsDefinition(name="videos")


def add_missing(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    """Add a partition for every configured video; never remove one: its history would be hidden.

    Returns:
        The keys that were added, sorted.
    """
    known = set(instance.get_dynamic_partitions(VIDEO_PARTITIONS.name or ""))
    added = sorted({video.key for video in settings.videos} - known)
    if added:
        instance.add_dynamic_partitions(VIDEO_PARTITIONS.name or "", added)
    return added


def has_partition(instance: dg.DagsterInstance, key: str) -> bool:
    """Return whether a video has a partition."""
    return instance.has_dynamic_partition(VIDEO_PARTITIONS.name or "", key)


def remove(instance: dg.DagsterInstance, key: str) -> None:
    """Remove the partition of a video; one that is absent is no error."""
    instance.delete_dynamic_partition(VIDEO_PARTITIONS.name or "", key)
