"""How a data set stands: figures, what is missing or stale, what failed; read once for all who show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataset_assets.dataset.failures import Failure
from dataset_assets.dataset.statistics import DatasetStats
from dataset_assets.dataset.status import AssetStatus


@dataclass(frozen=True, slots=True)
class Overview:
    """How a data set stands.

    Attributes:
        stats: What its tables add up to.
        statuses: The states of the configured videos' tables, by key and table.
        failures: Why the last runs of configured videos failed, by key.
    """

    stats: DatasetStats
    statuses: Mapping[str, Mapping[str, AssetStatus]]
    failures: Mapping[str, Failure]

    def is_done(self, key: str) -> bool:
        """Return whether nothing of a configured video is missing or stale."""
        return all(status.is_done for status in self.statuses[key].values())
