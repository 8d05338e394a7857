"""A small data set and a Dagster that forgets, for tests that materialise assets in this process."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from dataset_assets.definitions import build_defs
from dataset_assets.partitions import VIDEO_PARTITIONS
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film

ALL = ("source_video", "scene_windows", "general_patches", "space_patches", "toon_patches")
KEY = "film"


class World:
    """One film of its own, a configuration that takes nothing of it for toon, and an instance.

    Attributes:
        film: The film's file.
        config: The configuration file.
        root: The data set's folder.
        instance: Where the partition of the film is, and the runs go.
    """

    def __init__(self, folder: Path, instance: dg.DagsterInstance, film: Film) -> None:
        self.film = folder / film.path.name
        shutil.copyfile(film.path, self.film)
        self.config = write_config(folder, {"Film": (self.film, {"general": 1.0, "space": 0.5})})
        self.root = folder / "dataset"
        self.instance = instance
        instance.add_dynamic_partitions(VIDEO_PARTITIONS.name or "", [KEY])

    def materialize(
        self, *assets: str, tags: Mapping[str, str] | None = None, may_fail: bool = False
    ) -> dg.ExecuteInProcessResult:
        """Runs assets of the film."""
        return (
            build_defs(self.config)
            .resolve_job_def("make_patches")
            .execute_in_process(
                instance=self.instance,
                partition_key=KEY,
                asset_selection=[dg.AssetKey(name) for name in assets],
                tags=dict(tags or {}),
                raise_on_error=not may_fail,
            )
        )

    def materialize_stats(self) -> dg.ExecuteInProcessResult:
        """Adds the tables up."""
        job = build_defs(self.config).resolve_job_def("update_stats")
        return job.execute_in_process(instance=self.instance)


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> Mapping[str, dg.MetadataValue[Any]]:
    """What a run tells of an asset, in the order in which the UI shows it."""
    (found,) = [
        event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(asset)
    ]
    return found


def checks(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    """The check results of a run, by asset and check."""
    evaluations = result.get_asset_check_evaluations()
    return {(each.asset_key.to_user_string(), each.check_name): each for each in evaluations}


def failure(result: dg.ExecuteInProcessResult) -> str:
    """The sentence with which a run failed."""
    assert not result.success
    (event,) = [event for event in result.all_events if event.is_step_failure]
    failed = event.step_failure_data.user_failure_data
    assert failed is not None, event.step_failure_data.error
    assert failed.description is not None
    return failed.description
