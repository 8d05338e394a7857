"""Making one video's windows and patches, from plan to tables, with checkpoints. No Dagster here.

Example:
    from pathlib import Path

    from dataset_assets.config import load_settings
    from dataset_assets.generate import generate_video

    settings = load_settings(Path("configs/generator_config.json"))
    for video in settings.videos:
        report = generate_video(settings, video.key)
        print(report.key, report.made, "patches made")
"""

from dataset_assets.generate.plan import VideoPlan, format_targets, plan_video
from dataset_assets.generate.progress import Progress
from dataset_assets.generate.reports import CategoryReport, VideoReport, WindowsReport
from dataset_assets.generate.status import SOURCE, WINDOWS, AssetStatus, statuses
from dataset_assets.generate.video import (
    clear_away,
    generate_video,
    probe_video,
    remove_left_categories,
    with_left_categories,
)

__all__ = [
    "SOURCE",
    "WINDOWS",
    "AssetStatus",
    "CategoryReport",
    "Progress",
    "VideoPlan",
    "VideoReport",
    "WindowsReport",
    "clear_away",
    "format_targets",
    "generate_video",
    "plan_video",
    "probe_video",
    "remove_left_categories",
    "statuses",
    "with_left_categories",
]
