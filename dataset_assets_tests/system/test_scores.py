"""Scores in the UI: a run on a film records them, and so does the job of their own."""

from __future__ import annotations

import shutil

from dataset_assets_tests.curation.samples import scores
from dataset_assets_tests.system.conftest import DONE, Ended
from dataset_assets_tests.system.dagster_ui import DagsterUi


def test_the_job_scores_a_video_and_its_partition_shows_the_medians(ui: DagsterUi, done: Ended) -> None:
    assert done.status == "COMPLETED_SUCCESS"
    video = DONE[0]
    shown = ui.metadata("patch_scores", video)
    assert shown["patches"] == sum(map(len, scores(ui.root, video).values())) > 0
    for category in scores(ui.root, video):
        shutil.rmtree(ui.root / f"metadata/scores/category={category}/video={video}")
    assert ui.wait_for_run(ui.launch("score_patches", video)) == "SUCCESS"
    rows = [row for each in scores(ui.root, video).values() for row in each]
    shown = ui.metadata("patch_scores", video)
    assert shown["patches"] == shown["scored_now"] == len(rows) > 0
    assert (
        min(row["detail_db"] for row in rows) <= shown["detail_db"] <= max(row["detail_db"] for row in rows)
    )
    assert "nothing to learn" in shown["medians"]
