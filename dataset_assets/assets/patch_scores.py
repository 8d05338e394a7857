"""`patch_scores`: the scores of a video's patches, measured on their files.

Measuring and the tables are in the package `curation`; in which job it runs, in `definitions`.
"""

from collections.abc import Sequence

import dagster as dg

from dataset_assets.assets.decode_pool import DECODE_POOL
from dataset_assets.assets.failures import failing_once
from dataset_assets.assets.make_patches import patches_asset
from dataset_assets.assets.priority import give_way
from dataset_assets.assets.reporting import GROUP, OWNER, Metadata, block_line, column_schema, markdown_table
from dataset_assets.assets.runs import PATCH_SCORES, logging_waits, note_host, video_of_step
from dataset_assets.config import Category, Settings
from dataset_assets.counting import percent
from dataset_assets.curation import SCALES, SCORES, ScoringReport, Summary, histograms_of, score_video
from dataset_assets.dataset import DataSet
from dataset_assets.partitions import VIDEO_PARTITIONS
from dataset_assets.scores import SCORES_VERSION
from dataset_assets.tables import SCORES as SCORES_TABLE
from dataset_assets.tables import ScoreRow

DESCRIPTION = """Scores of patches: detail, noise, blocks, motion, combs, subtitles.

Measured on the PNG files, so the film is not needed. No score rejects or deletes a patch, and a new version
of the scores makes no patch stale.

- **Files**: one row for each patch in `metadata/scores/category=<name>/video=<key>/` under the data set's
  folder.
- **Again**: *Materialize* measures what has no scores, or was made again since; the job `score_patches`
  does so for many videos. The job `make_patches` does not.

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
        return dg.MaterializeResult(metadata=_metadata(dataset_config, report))

    return patch_scores


def _histograms(rows: Sequence[ScoreRow]) -> str:
    """Return the histogram of each score as a line of blocks."""
    lines = [
        (name, f"{SCALES[name].low:.4g}", block_line(counts), f"{SCALES[name].high:.4g}")
        for name, counts in histograms_of(rows).items()
    ]
    return markdown_table(("score", "from", "patches", "to"), lines)


def _metadata(settings: Settings, report: ScoringReport) -> Metadata:
    of_categories = {name: Summary.of(each.rows) for name, each in report.categories.items()}
    of_all = Summary.of(row for each in report.categories.values() for row in each.rows)
    rows = [
        (
            name,
            str(each.patches),
            *(f"{each.medians[score]:.3g}" if score in each.medians else "-" for score in SCORES),
            percent(each.nothing_to_learn),
        )
        for name, each in of_categories.items()
    ]
    metadata: Metadata = {
        "video": dg.MetadataValue.text(report.key),
        "patches": dg.MetadataValue.int(of_all.patches),
        "scored_now": dg.MetadataValue.int(report.made),
        "rows_removed": dg.MetadataValue.int(report.removed),
        # Of each score a number, which the UI plots over the videos.
        **{name: dg.MetadataValue.float(round(median, 4)) for name, median in of_all.medians.items()},
        "nothing_to_learn": dg.MetadataValue.float(round(of_all.nothing_to_learn, 4)),
        "medians": dg.MetadataValue.md(
            markdown_table(("category", "patches", *SCORES, "nothing to learn"), rows)
        ),
        **{
            f"scores_of_{name}": dg.MetadataValue.md(_histograms(each.rows))
            for name, each in report.categories.items()
            if each.rows
        },
        "cpu_s": dg.MetadataValue.float(round(report.cpu_s, 1)),
        "wall_s": dg.MetadataValue.float(round(report.wall_s, 1)),
        "folder": dg.MetadataValue.path(DataSet.of(settings).metadata_folder / "scores"),
        "dagster/row_count": dg.MetadataValue.int(of_all.patches),
    }
    return metadata
