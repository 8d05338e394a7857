"""Making one video's windows and patches, from plan to tables, with checkpoints. No Dagster here.

from dataset_assets.config import load_settings
from dataset_assets.generate import generate_video

settings = load_settings(Path("configs/generator_config.json"))
report = generate_video(settings, "my-film")
"""

from dataset_assets.generate.plan import VideoPlan, plan_video
from dataset_assets.generate.progress import Progress, read_progress
from dataset_assets.generate.reports import CategoryReport, VideoReport, WindowsReport
from dataset_assets.generate.status import SOURCE, WINDOWS, AssetStatus, statuses
from dataset_assets.generate.video import generate_video, probe_video

__all__ = [
    "SOURCE",
    "WINDOWS",
    "AssetStatus",
    "CategoryReport",
    "Progress",
    "VideoPlan",
    "VideoReport",
    "WindowsReport",
    "generate_video",
    "plan_video",
    "probe_video",
    "read_progress",
    "statuses",
]
