"""A sensor that records in Dagster's history which tables other machines have finished.

`ui` and `generate` do so when they start, which is enough for a data set that one machine makes: there the
history hears of every table. Here: when to look. Not here: which tables are new (`new_tables`).
"""

from __future__ import annotations

import time

import dagster as dg

from dataset_assets.assets import register, videos_in_work
from dataset_assets.automation.new_tables import NewTables
from dataset_assets.config import ConfigReader, Settings
from dataset_assets.counting import are, counted
from dataset_assets.errors import ConfigError, DatasetAssetsError

INTERVAL_S = 30
# Between looks, but for one after a run that failed: it may have lost its history, and not its film.
EVERY_S = 300.0
# Then tables are left to the next tick, which Dagster ends after 60 s.
MOST_S = 40.0


def build_register_tables(tables: NewTables) -> dg.SensorDefinition:
    """Build the sensor.

    Args:
        tables: What it keeps from one tick to the next.
    """
    looked_s = 0.0

    @dg.sensor(
        name="register_tables",
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Where `base_settings.machines` is `many`: records tables as materialised whose runs are "
        "not in this history, or were lost. Every five minutes, and after a run that failed.",
    )
    def register_tables(
        context: dg.SensorEvaluationContext, config_reader: dg.ResourceParam[ConfigReader]
    ) -> dg.SkipReason:
        nonlocal looked_s
        try:
            settings = config_reader.read()
        except ConfigError as error:
            return dg.SkipReason(error.summary)
        if settings.base.machines == "one":
            return dg.SkipReason("one machine makes this data set: its history hears of every table")
        now_s = time.time()
        if now_s - looked_s < EVERY_S and not _has_failed_since(context.instance, looked_s):
            return dg.SkipReason("no run has failed since the last look, less than five minutes ago")
        if not tables.lock.acquire(blocking=False):
            return dg.SkipReason("the last look goes on")
        try:
            registered, left = _register(context.instance, settings, tables)
        except (DatasetAssetsError, OSError) as error:
            return dg.SkipReason(f"the tables cannot be looked at, it is tried again: {error}")
        finally:
            tables.lock.release()
        looked_s = 0.0 if left else now_s
        rest = f", {left:,} left for the next tick" if left else ""
        return dg.SkipReason(f"{counted(registered, 'table')} {are(registered)} registered{rest}")

    return register_tables


def _register(instance: dg.DagsterInstance, settings: Settings, tables: NewTables) -> tuple[int, int]:
    """Record what is new; return how many tables were recorded, and how many are left."""
    began_s = time.monotonic()
    found = tables.find(instance, settings, videos_in_work(instance))
    registered = 0
    for count in register(instance, settings, found):
        registered += count
        if time.monotonic() - began_s > MOST_S:
            break
    return registered, len(found) - registered


def _has_failed_since(instance: dg.DagsterInstance, moment_s: float) -> bool:
    """Return whether a run has failed since a moment, Unix time."""
    failed = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=1, order_by="update_timestamp"
    )
    return bool(failed) and failed[0].update_timestamp.timestamp() > moment_s
