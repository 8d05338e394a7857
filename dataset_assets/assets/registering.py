"""Finished tables that Dagster's history lacks: the tables are the truth, the history follows.

A new Dagster home (the old one was lost, or the data set was copied without it), and tables that were made
from Python, are registered as materialised, so that the UI shows them as done. Nothing is made here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from dataset_assets.assets.gallery import page_link
from dataset_assets.assets.make_patches import SCENE_WINDOWS, patches_asset
from dataset_assets.assets.reporting import Metadata, counts_markdown, source_metadata
from dataset_assets.assets.runs import PATCH_DEGRADATIONS, PATCH_SCORES
from dataset_assets.assets.source import SOURCE_VIDEO
from dataset_assets.config import Settings
from dataset_assets.dagster_internals import report_without_run, version_tags
from dataset_assets.dataset import COPY_AGE_S, DataSet, degradation_steps, shortfall
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.scores import SCORES_VERSION
from dataset_assets.tables import Counts, Provenance, patches_target

NOTE = "registered from the table; the run that made it is not in this history"
# Events in one transaction.
BATCH = 500


@dataclass(frozen=True, slots=True)
class FinishedTable:
    """A table of which the history may lack that it is finished.

    Attributes:
        asset: Name of its asset.
        key: The video's key.
        path: The table; of scores and degraded LR, which are of several categories, the first.
        category: Name of the category of a patches table; empty for the other tables.
    """

    asset: str
    key: str
    path: Path
    category: str = ""


def find_unregistered(instance: dg.DagsterInstance, settings: Settings) -> list[FinishedTable]:
    """Look for finished tables of configured videos that are not materialised in Dagster's history.

    Stale ones are included: they were made, and are then shown as stale as any other.

    Returns:
        The tables, those that others are made from first.
    """
    data_set = DataSet.of(settings)
    data_set.copy.refresh(COPY_AGE_S)
    known: dict[str, Collection[str]] = {}
    found = []
    for table in tables_of(settings, data_set):
        if table.asset not in known:
            known[table.asset] = instance.get_materialized_partitions(dg.AssetKey(table.asset))
        if table.key not in known[table.asset] and is_finished(data_set, table):
            found.append(table)
    return found


def tables_of(settings: Settings, data_set: DataSet) -> Iterator[FinishedTable]:
    """Yield the tables of configured videos, finished or not; those that others are made from first."""
    keys = [video.key for video in settings.videos]
    of_patches = ((patches_asset(name), name) for name in settings.categories)
    for asset, category in ((SOURCE_VIDEO, ""), (SCENE_WINDOWS, ""), *of_patches):
        if category:
            paths = data_set.tables.patches_files(category)
        else:
            paths = (
                data_set.tables.video_files() if asset == SOURCE_VIDEO else data_set.tables.windows_files()
            )
        for key in keys:
            if key in paths:
                yield FinishedTable(asset, key, paths[key], category)
    scored: dict[str, Path] = {}
    for category in reversed(settings.categories):
        scored |= data_set.tables.scores_files(category)
    yield from (FinishedTable(PATCH_SCORES, key, scored[key]) for key in keys if key in scored)
    degraded: dict[str, Path] = {}
    for category in reversed([name for name in settings.categories if degradation_steps(settings, name)]):
        degraded |= data_set.tables.degradations_files(category)
    yield from (FinishedTable(PATCH_DEGRADATIONS, key, degraded[key]) for key in keys if key in degraded)


def register(
    instance: dg.DagsterInstance, settings: Settings, tables: Sequence[FinishedTable]
) -> Iterator[int]:
    """Register finished tables as materialised.

    Yields:
        How many more are registered, after each batch.
    """
    data_set = DataSet.of(settings)
    for start in range(0, len(tables), BATCH):
        batch = tables[start : start + BATCH]
        events = [event for table in batch if (event := _event(settings, data_set, table)) is not None]
        report_without_run(instance, events)
        yield len(batch)


def is_finished(data_set: DataSet, table: FinishedTable) -> bool:
    """Return whether a table is complete, by its footer; of scores and degraded LR, those of all categories.

    A category without a table of degraded LR is not degraded, or not yet.
    """
    if table.asset == PATCH_SCORES:
        return all(_is_scored(data_set, table.key, name) for name in data_set.tables.categories_of(table.key))
    if table.asset == PATCH_DEGRADATIONS:
        paths = _degradations(data_set, table.key)
        made = [_provenance(data_set, path) for path in paths]
        return bool(made) and all(each is not None and each.complete for each in made)
    provenance = _provenance(data_set, table.path)
    return provenance is not None and provenance.complete


def _is_scored(data_set: DataSet, key: str, category: str) -> bool:
    """Return whether a category has a score for each patch of a video, by the footers."""
    patches = _footer(data_set, data_set.tables.patches_path(category, key))
    if patches is None or not patches[1].patches:
        return True
    scores = _provenance(data_set, data_set.tables.scores_path(category, key))
    return scores is not None and scores.complete and scores.code_version == str(SCORES_VERSION)


def _degradations(data_set: DataSet, key: str) -> list[Path]:
    """Return the tables of degraded LR of a video."""
    tables = data_set.tables
    paths = (tables.degradations_path(name, key) for name in tables.categories_of(key))
    return [path for path in paths if path.exists()]


def _provenance(data_set: DataSet, path: Path) -> Provenance | None:
    footer = _footer(data_set, path)
    return None if footer is None else footer[0]


def _footer(data_set: DataSet, path: Path) -> tuple[Provenance, Counts] | None:
    try:
        return data_set.tables.read_footer(path)
    except DatasetAssetsError:
        return None  # damaged: it counts as stale, and is rebuilt


def _event(settings: Settings, data_set: DataSet, table: FinishedTable) -> dg.AssetMaterialization | None:
    try:
        footer = data_set.tables.read_footer(table.path)
        if footer is None:
            return None
        provenance, counts = footer
        if table.asset == SOURCE_VIDEO:
            row = data_set.tables.read_video(table.key)
            if row is None:
                return None
            metadata = source_metadata(settings, table.key, row)
            version, inputs = row.fingerprint, {}
        elif table.asset == SCENE_WINDOWS:
            metadata = _windows_metadata(settings, table, provenance, counts)
            version = _windows_version(provenance)
            inputs = {SOURCE_VIDEO: str(provenance.source_fingerprint)}
        elif table.asset == PATCH_SCORES:
            metadata = {
                "video": dg.MetadataValue.text(table.key),
                "folder": dg.MetadataValue.path(data_set.metadata_folder / "scores"),
            }
            version, inputs = _scores_version(data_set, table.key)
        elif table.asset == PATCH_DEGRADATIONS:
            metadata = {
                "video": dg.MetadataValue.text(table.key),
                "folder": dg.MetadataValue.path(data_set.metadata_folder / "degradations"),
            }
            version, inputs = provenance.settings_hash, _scores_version(data_set, table.key)[1]
        else:
            metadata = _patches_metadata(settings, table, provenance, counts)
            version = provenance.settings_hash
            inputs = {
                SCENE_WINDOWS: _windows_version(
                    _provenance(data_set, data_set.tables.windows_path(table.key))
                )
            }
    except DatasetAssetsError:
        return None  # damaged meanwhile
    return dg.AssetMaterialization(
        table.asset,
        partition=table.key,
        metadata=metadata | {"registered": dg.MetadataValue.text(NOTE)},
        tags=version_tags(provenance.code_version, version, inputs),
    )


def _windows_version(provenance: Provenance | None) -> str:
    return f"{provenance.settings_hash}-{provenance.source_fingerprint}" if provenance else "unknown"


def _scores_version(data_set: DataSet, key: str) -> tuple[str, dict[str, str]]:
    """Return a version of the scores of a video, and the versions of the patches that they are of."""
    tables = data_set.tables
    patches = {
        patches_asset(name): made.settings_hash
        for name in tables.categories_of(key)
        if (made := _provenance(data_set, tables.patches_path(name, key))) is not None
    }
    return f"{SCORES_VERSION}-{'-'.join(patches.values())}", patches


def _windows_metadata(
    settings: Settings, table: FinishedTable, provenance: Provenance, counts: Counts
) -> Metadata:
    rate = counts.accepted / counts.candidates if counts.candidates else 0.0
    why = shortfall(provenance, counts)
    note: Metadata = {"shortfall": dg.MetadataValue.text(why)} if why else {}
    return {
        "video": dg.MetadataValue.text(table.key),
        "windows": dg.MetadataValue.int(counts.accepted),
        "windows_target": dg.MetadataValue.int(provenance.target),
        "candidates": dg.MetadataValue.int(counts.candidates),
        "acceptance_rate": dg.MetadataValue.float(round(rate, 4)),
        "reject_reasons": dg.MetadataValue.md(counts_markdown("reason", counts.rejected)),
        **note,
        "gallery": page_link(settings, table.key),
        "table": dg.MetadataValue.path(table.path),
    }


def _patches_metadata(
    settings: Settings, table: FinishedTable, provenance: Provenance, counts: Counts
) -> Metadata:
    folder = DataSet.of(settings).category_folder(settings, table.category)
    return {
        "video": dg.MetadataValue.text(table.key),
        "patches": dg.MetadataValue.int(sum(counts.patches.values())),
        "patches_target": dg.MetadataValue.int(patches_target(provenance, counts)),
        "gigabytes": dg.MetadataValue.float(round(sum(counts.size_bytes.values()) / 1e9, 4)),
        "format_mix": dg.MetadataValue.md(counts_markdown("format", counts.patches)),
        "gallery": page_link(settings, table.key, table.category),
        "folder": dg.MetadataValue.path(folder),
        "table": dg.MetadataValue.path(table.path),
    }
