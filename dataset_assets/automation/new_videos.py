"""A sensor that keeps Dagster's state in line with the configuration and with what is alive.

It adds a partition for each new video, applies `max_workers`, keeps a copy of the configuration for when that
holds mistakes, and closes runs whose process is gone. It requests no run: `nightly` and people do.
"""

from pathlib import Path

import dagster as dg

from dataset_assets.assets import close_dead_runs, limit_to_max_workers
from dataset_assets.config import ConfigReader, keep_config
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet, look_for_new_films
from dataset_assets.errors import ConfigError
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
    context: dg.SensorEvaluationContext, config_reader: dg.ResourceParam[ConfigReader]
) -> dg.SkipReason:
    """Add a partition for each video that has none, and the rest that the description names."""
    try:
        settings = config_reader.read()
        look = look_for_new_films(settings)
    except ConfigError as error:
        return dg.SkipReason(error.summary)
    keep_config(config_reader.path, Path(context.instance.root_directory))
    close_dead_runs(context.instance, DataSet.of(settings))
    workers = str(settings.base.max_workers)
    if context.cursor != workers:
        limit_to_max_workers(context.instance, settings)
        context.update_cursor(workers)
    # Not by a request: the daemon looks each of its keys up by a query of its own, 17 CPU s for 5000.
    added = add_missing(context.instance, look.settings)
    for problem in look.problems:
        context.log.warning(problem)
    new = f"{len(added)} new, first {added[0]}" if added else "no new one"
    waiting = f", {len(look.waiting)} still being written" if look.waiting else ""
    notes = "".join(f"; {message}" for message in (*look.problems[:3], *look.skipped))
    return dg.SkipReason(f"{counted(len(look.settings.videos), 'video')}, {new}{waiting}{notes}")
