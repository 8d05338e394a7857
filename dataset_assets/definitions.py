"""What Dagster loads: assets, checks, jobs, schedules, sensors, and the resources of the configuration.

Not here: what each of them does (`assets`, `automation`, `resources`).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import dagster as dg
from pydantic import BaseModel, ValidationError

from dataset_assets.assets import build_dataset_stats, build_exports, build_make_patches, source_video
from dataset_assets.automation import (
    Updates,
    build_nightly,
    build_refresh_exports,
    build_stats_sensor,
    delete_old_runs,
    delete_old_runs_schedule,
    failure_sensor,
    videos_sensor,
)
from dataset_assets.config import Category, ConfigReader, Nightly, config_path, load_settings
from dataset_assets.disk import replacing
from dataset_assets.errors import ConfigError
from dataset_assets.resources import DatasetConfig

MAKE_PATCHES_JOB = "make_patches"
STATS_JOB = "update_stats"
EXPORT_JOB = "export"
HOME_VARIABLE = "DAGSTER_HOME"
OUTLINE_FILE = "definitions.json"


class Outline(BaseModel):
    """What of a configuration decides which definitions there are; everything else is read by runs.

    Attributes:
        config: The configuration file.
        categories: Its categories: an asset for each.
        nightly: When the nightly schedule ticks.
    """

    config: Path
    categories: dict[str, Category]
    nightly: Nightly

    @classmethod
    def of(cls, path: Path) -> Outline:
        """Read the outline of a configuration file.

        Raises:
            ConfigError: The file holds mistakes; all of them are listed.
        """
        settings = load_settings(path)
        return cls(config=path.resolve(), categories=settings.categories, nightly=settings.nightly)


def build_defs(path: Path) -> dg.Definitions:
    """Build fresh definitions for a configuration file.

    Raises:
        ConfigError: The file holds mistakes; all of them are listed.
    """
    return _build(Outline.of(path))


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions for the configuration that the environment names.

    While it holds mistakes they are those of before, kept in the Dagster home: sensors and runs then report
    the mistakes, and go on once they are corrected, also where the code location was reloaded meanwhile.

    Raises:
        ConfigError: The file holds mistakes, and nothing was kept.
    """
    path = config_path(None)
    try:
        outline = Outline.of(path)
    except ConfigError:
        kept = _kept_outline()
        if kept is None or kept.config != path.resolve():
            raise
        return _build(kept)
    _keep(outline)
    return _build(outline)


def _build(outline: Outline) -> dg.Definitions:
    make_triplets = build_make_patches(outline.categories)
    dataset_stats = build_dataset_stats(outline.categories)
    exports = build_exports(outline.categories)
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
    return dg.Definitions(
        assets=[source_video, make_triplets, dataset_stats, exports],
        jobs=[make_patches, update_stats, export, delete_old_runs],
        schedules=[
            build_nightly(
                make_patches, outline.nightly, sorted(source_video.check_keys | make_triplets.check_keys)
            ),
            build_refresh_exports(export, outline.nightly),
            delete_old_runs_schedule,
        ],
        sensors=[videos_sensor, build_stats_sensor(Updates()), failure_sensor],
        resources={
            "dataset_config": DatasetConfig(path=str(outline.config)),
            "config_reader": ConfigReader(outline.config),
        },
        # One process for each run: a step's own costs 2 s, and lives on when its run worker is killed.
        executor=dg.in_process_executor,
    )


def _outline_path() -> Path | None:
    home = os.environ.get(HOME_VARIABLE)
    return Path(home) / OUTLINE_FILE if home else None


def _kept_outline() -> Outline | None:
    path = _outline_path()
    with suppress(OSError, ValidationError):
        return Outline.model_validate_json(path.read_bytes()) if path else None
    return None


def _keep(outline: Outline) -> None:
    path, content = _outline_path(), outline.model_dump_json().encode()
    with suppress(OSError):
        # Every run worker comes here; the file is written by the first alone.
        if path is not None and not (path.exists() and path.read_bytes() == content):
            with replacing(path, is_durable=False) as file:
                file.write(content)
