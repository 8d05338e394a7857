"""Keeps the partitions equal to the configuration, without a restart."""

import dagster as dg

from dataset_assets.config import Settings
from dataset_assets.partitions import add_missing

INTERVAL_S = 30


@dg.sensor(
    name="videos_sensor",
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes a partition of every configured video. It only adds: removing is left to people.",
)
def videos_sensor(
    context: dg.SensorEvaluationContext, dataset_config: dg.ResourceParam[Settings]
) -> dg.SkipReason:
    """Adds a partition for each configured video that has none."""
    # Not by a request: the daemon looks each of its keys up by a query of its own, 17 CPU s for 5000.
    added = add_missing(context.instance, dataset_config)
    new = f"{len(added)} new, first {added[0]}" if added else "no new one"
    return dg.SkipReason(f"{len(dataset_config.videos)} videos, {new}")
