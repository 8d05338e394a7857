"""Old records of runs go; what the UI shows of the data set stays."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataset_assets.assets import DATASET_STATS
from dataset_assets.automation.retention import (
    DAY_S,
    STATISTICS_DAYS,
    STATISTICS_KEPT,
    delete_old_runs,
    delete_old_runs_schedule,
)
from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet, Failure
from dataset_assets.partitions import VIDEO_PARTITIONS
from dataset_assets_tests.configurations import write_config

KEYS = ("a", "b")


@dg.asset(partitions_def=VIDEO_PARTITIONS)
def patches(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
    if "fail" in context.run.tags:
        raise dg.Failure("it is interlaced")
    return dg.MaterializeResult(metadata={"run": context.run.run_id})


@dg.asset(deps=[patches])
def stats() -> None:
    """Without partitions."""


class History:
    """Runs of two assets in a Dagster home."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.home = folder / "home"
        self.instance = instance
        config = write_config(folder, {"A": (folder / "a.mkv", {"general": 1.0})}, runs={"keep_days": 30})
        self.settings = load_settings(config)
        instance.add_dynamic_partitions(VIDEO_PARTITIONS.name or "", list(KEYS))

    def run(self, asset: dg.AssetsDefinition, key: str | None = None, **tags: str) -> str:
        definitions = [patches, stats] if asset is stats else [patches]
        return dg.materialize(
            definitions,
            selection=[asset],
            instance=self.instance,
            partition_key=key,
            tags=tags,
            raise_on_error=False,
        ).run_id

    def clean_up(self) -> str:
        """Runs the job; gives its own run."""
        done = delete_old_runs.execute_in_process(
            instance=self.instance, resources={"dataset_config": self.settings}
        )
        assert done.success
        return done.run_id

    def shown(self) -> dict[str, Any]:
        """What the UI shows of the assets."""
        instance = self.instance
        latest: dict[str, Any] = {
            key: instance.get_latest_data_version_record(patches.key, partition_key=key) for key in KEYS
        }
        return {
            "materialized": instance.get_materialized_partitions(patches.key),
            "stats": instance.get_latest_materialization_event(stats.key),
            **{
                key: (record.run_id, record.asset_materialization.metadata)
                for key, record in latest.items()
                if record is not None
            },
        }

    def runs(self) -> set[str]:
        return {run.run_id for run in self.instance.get_runs()}

    def files(self) -> set[str]:
        return {path.stem for path in (self.home / "history" / "runs").glob("????????-*.db")}


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    home = tmp_path / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        yield History(tmp_path, instance)


@pytest.mark.slow
def test_old_runs_go_and_the_ui_shows_what_it_did(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = history.run(patches, "a"), history.run(stats)
    made = history.run(patches, "a"), history.run(patches, "b"), history.run(stats)
    failed = history.run(patches, "b", fail="true"), history.run(patches, "b", fail="true")
    DataSet.of(history.settings).failures.keep(Failure("a", "", "killed", run_id=replaced[0]))
    before = history.shown()
    assert len(before) == 4
    young = history.clean_up()
    assert history.runs() == {*replaced, *made, *failed, young}
    now_s = time.time() + 31 * DAY_S
    monkeypatch.setattr("dataset_assets.automation.retention.time.time", lambda: now_s)
    # Kept: who made a partition or the statistics last, who failed last on a video, whose sentence is kept.
    last = history.clean_up()
    assert history.runs() == {replaced[0], *made, failed[1], last}
    assert history.shown() == before
    assert history.files() >= history.runs() - {last}
    assert not history.files() & {replaced[1], failed[0], young}


def test_old_statistics_without_a_run_go_but_for_the_newest(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = dg.AssetKey(DATASET_STATS)
    for number in range(STATISTICS_KEPT + 5):
        history.instance.report_runless_asset_event(dg.AssetMaterialization(asset, metadata={"n": number}))

    def there() -> int:
        return len(history.instance.fetch_materializations(asset, 99).records)

    history.clean_up()
    assert there() == STATISTICS_KEPT + 5
    now_s = time.time() + (STATISTICS_DAYS + 1) * DAY_S
    monkeypatch.setattr("dataset_assets.automation.retention.time.time", lambda: now_s)
    latest = history.instance.get_latest_materialization_event(asset)
    history.clean_up()
    assert there() == STATISTICS_KEPT
    assert history.instance.get_latest_materialization_event(asset) == latest


def test_the_schedule_is_off_until_switched_on() -> None:
    assert delete_old_runs_schedule.default_status is dg.DefaultScheduleStatus.STOPPED
