"""What each asset tells of a video, and `dataset_stats` of all, in the order in which pages show it."""

from __future__ import annotations

SOURCE_LABELS = [
    "video",
    "duration_s",
    "frames_per_s",
    "gigabytes",
    "size",
    "colour",
    "working_frame",
    "true_resolution",
    "active_area",
    "warnings",
    "gallery",
    "path",
    "table",
    "dagster/row_count",
]
WINDOWS_LABELS = [
    "video",
    "windows",
    "windows_target",
    "windows_with_repeats",
    "candidates",
    "acceptance_rate",
    "wall_s",
    "cpu_s",
    "reject_reasons",
    "contact_sheet",
    "gallery",
    "table",
    "dagster/row_count",
]
PATCHES_LABELS = [
    "video",
    "patches",
    "patches_target",
    "patches_made_now",
    "acceptance_rate",
    "patches_per_cpu_s",
    "wall_s",
    "gigabytes",
    "format_mix",
    "contact_sheet",
    "triplet",
    "samples",
    "gallery",
    "folder",
    "table",
    "dagster/row_count",
]
DASHBOARD_LABELS = [
    "videos",
    "videos_done",
    "videos_too_small",
    "videos_failed",
    "windows",
    "patches",
    "patches_target",
    "patches_short",
    "patches_to_do",
    "patches_stale",
    "acceptance_rate",
    "gigabytes",
    "failed_videos",
    "progress",
    "reject_reasons",
    "lowest_acceptance",
    "gallery",
    "categories",
    "formats",
    "by_video",
    "unfinished",
    "problems",
    "tables",
]

LABELS = {
    "source_video": SOURCE_LABELS,
    "scene_windows": WINDOWS_LABELS,
    "general_patches": PATCHES_LABELS,
    "space_patches": PATCHES_LABELS,
    "toon_patches": PATCHES_LABELS,
}
# Where nothing was rejected, or every format fits.
MAY_BE_ABSENT = {"rejected", "formats_left_out"}
