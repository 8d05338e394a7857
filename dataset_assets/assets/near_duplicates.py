"""`near_duplicates`: the windows that several videos show, found by their signatures and small pictures.

Comparing and the table are in the package `curation`; in which job it runs, in `definitions`.
"""

import dagster as dg

from dataset_assets.assets.asset_checks import NO_NEAR_DUPLICATES, check_result, check_specs
from dataset_assets.assets.failures import failing_once
from dataset_assets.assets.gallery import duplicates_link, update_duplicates_page
from dataset_assets.assets.make_patches import patches_asset
from dataset_assets.assets.priority import give_way
from dataset_assets.assets.reporting import GROUP, OWNER, Metadata, column_schema, markdown_table
from dataset_assets.checks import no_near_duplicates
from dataset_assets.config import Category, Settings
from dataset_assets.counting import counted
from dataset_assets.curation import DuplicatesReport, VideoPair, find_duplicates, video_pairs
from dataset_assets.dataset import DataSet
from dataset_assets.tables import DUPLICATES
from dataset_assets.windows import SIMILARITY_VERSION

NEAR_DUPLICATES = "near_duplicates"
# Dagster shows metadata whole; the gallery's page and the command have more.
MOST_PAIRS = 50

DESCRIPTION = """Windows that several videos show: openings, trailers, a film twice.

Compared by what is in the data set, so the films are not needed. Nothing is deleted: the condition
`duplicate_of IS NULL` of exports and loaders leaves the later video's windows out.

- **Files**: `metadata/duplicates/part-0.parquet` under the data set's folder, one for all videos.
- **Again**: *Materialize* compares the videos that are new, or have other windows since, with all others.

```python
import pandas as pd

pd.read_parquet("dataset/metadata/duplicates").groupby(["video", "of_video"]).size().sort_values()
```
"""


def build_near_duplicates(categories: dict[str, Category]) -> dg.AssetsDefinition:
    """Build the asset over the patch assets of a configuration."""

    @dg.asset(
        name=NEAR_DUPLICATES,
        deps=[patches_asset(name) for name in categories],
        group_name=GROUP,
        kinds={"numpy", "parquet"},
        tags={"stage": "scores"},
        owners=[OWNER],
        description=DESCRIPTION,
        code_version=str(SIMILARITY_VERSION),
        metadata={"dagster/column_schema": column_schema(DUPLICATES)},
        check_specs=check_specs(NEAR_DUPLICATES, NO_NEAR_DUPLICATES, partitions_def=None),
    )
    def near_duplicates(
        context: dg.AssetExecutionContext, dataset_config: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster takes a subscripted one for a tuple
        give_way(dataset_config.base.nice)

        def log(done: int, total: int) -> None:
            context.log.info(f"{done:,} of {counted(total, 'video')} compared")

        with failing_once():
            data_set = DataSet.of(dataset_config)
            data_set.copy.begin()
            report = find_duplicates(dataset_config, on_videos=log)
            pairs = video_pairs(data_set, report.rows)
        for problem in report.problems:
            context.log.warning(f"not compared: {problem}")
        update_duplicates_page(dataset_config)
        shown = {"pairs": dg.MetadataValue.md(_pairs(pairs))}
        named = [(each.video, each.of_video, each.kind) for each in pairs]
        result = check_result(
            NEAR_DUPLICATES, NO_NEAR_DUPLICATES, no_near_duplicates(report.windows, named), shown
        )
        metadata = _metadata(dataset_config, data_set, report, len(pairs)) | shown
        return dg.MaterializeResult(metadata=metadata, check_results=[result])

    return near_duplicates


def _metadata(settings: Settings, data_set: DataSet, report: DuplicatesReport, pairs: int) -> Metadata:
    return {
        "windows": dg.MetadataValue.int(report.windows),
        "pairs_of_videos": dg.MetadataValue.int(pairs),
        "videos": dg.MetadataValue.int(report.videos),
        "compared_now": dg.MetadataValue.int(report.made),
        "not_compared": dg.MetadataValue.int(len(report.problems)),
        "pictures": duplicates_link(settings),
        "cpu_s": dg.MetadataValue.float(round(report.cpu_s, 1)),
        "wall_s": dg.MetadataValue.float(round(report.wall_s, 1)),
        "file": dg.MetadataValue.path(data_set.duplicates.path),
        "dagster/row_count": dg.MetadataValue.int(len(report.rows)),
    }


def _pairs(pairs: list[VideoPair]) -> str:
    rows = [
        (each.video, each.of_video, each.kind, f"{len(each.rows):,}", f"{each.offset_s:+,.1f}")
        for each in pairs[:MOST_PAIRS]
    ]
    more = f"\n\nand {len(pairs) - MOST_PAIRS:,} more" if len(pairs) > MOST_PAIRS else ""
    return markdown_table(("video", "shows again", "as", "windows", "offset in s"), rows) + more
