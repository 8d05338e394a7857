"""The state of a data set: figures, what is missing or stale, what failed; read once for all that show it.

Not here: how each part is read (`statistics`, `status`, `failures`) and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataset_assets.dataset.failures import Failure
from dataset_assets.dataset.statistics import DatasetStats
from dataset_assets.dataset.status import AssetStatus


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of a data set.

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
