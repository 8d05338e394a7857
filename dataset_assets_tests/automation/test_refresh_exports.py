"""The schedule of exports: a run for each that lies in the data set, with the options that it records."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataset_assets.config import load_settings
from dataset_assets.definitions import build_defs
from dataset_assets.exports import ExportOptions, LayoutName, plan_export, write_export
from dataset_assets_tests.generated import Generated, two_films_config


def evaluate(config: Path) -> Any:
    """A tick of the schedule."""
    repository = build_defs(config).get_repository_def()
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            repository_def=repository,
            resources=repository.get_top_level_resources(),
            scheduled_execution_time=datetime(2025, 3, 1, 7, tzinfo=UTC),
        )
        with context:
            return repository.get_schedule_def("refresh_exports").evaluate_tick(context)


@pytest.mark.slow
def test_each_export_is_made_again_with_its_own_options(
    generated: Generated, tmp_path: Path, sdr_film: Any, vfr_film: Any
) -> None:
    config = two_films_config(tmp_path, sdr_film, vfr_film)
    (tmp_path / "dataset").mkdir()
    for name in ("metadata", "Universal", "Toon"):
        (tmp_path / "dataset" / name).symlink_to(generated.root / name)
    settings = load_settings(config)
    asked: dict[LayoutName, dict[str, Any]] = {
        "pairs": {"categories": ("general",), "where": "width > 0", "val_videos": ("beta",)},
        "redux": {"frames": 5, "val_share": 0.25, "copies_gt": True},
    }
    for layout, options in asked.items():
        write_export(plan_export(settings, ExportOptions(layout, **options)))
    (tmp_path / "dataset/exports/mine").mkdir()
    requests = list(evaluate(config).run_requests)
    found = {}
    for request in requests:
        made = request.run_config["ops"]["exports"]["config"]
        found[made["layout"]] = (made["folder"], made)
    assert found.keys() == asked.keys()
    assert found["pairs"][0] == str(tmp_path / "dataset/exports/pairs")
    assert (found["pairs"][1]["categories"], found["pairs"][1]["where"]) == (["general"], "width > 0")
    assert (found["redux"][1]["frames"], found["redux"][1]["val_share"]) == (5, 0.25)
    assert found["redux"][1]["categories"] == []
    repository = build_defs(config).get_repository_def()
    for request in requests:
        dg.validate_run_config(repository.get_job("export"), request.run_config)


def test_without_exports_it_says_how_to_make_one(tmp_path: Path, sdr_film: Any, vfr_film: Any) -> None:
    tick = evaluate(two_films_config(tmp_path, sdr_film, vfr_film))
    assert not tick.run_requests
    assert "materialize `exports` once" in tick.skip_message
