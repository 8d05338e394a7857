"""What Dagster does by itself: sensors and schedules.

Here: when a run is requested, and what follows its end. Not here: what a run makes (`assets`, `generate`),
jobs (`definitions`), runs that a command starts (`launch`).
"""

from dataset_assets.automation.failed_runs import failure_sensor
from dataset_assets.automation.new_tables import NewTables
from dataset_assets.automation.new_videos import videos_sensor
from dataset_assets.automation.nightly import build_nightly
from dataset_assets.automation.pending import pending_assets
from dataset_assets.automation.refresh_exports import build_refresh_exports
from dataset_assets.automation.register_tables import build_register_tables
from dataset_assets.automation.retention import delete_old_runs, delete_old_runs_schedule
from dataset_assets.automation.stats_sensor import build_stats_sensor
from dataset_assets.automation.updates import Updates

__all__ = [
    "NewTables",
    "Updates",
    "build_nightly",
    "build_refresh_exports",
    "build_register_tables",
    "build_stats_sensor",
    "delete_old_runs",
    "delete_old_runs_schedule",
    "failure_sensor",
    "pending_assets",
    "videos_sensor",
]
