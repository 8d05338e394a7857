"""The asset checks: their names, and verdicts as results. What is tested belongs to `generate.checking`."""

from __future__ import annotations

import warnings

import dagster as dg

from dataset_assets.generate.checking import Verdict
from dataset_assets.partitions import VIDEOS

COLOURS_TAGGED = "colours_tagged"
EVERY_VIDEO_DONE = "every_video_done"
ENOUGH_WINDOWS = "enough_windows"
ENOUGH_PATCHES = "enough_patches"
FORMAT_MIX_KEPT = "format_mix_kept"
TRIPLETS_WHOLE = "triplets_whole"

DESCRIPTIONS = {
    COLOURS_TAGGED: "Nothing about the film's colours or bars had to be guessed or ignored.",
    EVERY_VIDEO_DONE: "Nothing of any configured video is missing or stale.",
    ENOUGH_WINDOWS: "At least nine tenths of the windows asked for were found.",
    ENOUGH_PATCHES: "At least nine tenths of the patches asked for were made.",
    FORMAT_MIX_KEPT: "Every format that fits has its share of the patches.",
    TRIPLETS_WHOLE: "Every row has its three files, of the right length and size.",
}


def check_specs(
    asset: str, *names: str, partitions_def: dg.PartitionsDefinition[str] | None = VIDEOS
) -> list[dg.AssetCheckSpec]:
    """The specifications of an asset's checks: a result for each video, or one without partitions."""
    with warnings.catch_warnings():
        # Partitioned checks are a preview in Dagster 1.13, which says so at every load; it is pinned.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name, asset=asset, description=DESCRIPTIONS[name], partitions_def=partitions_def
            )
            for name in names
        ]


def check_result(asset: str, name: str, verdict: Verdict, *, is_error: bool = False) -> dg.AssetCheckResult:
    """A verdict as a check's result.

    Args:
        asset: Name of the asset.
        name: Name of the check.
        verdict: What was found.
        is_error: Whether a failed check means that the data set is wrong, not only smaller than hoped.
    """
    severity = dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        passed=verdict.passed,
        asset_key=dg.AssetKey(asset),
        check_name=name,
        severity=severity,
        description=verdict.description,
        metadata={"value": verdict.number},
    )
