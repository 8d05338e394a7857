"""The asset checks: their names, the severity of a failure, and verdicts as results.

Not here: what is tested (`checks`).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from dataset_assets.checks import Verdict
from dataset_assets.partitions import VIDEO_PARTITIONS

COLOURS_TAGGED = "colours_tagged"
SOURCE_UNCHANGED = "source_unchanged"
TRUE_RESOLUTION = "true_resolution"
ENOUGH_WINDOWS = "enough_windows"
ENOUGH_ACCEPTED = "enough_accepted"
ENOUGH_PATCHES = "enough_patches"
FORMAT_MIX_KEPT = "format_mix_kept"
TRIPLETS_WHOLE = "triplets_whole"
FILES_MATCH_TABLE = "files_match_table"
WINDOWS_UNCUT = "windows_uncut"
FREE_OF_BLACK_BARS = "free_of_black_bars"
FREE_OF_COMBS = "free_of_combs"
UP_TO_DATE = "up_to_date"
VIDEOS_OK = "videos_ok"
EVERY_VIDEO_DONE = "every_video_done"
SOURCES_UNCHANGED = "sources_unchanged"
NO_NEAR_DUPLICATES = "no_near_duplicates"
COUNTS_MATCH = "counts_match"
EVERY_FILE_OPENS = "every_file_opens"
LR_ALIGNED = "lr_aligned"

DESCRIPTIONS = {
    COLOURS_TAGGED: "Nothing about the film had to be guessed, ignored or left out.",
    SOURCE_UNCHANGED: "The film existed and was unchanged from the first frame read to the last.",
    TRUE_RESOLUTION: "The film holds as much as its working frame: it was not enlarged from less.",
    ENOUGH_WINDOWS: "At least nine tenths of the windows wanted were found.",
    ENOUGH_ACCEPTED: "At least a fifth of the candidates tried were accepted.",
    ENOUGH_PATCHES: "At least nine tenths of the patches wanted were made.",
    FORMAT_MIX_KEPT: "Every format that fits has about its share of the patches: within what the draw gives.",
    TRIPLETS_WHOLE: "In a sample every row has its files, with the right length, size and checksums; "
    "`verify` reads all files.",
    FILES_MATCH_TABLE: "In a sample of candidates the folders contain the files that the table names, and no "
    "others; `verify` compares all.",
    WINDOWS_UNCUT: "No cut is visible in the LR frames of a sample of the written triplets.",
    FREE_OF_BLACK_BARS: "No black bar is along an edge of the written pictures of a sample.",
    FREE_OF_COMBS: "No written ground truth of a sample mixes lines of two moments (combs).",
    UP_TO_DATE: "The table is what the settings, the film and the code give now: it is not stale.",
    VIDEOS_OK: "No video's last run failed. Look at this check first.",
    EVERY_VIDEO_DONE: "Nothing of any configured video is missing or stale.",
    SOURCES_UNCHANGED: "Every probed film still exists and is unchanged.",
    NO_NEAR_DUPLICATES: "No window shows what a window of another video shows.",
    COUNTS_MATCH: "The export holds the triplets and files that were selected, and no others.",
    EVERY_FILE_OPENS: "Every picture of the export opens and has the size of its row.",
    LR_ALIGNED: "In a sample the middle LR frame is the downscale of its ground truth, in every pixel.",
}
# A failure of these means that something in the data set is wrong, or that a video is missing in it. A
# failure of the others means that it is smaller than requested, or needs a look.
ERRORS = frozenset(
    {
        SOURCE_UNCHANGED,
        TRIPLETS_WHOLE,
        FILES_MATCH_TABLE,
        VIDEOS_OK,
        COUNTS_MATCH,
        EVERY_FILE_OPENS,
        LR_ALIGNED,
    }
)


def check_specs(
    asset: str, *names: str, partitions_def: dg.PartitionsDefinition[str] | None = VIDEO_PARTITIONS
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


def check_result(
    asset: str, name: str, verdict: Verdict, shown: Mapping[str, dg.MetadataValue[Any]] | None = None
) -> dg.AssetCheckResult:
    """Return a verdict as a check's result.

    Args:
        asset: Name of the asset.
        name: Name of the check.
        verdict: What was found.
        shown: Further metadata.
    """
    metadata: dict[str, Any] = {**(shown or {}), verdict.measure: verdict.number}
    if verdict.sampled is not None:
        metadata["sampled"] = verdict.sampled
    return dg.AssetCheckResult(
        passed=verdict.passed,
        asset_key=dg.AssetKey(asset),
        check_name=name,
        severity=dg.AssetCheckSeverity.ERROR if name in ERRORS else dg.AssetCheckSeverity.WARN,
        description=verdict.description,
        metadata=metadata,
    )
