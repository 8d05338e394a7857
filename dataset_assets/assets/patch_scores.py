"""`patch_scores`: the scores of a video's patches, measured on their files.

Measuring and the tables are in the package `curation`; in which job it runs, in `definitions`.
"""

import dagster as dg

from dataset_assets.assets.patch_work import build_patch_work
from dataset_assets.assets.reporting import Metadata
from dataset_assets.assets.runs import PATCH_SCORES
from dataset_assets.assets.score_metadata import scores_metadata
from dataset_assets.config import Category, Settings
from dataset_assets.curation import ScoringReport, score_video
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
    return build_patch_work(
        PATCH_SCORES,
        categories,
        score_video,
        _metadata,
        table=SCORES_TABLE,
        version=SCORES_VERSION,
        stage="scores",
        description=DESCRIPTION,
    )


def _metadata(settings: Settings, report: ScoringReport) -> Metadata:
    return scores_metadata(settings, report.key, report.categories) | {
        "scored_now": dg.MetadataValue.int(report.made),
        "rows_removed": dg.MetadataValue.int(report.removed),
    }
