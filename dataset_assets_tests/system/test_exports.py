"""Exports in the UI: the job with options, the checks of its asset, and the schedule's preview."""

from __future__ import annotations

import json

import pytest

from dataset_assets_tests.system.conftest import DONE, Ended
from dataset_assets_tests.system.dagster_ui import DagsterUi


@pytest.mark.slow
def test_the_job_exports_and_the_schedule_exports_the_same_again(ui: DagsterUi, done: Ended) -> None:
    assert done.status == "COMPLETED_SUCCESS"
    # Other films come and go meanwhile.
    options = {"layout": "pairs", "where": f"video IN {DONE}"}
    request = {
        "assetSelection": [],
        "assetChecks": [],
        "tags": [],
        "runConfigYaml": json.dumps({"ops": {"exports": {"config": options}}}),
    }
    (run_id,) = ui.launch_all([request], "export")
    assert ui.wait_for_run(run_id) == "SUCCESS"
    record = ui.root / "exports/pairs/export.json"
    first = json.loads(record.read_text(encoding="utf-8"))
    shown = ui.metadata("exports")
    assert shown["triplets"] == first["counts"]["triplets"] > 0
    assert "pairedimagedataset" in shown["options"]
    assert ui.checks("exports") == ["counts_match", "every_file_opens", "lr_aligned"]
    for check in ui.checks("exports"):
        (result,) = ui.check_results("exports", check).values()
        assert result["success"], result
    requests = ui.preview("refresh_exports")
    (run_id,) = ui.launch_all(requests, "export")
    assert ui.wait_for_run(run_id) == "SUCCESS"
    assert json.loads(record.read_text(encoding="utf-8")) == first
