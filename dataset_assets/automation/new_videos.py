"""A sensor that keeps Dagster's state in line with the configuration and with what is alive.

It adds a partition for each new video, applies `max_workers`, and closes runs whose process is gone. It
requests no run: that is for `nightly` and for people.
"""

import dagster as dg

from dataset_assets.assets import close_dead_runs, limit_to_max_workers
from dataset_assets.config import Settings, look_for_films
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet
from dataset_assets.partitions import add_missing

INTERVAL_S = 30


@dg.sensor(
    name="videos_sensor",
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds a partition for every configured video, and for every film in a watched folder once it "
    "is complete; deletes none. Applies a change of `max_workers` to the pool `decode`, and records runs "
    "whose process is gone as failed.",
)
def videos_sensor(
    context: dg.SensorEvaluationContext, dataset_config: dg.ResourceParam[Settings]
) -> dg.SkipReason:
    """Add a partition for each video that has none, and the rest that the description names."""
    close_dead_runs(context.instance, DataSet.of(dataset_config))
    workers = str(dataset_config.base.max_workers)
    if context.cursor != workers:
        limit_to_max_workers(context.instance, dataset_config)
        context.update_cursor(workers)
    look = look_for_films(dataset_config)
    # Not by a request: the daemon looks each of its keys up by a query of its own, 17 CPU s for 5000.
    added = add_missing(context.instance, look.settings)
    for problem in look.problems:
        context.log.warning(problem)
    new = f"{len(added)} new, first {added[0]}" if added else "no new one"
    waiting = f", {len(look.waiting)} still being written" if look.waiting else ""
    notes = "".join(f"; {message}" for message in (*look.problems[:3], *look.skipped))
    return dg.SkipReason(f"{counted(len(look.settings.videos), 'video')}, {new}{waiting}{notes}")
