"""A Dagster home that is lost: the tables are the truth, and the new home learns from them."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from dataset_assets.assets.registering import find_unregistered, register
from dataset_assets.config import load_settings
from dataset_assets.curation import score_video
from dataset_assets.dataset import TableStore
from dataset_assets.definitions import build_defs
from dataset_assets_tests.command import run
from dataset_assets_tests.curation.scored import drop_scores
from dataset_assets_tests.generated import Generated

ASSETS = ("source_video", "scene_windows", "general_patches", "space_patches", "toon_patches", "patch_scores")
BOTH = {"alpha", "beta"}


@pytest.fixture
def copy(generated: Generated, tmp_path: Path) -> Path:
    """The configuration of a copy of the data set without its Dagster home."""
    shutil.copytree(generated.config.parent, tmp_path / "copy", copy_function=shutil.copy2)
    shutil.rmtree(tmp_path / "copy/dataset/.dagster")
    return tmp_path / "copy" / generated.config.name


def moments(root: Path) -> dict[Path, int]:
    """When each file of the data set was written, but for Dagster's home."""
    files = [path for path in root.rglob("*") if path.is_file() and ".dagster" not in path.parts]
    return {file: file.stat().st_mtime_ns for file in files}


def test_generate_registers_what_is_there_and_makes_nothing(copy: Path) -> None:
    root = copy.with_name("dataset")
    before = moments(root)
    done = run("generate", "--config", copy)
    assert (done.returncode, done.stderr) == (0, "")
    first, last = done.stdout.splitlines()
    assert first == "12 finished tables are registered in Dagster's history"
    assert last.startswith("2 of 2 videos are up to date: ")
    assert last.endswith(f" short in {root}")
    assert moments(root) == before
    with dg.DagsterInstance.from_config(str(root / ".dagster")) as instance:
        assert instance.get_runs() == []
        for asset in ASSETS:
            assert instance.get_materialized_partitions(dg.AssetKey(asset)) == BOTH
        assert find_unregistered(instance, load_settings(copy)) == []


def test_scores_are_registered_where_every_patch_of_a_video_has_some(copy: Path) -> None:
    settings = load_settings(copy)
    drop_scores(settings)
    score_video(settings, "alpha")
    score_video(settings, "beta", categories=["toon"])
    asset = dg.AssetKey("patch_scores")
    with dg.DagsterInstance.from_config(str(new_home(copy))) as instance:
        tables = find_unregistered(instance, settings)
        assert sum(register(instance, settings, tables)) == len(tables) == 11
        assert instance.get_materialized_partitions(asset) == {"alpha"}
        score_video(settings, "beta")
        (table,) = find_unregistered(instance, settings)
        assert (table.asset, table.key) == ("patch_scores", "beta")
        list(register(instance, settings, [table]))
        assert instance.get_materialized_partitions(asset) == BOTH
        assert find_unregistered(instance, settings) == []


def test_what_is_registered_is_what_the_tables_contain(copy: Path) -> None:
    settings = load_settings(copy)
    store = TableStore(settings.base.output_base_dir)
    with dg.DagsterInstance.from_config(str(new_home(copy))) as instance:
        tables = find_unregistered(instance, settings)
        assert [table.asset for table in tables] == [asset for asset in ASSETS for _ in BOTH]
        assert sum(register(instance, settings, tables)) == len(tables)
        assert find_unregistered(instance, settings) == []
        events = {
            asset: instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=["alpha"]), limit=5
            ).records
            for asset in ASSETS
        }
    assert [len(found) for found in events.values()] == [1] * len(ASSETS)
    made = {asset: found[0].asset_materialization for asset, found in events.items()}
    patches, windows, source = (made[name] for name in ("general_patches", "scene_windows", "source_video"))
    assert patches is not None
    assert windows is not None
    assert source is not None
    rows = store.read_patches("general", "alpha")
    assert patches.metadata["patches"].value == len(rows) > 0
    assert windows.metadata["windows"].value == sum(row.accepted for row in store.read_windows("alpha"))
    assert "not in this history" in str(patches.metadata["registered"].value)
    row = store.read_video("alpha")
    assert row is not None
    assert (source.tags or {})["dagster/data_version"] == row.fingerprint


def test_nothing_that_is_registered_counts_as_stale(copy: Path) -> None:
    settings = load_settings(copy)
    with dg.DagsterInstance.from_config(str(new_home(copy))) as instance:
        instance.add_dynamic_partitions("videos", sorted(BOTH))
        list(register(instance, settings, find_unregistered(instance, settings)))
        graph = build_defs(copy).resolve_asset_graph()
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        found = {
            (asset, key): resolver.get_status(dg.AssetKey(asset), key) for asset in ASSETS for key in BOTH
        }
    assert set(found.values()) == {StaleStatus.FRESH}


def test_unfinished_and_damaged_tables_are_not_registered(copy: Path) -> None:
    settings = load_settings(copy)
    store = TableStore(settings.base.output_base_dir)
    store.windows_path("alpha").write_bytes(b"PAR1")
    store.patches_path("toon", "beta").unlink()
    with dg.DagsterInstance.ephemeral() as instance:
        tables = find_unregistered(instance, settings)
        assert len(tables) == 10
        assert sum(register(instance, settings, tables)) == 10
        assert instance.get_materialized_partitions(dg.AssetKey("scene_windows")) == {"beta"}
        assert instance.get_materialized_partitions(dg.AssetKey("toon_patches")) == {"alpha"}
        assert find_unregistered(instance, settings) == []


def new_home(config: Path) -> Path:
    """A new Dagster home for the data set."""
    home = config.with_name("dataset") / ".dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    return home
