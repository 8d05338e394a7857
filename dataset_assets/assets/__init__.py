"""The assets. Each reads the settings, makes one call to `generate` or `dataset`, and reports.

Here: what Dagster shows of the assets and what it records of their runs. Not here: pixels and tables
(`generate`, `tables`), when runs start (`automation`), how they are started on this machine (`launch`).
"""

from dataset_assets.assets.dataset_stats import (
    DATASET_STATS,
    StatisticsUpdate,
    build_dataset_stats,
    update_without_run,
)
from dataset_assets.assets.dead_runs import close_dead_runs, process_of
from dataset_assets.assets.decode_pool import DECODE_POOL, limit_to_max_workers
from dataset_assets.assets.exports import EXPORTS, ExportConfig, build_exports
from dataset_assets.assets.failures import (
    GOES_ON,
    REMEDY,
    WHAT,
    console_text,
    failure_of_events,
    failure_of_run,
)
from dataset_assets.assets.gallery import GALLERY_ADDRESS, GALLERY_VARIABLE
from dataset_assets.assets.last_failures import failed_videos
from dataset_assets.assets.make_patches import (
    FORCE_TAG,
    LANES_TAG,
    REPLACE_TAG,
    SCENE_WINDOWS,
    WINDOWS_TAG,
    build_make_patches,
    patches_asset,
)
from dataset_assets.assets.near_duplicates import NEAR_DUPLICATES, build_near_duplicates
from dataset_assets.assets.patch_degradations import build_patch_degradations
from dataset_assets.assets.patch_scores import build_patch_scores
from dataset_assets.assets.registering import (
    FinishedTable,
    find_unregistered,
    is_finished,
    register,
    tables_of,
)
from dataset_assets.assets.runs import (
    CHECKS_ALONE,
    DEGRADE_JOB,
    FINISHED,
    HOLDS_RUNS_VARIABLE,
    HOST_RUN_TAG,
    HOST_TAG,
    LAUNCHED_BY_TAG,
    MAX_RETRIES_TAG,
    PARTITION_TAG,
    PATCH_DEGRADATIONS,
    PATCH_SCORES,
    SCORE_JOB,
    UNFINISHED,
    data_set_of,
    data_set_tags,
    ended_s,
    host_of,
    is_config_mistake,
    is_of_this_machine,
    is_overtaken,
    makes_video,
    mark_config_mistake,
    slurm_job_of,
    slurm_job_tags,
    video_of,
    videos_in_work,
)
from dataset_assets.assets.source import SOURCE_VIDEO, source_video

__all__ = [
    "CHECKS_ALONE",
    "DATASET_STATS",
    "DECODE_POOL",
    "DEGRADE_JOB",
    "EXPORTS",
    "FINISHED",
    "FORCE_TAG",
    "GALLERY_ADDRESS",
    "GALLERY_VARIABLE",
    "GOES_ON",
    "HOLDS_RUNS_VARIABLE",
    "HOST_RUN_TAG",
    "HOST_TAG",
    "LANES_TAG",
    "LAUNCHED_BY_TAG",
    "MAX_RETRIES_TAG",
    "NEAR_DUPLICATES",
    "PARTITION_TAG",
    "PATCH_DEGRADATIONS",
    "PATCH_SCORES",
    "REMEDY",
    "REPLACE_TAG",
    "SCENE_WINDOWS",
    "SCORE_JOB",
    "SOURCE_VIDEO",
    "UNFINISHED",
    "WHAT",
    "WINDOWS_TAG",
    "ExportConfig",
    "FinishedTable",
    "StatisticsUpdate",
    "build_dataset_stats",
    "build_exports",
    "build_make_patches",
    "build_near_duplicates",
    "build_patch_degradations",
    "build_patch_scores",
    "close_dead_runs",
    "console_text",
    "data_set_of",
    "data_set_tags",
    "ended_s",
    "failed_videos",
    "failure_of_events",
    "failure_of_run",
    "find_unregistered",
    "host_of",
    "is_config_mistake",
    "is_finished",
    "is_of_this_machine",
    "is_overtaken",
    "limit_to_max_workers",
    "makes_video",
    "mark_config_mistake",
    "patches_asset",
    "process_of",
    "register",
    "slurm_job_of",
    "slurm_job_tags",
    "source_video",
    "tables_of",
    "update_without_run",
    "video_of",
    "videos_in_work",
]
