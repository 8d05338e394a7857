"""`patch_degradations`: the degraded LR of a video's patches, made of their files.

It is there where the configuration degrades something. Degrading, files and tables are in the packages
`degradation` and `curation`; in which job it runs, in `definitions`.
"""

import dagster as dg
import numpy as np

from dataset_assets.assets.patch_work import build_patch_work
from dataset_assets.assets.reporting import Metadata, markdown_table
from dataset_assets.assets.runs import PATCH_DEGRADATIONS
from dataset_assets.config import Category, Settings
from dataset_assets.curation import CategoryDegradations, DegradingReport, degrade_video
from dataset_assets.dataset import DataSet
from dataset_assets.degradation import DEGRADATION_VERSION
from dataset_assets.tables import DEGRADATIONS

DESCRIPTION = """Degraded LR of patches: blur, noise, chroma and codecs, beside the clean LR.

Made of the PNG files of LR_7frames by the steps of the configuration, so the film is not needed. Other steps
make degraded stacks stale, and no patch.

- **Files**: `LR_7frames_degraded/` beside `LR_7frames/`, and one row for each stack in
  `metadata/degradations/category=<name>/video=<key>/` under the data set's folder.
- **Again**: *Materialize* makes what is missing or stale; the job `degrade_patches` does so for many videos.
  The job `make_patches` does not.

```python
import pandas as pd

degraded = pd.read_parquet("dataset/metadata/degradations")
degraded.groupby("codec", observed=True)["db"].median()
```
"""


def build_patch_degradations(categories: dict[str, Category]) -> dg.AssetsDefinition:
    """Build the asset over the patch assets of a configuration."""
    return build_patch_work(
        PATCH_DEGRADATIONS,
        categories,
        degrade_video,
        _metadata,
        table=DEGRADATIONS,
        version=DEGRADATION_VERSION,
        stage="patches",
        description=DESCRIPTION,
    )


def _metadata(settings: Settings, report: DegradingReport) -> Metadata:
    stacks = sum(len(each.rows) for each in report.categories.values())
    dbs = [row.db for each in report.categories.values() for row in each.rows]
    metadata: Metadata = {
        "video": dg.MetadataValue.text(report.key),
        "stacks": dg.MetadataValue.int(stacks),
        "degraded_now": dg.MetadataValue.int(report.made),
        "rows_removed": dg.MetadataValue.int(report.removed),
        "out_of_range": dg.MetadataValue.int(sum(each.out_of_range for each in report.categories.values())),
        "categories": dg.MetadataValue.md(
            markdown_table(
                ("category", "stacks", "patches", "median dB of LR", "not within 20 to 60 dB"),
                [_cells(name, each) for name, each in report.categories.items()],
            )
        ),
        "folder": dg.MetadataValue.path(DataSet.of(settings).metadata_folder / "degradations"),
        "dagster/row_count": dg.MetadataValue.int(stacks),
    }
    if dbs:
        # A number, which the UI plots over the videos.
        metadata["db"] = dg.MetadataValue.float(round(float(np.median(dbs)), 2))
    return metadata


def _cells(name: str, of_category: CategoryDegradations) -> tuple[str, ...]:
    rows = of_category.rows
    median = f"{np.median([row.db for row in rows]):.1f}" if rows else "-"
    return name, str(len(rows)), str(of_category.patches), median, str(of_category.out_of_range)
