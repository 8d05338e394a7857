"""What Dagster loads: assets, checks, jobs, schedules, sensors, and the resources of the configuration.

Not here: what each of them does (`assets`, `automation`, `resources`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import dagster as dg

from dataset_assets.assets import (
    DEGRADE_JOB,
    SCORE_JOB,
    build_dataset_stats,
    build_exports,
    build_make_patches,
    build_near_duplicates,
    build_patch_degradations,
    build_patch_scores,
    console_text,
    source_video,
)
from dataset_assets.automation import (
    NewTables,
    Updates,
    build_nightly,
    build_refresh_exports,
    build_register_tables,
    build_stats_sensor,
    delete_old_runs,
    delete_old_runs_schedule,
    failure_sensor,
    videos_sensor,
)
from dataset_assets.config import (
    ConfigReader,
    Settings,
    config_path,
    keep_config,
    kept_settings,
    load_settings,
)
from dataset_assets.dagster_internals import print_of_events
from dataset_assets.dataset import degradation_steps
from dataset_assets.errors import ConfigError
from dataset_assets.resources import DatasetConfig

MAKE_PATCHES_JOB = "make_patches"
STATS_JOB = "update_stats"
EXPORT_JOB = "export"
DUPLICATES_JOB = "find_duplicates"
HOME_VARIABLE = "DAGSTER_HOME"


def build_defs(path: Path) -> dg.Definitions:
    """Build fresh definitions for a configuration file.

    Raises:
        ConfigError: The file holds mistakes; all of them are listed.
    """
    return _build(path, load_settings(path))


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions for the configuration that the environment names.

    While it holds mistakes they are those of before, kept in the Dagster home: sensors and runs then report
    the mistakes, and go on once they are corrected, also where the code location was reloaded meanwhile.

    Raises:
        ConfigError: The file holds mistakes, and nothing was kept.
    """
    print_of_events(console_text)
    path, home = config_path(None), os.environ.get(HOME_VARIABLE)
    try:
        settings = load_settings(path)
    except ConfigError:
        kept = kept_settings(path, Path(home)) if home else None
        if kept is None:
            raise
        return _build(path, kept)
    if home:
        keep_config(path, Path(home))
    return _build(path, settings)


def _build(path: Path, settings: Settings) -> dg.Definitions:
    """Build definitions; categories, degradations and the nightly schedule decide which.

    Runs read all the rest.
    """
    make_triplets = build_make_patches(settings.categories)
    dataset_stats = build_dataset_stats(settings.categories)
    exports = build_exports(settings.categories)
    patch_scores = build_patch_scores(settings.categories)
    near_duplicates = build_near_duplicates(settings.categories)
    make_patches = dg.define_asset_job(
        MAKE_PATCHES_JOB,
        selection=dg.AssetSelection.assets(source_video, make_triplets),
        description="Everything of a video: probe, windows, the patches of every category. "
        "Materialize all > Missing > Launch makes what no run has tried yet, Failed and missing what "
        "failed too.",
    )
    update_stats = dg.define_asset_job(
        STATS_JOB,
        selection=dg.AssetSelection.assets(dataset_stats),
        description="Adds the tables up: figures, videos that are not done, the index of the gallery.",
    )
    export = dg.define_asset_job(
        EXPORT_JOB,
        selection=dg.AssetSelection.assets(exports),
        description="Writes the data set, or a part of it, as a trainer reads it; the launch dialog has the "
        "options.",
    )
    score_patches = dg.define_asset_job(
        SCORE_JOB,
        selection=dg.AssetSelection.assets(patch_scores),
        description="Measures the scores of the patches that have none, or were made again since, on their "
        "files. Materialize all > All is right: what has scores is not measured again.",
    )
    find_duplicates = dg.define_asset_job(
        DUPLICATES_JOB,
        selection=dg.AssetSelection.assets(near_duplicates),
        description="Compares the videos that are new, or have other windows since, with all others: which "
        "windows show the same.",
    )
    degrading = _degrading(settings)
    return dg.Definitions(
        assets=[
            source_video,
            make_triplets,
            patch_scores,
            *degrading.assets,
            near_duplicates,
            dataset_stats,
            exports,
        ],
        jobs=[
            make_patches,
            score_patches,
            *degrading.jobs,
            find_duplicates,
            update_stats,
            export,
            delete_old_runs,
        ],
        schedules=[
            build_nightly(
                make_patches, settings.nightly, sorted(source_video.check_keys | make_triplets.check_keys)
            ),
            build_refresh_exports(export, settings.nightly),
            delete_old_runs_schedule,
        ],
        sensors=[
            videos_sensor,
            build_stats_sensor(Updates()),
            build_register_tables(NewTables()),
            failure_sensor,
        ],
        resources={
            "dataset_config": DatasetConfig(path=str(path.resolve())),
            "config_reader": ConfigReader(path.resolve()),
        },
        # One process for each run: a step's own costs 2 s, and lives on when its run worker is killed.
        executor=dg.in_process_executor,
    )


class _Degrading(NamedTuple):
    """What degrades LR in Dagster; nothing where the configuration degrades nothing."""

    assets: Sequence[dg.AssetsDefinition] = ()
    jobs: Sequence[dg.UnresolvedAssetJobDefinition] = ()


def _degrading(settings: Settings) -> _Degrading:
    if not any(degradation_steps(settings, name) for name in settings.categories):
        return _Degrading()
    asset = build_patch_degradations(settings.categories)
    job = dg.define_asset_job(
        DEGRADE_JOB,
        selection=dg.AssetSelection.assets(asset),
        description="Makes the degraded LR of the patches that have none, or a stale one, of their files. "
        "Materialize all > All is right: what is up to date is not made again.",
    )
    return _Degrading([asset], [job])
