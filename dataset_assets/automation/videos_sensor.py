"""Keeps the partitions equal to the configuration, without a restart."""

import dagster as dg

from dataset_assets.config import Settings
from dataset_assets.partitions import VIDEOS, missing_keys

INTERVAL_S = 30


@dg.sensor(
    name="videos_sensor",
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes a partition of every configured video. It only adds: removing is left to people.",
)
def videos_sensor(
    context: dg.SensorEvaluationContext, dataset_config: dg.ResourceParam[Settings]
) -> dg.SensorResult | dg.SkipReason:
    """Adds a partition for each configured video that has none."""
    added = missing_keys(context.instance, dataset_config)
    if not added:
        return dg.SkipReason(f"{len(dataset_config.videos)} videos, no new one")
    return dg.SensorResult(dynamic_partitions_requests=[VIDEOS.build_add_request(added)])
