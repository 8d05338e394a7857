"""Whether the disk has room for what a video still needs, checked before a pass begins."""

from __future__ import annotations

from collections.abc import Iterable

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import SpaceError
from dataset_assets.generate.patch_ledger import PatchLedger, key_of
from dataset_assets.generate.plan import MOST_PNG_BYTES_PER_PIXEL, VideoPlan, bytes_per_pixel


def check_space(
    settings: Settings, plan: VideoPlan, data_set: DataSet, ledgers: Iterable[PatchLedger]
) -> None:
    """Estimate the bytes that a video's missing patches need, and compare them with what is free.

    Args:
        settings: The configuration.
        plan: The video's plan.
        data_set: The data set.
        ledgers: The patches tables that are worked on.

    Raises:
        SpaceError: Less than `min_free_gb` would stay free.
    """
    needed = sum(
        plan.size_bytes(ledger.plan.category, ledger.windows)
        + _missing_bytes(ledger, plan.bytes_per_pixel)
        + _lacking_bytes(ledger)
        for ledger in ledgers
    )
    free, min_free_gb = data_set.free_bytes, settings.base.min_free_gb
    if free - needed < min_free_gb * 1e9:
        raise SpaceError(
            f"{plan.entry.key}: {data_set.folder} has {free / 1e9:.1f} GB free, this video is estimated to "
            f"need {needed / 1e9:.1f} GB and base_settings.min_free_gb keeps {min_free_gb:.1f} GB",
            "free some space or lower min_free_gb",
        )


def _missing_bytes(ledger: PatchLedger, bytes_of_pixel: float) -> int:
    """Return the estimated bytes of the further patches of windows which have a first one."""
    pixels = sum(patch.rect.width * patch.rect.height for patch in ledger.missing)
    return int(pixels * bytes_of_pixel)


def _lacking_bytes(ledger: PatchLedger) -> int:
    """Return the estimated bytes of the files that patches lack which have others."""
    return sum(
        int(
            row.width
            * row.height
            * bytes_per_pixel(ledger.lacking(key_of(row)), row.scale, MOST_PNG_BYTES_PER_PIXEL)
        )
        for row in ledger.rows()
    )
