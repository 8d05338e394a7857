"""The state of a data set and its runs at one moment, which `generate` and `monitor` show.

Plain values, nothing that reads a file or a clock (`collector`). `monitor --json` prints a `Snapshot` with
these names as its keys; they are documented in docs/monitor.md, and stay.

Units are in the names: `_s` is seconds, or Unix time where the field is a moment; `_bytes` bytes; `_percent`
0 to 100, for the processor time of processes 100 for each core; `share` and `_rate` are 0 to 1. None: not
known.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from dataset_assets.dataset import Failure

SCHEMA_VERSION = 2

Phase = Literal["starting", "probing", "waiting", "working", "film away", "finishing", "stopping"]
RunState = Literal["succeeded", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run that goes on, as whoever launched it reports it.

    Attributes:
        key: The video's key; empty for a run of no video, such as the statistics.
        job: The Dagster job.
        phase: How far it is: `starting`; `probing` the film; `waiting` for a slot in the decode pool;
            `working` on windows and patches; `film away`, which is tried again; `finishing` with checks and
            pages; `stopping`.
        launched_by: Who launched it.
        run_id: The Dagster run; empty where there is none.
        started_s: When it started, Unix time.
        windows: Windows to work on, as the tables showed at its start; None where it has not come to them.
        host: The machine that works on it; empty where it is not known.
    """

    key: str
    job: str
    phase: Phase
    launched_by: str
    run_id: str
    started_s: float
    windows: int | None = None
    host: str = ""


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run on a video that ended, whether it succeeded or not.

    Attributes:
        started_s: When it started, or the slot became free for it, Unix time.
        ended_s: When it ended, Unix time.
        windows: Windows to work on, as the tables showed at its start; 0 where it is not known that it came
            to one.
    """

    started_s: float
    ended_s: float
    windows: int


@dataclass(frozen=True, slots=True)
class LastRun:
    """The run that ended last.

    Attributes:
        key: The video's key; empty for a run of no video.
        job: The Dagster job.
        state: How it ended.
        ended_s: When, Unix time.
        run_id: The Dagster run.
    """

    key: str
    job: str
    state: RunState
    ended_s: float
    run_id: str


@dataclass(frozen=True, slots=True)
class Activity:
    """The runs that go on, wait or failed, from Dagster's history or from `generate` itself.

    Attributes:
        runs: Runs that go on.
        queued: Runs that wait for their start.
        queued_again: Keys of the videos that failed and of which a run waits for its start.
        backfills: Backfills that go on, or wait for Dagster's daemon to take them up.
        failures: The newest first, one for each video.
        ended: The newest runs on videos that ended, by which the time left is estimated.
        last_run: The run that ended last.
        waiting: Keys of the videos whose turn has yet to come, where the caller knows; else what is missing
            or stale counts as waiting.
        is_forced: Whether those whose turn has yet to come are rebuilt though nothing of them is missing.
        problem: Why the history could not be read; empty where it was, or where there is none.
    """

    runs: tuple[ActiveRun, ...] = ()
    queued: int = 0
    queued_again: frozenset[str] = frozenset()
    backfills: int = 0
    failures: tuple[Failure, ...] = ()
    ended: tuple[EndedRun, ...] = ()
    last_run: LastRun | None = None
    waiting: frozenset[str] | None = None
    is_forced: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class VideoRun:
    """A video that is worked on.

    Attributes:
        key: The video's key.
        phase: `starting`; `probing` the film; `waiting` for a slot in the decode pool; `working` on
            windows and patches; `film away`, which is tried again; `finishing` with checks and pages;
            `stopping`.
        launched_by: What launched the run.
        run_id: The Dagster run; empty where there is none.
        host: The machine that works on it; null where one machine makes the data set, or it is not known.
        pid: The process that works on it, on its machine.
        started_s: When it started, Unix time.
        updated_s: When its progress was written last, Unix time.
        share: Share of its windows that is processed.
        eta_s: Seconds until it is done, at the rate of this run so far.
        windows_target: Windows to process.
        windows_done: Windows processed.
        windows_per_minute: Windows processed per minute, in this run so far.
        windows_uncommitted: Windows processed since the last commit.
        committed_s: When this run committed last, Unix time.
        candidates: Candidates tried.
        accepted: Windows accepted.
        acceptance_rate: accepted / candidates.
        patches: Patches made, in all categories.
        patches_target: Patches wanted.
        size_bytes: Bytes of its patches.
        cpu_percent: Processor time of its process, if it is one of this machine; 100 is one core.
        memory_bytes: Memory of its process, if it is one of this machine.
    """

    key: str
    phase: Phase
    launched_by: str
    run_id: str
    host: str | None
    pid: int | None
    started_s: float
    updated_s: float | None
    share: float
    eta_s: float | None
    windows_target: int
    windows_done: int
    windows_per_minute: float | None
    windows_uncommitted: int
    committed_s: float | None
    candidates: int
    accepted: int
    acceptance_rate: float | None
    patches: int
    patches_target: int
    size_bytes: int
    cpu_percent: float | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Overall:
    """Totals of the data set, or of the videos that a `generate` was asked for.

    Attributes:
        videos: Videos.
        videos_done: Videos of which nothing is missing or stale.
        videos_too_small: Videos that no format fits.
        videos_running: Videos with an active run.
        videos_failed: Videos whose last run failed.
        videos_interrupted: Videos whose last run was killed or stopped before its end.
        videos_waiting: The other videos: missing or stale.
        runs_queued: Dagster runs that wait for their start.
        backfills: Backfills that go on, or wait for Dagster's daemon to take them up.
        share: Share of the patches that the films can give that is done: patches / (patches_target -
            patches_short); 1 where they can give none.
        eta_s: Seconds until all videos except the failed ones are done, at the pace of the runs so far.
        patches: Patches that there are of those wanted, up to date.
        patches_target: Patches wanted by the configuration: made, short and to do.
        patches_short: Wanted patches that the films cannot give.
        patches_to_do: Wanted patches that are still to be made.
        windows_per_minute: Windows processed per minute by the active runs.
    """

    videos: int
    videos_done: int
    videos_too_small: int
    videos_running: int
    videos_failed: int
    videos_interrupted: int
    videos_waiting: int
    runs_queued: int
    backfills: int
    share: float
    eta_s: float | None
    patches: int
    patches_target: int
    patches_short: int
    patches_to_do: int
    windows_per_minute: float | None


@dataclass(frozen=True, slots=True)
class CategoryState:
    """Totals of a category over all videos.

    Attributes:
        category: Its name.
        patches: Patches that there are of those wanted, up to date.
        patches_stale: Patches of stale tables, or more than are wanted: made again, kept or deleted.
        patches_target: Patches wanted by the configuration: made, short and to do.
        patches_short: Wanted patches that the films cannot give.
        patches_to_do: Wanted patches that are still to be made.
        share: patches / (patches_target - patches_short).
        candidates: Candidates tried in the videos that it was requested from.
        accepted: Those that became windows.
        acceptance_rate: accepted / candidates.
        size_bytes: Bytes of its patches, of stale ones too.
    """

    category: str
    patches: int
    patches_stale: int
    patches_target: int
    patches_short: int
    patches_to_do: int
    share: float | None
    candidates: int
    accepted: int
    acceptance_rate: float | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Disk:
    """Disk usage of the data set.

    Attributes:
        used_bytes: Bytes of all patches.
        projected_bytes: Bytes of all patches once nothing is missing.
        free_bytes: Free bytes of the disk.
        free_after_bytes: Free bytes once nothing is missing; negative where there is too little space.
        min_free_bytes: What `min_free_gb` keeps free.
    """

    used_bytes: int
    projected_bytes: int
    free_bytes: int
    free_after_bytes: int
    min_free_bytes: int


@dataclass(frozen=True, slots=True)
class Host:
    """One of the machines that make the data set.

    Attributes:
        host: Its name.
        is_here: Whether it is the machine that took the snapshot.
        videos: Videos that it works on.
        videos_lost: Videos that it worked on and has given no sign of life of for `lease_s`, or whose process
            has ended; others take them over.
        windows_per_minute: Windows processed per minute by its runs.
        beaten_s: When it gave the last sign of life, Unix time by the file server's clock; null where it
            holds no video.
        release: Release of dataset_assets with which it last worked.
    """

    host: str
    is_here: bool
    videos: int
    videos_lost: int
    windows_per_minute: float | None
    beaten_s: float | None
    release: str | None


@dataclass(frozen=True, slots=True)
class Machine:
    """Load of this machine, and of the runs that go on here; of a container or Slurm job, what it may use.

    Attributes:
        cpu_count: Cores that may be used.
        cpu_percent: Processor time in use, 100 is all cores.
        io_wait_percent: Processor time that waits for disks, 100 is all cores.
        load_1m: Load average over a minute: processes that run or wait for a core.
        memory_bytes: Memory that may be used in all.
        memory_available_bytes: Memory that is available.
        runs_cpu_percent: Processor time of the runs' processes; 100 is one core.
        runs_memory_bytes: Memory of the runs' processes.
        runs_read_bytes_per_s: What the runs' processes read from disks.
        runs_written_bytes_per_s: What the runs' processes write to disks.
    """

    cpu_count: int
    cpu_percent: float | None
    io_wait_percent: float | None
    load_1m: float
    memory_bytes: int
    memory_available_bytes: int
    runs_cpu_percent: float | None
    runs_memory_bytes: int | None
    runs_read_bytes_per_s: float | None
    runs_written_bytes_per_s: float | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is shown.

    Attributes:
        schema_version: Raised when a key is removed or changes its meaning, not when one is added.
        taken_s: The moment, Unix time.
        output_base_dir: Folder of the data set.
        state: `running` if a run is active, `queued` if runs or backfills only wait, else `idle`.
        overall: Totals.
        videos: Videos with an active run, by key.
        categories: Categories, in the configuration's order.
        disk: Disk usage.
        machine: The machine that took the snapshot.
        hosts: The machines that make the data set, by name; empty where it is one.
        failures: Videos whose last run failed, the newest first.
        interrupted: Keys of the videos whose last run was killed or stopped before its end.
        last_run: The run that ended last.
        problems: What could not be read, and why.
    """

    schema_version: int
    taken_s: float
    output_base_dir: str
    state: Literal["running", "queued", "idle"]
    overall: Overall
    videos: tuple[VideoRun, ...]
    categories: tuple[CategoryState, ...]
    disk: Disk
    machine: Machine
    hosts: tuple[Host, ...]
    failures: tuple[Failure, ...]
    interrupted: tuple[str, ...]
    last_run: LastRun | None
    problems: tuple[str, ...]


def to_json(snapshot: Snapshot) -> str:
    """Return a snapshot as one line of JSON; a failure also has its `sentence`."""
    record = asdict(snapshot)
    for failure, each in zip(record["failures"], snapshot.failures, strict=True):
        failure["sentence"] = each.sentence
    return json.dumps(record, allow_nan=False)
