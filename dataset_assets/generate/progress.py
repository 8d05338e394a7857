"""Progress of running videos, as small files that any other process may read.

One JSON file for each running video, replaced at most once a second; a file whose writer is gone means
nothing.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

INTERVAL_S = 1.0


@dataclass(slots=True)
class Progress:
    """How far a run has come with a video.

    Attributes:
        key: The video's key.
        pid: The process that works on it.
        windows_target: Windows to go through.
        windows_done: Windows gone through, found or given up.
        accepted: Windows accepted so far.
        attempts: Attempts made so far.
        patches: Patches made so far, by category.
        patches_target: Patches wanted, by category.
        size_bytes: Bytes of the patches so far.
        started_s: Unix time at which the run started.
        updated_s: Unix time of this state.
    """

    key: str
    pid: int = field(default_factory=os.getpid)
    windows_target: int = 0
    windows_done: int = 0
    accepted: int = 0
    attempts: int = 0
    patches: dict[str, int] = field(default_factory=dict)
    patches_target: dict[str, int] = field(default_factory=dict)
    size_bytes: int = 0
    started_s: float = field(default_factory=time.time)
    updated_s: float = 0.0


class ProgressFile:
    """Writes one video's progress."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        """Makes the folder; nothing is written before the first `update`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{progress.key}.json"
        self._progress = progress

    def update(self) -> None:
        """Writes the state, unless that was done less than a second ago."""
        now = time.time()
        if now - self._progress.updated_s < INTERVAL_S:
            return
        self._progress.updated_s = now
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self._progress)))
        temporary.replace(self._path)

    def remove(self) -> None:
        """Removes the file: the video is no longer worked on."""
        self._path.unlink(missing_ok=True)


def read_progress(folder: Path) -> list[Progress]:
    """Reads the progress of every video that a live process of this machine works on, by key."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            progress = Progress(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            continue  # removed or replaced meanwhile
        if _is_alive(progress.pid):
            found.append(progress)
    return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
