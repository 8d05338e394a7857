"""Progress of running videos, as small files that any other process may read.

One JSON file for each running video, replaced at most once a second. A file without its writer shows where a
run was killed. Not here: which runs of other machines are alive (`at_work`); how it is shown (`monitor`).
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dataset_assets.disk import replacing, temporaries
from dataset_assets.process import host_name, machine_identity, process_identity

INTERVAL_S = 1.0
# A smaller difference of a machine's clock from the file server's is taken for the time that a write takes.
CLOCK_SLACK_S = 2.0
# A rate is given once a run has processed so many windows: one or two may all be retries, or none.
MIN_WINDOWS = 3


@dataclass(slots=True)
class Progress:
    """The progress of a run on a video.

    Attributes:
        key: The video's key.
        pid: The process that works on it.
        process: Identity of that process; a later one with the same number has another.
        host: Name of its machine; empty in files of earlier releases.
        machine: Identity of its machine since it was started, and of what processes it sees there.
        windows_target: Windows wanted.
        windows_done: Windows found.
        windows_worked: Candidates and windows that this run worked on.
        windows_pending: Windows that this run still has work for.
        windows_uncommitted: Windows worked on since the last commit.
        accepted: Windows accepted so far.
        candidates: Candidates tried so far.
        patches: Patches made so far, by category.
        patches_target: Patches wanted, by category.
        patches_bytes: Bytes of the patches so far, by category.
        started_s: Unix time at which the run started.
        committed_s: Unix time of the run's last commit; 0 before the first.
        updated_s: Unix time of this state.
        film_away_s: Unix time since which the film is away and tried again; 0 while it is there.
        is_probe: Whether it waits for the film to be probed; nothing is counted yet.
    """

    key: str
    pid: int = field(default_factory=os.getpid)
    process: str = ""
    host: str = ""
    machine: str = ""
    windows_target: int = 0
    windows_done: int = 0
    windows_worked: int = 0
    windows_pending: int = 0
    windows_uncommitted: int = 0
    accepted: int = 0
    candidates: int = 0
    patches: dict[str, int] = field(default_factory=dict)
    patches_target: dict[str, int] = field(default_factory=dict)
    patches_bytes: dict[str, int] = field(default_factory=dict)
    started_s: float = field(default_factory=time.time)
    committed_s: float = 0.0
    updated_s: float = 0.0
    film_away_s: float = 0.0
    is_probe: bool = False

    def __post_init__(self) -> None:
        """Look up the identity of the process and of this machine where it was not given."""
        if not self.process:
            self.process = process_identity(self.pid) or ""
            self.host, self.machine = host_name(), machine_identity()

    @property
    def is_alive(self) -> bool:
        """Whether the process that works on it still exists on this machine."""
        return bool(self.process) and self.process == process_identity(self.pid)

    @property
    def is_here(self) -> bool:
        """Whether its process is, or was, one of those that this process sees."""
        return self.machine in ("", machine_identity())

    def by_clock_of(self, written_s: float) -> None:
        """Convert moments of another machine's clock to the one by which the state was written.

        Args:
            written_s: When it was written, Unix time by the clock of the file server.
        """
        ahead_s = self.updated_s - written_s
        if self.is_here or abs(ahead_s) <= CLOCK_SLACK_S:
            return
        self.started_s -= ahead_s
        self.updated_s -= ahead_s
        self.committed_s -= ahead_s if self.committed_s else 0.0
        self.film_away_s -= ahead_s if self.film_away_s else 0.0


class ProgressFile:
    """Writes one video's progress."""

    def __init__(self, folder: Path, progress: Progress, writer: int = 0) -> None:
        """Create the folder; nothing is written before the first `update`.

        Args:
            folder: Where the files of all videos are.
            progress: The state, which the run goes on changing.
            writer: Number of the lease of the run, see `disk.temporary`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._writer = writer
        self._path = folder / f"{progress.key}.json"
        self._progress = progress
        self._lock = threading.Lock()

    def update(self, *, is_news: bool = False) -> None:
        """Write the state, unless that was done less than a second ago; any thread may call it.

        Args:
            is_news: Whether it is written in any case.
        """
        with self._lock:
            now = time.time()
            if now - self._progress.updated_s < INTERVAL_S and not is_news:
                return
            self._progress.updated_s = now
            # Not flushed: a power cut ends the run, whose progress nobody needs then.
            with replacing(self._path, is_durable=False, writer=self._writer) as file:
                file.write(json.dumps(asdict(self._progress)).encode())

    def remove(self) -> None:
        """Remove the file: the video is no longer worked on."""
        for path in progress_paths(self._path.parent, self._progress.key):
            path.unlink(missing_ok=True)


def progress_paths(folder: Path, key: str) -> list[Path]:
    """Return the files that a video's progress may be in."""
    path = folder / f"{key}.json"
    return [*temporaries(path), path]


def windows_per_s(progress: Progress, now_s: float) -> float | None:
    """Return the windows that a pass has processed per second so far; None while there are too few."""
    elapsed_s = now_s - progress.started_s
    if progress.windows_worked < MIN_WINDOWS or elapsed_s <= 0:
        return None
    return progress.windows_worked / elapsed_s


def eta_s(progress: Progress, now_s: float) -> float | None:
    """Return the seconds until a pass is finished at its own rate so far; None while there are too few."""
    rate = windows_per_s(progress, now_s)
    return None if rate is None else progress.windows_pending / rate


def read_progress_files(folder: Path) -> list[Progress]:
    """Read every progress file, by key: also those of killed runs."""
    found = []
    for path in sorted(folder.glob("[!.]*.json")):
        progress = read_progress_file(path)
        if progress is not None:
            found.append(progress)
    return found


def read_progress_file(path: Path) -> Progress | None:
    """Read a progress file; None where it was removed meanwhile, or is another release's."""
    try:
        with path.open("rb") as file:
            progress = Progress(**json.loads(file.read()))
            progress.by_clock_of(os.fstat(file.fileno()).st_mtime)
    except (OSError, ValueError, TypeError):
        return None
    return progress
