"""Which runs work on videos, and on which machine.

On one machine a run is alive while the process that writes its progress is; with many, while its lease beats.
Not here: holding a video (`holding`), and what a run has made (`progress`, tables).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dataset_assets.dataset.leases import Beat, Leases
from dataset_assets.dataset.progress import Progress, read_progress_file, read_progress_files


@dataclass(frozen=True, slots=True)
class AtWork:
    """A run that works on a video, or did until it was killed.

    Attributes:
        key: The video's key.
        is_alive: Whether it still works, as far as can be seen without waiting for another beat.
        progress: Its progress; None before the first.
        beat: Its last beat; None where one machine makes the data set.
    """

    key: str
    is_alive: bool
    progress: Progress | None
    beat: Beat | None = None

    @property
    def host(self) -> str:
        """Name of its machine; empty where one machine makes the data set."""
        return "" if self.beat is None else self.beat.holder.host

    @property
    def is_here(self) -> bool:
        """Whether its process is one of those that this process sees."""
        return self.beat is None or self.beat.holder.is_here

    @property
    def who(self) -> str:
        """Who works on it, for a sentence."""
        return f"a run of {self.host}" if self.host else "a run"


def runs_at_work(
    folder: Path, leases: Leases | None, keys: Collection[str] | None = None
) -> dict[str, AtWork]:
    """Return the run that works on each video, or did until it was killed, by key.

    Args:
        folder: Where the progress files are.
        leases: The leases; None where one machine makes the data set.
        keys: The videos; all by default. With many machines, each costs reading its lease.
    """
    if keys is None:
        files = {progress.key: progress for progress in read_progress_files(folder)}
    else:
        read = (read_progress_file(folder / f"{key}.json") for key in keys)
        files = {progress.key: progress for progress in read if progress is not None}
    if leases is None:
        return {key: AtWork(key, progress.is_alive, progress) for key, progress in files.items()}
    beats = leases.beats() if keys is None else [beat for key in keys if (beat := leases.beat(key))]
    held = {beat.key: beat for beat in beats}
    # A file whose run gave its video back was left by an earlier one that was killed.
    found = {key: AtWork(key, False, progress) for key, progress in files.items() if key not in held}
    for key, beat in held.items():
        progress = files.get(key)
        is_its = progress is not None and _is_of(progress, beat)
        found[key] = AtWork(key, leases.is_alive(beat), progress if is_its else None, beat)
    return dict(sorted(found.items()))


def _is_of(progress: Progress, beat: Beat) -> bool:
    """Return whether the holder of a lease wrote a progress file."""
    holder = beat.holder
    is_of_machine = progress.machine in ("", holder.machine)
    return is_of_machine and (progress.pid, progress.process) == (holder.pid, holder.process)
