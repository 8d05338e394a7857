"""`scene_windows` and one patch asset for each category: a single step over a single decode pass.

Finding windows and cutting patches is in `generate`; what the UI shows of them, in `reporting`.
"""

from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from dataset_assets import dataset
from dataset_assets.assets.asset_checks import (
    ENOUGH_ACCEPTED,
    ENOUGH_PATCHES,
    ENOUGH_WINDOWS,
    FILES_MATCH_TABLE,
    FORMAT_MIX_KEPT,
    FREE_OF_BLACK_BARS,
    FREE_OF_COMBS,
    SOURCE_UNCHANGED,
    TRIPLETS_WHOLE,
    UP_TO_DATE,
    WINDOWS_UNCUT,
    check_result,
    check_specs,
)
from dataset_assets.assets.beginning import begin_step
from dataset_assets.assets.decode_pool import DECODE_POOL
from dataset_assets.assets.failures import failing_once
from dataset_assets.assets.gallery import page_follows
from dataset_assets.assets.progress_log import ProgressLog
from dataset_assets.assets.reporting import GROUP, OWNER, column_schema, patches_metadata, windows_metadata
from dataset_assets.assets.runs import logging_waits
from dataset_assets.assets.score_metadata import scores_of_pass
from dataset_assets.assets.source import SOURCE_VIDEO
from dataset_assets.assets.video_limits import video_within_limits
from dataset_assets.checks import (
    enough_accepted,
    enough_patches,
    enough_windows,
    files_match_table,
    format_mix_kept,
    free_of_black_bars,
    free_of_combs,
    inspect_triplets,
    source_unchanged,
    triplets_whole,
    up_to_date,
    windows_uncut,
)
from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.dataset import (
    PATCHES_VERSION,
    WINDOWS_VERSION,
    AssetStatus,
    DataSet,
    Progress,
    windows_to_do,
)
from dataset_assets.generate import VideoReport, generate_video
from dataset_assets.partitions import VIDEO_PARTITIONS
from dataset_assets.process import host_name
from dataset_assets.tables import PATCHES, WINDOWS

PATCHES_CHECKS = (
    UP_TO_DATE,
    ENOUGH_PATCHES,
    FORMAT_MIX_KEPT,
    TRIPLETS_WHOLE,
    FILES_MATCH_TABLE,
    WINDOWS_UNCUT,
    FREE_OF_BLACK_BARS,
    FREE_OF_COMBS,
)
SCENE_WINDOWS = "scene_windows"
# Run tag that rebuilds what is up to date; the UI's launch dialog and `generate --force` set it.
FORCE_TAG = "dataset_assets/force"
# Run tag that allows a run to delete or make again many finished patches; `generate --yes` sets it.
REPLACE_TAG = "dataset_assets/replace"
LANES_TAG = "dataset_assets/lanes"
# Run tag: windows to work on when the run began, by which the time left of others is estimated.
WINDOWS_TAG = "dataset_assets/windows"

WINDOWS_DESCRIPTION = f"""Windows of 7 frames, judged; every rejection keeps its reason.

A window is used only when no cut lies inside it and it is not black, flat, blurred or a duplicate. It is
kept as the PTS of its frames, so that its patches can be recreated without searching for it again.
Materialised together with patches, each frame is decoded once.

- **Files**: one row for each candidate in `metadata/windows/video=<key>/`, small pictures of the windows in
  `metadata/pictures/video=<key>/`, under the data set's folder.
- **Again**: a partition that is up to date is not rebuilt; the run tag `{FORCE_TAG}` forces it.

```python
import pandas as pd

windows = pd.read_parquet("dataset/metadata/windows")
tried = windows[~windows["reason"].isin(["passed_over", "excluded"])]
tried.groupby("video", observed=True)["accepted"].mean()
```
"""


def patches_asset(category: str) -> str:
    """Name of a category's patch asset."""
    return f"{category}_patches"


def build_make_patches(categories: Iterable[str]) -> dg.AssetsDefinition:
    """Build the step for the categories of a configuration, by their names."""
    assets = {patches_asset(name): name for name in categories}
    specs = [_windows_spec(), *map(_patches_spec, categories)]
    checks = check_specs(SCENE_WINDOWS, UP_TO_DATE, ENOUGH_WINDOWS, ENOUGH_ACCEPTED, SOURCE_UNCHANGED)
    for asset in assets:
        checks += check_specs(asset, *PATCHES_CHECKS)

    @dg.multi_asset(
        name="make_triplets",
        specs=specs,
        check_specs=checks,
        partitions_def=VIDEO_PARTITIONS,
        can_subset=True,
        pool=DECODE_POOL,
    )
    def make_triplets(
        context: dg.AssetExecutionContext, dataset_config: dg.ResourceParam[Settings]
    ) -> Iterator[dg.MaterializeResult[None]]:
        key = begin_step(context, dataset_config)
        selected = {asset.to_user_string() for asset in context.selected_asset_keys}
        wanted = [name for asset, name in assets.items() if asset in selected]
        lanes = int(context.run.tags.get(LANES_TAG, 1))
        force = FORCE_TAG in context.run.tags
        to_do = _windows_to_do(dataset_config, key, wanted, force=force)
        with (
            failing_once(),
            page_follows(dataset_config, key),
            video_within_limits(dataset_config, context, lanes),
        ):
            run = generate_video(
                dataset_config,
                key,
                windows=SCENE_WINDOWS in selected,
                categories=None if len(wanted) == len(assets) else wanted,
                force=force,
                may_replace=REPLACE_TAG in context.run.tags,
                lanes=lanes,
                on_progress=_Watch(context, to_do),
                on_busy=logging_waits(context),
            )
        statuses = DataSet.of(dataset_config).statuses(dataset_config, dataset_config.video(key))
        made = counted(run.made, "patch")
        place = f" on {host_name()}" if dataset_config.base.machines == "many" else ""
        context.log.info(f"{run.key}: {made} made in {run.wall_s:.1f} s ({run.cpu_s:.1f} CPU s){place}")
        if run.made and (event := scores_of_pass(dataset_config, key)) is not None:
            context.log_event(event)
        if run.finds_windows:
            yield dg.MaterializeResult(
                asset_key=SCENE_WINDOWS,
                metadata=windows_metadata(dataset_config, run),
                check_results=_windows_checks(run, statuses[dataset.WINDOWS]),
            )
        for name in run.categories:
            yield dg.MaterializeResult(
                asset_key=patches_asset(name),
                metadata=patches_metadata(dataset_config, run, name),
                check_results=_patches_checks(dataset_config, run, name, statuses[name]),
            )

    return make_triplets


class _Watch:
    """Logs progress, and tags the run with its windows once it comes to the first.

    A run that is refused, or finds nothing to do, shows nothing about what a window costs.
    """

    def __init__(self, context: dg.AssetExecutionContext, windows: int) -> None:
        self._context = context
        self._windows = windows
        self._log = ProgressLog(context.log)
        self._is_tagged = False

    def __call__(self, progress: Progress) -> None:
        """Take the state after a window."""
        if not self._is_tagged:
            self._is_tagged = True
            tags = {WINDOWS_TAG: str(self._windows)}
            self._context.instance.add_run_tags(self._context.run.run_id, tags)
        self._log(progress)


def _windows_to_do(settings: Settings, key: str, categories: Sequence[str], *, force: bool) -> int:
    """Return the windows that a run has to work on."""
    data_set, entry = DataSet.of(settings), settings.video(key)
    found = data_set.completions(settings, entry, data_set.statuses(settings, entry))
    return windows_to_do({name: found[name] for name in (dataset.WINDOWS, *categories)}, force=force)


def _windows_checks(run: VideoReport, status: AssetStatus) -> list[dg.AssetCheckResult]:
    found = {
        UP_TO_DATE: up_to_date(status),
        ENOUGH_WINDOWS: enough_windows(run.windows),
        ENOUGH_ACCEPTED: enough_accepted(run.windows),
        SOURCE_UNCHANGED: source_unchanged(run.info.fingerprint, run.info.path),
    }
    return [check_result(SCENE_WINDOWS, name, verdict) for name, verdict in found.items()]


def _patches_checks(
    settings: Settings, run: VideoReport, category: str, status: AssetStatus
) -> list[dg.AssetCheckResult]:
    data_set, report = DataSet.of(settings), run.categories[category]
    inspection = inspect_triplets(data_set, report.rows)
    found = {
        UP_TO_DATE: up_to_date(status),
        ENOUGH_PATCHES: enough_patches(report),
        FORMAT_MIX_KEPT: format_mix_kept(report, run.windows.acceptance_rate),
        TRIPLETS_WHOLE: triplets_whole(inspection),
        FILES_MATCH_TABLE: files_match_table(settings, data_set, run.key, category, report, run.windows.rows),
        WINDOWS_UNCUT: windows_uncut(inspection),
        FREE_OF_BLACK_BARS: free_of_black_bars(inspection),
        FREE_OF_COMBS: free_of_combs(inspection),
    }
    return [check_result(patches_asset(category), name, verdict) for name, verdict in found.items()]


def _windows_spec() -> dg.AssetSpec:
    return dg.AssetSpec(
        SCENE_WINDOWS,
        deps=[SOURCE_VIDEO],
        description=WINDOWS_DESCRIPTION,
        group_name=GROUP,
        kinds={"ffmpeg", "opencv", "parquet"},
        tags={"stage": "windows"},
        owners=[OWNER],
        code_version=WINDOWS_VERSION,
        metadata={"dagster/column_schema": column_schema(WINDOWS)},
    )


def _patches_spec(name: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        patches_asset(name),
        deps=[SCENE_WINDOWS],
        # Nothing that the configuration may change: the UI shows the text of when the code was loaded.
        description=(
            f"Training triplets for {name.upper()}: ground truth and its LR stacks.\n\n"
            "Each is one crop of a window: GT (frame 3) and, `scale` times smaller, the stacks that "
            "`lr_stacks` names: LR_5frames (frames 1 to 5 below one another) and LR_7frames (frames 0 to "
            "6).\n\n"
            "- **Formats**: the mix wanted is that of the category in the configuration; `dataset_stats` "
            "compares it with what was made, a partition's `format_mix` shows its own.\n"
            "- **Files**: PNG in `<format>/{GT,LR_5frames,LR_7frames}/` under a partition's `folder`, one "
            f"row for each triplet in `metadata/patches/category={name}/video=<key>/`, under the data set's "
            "folder.\n"
            "- **Again**: alone it replays the recorded windows; together with `scene_windows` it looks for "
            f"what is missing. What is up to date is not rebuilt; the run tag `{FORCE_TAG}` forces it.\n\n"
            '```python\nimport pandas as pd\n\npd.read_parquet("dataset/metadata/patches", '
            f'filters=[("category", "==", "{name}")])[["gt_path", "lr7_path"]]\n```\n'
        ),
        group_name=GROUP,
        kinds={"opencv", "parquet"},
        tags={"stage": "patches", "category": name},
        owners=[OWNER],
        code_version=PATCHES_VERSION,
        metadata={"dagster/column_schema": column_schema(PATCHES)},
    )
