"""The asset checks: their names, how grave a failure is, and verdicts as results.

What is tested belongs to the package `checks`.
"""

from __future__ import annotations

import warnings

import dagster as dg

from dataset_assets.checks import Verdict
from dataset_assets.partitions import VIDEOS

COLOURS_TAGGED = "colours_tagged"
SOURCE_UNCHANGED = "source_unchanged"
ENOUGH_WINDOWS = "enough_windows"
ENOUGH_ACCEPTED = "enough_accepted"
ENOUGH_PATCHES = "enough_patches"
FORMAT_MIX_KEPT = "format_mix_kept"
TRIPLETS_WHOLE = "triplets_whole"
FILES_MATCH_TABLE = "files_match_table"
WINDOWS_UNCUT = "windows_uncut"
FREE_OF_BLACK_BARS = "free_of_black_bars"
FREE_OF_COMBS = "free_of_combs"
VIDEOS_OK = "videos_ok"
EVERY_VIDEO_DONE = "every_video_done"
SOURCES_UNCHANGED = "sources_unchanged"

DESCRIPTIONS = {
    COLOURS_TAGGED: "Nothing about the film had to be guessed, ignored or left out.",
    SOURCE_UNCHANGED: "The film was there and the same from the first frame read to the last.",
    ENOUGH_WINDOWS: "At least nine tenths of the windows asked for were found.",
    ENOUGH_ACCEPTED: "At least a fifth of the places tried were good enough for a window.",
    ENOUGH_PATCHES: "At least nine tenths of the patches asked for were made.",
    FORMAT_MIX_KEPT: "Every format that fits has about its share of the patches: within what the draw gives.",
    TRIPLETS_WHOLE: "Every row has its three files: of the right length and size, each checksum right.",
    FILES_MATCH_TABLE: "The folders hold the files that the table names, and no others of this video.",
    WINDOWS_UNCUT: "No cut lies inside the windows, as far as the LR frames that were written show it.",
    FREE_OF_BLACK_BARS: "No black bar runs along an edge of the LR frames that were written.",
    FREE_OF_COMBS: "No lines of two moments lie in one ground truth that was written.",
    VIDEOS_OK: "No video's last run failed. The one check that shows how the data set stands.",
    EVERY_VIDEO_DONE: "Nothing of any configured video is missing or stale.",
    SOURCES_UNCHANGED: "Every probed film is still there, and still what it was.",
}
# A failure of these means that the data set holds something wrong, or that a video has nothing in it. A
# failure of the others means that it is smaller than hoped, or that a person should look.
ERRORS = frozenset({SOURCE_UNCHANGED, TRIPLETS_WHOLE, FILES_MATCH_TABLE, VIDEOS_OK})


def check_specs(
    asset: str, *names: str, partitions_def: dg.PartitionsDefinition[str] | None = VIDEOS
) -> list[dg.AssetCheckSpec]:
    """Return the specifications of an asset's checks: a result for each video, or one without partitions."""
    with warnings.catch_warnings():
        # Partitioned checks are a preview in Dagster 1.13, which says so at every load; it is pinned.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name, asset=asset, description=DESCRIPTIONS[name], partitions_def=partitions_def
            )
            for name in names
        ]


def check_result(asset: str, name: str, verdict: Verdict) -> dg.AssetCheckResult:
    """Return a verdict as a check's result.

    Args:
        asset: Name of the asset.
        name: Name of the check.
        verdict: What was found.
    """
    return dg.AssetCheckResult(
        passed=verdict.passed,
        asset_key=dg.AssetKey(asset),
        check_name=name,
        severity=dg.AssetCheckSeverity.ERROR if name in ERRORS else dg.AssetCheckSeverity.WARN,
        description=verdict.description,
        metadata={verdict.measure: verdict.number},
    )
