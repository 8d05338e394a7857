"""The UI on a data set in an object store: its services and runs are processes that use the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets_tests import command
from dataset_assets_tests.films import Film
from dataset_assets_tests.mirror.test_commands import assert_equal, config_of, generate, made_alone
from dataset_assets_tests.object_stores import Bucket, bucket
from dataset_assets_tests.system.dagster_ui import running_ui

__all__ = ["bucket"]

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to end what the UI started"
)


@pytest.mark.slow
def test_a_backfill_makes_what_is_missing_in_the_store(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a", "b"]
    generate(config_of(tmp_path / "elsewhere", tiny_film, ["a"]))
    before = bucket.moments()
    # Where `running_ui` prepares it; the folder is this machine's own.
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "head/dataset/.dagster"))
    monkeypatch.setattr(command, "CLEARED", command.CLEARED - {"DAGSTER_HOME"})
    with running_ui(config_of(tmp_path / "head", tiny_film, names)) as ui:
        # What another machine made is registered at the start.
        assert ui.partitions()["materialized"] == ["a"]
        state, runs = ui.wait_for_backfill(ui.backfill(*names))
        assert state == "COMPLETED_SUCCESS", runs
    assert_equal(bucket, made_alone(tmp_path / "alone", tiny_film, names))
    assert all(bucket.moments()[name] == before[name] for name in before if name.endswith(".png"))
