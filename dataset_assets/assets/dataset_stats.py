"""`dataset_stats`: statistics of all tables, and the progress of the data set.

Adding up is in `tables`, formatting in `dashboard`, testing in the asset checks.
"""

from dataclasses import replace

import dagster as dg

from dataset_assets.assets.asset_checks import (
    EVERY_VIDEO_DONE,
    SOURCES_UNCHANGED,
    VIDEOS_OK,
    check_result,
    check_specs,
)
from dataset_assets.assets.dashboard import dashboard
from dataset_assets.assets.gallery import update_index
from dataset_assets.assets.last_failures import failed_videos
from dataset_assets.assets.make_patches import patches_asset
from dataset_assets.assets.reporting import GROUP, OWNER
from dataset_assets.assets.staleness import report_stale
from dataset_assets.checks import every_video_done, sources_unchanged, videos_ok
from dataset_assets.config import Category, Settings
from dataset_assets.dataset import DataSet, Overview

DATASET_STATS = "dataset_stats"

DESCRIPTION = """What the data set adds up to, how far it has come, and what failed.

Read from the Parquet tables in `metadata/`, whatever made them; nothing is computed from films or patches.
The check `videos_ok` is the one to look at: red as soon as the last run of any video failed.

- **Files**: the tables in `metadata/`, the pages in `gallery/` under the data set's folder.
- **Again**: *Materialize* whenever figures are wanted; `dataset-assets generate` does so at its end.

```python
import pandas as pd

pd.read_parquet("dataset/metadata/patches").groupby(["category", "format"], observed=True).size()
```
"""


def build_dataset_stats(categories: dict[str, Category]) -> dg.AssetsDefinition:
    """Build the asset over the patch assets of a configuration."""

    @dg.asset(
        name=DATASET_STATS,
        deps=[patches_asset(name) for name in categories],
        group_name=GROUP,
        kinds={"pandas", "parquet"},
        tags={"stage": "tables"},
        owners=[OWNER],
        description=DESCRIPTION,
        check_specs=check_specs(
            DATASET_STATS, VIDEOS_OK, EVERY_VIDEO_DONE, SOURCES_UNCHANGED, partitions_def=None
        ),
    )
    def dataset_stats(
        context: dg.AssetExecutionContext, dataset_config: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster takes a subscripted one for a tuple
        settings = dataset_config
        data_set = DataSet.of(settings)
        overview = data_set.overview(settings)
        overview = replace(overview, failures=failed_videos(context.instance, overview))
        unfinished = _unfinished(settings, overview)
        update_index(settings, overview)
        report_stale(context.instance, overview.statuses)
        total, why = len(settings.videos), {each["video"]: each["why"] for each in unfinished}
        found = {
            VIDEOS_OK: videos_ok(total, overview.failures, why),
            EVERY_VIDEO_DONE: every_video_done(total, why),
            SOURCES_UNCHANGED: sources_unchanged(settings, data_set),
        }
        return dg.MaterializeResult(
            metadata=dashboard(settings, overview, unfinished),
            check_results=[check_result(DATASET_STATS, name, verdict) for name, verdict in found.items()],
        )

    return dataset_stats


def _unfinished(settings: Settings, overview: Overview) -> list[dict[str, str]]:
    """Return the configured videos with a table that is missing or stale, and why."""
    found = []
    for entry in settings.videos:
        states = overview.statuses[entry.key]
        reasons = {name: status.reason for name, status in states.items() if not status.is_done}
        if reasons:
            film = "" if entry.path.is_file() else "the film is absent; "
            tables = "all tables" if len(reasons) == len(states) else ", ".join(reasons)
            why = film + ", ".join(dict.fromkeys(reasons.values()))
            found.append({"video": entry.key, "tables": tables, "why": why})
    return found
