"""`patch_scores`: the scores of a video's patches, measured on their files.

Measuring and the tables are in the package `curation`; in which job it runs, in `definitions`.
"""

import dagster as dg

from dataset_assets.assets.decode_pool import DECODE_POOL
from dataset_assets.assets.failures import failing_once
from dataset_assets.assets.make_patches import patches_asset
from dataset_assets.assets.priority import give_way
from dataset_assets.assets.reporting import GROUP, OWNER, column_schema
from dataset_assets.assets.runs import PATCH_SCORES, logging_waits, note_host, video_of_step
from dataset_assets.assets.score_metadata import scores_metadata
from dataset_assets.config import Category, Settings
from dataset_assets.curation import score_video
from dataset_assets.partitions import VIDEO_PARTITIONS
from dataset_assets.scores import SCORES_VERSION
from dataset_assets.tables import SCORES as SCORES_TABLE

DESCRIPTION = """Scores of patches: detail, noise, blocks, motion, combs, subtitles.

Measured on the PNG files, so the film is not needed. No score rejects or deletes a patch, and a new version
of the scores makes no patch stale.

- **Files**: one row for each patch in `metadata/scores/category=<name>/video=<key>/` under the data set's
  folder.
- **Again**: making patches measures them too. *Materialize* measures what has no scores, such as patches
  of older releases; the job `score_patches` does so for many videos.

```python
import pandas as pd

scores = pd.read_parquet("dataset/metadata/scores")
scores.groupby("category", observed=True)["detail_db"].median()
```
"""


def build_patch_scores(categories: dict[str, Category]) -> dg.AssetsDefinition:
    """Build the asset over the patch assets of a configuration."""

    @dg.asset(
        name=PATCH_SCORES,
        deps=[patches_asset(name) for name in categories],
        partitions_def=VIDEO_PARTITIONS,
        group_name=GROUP,
        kinds={"opencv", "parquet"},
        tags={"stage": "scores"},
        owners=[OWNER],
        description=DESCRIPTION,
        code_version=str(SCORES_VERSION),
        # It takes a processor as decoding does, and holds the video.
        pool=DECODE_POOL,
        metadata={"dagster/column_schema": column_schema(SCORES_TABLE)},
    )
    def patch_scores(
        context: dg.AssetExecutionContext, dataset_config: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster takes a subscripted one for a tuple
        with failing_once():
            key = video_of_step(context)
        note_host(context)
        give_way(dataset_config.base.nice)
        with failing_once():
            report = score_video(dataset_config, key, on_busy=logging_waits(context))
        metadata = scores_metadata(dataset_config, key, report.categories) | {
            "scored_now": dg.MetadataValue.int(report.made),
            "rows_removed": dg.MetadataValue.int(report.removed),
            "cpu_s": dg.MetadataValue.float(round(report.cpu_s, 1)),
            "wall_s": dg.MetadataValue.float(round(report.wall_s, 1)),
        }
        return dg.MaterializeResult(metadata=metadata)

    return patch_scores
