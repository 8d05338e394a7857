"""What tests of validation share: proposing chosen patches, and what is decided, read without our readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, Triplet, ValidationPatch
from dataset_assets.tables import ValidationRow


def root(settings: Settings) -> Path:
    return settings.base.output_base_dir


def triplets(settings: Settings, category: str = "general") -> list[Triplet]:
    """The finished triplets of a category, as the tables list them."""
    return list(DataSet.of(settings).triplets(categories=[category]))


def proposed(
    settings: Settings, chosen: Sequence[Triplet], span_s: float | None = 0.5
) -> list[ValidationPatch]:
    """Proposes some triplets; returns what is proposed of their category."""
    data_set = DataSet.of(settings)
    by_video: dict[str, list[ValidationRow]] = {}
    for each in chosen:
        times = {row.window: row.time_s for row in data_set.tables.read_windows(each.video)}
        by_video.setdefault(each.video, []).append(
            ValidationRow(
                patch_id=each.row.patch_id,
                window=each.row.window,
                time_s=times[each.row.window],
                gt_hash=each.row.gt_hash,
                state="proposed",
                span_s=span_s,
                val_path=None,
                changed_at=datetime(2025, 1, 1, tzinfo=UTC),
            )
        )
    category = chosen[0].category
    data_set.validation.propose(category, by_video)
    names = {(each.video, each.row.patch_id) for each in chosen}
    return [
        each
        for each in data_set.validation.read()
        if each.category == category and (each.video, each.row.patch_id) in names
    ]


def accepted(
    settings: Settings, chosen: Sequence[Triplet], span_s: float | None = 0.5
) -> list[ValidationPatch]:
    """Proposes and accepts some triplets; returns them."""
    found = proposed(settings, chosen, span_s)
    DataSet.of(settings).validation.accept(settings, found)
    names = {each.name for each in found}
    return [each for each in DataSet.of(settings).validation.read() if each.name in names]


def states(settings: Settings) -> Mapping[str, str]:
    """The state of each patch, by category and patch_id, as DuckDB reads the tables."""
    pattern = root(settings) / "metadata/validation/*/*/*.parquet"
    if not list(root(settings).glob("metadata/validation/*/*/*.parquet")):
        return {}
    found = duckdb.execute(
        f"select category || '/' || patch_id, state from read_parquet('{pattern}', hive_partitioning = true)"
    ).fetchall()
    return dict(found)


def val_files(settings: Settings) -> dict[str, bytes]:
    """Content of every file in the folders `Val/GT`, hidden ones too, by its path in the data set."""
    return {
        path.relative_to(root(settings)).as_posix(): path.read_bytes()
        for path in sorted(root(settings).rglob("Val/GT/*"))
    }


def queried(query: str, settings: Settings, **paths: Any) -> list[tuple[Any, ...]]:
    """What DuckDB answers; `{metadata}` is the folder of the tables."""
    return duckdb.execute(query.format(metadata=root(settings) / "metadata", **paths)).fetchall()
