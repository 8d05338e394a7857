"""A data set of the terminal grows by a backfill of the UI, and shrinks only where that is allowed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.system.dagster_ui import DagsterUi, running_ui

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to end what the UI started"
)

BASE = {"base_frame_limit": 2, "sampling": "uniform", "max_workers": 1, "allow_replacing": False}


@pytest.fixture
def ui(tmp_path: Path, pq_film: Film) -> Iterator[DagsterUi]:
    config = write_config(tmp_path, {"Film": (pq_film.path, {"general": 1.0})}, base_settings=BASE)
    with running_ui(config) as running:
        yield running


def configure(ui: DagsterUi, windows: int) -> None:
    content = json.loads(ui.config.read_text(encoding="utf-8"))
    content["base_settings"]["base_frame_limit"] = windows
    ui.config.write_text(json.dumps(content), encoding="utf-8")


def moments(ui: DagsterUi) -> dict[Path, int]:
    """When each picture was written."""
    return {path: path.stat().st_mtime_ns for path in ui.root.rglob("Universal/**/*.png")}


@pytest.mark.slow
def test_a_backfill_adds_what_a_larger_number_lacks_and_a_smaller_one_is_refused(ui: DagsterUi) -> None:
    made = run("generate", "--config", ui.config)
    assert made.returncode == 0, made.stdout + made.stderr
    before = moments(ui)
    assert len(before) == 3 * 2

    configure(ui, 4)
    status, _ = ui.wait_for_backfill(ui.backfill("film"))
    assert status == "COMPLETED_SUCCESS"
    after = moments(ui)
    assert len(after) == 3 * 4
    assert {path: after[path] for path in before} == before

    configure(ui, 1)
    shown = run("generate", "--dry-run", "--config", ui.config).stdout
    assert "keeps 1 patch, adds 0, remakes 0, deletes 3" in shown
    status, (refused,) = ui.wait_for_backfill(ui.backfill("film"))
    assert status == "COMPLETED_FAILED"
    (sentence,) = ui.failure(refused.run_id)
    assert sentence.startswith(
        "film: of 4 finished patches 3 would be deleted (1 wanted instead of 4); if that"
    )
    assert moments(ui) == after
