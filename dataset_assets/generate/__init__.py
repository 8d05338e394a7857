"""Make one video's windows and patches, from plan to tables, with checkpoints.

Not here: paths of a data set (`dataset`), reading films (`video`), Dagster.

Example:
    from pathlib import Path

    from dataset_assets.config import load_settings
    from dataset_assets.generate import generate_video

    settings = load_settings(Path("configs/generator_config.json"))
    for video in settings.videos:
        report = generate_video(settings, video.key)
        print(report.key, report.made, "patches made")
"""

from dataset_assets.generate.changes import (
    Changes,
    finished_patches,
    planned_changes,
    refuse_run,
    refuse_to_replace,
    removed_category,
)
from dataset_assets.generate.lane import Job, Lane, Made
from dataset_assets.generate.limits import DAMAGED_REMEDY, LIMIT_EXIT_CODE, step_limits, within_limits
from dataset_assets.generate.patch_ledger import PatchKey, key_of
from dataset_assets.generate.plan import VideoPlan, bytes_per_pixel, plan_video
from dataset_assets.generate.reaching import KeyframeIndex
from dataset_assets.generate.replay import Replay
from dataset_assets.generate.reports import CategoryReport, VideoReport, WindowsReport
from dataset_assets.generate.rounds import Rounds, evenly_first
from dataset_assets.generate.rows import video_row
from dataset_assets.generate.score_ledger import ScoreLedger, score_row
from dataset_assets.generate.video import generate_video, probe_video

__all__ = [
    "DAMAGED_REMEDY",
    "LIMIT_EXIT_CODE",
    "CategoryReport",
    "Changes",
    "Job",
    "KeyframeIndex",
    "Lane",
    "Made",
    "PatchKey",
    "Replay",
    "Rounds",
    "ScoreLedger",
    "VideoPlan",
    "VideoReport",
    "WindowsReport",
    "bytes_per_pixel",
    "evenly_first",
    "finished_patches",
    "generate_video",
    "key_of",
    "plan_video",
    "planned_changes",
    "probe_video",
    "refuse_run",
    "refuse_to_replace",
    "removed_category",
    "score_row",
    "step_limits",
    "video_row",
    "within_limits",
]
