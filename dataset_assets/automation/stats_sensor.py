"""Keep statistics and the gallery's index current: while runs go on, after the last one, with the settings.

It reads the state of the history, not the event of a run's end: so they are updated whoever launches runs,
however these end, and also if the daemon was down meanwhile. Here: when an update is due. Not here: what it
writes (`dataset_stats`), what it costs and when the next one may follow (`updates`).
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
from pydantic import BaseModel, ValidationError

from dataset_assets import __version__
from dataset_assets.assets import DATASET_STATS, FINISHED, UNFINISHED, ended_s, video_of
from dataset_assets.automation.updates import Updates
from dataset_assets.config import ConfigReader, Settings
from dataset_assets.counting import are, counted
from dataset_assets.dataset import DataSet
from dataset_assets.errors import ConfigError, DatasetAssetsError

INTERVAL_S = 30
# Runs of other kinds are passed over; more of them than these neither end nor start in a minute.
RUNS_LOOKED_AT = 50


class _Cursor(BaseModel):
    """What the sensor knows of its last update, across restarts.

    Attributes:
        settings_hash: Of the settings, and the exclusions by hand, that it was made with.
        began_s: When it began, Unix time.
        unmarked: Partitions whose staleness it left to the next one.
    """

    settings_hash: str = ""
    began_s: float = 0.0
    unmarked: int = 0


@dataclass(frozen=True, slots=True)
class _Decision:
    """Whether the statistics are due, and why or why not.

    Attributes:
        why: In a few words.
        is_due: Whether something of them is out of date.
        runs_go_on: Whether an update is out of date again soon.
    """

    why: str
    is_due: bool = True
    runs_go_on: bool = False


def build_stats_sensor(updates: Updates) -> dg.SensorDefinition:
    """Build the sensor.

    Args:
        updates: What it keeps from one tick to the next.
    """

    @dg.sensor(
        name="stats_sensor",
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Adds the tables up and renews the gallery's index: every few minutes while runs go on, "
        "when the last one has ended, and when the configuration has changed. It needs no run of its own.",
    )
    def stats_sensor(
        context: dg.SensorEvaluationContext, config_reader: dg.ResourceParam[ConfigReader]
    ) -> dg.SensorResult | dg.SkipReason:
        try:
            settings = config_reader.read()
        except ConfigError as error:
            return dg.SkipReason(error.summary)
        cursor = _read_cursor(context.cursor)
        settings_hash = _hash_of(settings)
        decision = _decide(context.instance, cursor, settings_hash)
        if not decision.is_due:
            return dg.SkipReason(decision.why)
        wait_s = updates.wait_s(runs_go_on=decision.runs_go_on, has_unmarked=cursor.unmarked > 0)
        if wait_s > 0:
            at = datetime.fromtimestamp(time.time() + wait_s).astimezone()
            return dg.SkipReason(f"{decision.why}; the next update is due at {at:%H:%M}")
        began_s = time.time()
        try:
            update = updates.update(settings, context.instance)
        except (DatasetAssetsError, OSError) as error:
            return dg.SkipReason(f"the statistics could not be updated, it is tried again: {error}")
        if update is None:
            return dg.SkipReason("they are being updated")
        cursor = _Cursor(settings_hash=settings_hash, began_s=began_s, unmarked=update.unmarked)
        return dg.SensorResult(
            skip_reason=f"updated: {decision.why}",
            asset_events=list(update.events),
            cursor=cursor.model_dump_json(),
        )

    return stats_sensor


def _decide(instance: dg.DagsterInstance, cursor: _Cursor, settings_hash: str) -> _Decision:
    if settings_hash != cursor.settings_hash:
        why = "settings or exclusions changed" if cursor.settings_hash else "nothing was added up yet"
        return _Decision(why)
    going_on = _last(instance, UNFINISHED)
    ended = _last(instance, FINISHED)
    is_older = ended is not None and ended_s(ended) > _added_up_s(instance, cursor)
    if going_on is not None:
        return _Decision("runs go on", runs_go_on=True)
    if is_older:
        return _Decision("the last run has ended")
    if cursor.unmarked:
        partitions = f"{counted(cursor.unmarked, 'partition')} {are(cursor.unmarked)}"
        return _Decision(f"{partitions} to be marked as stale or up to date")
    why = "they are newer than the last run" if ended is not None else "no run on a video has ended"
    return _Decision(why, is_due=False)


def _last(instance: dg.DagsterInstance, statuses: list[dg.DagsterRunStatus]) -> dg.RunRecord | None:
    """Return the run on a video that changed last, among those in some states."""
    records = instance.get_run_records(
        dg.RunsFilter(statuses=statuses), limit=RUNS_LOOKED_AT, order_by="update_timestamp"
    )
    return next((record for record in records if video_of(record.dagster_run) is not None), None)


def _added_up_s(instance: dg.DagsterInstance, cursor: _Cursor) -> float:
    """When the tables were last added up, by this sensor or by a run: the beginning, Unix time."""
    event = instance.get_latest_materialization_event(dg.AssetKey(DATASET_STATS))
    record = instance.get_run_record_by_id(event.run_id) if event is not None else None
    of_run_s = (record.start_time or 0.0) if record is not None else 0.0
    return max(of_run_s, cursor.began_s)


def _read_cursor(text: str | None) -> _Cursor:
    try:
        return _Cursor.model_validate_json(text or "{}")
    except ValidationError:  # edited by hand, or another release's
        return _Cursor()


def _hash_of(settings: Settings) -> str:
    """Return what is another one where settings, exclusions or the release mean something else."""
    excluded_ns = DataSet.of(settings).excluded_windows.changed_ns
    content = f"{__version__} {excluded_ns} {settings.model_dump_json()}"
    return hashlib.blake2b(content.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()
