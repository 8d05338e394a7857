"""`source_video`: the properties of a film, found by probing it.

Probing is in `generate` and `video`; what the UI shows of it, in `reporting`.
"""

import dagster as dg

from dataset_assets.assets.asset_checks import (
    COLOURS_TAGGED,
    SOURCE_UNCHANGED,
    TRUE_RESOLUTION,
    check_result,
    check_specs,
)
from dataset_assets.assets.beginning import begin_step
from dataset_assets.assets.decode_pool import DECODE_POOL
from dataset_assets.assets.failures import failing_once
from dataset_assets.assets.gallery import page_follows
from dataset_assets.assets.reporting import GROUP, OWNER, column_schema, source_metadata
from dataset_assets.assets.runs import logging_waits
from dataset_assets.assets.video_limits import video_within_limits
from dataset_assets.checks import colours_tagged, source_unchanged, true_resolution
from dataset_assets.config import Settings
from dataset_assets.dataset import SOURCE_VERSION
from dataset_assets.generate import probe_video
from dataset_assets.partitions import VIDEO_PARTITIONS
from dataset_assets.tables import VIDEOS

SOURCE_VIDEO = "source_video"

DESCRIPTION = """A film as it was probed: size, colour, frame rate, black bars.

Probing decodes a dozen keyframes spread over the film. A film that must not be used (Dolby Vision profile 5,
interlaced, audio only, ...) fails here with an error that names the remedy.

- **Files**: one row for each film in `metadata/videos/video=<key>/` under the data set's folder.
- **Again**: materialise the partition after the film was replaced; windows and patches then count as stale.

```python
import pandas as pd

pd.read_parquet("dataset/metadata/videos")[["name", "width", "height", "hdr_format", "warnings"]]
```
"""


@dg.asset(
    name=SOURCE_VIDEO,
    partitions_def=VIDEO_PARTITIONS,
    group_name=GROUP,
    kinds={"ffmpeg", "parquet"},
    tags={"stage": "sources"},
    owners=[OWNER],
    description=DESCRIPTION,
    code_version=SOURCE_VERSION,
    # Dagster launches a run only if the pool of its first step has room.
    pool=DECODE_POOL,
    metadata={"dagster/column_schema": column_schema(VIDEOS)},
    check_specs=check_specs(SOURCE_VIDEO, COLOURS_TAGGED, SOURCE_UNCHANGED, TRUE_RESOLUTION),
)
def source_video(
    context: dg.AssetExecutionContext, dataset_config: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster takes a subscripted one for a tuple
    """Probe a film."""
    key = begin_step(context, dataset_config)
    with (
        failing_once(),
        page_follows(dataset_config, key),
        video_within_limits(dataset_config, context),
    ):
        row = probe_video(dataset_config, key, on_busy=logging_waits(context))
    found = {
        COLOURS_TAGGED: colours_tagged(row.warnings),
        SOURCE_UNCHANGED: source_unchanged(row.source_fingerprint, dataset_config.video(key).path),
        TRUE_RESOLUTION: true_resolution(row),
    }
    return dg.MaterializeResult(
        metadata=source_metadata(dataset_config, key, row),
        data_version=dg.DataVersion(row.fingerprint),
        check_results=[check_result(SOURCE_VIDEO, name, verdict) for name, verdict in found.items()],
    )
