"""Which exports train on what was set apart for validation since they were made.

Not here: exporting them again (`writing`).
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, sides_of
from dataset_assets.exports.options import ExportOptions
from dataset_assets.exports.planning import finished_exports
from dataset_assets.exports.record import SPLIT_FILE


def exports_to_refresh(settings: Settings) -> dict[Path, ExportOptions]:
    """Return the exports in the data set's own folder that train on what is set apart, and their options.

    Raises:
        DatasetAssetsError: A table of the data set is damaged, from a newer release, or cannot be read.
    """
    data_set = DataSet.of(settings)
    exports = finished_exports(settings)
    if not exports or not data_set.validation.accepted():
        return {}
    triplets = list(data_set.triplets())
    apart = {
        (triplet.category, triplet.row.patch_id)
        for triplet, side in zip(triplets, sides_of(data_set, triplets), strict=True)
        if side != "train"
    }
    return {folder: options for folder, options in exports.items() if not apart.isdisjoint(_trained(folder))}


def _trained(folder: Path) -> set[tuple[str, str]]:
    """Return category and `patch_id` of an export's training split; none where that cannot be read."""
    try:
        table = pq.read_table(folder / SPLIT_FILE, columns=["category", "patch_id", "split"])
    except (OSError, pa.ArrowException):
        return set()  # its checks report that
    rows = zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True)
    return {(category, name) for category, name, split in rows if split == "train"}
