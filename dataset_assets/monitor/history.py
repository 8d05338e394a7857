"""Read from Dagster's history which runs go on, which failed and why.

Nothing is written: reading creates no home, database or partition. (SQLite itself keeps lock files beside a
database while it is read.) Not here: what the runs have made, which is in the tables and progress files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import dagster as dg

from dataset_assets.assets import (
    LAUNCHED_BY_TAG,
    PARTITION_TAG,
    SOURCE_VIDEO,
    WINDOWS_TAG,
    ended_s,
    failed_videos,
    host_of,
    is_of_this_machine,
    process_of,
    video_of,
)
from dataset_assets.dagster_internals import has_events, is_initialised
from dataset_assets.dataset import AssetStatus, AtWork, Failure, Overview, newest
from dataset_assets.definitions import MAKE_PATCHES_JOB, STATS_JOB
from dataset_assets.monitor.snapshot import ActiveRun, Activity, EndedRun, LastRun, Phase, RunState
from dataset_assets.monitor.units import duration
from dataset_assets.process import was_running

# Launched by these, in this order; what has none of the tags came from Dagster's UI or command line.
LAUNCHERS = {
    "dagster/schedule_name": "schedule",
    "dagster/sensor_name": "sensor",
    "dagster/backfill": "backfill",
}
# The newest ended runs, by which the time left is estimated.
MOST_ENDED = 200
# A run takes its slot over from another while its process starts; what is longer was a pause.
LONGEST_START_S = 60.0
# The newest backfills, among which are those that go on.
BACKFILLS = 5
# Videos that failed of which queued runs are looked for: SQLite takes 32,766 values in a query.
MOST_FAILED = 10_000
# Dagster gives a run worker that long to start (start_timeout_seconds of dagster.yaml).
START_TIMEOUT_S = 180.0
# The event after a run's start names its process, milliseconds later.
STARTED_TIMEOUT_S = 10.0

_STATUS = dg.DagsterRunStatus
_QUEUED = [_STATUS.QUEUED]
_ACTIVE = [_STATUS.STARTING, _STATUS.STARTED, _STATUS.CANCELING]
_ENDED: dict[dg.DagsterRunStatus, RunState] = {
    _STATUS.SUCCESS: "succeeded",
    _STATUS.FAILURE: "failed",
    _STATUS.CANCELED: "cancelled",
}
_TYPE = dg.DagsterEventType


@dataclass(frozen=True, slots=True)
class _Past:
    """What ended.

    Attributes:
        run_id: The run that ended last.
        statuses: The states of the tables at that time.
        failures: Why videos failed.
        ended: The newest runs on videos.
        last_run: The run that ended last.
    """

    run_id: str
    statuses: Mapping[str, Mapping[str, AssetStatus]]
    failures: tuple[Failure, ...]
    ended: tuple[EndedRun, ...]
    last_run: LastRun | None


class History:
    """Dagster's history of one data set."""

    def __init__(self, home: Path, keys: Collection[str]) -> None:
        """Open nothing yet.

        Args:
            home: The Dagster home; it need not exist.
            keys: The videos' keys; runs of other partitions belong to another project.
        """
        self._home = home
        self._keys = frozenset(keys)
        self._instance: dg.DagsterInstance | None = None
        self._past: _Past | None = None

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, at_work: Mapping[str, AtWork], overview: Overview, now_s: float) -> Activity:
        """Read the runs that go on, and those that ended.

        Args:
            at_work: The run that works on each video, or did until it was killed.
            overview: The state of the data set; a video of which nothing is missing has not failed.
            now_s: Unix time.
        """
        try:
            if not is_initialised(self._home):
                self.close()
                return Activity()
            if self._instance is None:
                self._instance = dg.DagsterInstance.from_config(str(self._home))
            return self._read(self._instance, at_work, overview, now_s)
        except Exception as error:  # each storage raises what its driver raises
            self.close()
            reason = str(error).strip().splitlines()
            what = reason[0] if reason else type(error).__name__
            return Activity(problem=f"The history in {self._home} cannot be read now ({what}).")

    def close(self) -> None:
        """Close the storage; the next reading opens it again."""
        if self._instance is not None:
            self._instance.dispose()
            self._instance = None

    def _read(
        self,
        instance: dg.DagsterInstance,
        at_work: Mapping[str, AtWork],
        overview: Overview,
        now_s: float,
    ) -> Activity:
        runs, failures = [], []
        for record in instance.get_run_records(dg.RunsFilter(statuses=_ACTIVE)):
            if not self._is_ours(record.dagster_run):
                continue
            found = self._active(instance, record, at_work.get(_key(record.dagster_run)), now_s)
            if isinstance(found, ActiveRun):
                runs.append(found)
            elif found.key not in overview.statuses or not overview.is_done(found.key):
                failures.append(found)
        past = self._read_past(instance, overview)
        failures += past.failures
        failed = {each.key for each in failures if each.key} | overview.failures.keys()
        return Activity(
            runs=tuple(runs),
            queued=instance.get_runs_count(dg.RunsFilter(statuses=_QUEUED)),
            queued_again=self._queued_of(instance, failed),
            backfills=sum(
                each.status.name == "REQUESTED" for each in instance.get_backfills(limit=BACKFILLS)
            ),
            failures=tuple(newest(failures).values()),
            ended=past.ended,
            last_run=past.last_run,
            problem="",
        )

    def _queued_of(self, instance: dg.DagsterInstance, keys: Collection[str]) -> frozenset[str]:
        """Return those of some videos of which a run waits for its start."""
        if not keys:
            return frozenset()
        tags: dict[str, str | list[str]] = {PARTITION_TAG: sorted(keys)[:MOST_FAILED]}
        records = instance.get_run_records(dg.RunsFilter(statuses=_QUEUED, tags=tags))
        return frozenset(_key(record.dagster_run) for record in records)

    def _is_ours(self, run: dg.DagsterRun) -> bool:
        key = _key(run)
        return key in self._keys if key else run.job_name in (MAKE_PATCHES_JOB, STATS_JOB)

    def _active(
        self, instance: dg.DagsterInstance, record: dg.RunRecord, at_work: AtWork | None, now_s: float
    ) -> ActiveRun | Failure:
        """Return a run that Dagster counts as going on; a failure where its process is known to be gone."""
        run = record.dagster_run
        changed_s = record.update_timestamp.timestamp()
        started_s = record.start_time or changed_s
        is_lost = _is_lost(at_work, started_s)
        phase: Phase | None = None
        if at_work is not None and at_work.is_alive and at_work.progress is not None:
            phase = "working"
        elif not is_lost:
            phase = self._phase_without_progress(instance, run, now_s, now_s - changed_s)
        if phase is None:
            lost = "no process of this machine works on it"
            if is_lost and at_work is not None and at_work.beat is not None and not at_work.is_here:
                silent_s = now_s - at_work.beat.beaten_s
                lost = f"{at_work.host} has given no sign of life for {duration(silent_s)}"
            name = _key(run) or run.job_name
            what = f"{name}: Dagster counts run {run.run_id[:8]} as going on, but {lost}"
            remedy = "if it was killed, run generate again, it goes on from the last commit"
            return Failure(_key(run), "", what, remedy, run.run_id, changed_s)
        if run.status is _STATUS.CANCELING:
            phase = "stopping"
        windows = run.tags.get(WINDOWS_TAG)
        return ActiveRun(
            _key(run),
            run.job_name,
            phase,
            _launcher(run),
            run.run_id,
            started_s,
            None if windows is None else int(windows),
            host_of(instance, run) or "",
        )

    def _phase_without_progress(
        self, instance: dg.DagsterInstance, run: dg.DagsterRun, now_s: float, quiet_s: float
    ) -> Phase | None:
        """Return the phase before the first progress or after the last; None where the process is gone."""
        phase: Phase = "starting"
        entries = self._events(
            instance, run.run_id, {_TYPE.ENGINE_EVENT, _TYPE.STEP_START, _TYPE.STEP_SUCCESS}
        )
        for entry in entries:
            event = entry.dagster_event
            if event is None:
                continue
            if event.event_type is _TYPE.STEP_START:
                phase = "probing" if event.step_key == SOURCE_VIDEO else "working"
            elif event.event_type is _TYPE.STEP_SUCCESS:
                phase = "waiting" if event.step_key == SOURCE_VIDEO else "finishing"
            elif "step_keys" in event.engine_event_data.metadata and phase == "starting":
                phase = "waiting"  # its steps would have started but for the pool
        if not is_of_this_machine(instance, run):
            return phase  # its launcher looks after it, before it holds its video and after
        process = process_of(entries)
        if process is None:
            timeout_s = START_TIMEOUT_S if run.status is _STATUS.STARTING else STARTED_TIMEOUT_S
            return phase if quiet_s < timeout_s else None
        pid, seen_s = process
        return phase if was_running(pid, now_s - seen_s) else None

    def _events(
        self, instance: dg.DagsterInstance, run_id: str, kinds: set[dg.DagsterEventType]
    ) -> list[dg.EventLogEntry]:
        if not has_events(self._home, run_id):
            return []
        return list(instance.all_logs(run_id, of_type=kinds))

    def _read_past(self, instance: dg.DagsterInstance, overview: Overview) -> _Past:
        """Return what ended; read again where another run has ended or the tables were scanned again."""
        last = self._ended(instance, list(_ENDED), 1)
        run_id = last[0].dagster_run.run_id if last else ""
        past = self._past
        if past is None or past.run_id != run_id or past.statuses is not overview.statuses:
            past = self._past = _Past(
                run_id,
                overview.statuses,
                tuple(failed_videos(instance, overview).values()),
                _ended_runs(self._ended(instance, [_STATUS.SUCCESS, _STATUS.FAILURE], MOST_ENDED)),
                _last_run(last[0]) if last else None,
            )
        return past

    def _ended(
        self, instance: dg.DagsterInstance, statuses: list[dg.DagsterRunStatus], limit: int
    ) -> list[dg.RunRecord]:
        """Return the runs that ended last, the newest first."""
        records = instance.get_run_records(
            dg.RunsFilter(statuses=statuses), limit=limit, order_by="update_timestamp"
        )
        return [record for record in records if self._is_ours(record.dagster_run)]


def _ended_runs(records: Sequence[dg.RunRecord]) -> tuple[EndedRun, ...]:
    """Return the ended runs that worked on windows, from the moment at which each got its slot."""
    found = []
    ends_s = sorted(ended_s(record) for record in records)
    for record in records:
        windows = record.dagster_run.tags.get(WINDOWS_TAG)
        if windows is None or record.start_time is None:
            continue
        earliest_s = max(record.create_timestamp.timestamp(), record.start_time - LONGEST_START_S)
        freed_s = max((each for each in ends_s if each < record.start_time), default=0.0)
        found.append(EndedRun(max(earliest_s, freed_s), ended_s(record), int(windows)))
    return tuple(found)


def _is_lost(at_work: AtWork | None, started_s: float) -> bool:
    """Return whether a run held its video and does so no longer: its last beat is of after its start."""
    if at_work is None or at_work.is_alive or at_work.beat is None:
        return False
    return at_work.beat.beaten_s >= started_s


def _key(run: dg.DagsterRun) -> str:
    return video_of(run) or ""


def _launcher(run: dg.DagsterRun) -> str:
    if LAUNCHED_BY_TAG in run.tags:
        return run.tags[LAUNCHED_BY_TAG]
    for tag, name in LAUNCHERS.items():
        if tag in run.tags:
            return f"{name} {run.tags[tag]}"
    return "Dagster"


def _last_run(record: dg.RunRecord) -> LastRun:
    run = record.dagster_run
    return LastRun(_key(run), run.job_name, _ENDED[run.status], ended_s(record), run.run_id)
