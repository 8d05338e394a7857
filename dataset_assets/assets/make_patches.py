"""`scene_windows` and one patch asset for each category: a single step over a single decode pass."""

from collections.abc import Iterator

import dagster as dg

from dataset_assets.assets.failures import told_in_one_sentence
from dataset_assets.assets.gallery import page_follows
from dataset_assets.assets.limits import video_within_limits
from dataset_assets.assets.priority import give_way
from dataset_assets.assets.reporting import GROUP, column_schema, patches_metadata, windows_metadata
from dataset_assets.assets.source_video import SOURCE_VIDEO
from dataset_assets.checks import (
    ENOUGH_PATCHES,
    ENOUGH_WINDOWS,
    FORMAT_MIX_KEPT,
    TRIPLETS_WHOLE,
    check_result,
    check_specs,
)
from dataset_assets.config import Category, Settings
from dataset_assets.generate import CategoryReport, generate_video
from dataset_assets.generate.checking import enough_patches, enough_windows, format_mix_kept, triplets_whole
from dataset_assets.generate.identity import CODE_VERSION
from dataset_assets.partitions import VIDEOS
from dataset_assets.tables import PATCHES, WINDOWS

SCENE_WINDOWS = "scene_windows"
# Run tag that makes everything asked for anew; the UI's launch dialog and `generate --force` set it.
FORCE_TAG = "dataset_assets/force"
LANES_TAG = "dataset_assets/lanes"

WINDOWS_DESCRIPTION = """Windows of 7 frames, judged; every rejection keeps its reason.

One row for each attempt in `metadata/windows/`; an accepted window is kept as the PTS of its frames, so
patches can be made of it again without looking for it again. Materialised together with patches, each frame
is decoded once.
"""


def patches_asset(category: str) -> str:
    """Name of a category's patch asset."""
    return f"{category}_patches"


def build_make_patches(categories: dict[str, Category]) -> dg.AssetsDefinition:
    """Builds the step for the categories of a configuration."""
    assets = {patches_asset(name): name for name in categories}
    specs = [_windows_spec(), *(_patches_spec(name, category) for name, category in categories.items())]
    checks = check_specs(SCENE_WINDOWS, ENOUGH_WINDOWS)
    for asset in assets:
        checks += check_specs(asset, ENOUGH_PATCHES, FORMAT_MIX_KEPT, TRIPLETS_WHOLE)

    @dg.multi_asset(
        name="make_triplets",
        specs=specs,
        check_specs=checks,
        partitions_def=VIDEOS,
        can_subset=True,
        pool="decode",
    )
    def make_triplets(
        context: dg.AssetExecutionContext, dataset_config: dg.ResourceParam[Settings]
    ) -> Iterator[dg.MaterializeResult[None]]:
        selected = {key.to_user_string() for key in context.selected_asset_keys}
        wanted = [name for asset, name in assets.items() if asset in selected]
        give_way(dataset_config.base.nice)
        lanes = int(context.run.tags.get(LANES_TAG, 1))
        with (
            told_in_one_sentence(),
            page_follows(dataset_config, context.partition_key),
            video_within_limits(dataset_config, context.partition_key, lanes),
        ):
            run = generate_video(
                dataset_config,
                context.partition_key,
                windows=SCENE_WINDOWS in selected,
                categories=None if len(wanted) == len(assets) else wanted,
                force=FORCE_TAG in context.run.tags,
                lanes=lanes,
            )
        context.log.info(f"{run.key}: {run.made} patches made in {run.wall_s:.1f} s ({run.cpu_s:.1f} CPU s)")
        if run.windows is not None:
            yield dg.MaterializeResult(
                asset_key=SCENE_WINDOWS,
                metadata=windows_metadata(dataset_config, run, run.windows),
                check_results=[check_result(SCENE_WINDOWS, ENOUGH_WINDOWS, enough_windows(run.windows))],
            )
        for name, report in run.categories.items():
            yield dg.MaterializeResult(
                asset_key=patches_asset(name),
                metadata=patches_metadata(dataset_config, run, name, report),
                check_results=_check_results(dataset_config, name, report),
            )

    return make_triplets


def _check_results(settings: Settings, category: str, report: CategoryReport) -> list[dg.AssetCheckResult]:
    asset = patches_asset(category)
    return [
        check_result(asset, ENOUGH_PATCHES, enough_patches(report)),
        check_result(asset, FORMAT_MIX_KEPT, format_mix_kept(report)),
        check_result(asset, TRIPLETS_WHOLE, triplets_whole(settings, report), is_error=True),
    ]


def _windows_spec() -> dg.AssetSpec:
    return dg.AssetSpec(
        SCENE_WINDOWS,
        deps=[SOURCE_VIDEO],
        description=WINDOWS_DESCRIPTION,
        group_name=GROUP,
        kinds={"ffmpeg", "opencv", "parquet"},
        code_version=CODE_VERSION,
        metadata={"dagster/column_schema": column_schema(WINDOWS)},
    )


def _patches_spec(name: str, category: Category) -> dg.AssetSpec:
    mix = "\n".join(f"| {format_name} | {share:.0%} |" for format_name, share in category.mix.items())
    return dg.AssetSpec(
        patches_asset(name),
        deps=[SCENE_WINDOWS],
        description=(
            f"Training triplets for {name.upper()}: ground truth and its LR stacks.\n\n"
            f"PNG files in `{category.folder}/<format>/{{GT,LR_5frames,LR_7frames}}/`, a row for each "
            f"triplet in `metadata/patches/category={name}/`.\n\n| format | share |\n| --- | --- |\n{mix}\n\n"
            "Materialised alone it replays the recorded windows. A partition that is up to date makes "
            f"nothing anew; the run tag `{FORCE_TAG}` does."
        ),
        group_name=GROUP,
        kinds={"opencv", "parquet"},
        tags={"category": name},
        code_version=CODE_VERSION,
        metadata={"dagster/column_schema": column_schema(PATCHES)},
    )
