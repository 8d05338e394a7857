"""What Dagster loads: assets, checks, jobs, schedules, sensors, and the resource of the configuration.

Not here: what each of them does (`assets`, `automation`, `resources`).
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from dataset_assets.assets import build_dataset_stats, build_make_patches, source_video
from dataset_assets.automation import (
    build_nightly,
    build_stats_sensor,
    delete_old_runs,
    delete_old_runs_schedule,
    failure_sensor,
    videos_sensor,
)
from dataset_assets.config import config_path, load_settings
from dataset_assets.resources import DatasetConfig

MAKE_PATCHES_JOB = "make_patches"
STATS_JOB = "update_stats"


def build_defs(path: Path) -> dg.Definitions:
    """Build fresh definitions for a configuration file.

    The categories of the file decide which patch assets there are; everything else is read when a run starts.

    Raises:
        ConfigError: The file holds mistakes; all of them are listed.
    """
    settings = load_settings(path)
    make_triplets = build_make_patches(settings.categories)
    dataset_stats = build_dataset_stats(settings.categories)
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
    return dg.Definitions(
        assets=[source_video, make_triplets, dataset_stats],
        jobs=[make_patches, update_stats, delete_old_runs],
        schedules=[
            build_nightly(
                make_patches, settings.nightly, sorted(source_video.check_keys | make_triplets.check_keys)
            ),
            delete_old_runs_schedule,
        ],
        sensors=[videos_sensor, build_stats_sensor(update_stats), failure_sensor],
        resources={"dataset_config": DatasetConfig(path=str(path.resolve()))},
        # One process for each run: a step's own costs 2 s, and lives on when its run worker is killed.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions for the configuration that the environment names."""
    return build_defs(config_path(None))
