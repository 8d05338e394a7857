"""Take snapshots of a data set from its tables, progress files and the machine's figures. It only reads.

Not here: which runs go on, which the caller passes in (`history`, `launched_runs`); sums and estimates
(`aggregate`); how a snapshot is shown (`live_view`).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from dataset_assets.config import Settings
from dataset_assets.dataset import (
    SOURCE,
    WINDOWS,
    AssetStatus,
    AtWork,
    Completion,
    DataSet,
    Failure,
    HostRecord,
    Overview,
    Progress,
    eta_s,
    newest,
    windows_per_s,
    windows_to_do,
)
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.generate import bytes_per_pixel
from dataset_assets.monitor.aggregate import (
    VideoState,
    VideoSummary,
    category_states,
    disk,
    overall,
    patch_bytes,
    ratio,
)
from dataset_assets.monitor.hosts import host_states
from dataset_assets.monitor.machine import MachineReader, ProcessUse
from dataset_assets.monitor.snapshot import SCHEMA_VERSION, ActiveRun, Activity, Phase, Snapshot, VideoRun
from dataset_assets.object_store import StoreError

REFRESH_S = 2.0
# Between two looks at the leases in an object store; a lease of 60 s beats as often.
STORE_PAUSE_S = 5.0
# A scan of the tables is followed by a pause of so many times its own length: at most 5% of a core.
PAUSE_PER_SCAN = 20


@dataclass(frozen=True, slots=True)
class _Tables:
    """What a scan of the tables found.

    Attributes:
        next_scan_s: When the next scan is due; a monotonic clock.
        running: Keys of the videos that ran during the scan.
        overview: The state of the data set.
        judged: Windows accepted and candidates made, by video.
        made: Patches, their bytes, and those that they would have with the files and the scale that are
            wanted, by video and category.
        other_bytes: Bytes of patches of other videos or categories.
    """

    next_scan_s: float
    running: frozenset[str]
    overview: Overview
    judged: Mapping[str, tuple[int, int]]
    made: Mapping[tuple[str, str], tuple[int, int, int]]
    other_bytes: int


class SnapshotCollector:
    """Takes snapshots of one data set; what changes rarely is kept from one to the next."""

    def __init__(
        self, settings: Settings, keys: Collection[str] = (), categories: Sequence[str] = ()
    ) -> None:
        """Read nothing yet.

        Args:
            settings: The configuration.
            keys: Keys of the videos; all where empty.
            categories: The categories; all where empty.
        """
        self._settings = settings
        self._categories = list(categories or settings.categories)
        self._entries = {entry.key: entry for entry in settings.videos if not keys or entry.key in keys}
        self._data_set = DataSet.of(settings, caches_footers=True)
        self._machine = MachineReader()
        self._tables: _Tables | None = None
        # Runs whose progress was seen: without, they are past their pass, and not before it.
        self._begun: set[tuple[str, float]] = set()
        self._at_work: dict[str, AtWork] = {}
        self._records: Mapping[str, HostRecord] = {}
        self._next_leases_s = 0.0
        self._looked_s = 0.0

    def at_work(self) -> dict[str, AtWork]:
        """Return the run that works on each video, or did until it was killed, by key.

        With many machines the leases of all videos are read now and then: 0.15 CPU s for 5000, and a request
        to the file server for each. In between, those of videos that were held or have progress; of an object
        store, which may charge for requests, as often as they change.
        """
        with suppress(StoreError):  # what was seen last is shown while the store is away
            self._look()
        return self._at_work

    def _look(self) -> None:
        started_s = time.monotonic()
        if not self._data_set.is_made_by_many:
            self._at_work = self._data_set.at_work()
        elif started_s >= self._next_leases_s:
            self._at_work = self._data_set.at_work()
            self._records = self._data_set.host_records()
            ended_s = time.monotonic()
            self._next_leases_s = ended_s + PAUSE_PER_SCAN * (ended_s - started_s)
            self._looked_s = ended_s
        elif self._settings.base.output_url is None or started_s >= self._looked_s + STORE_PAUSE_S:
            self._looked_s = started_s
            keys = {*self._at_work, *(progress.key for progress in self._data_set.progress())}
            self._at_work = self._data_set.at_work(keys)

    def snapshot(self, activity: Activity) -> Snapshot:
        """Take a snapshot.

        Args:
            activity: The runs that go on, and those that ended.
        """
        now_s = time.time()
        found, are_many = self.at_work(), self._data_set.is_made_by_many
        at_work = {key: each for key, each in found.items() if each.is_alive}
        passes = {key: each.progress for key, each in at_work.items()}
        live = {key: each for key, each in passes.items() if each is not None and not each.is_probe}
        runs = {run.key: run for run in activity.runs if run.key}
        running = frozenset(at_work.keys() | runs.keys())
        left = found.keys() - running
        tables = self._scanned_tables(running)
        # Runs from Python are known to nobody else.
        failures = newest([*self._kept_failures().values(), *activity.failures])
        states = self._states(tables, running, left, failures, activity)
        videos = [self._summary(key, state, tables, live.get(key)) for key, state in states.items()]
        to_come = frozenset(key for key in activity.waiting or () if states.get(key) == "waiting")
        if activity.waiting is None:
            to_do = frozenset(key for key, state in states.items() if state in ("waiting", "interrupted"))
            to_come = to_do | activity.queued_again
        self._begun &= {(run.key, run.started_s) for run in runs.values()}
        self._begun |= {(run.key, run.started_s) for run in runs.values() if run.key in live}
        machine, uses = self._machine.read([live[key].pid for key in live if at_work[key].is_here])
        going_on, waits = bool(running or activity.runs), bool(activity.queued or activity.backfills)
        return Snapshot(
            schema_version=SCHEMA_VERSION,
            taken_s=now_s,
            output_base_dir=str(self._data_set.folder),
            state="running" if going_on else "queued" if waits else "idle",
            overall=overall(videos, activity, to_come, now_s),
            videos=self._video_runs(runs, at_work, uses, now_s),
            categories=category_states(videos, self._categories),
            disk=disk(videos, self._settings, tables.other_bytes, self._data_set.free_bytes),
            machine=machine,
            hosts=host_states(found, self._records, now_s) if are_many else (),
            failures=tuple(each for each in failures.values() if states.get(each.key) == "failed"),
            interrupted=tuple(key for key, state in states.items() if state == "interrupted"),
            last_run=activity.last_run,
            problems=(*tables.overview.stats.problems, *([activity.problem] if activity.problem else ())),
        )

    def overview(self) -> Overview:
        """Return the state of the data set as of the last scan, with the failures of this moment."""
        return replace(self._last_scan().overview, failures=self._kept_failures())

    def windows_to_do(self, key: str, *, force: bool) -> int:
        """Return the windows that a run on a video has to work on.

        Args:
            key: The video's key.
            force: Whether it rebuilds what is up to date.
        """
        found = self._last_scan().overview.completions[key]
        return windows_to_do({name: found[name] for name in (WINDOWS, *self._categories)}, force=force)

    def completion(self) -> Completion:
        """Return how far the patches of all videos have come, as the tables are now."""
        self._tables = None
        found = self._last_scan().overview.completions
        figures = (found[key][name] for key in self._entries for name in self._categories)
        return sum(figures, Completion())

    def _last_scan(self) -> _Tables:
        return self._scanned_tables(self._tables.running if self._tables else frozenset())

    def _kept_failures(self) -> dict[str, Failure]:
        return {key: each for key, each in self._data_set.failures.read().items() if key in self._entries}

    def bytes_of(self, patches: Mapping[str, Mapping[str, int]], films: Mapping[str, tuple[int, int]]) -> int:
        """Estimate the bytes of patches that are to be made.

        Args:
            patches: How many, by video and category.
            films: Width and height of the coded frame of films that were not probed yet, by video, pixels.
        """
        made = self._scanned_tables(frozenset()).made
        total = 0.0
        for category in self._settings.categories:
            there = [each for (_, name), each in made.items() if name == category]
            count_there, bytes_there = sum(each[0] for each in there), sum(each[2] for each in there)
            for key, counts in patches.items():
                if count := counts.get(category, 0):
                    film = films.get(key)
                    total += count * patch_bytes(self._settings, category, count_there, bytes_there, film)
        return round(total)

    def _growth(self, key: str, category: str) -> float:
        """Return how many times larger patches would be with the files and the scale that are wanted.

        Estimated from the pixels in their files.
        """
        base, tables = self._settings.base, self._data_set.tables
        try:
            made = tables.read_provenance(tables.patches_path(category, key))
        except DatasetAssetsError:  # a damaged table, which the statistics report
            made = None
        if made is None:
            return 1.0
        return bytes_per_pixel(base.file_kinds, base.scale) / bytes_per_pixel(made.kinds, made.scale)

    def _scanned_tables(self, running: frozenset[str]) -> _Tables:
        """Return the last scan of the tables, or a new one where it is due or a run has started or ended."""
        started_s = time.monotonic()
        kept = self._tables
        if kept is not None and kept.running == running and started_s < kept.next_scan_s:
            return kept
        overview = self._data_set.overview(self._settings)
        stats = overview.stats
        made = {
            (row["video"], row["category"]): (
                row["patches"],
                row["size_bytes"],
                round(row["size_bytes"] * self._growth(row["video"], row["category"])),
            )
            for row in stats.video_categories.to_dict("records")
        }
        others = [key for key in made if key[0] not in self._entries or key[1] not in self._categories]
        ended_s = time.monotonic()
        self._tables = _Tables(
            next_scan_s=ended_s + PAUSE_PER_SCAN * (ended_s - started_s),
            running=running,
            overview=overview,
            judged={
                row["video"]: (row["accepted"], row["candidates"]) for row in stats.videos.to_dict("records")
            },
            made=made,
            other_bytes=sum(made[key][1] for key in others),
        )
        return self._tables

    def _summary(
        self, key: str, state: VideoState, tables: _Tables, progress: Progress | None
    ) -> VideoSummary:
        statuses = tables.overview.statuses[key]
        found = tables.overview.completions[key]
        if progress is not None:
            found = self._data_set.completions(self._settings, self._entries[key], statuses, progress)
        made = {name: tables.made.get((key, name), (0, 0, 0)) for name in self._categories}
        size_bytes = {name: each[1] for name, each in made.items()}
        wanted_bytes = {name: each[2] for name, each in made.items()}
        if progress is not None:
            # Those of other settings are there until they are replaced.
            written = {
                name: max(size_bytes[name], progress.patches_bytes[name])
                for name in progress.patches
                if name in made
            }
            size_bytes |= written
            wanted_bytes |= written
        accepted, candidates = tables.judged.get(key, (0, 0))
        if progress is not None and progress.candidates >= candidates:
            accepted, candidates = progress.accepted, progress.candidates
        if state == "waiting" and self._is_done(statuses):
            # What waits although nothing is missing is rebuilt.
            found = {
                name: Completion(each.target, stale=each.done + each.stale) for name, each in found.items()
            }
        patches = {name: found[name] for name in self._categories}
        to_do = windows_to_do({WINDOWS: found[WINDOWS], **patches})
        return VideoSummary(
            key, state, to_do, accepted, candidates, patches, size_bytes, wanted_bytes, progress
        )

    def _states(
        self,
        tables: _Tables,
        running: Collection[str],
        left: Collection[str],
        failed: Collection[str],
        activity: Activity,
    ) -> dict[str, VideoState]:
        """Return the state of each video.

        Args:
            tables: The last scan of the tables.
            running: Keys of the videos that are worked on.
            left: Keys of the videos whose run was killed.
            failed: Keys of the videos whose last run failed.
            activity: The runs that go on, and those that ended.
        """
        states: dict[str, VideoState] = {}
        for key in self._entries:
            found = tables.overview.statuses[key]
            if key in running:
                states[key] = "running"
            elif key in (activity.waiting or ()) and (activity.is_forced or not self._is_done(found)):
                states[key] = "waiting"
            elif key in failed:
                states[key] = "failed"
            elif self._is_done(found):
                states[key] = "too_small" if found[WINDOWS].state == "too_small" else "done"
            elif key in left or any(status.state == "partial" for status in found.values()):
                states[key] = "interrupted"
            else:
                states[key] = "waiting"
        return states

    def _in_phase(self, run: ActiveRun | None, progress: Progress | None) -> ActiveRun | None:
        """Return a run in the phase that its progress shows."""
        if run is None or run.phase == "stopping":
            return run
        if progress is not None:
            return replace(run, phase="film away" if progress.film_away_s else "working")
        return replace(run, phase="finishing") if (run.key, run.started_s) in self._begun else run

    def _video_runs(
        self,
        runs: Mapping[str, ActiveRun],
        at_work: Mapping[str, AtWork],
        uses: Mapping[int, ProcessUse],
        now_s: float,
    ) -> tuple[VideoRun, ...]:
        """Return the videos that are worked on, by key.

        Args:
            runs: The runs that go on, by video.
            at_work: The live run that works on each video.
            uses: What processes of this machine use.
            now_s: Unix time.
        """
        are_many = self._data_set.is_made_by_many
        # Progress of other machines is not copied to an object store.
        without_progress: Phase = "probing" if self._settings.base.output_url is None else "working"
        found = []
        for key in sorted(runs.keys() | at_work.keys()):
            work = at_work.get(key)
            progress = work.progress if work is not None else None
            run = self._in_phase(runs.get(key), progress)
            if run is None:
                # Dagster knows nothing of it: it was started from Python, or by another machine.
                phase: Phase = "film away" if progress and progress.film_away_s else "working"
                is_here = work is None or work.is_here
                phase = phase if progress is not None or is_here else without_progress
                started_s = progress.started_s if progress is not None else now_s
                run = ActiveRun(key, "", phase, "Python" if is_here else "elsewhere", "", started_s)
            use = uses.get(progress.pid) if progress and work and work.is_here else None
            host = work.host if work is not None else run.host
            found.append(_video_run(run, progress, use, host if are_many else "", now_s))
        return tuple(found)

    def _is_done(self, found: Mapping[str, AssetStatus]) -> bool:
        return all(found[name].is_done for name in (SOURCE, WINDOWS, *self._categories))


def _video_run(
    run: ActiveRun, progress: Progress | None, use: ProcessUse | None, host: str, now_s: float
) -> VideoRun:
    pass_ = progress or Progress(run.key, pid=0, process="none")
    rate = windows_per_s(pass_, now_s)
    return VideoRun(
        key=run.key,
        phase=run.phase,
        launched_by=run.launched_by,
        run_id=run.run_id,
        host=host or None,
        pid=progress.pid if progress is not None else None,
        started_s=run.started_s,
        updated_s=progress.updated_s if progress is not None else None,
        share=ratio(pass_.windows_done, pass_.windows_target) or 0.0,
        eta_s=eta_s(pass_, now_s),
        windows_target=pass_.windows_target,
        windows_done=pass_.windows_done,
        windows_per_minute=None if rate is None else 60 * rate,
        windows_uncommitted=pass_.windows_uncommitted,
        committed_s=pass_.committed_s or None,
        candidates=pass_.candidates,
        accepted=pass_.accepted,
        acceptance_rate=ratio(pass_.accepted, pass_.candidates),
        patches=sum(pass_.patches.values()),
        patches_target=sum(pass_.patches_target.values()),
        size_bytes=sum(pass_.patches_bytes.values()),
        cpu_percent=use.cpu_percent if use else None,
        memory_bytes=use.memory_bytes if use else None,
    )
