"""`dataset_stats`: statistics of all tables, and the progress of the data set.

Adding up is in `tables`, formatting in `dashboard`, testing in the asset checks.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

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
from dataset_assets.config import Settings
from dataset_assets.curation import take_census
from dataset_assets.dataset import DataSet, Overview, keep_curation
from dataset_assets.video import seen

DATASET_STATS = "dataset_stats"
# Of an update: then partitions are left to the next one. Dagster gives a sensor's tick 60 s, on a busy
# machine too. 5,000 videos are added up in 8 CPU s, the first time in 30; a batch of partitions takes 0.3.
MOST_S = 30.0
# Of counting what curation leaves out, where conditions or tables have changed.
MOST_COUNTING_S = 10.0

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


def build_dataset_stats(categories: Iterable[str]) -> dg.AssetsDefinition:
    """Build the asset over the patch assets of a configuration, by its categories' names."""

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
        result, _ = _add_up(dataset_config, DataSet.of(dataset_config), context.instance)
        return result

    return dataset_stats


@dataclass(frozen=True, slots=True)
class StatisticsUpdate:
    """What an update of the statistics without a run has to record.

    Attributes:
        events: The statistics, and the results of their checks.
        unmarked: Partitions whose staleness is left to the next update.
    """

    events: tuple[dg.AssetMaterialization | dg.AssetCheckEvaluation, ...]
    unmarked: int


def update_without_run(
    settings: Settings, data_set: DataSet, instance: dg.DagsterInstance
) -> StatisticsUpdate:
    """Add the tables up, write the gallery's index, and return what is to be recorded.

    A run would cost 4 CPU s to start, a place among those that work on videos, and a row on the page of runs,
    every few minutes.

    Args:
        settings: The configuration.
        data_set: Its data set.
        instance: Where the runs are that failed.

    Raises:
        DatasetAssetsError: A table is from a newer release.
        OSError: The disk cannot be read.
    """
    result, unmarked = _add_up(settings, data_set, instance)
    checks = [
        dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(DATASET_STATS),
            check_name=str(each.check_name),
            passed=each.passed,
            metadata=dict(each.metadata),
            severity=each.severity,
            description=each.description,
        )
        for each in result.check_results or ()
    ]
    return StatisticsUpdate(
        (dg.AssetMaterialization(DATASET_STATS, metadata=result.metadata), *checks), unmarked
    )


def _add_up(
    settings: Settings, data_set: DataSet, instance: dg.DagsterInstance
) -> tuple[dg.MaterializeResult, int]:  # type: ignore[type-arg]
    """Return the statistics, and how many partitions' staleness is left to the next update."""
    began_s = time.monotonic()
    keep_curation(settings)
    overview = data_set.overview(settings)
    overview = replace(overview, failures=failed_videos(instance, overview))
    unfinished = _unfinished(settings, overview)
    census = take_census(settings, data_set, most_s=MOST_COUNTING_S)
    update_index(settings, overview, census)
    unmarked = 0
    for left in report_stale(instance, overview.statuses):
        unmarked = left
        if time.monotonic() - began_s > MOST_S:
            break
    total, why = len(settings.videos), {each["video"]: each["why"] for each in unfinished}
    found = {
        VIDEOS_OK: videos_ok(total, overview.failures, why),
        EVERY_VIDEO_DONE: every_video_done(total, why),
        SOURCES_UNCHANGED: sources_unchanged(settings, data_set),
    }
    checks = [check_result(DATASET_STATS, name, verdict) for name, verdict in found.items()]
    metadata = dashboard(settings, overview, census, unfinished)
    return dg.MaterializeResult(metadata=metadata, check_results=checks), unmarked


def _unfinished(settings: Settings, overview: Overview) -> list[dict[str, str]]:
    """Return the configured videos with a table that is missing or stale, and why."""
    found = []
    for entry in settings.videos:
        states = overview.statuses[entry.key]
        reasons = {name: status.reason for name, status in states.items() if not status.is_done}
        if reasons:
            film = "" if seen(entry.path) else "the film is absent; "
            tables = "all tables" if len(reasons) == len(states) else ", ".join(reasons)
            host = overview.hosts.get(entry.key)
            work = f"{host} works on it; " if host else ""
            why = work + film + ", ".join(dict.fromkeys(reasons.values()))
            found.append({"video": entry.key, "tables": tables, "why": why})
    return found
