"""Data sets that Dagster's automations look at: films of a few bytes, and tables that say what is made."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import dagster as dg

from dataset_assets.config import load_settings
from dataset_assets.dataset import (
    PATCHES_VERSION,
    SOURCE_VERSION,
    WINDOWS_VERSION,
    TableStore,
    patches_hashes,
    source_hashes,
    windows_hashes,
)
from dataset_assets.tables import PATCHES, VIDEOS, WINDOWS, Provenance
from dataset_assets.video.fingerprint import Fingerprint
from dataset_assets_tests.tables.samples import PATCH

ALL = ("source_video", "scene_windows", "general_patches", "space_patches", "toon_patches")


def films(folder: Path, sizes_bytes: Mapping[str, int]) -> dict[str, tuple[Path, Mapping[str, float]]]:
    """Films by name, as `write_config` takes them."""
    found: dict[str, tuple[Path, Mapping[str, float]]] = {}
    for name, size_bytes in sizes_bytes.items():
        path = folder / f"{name}.mkv"
        path.write_bytes(b"." * size_bytes)
        found[name] = (path, {"general": 1.0})
    return found


def finish(config: Path, patches_each: int = 0) -> None:
    """Writes the tables of every video as a run that got through leaves them, without rows of windows.

    `patches_each` rows are in each table of patches that something is wanted of.
    """
    settings = load_settings(config)
    store = TableStore(settings.base.output_base_dir)
    for entry in settings.videos:
        source = source_hashes(settings, entry).written
        made = Provenance(source, Fingerprint.of(entry.path), SOURCE_VERSION, complete=True, target=1)
        store.write(store.video_path(entry.key), VIDEOS, [], made)
        hash_ = windows_hashes(settings, entry).written
        windows = replace(
            made,
            settings_hash=hash_,
            code_version=WINDOWS_VERSION,
            target=settings.window_target(entry),
            max_attempts=settings.base.max_attempts,
        )
        store.write(store.windows_path(entry.key), WINDOWS, [], windows)
        for category in settings.categories:
            hash_ = patches_hashes(settings, entry, category).written
            target = settings.target(entry, category)
            patches = replace(windows, settings_hash=hash_, code_version=PATCHES_VERSION, target=target)
            rows = [replace(PATCH, window=window) for window in range(patches_each if target else 0)]
            store.write(store.patches_path(category, entry.key), PATCHES, rows, patches)


def add_run(
    instance: dg.DagsterInstance, key: str | None, status: dg.DagsterRunStatus, **tags: str
) -> dg.DagsterRun:
    """A run on a video, in this state from the start."""
    partition = {"dagster/partition": key} if key else {}
    run = dg.DagsterRun("make_patches", run_id=str(uuid.uuid4()), status=status, tags=partition | tags)
    return instance.add_run(run)
