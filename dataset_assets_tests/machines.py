"""Other machines, as they show themselves in a data set's folder: leases and progress files."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dataset_assets.dataset import Holder, Progress

MACHINE = "another-boot pid:[1]"


def holder_of(host: str, *, digest: str = "", pid: int = 4711) -> Holder:
    """A process of another machine; its number may be that of one of this machine."""
    return Holder(host, f"{host} {MACHINE}", pid, f"{host} process", digest=digest)


def lease(root: Path, key: str, holder: Holder, *, silent_s: float = 0.0) -> Path:
    """Lets a machine hold a film, with its last beat so long ago."""
    path = root / f"metadata/.leases/{key}/1"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(holder) | {"beat": 5}))
    os.utime(path, (time.time() - silent_s,) * 2)
    return path


def write_progress(root: Path, key: str, holder: Holder, *, ahead_s: float = 0.0, **figures: Any) -> Path:
    """Writes the progress of a machine whose clock is so much ahead of the file server's."""
    now_s = time.time() + ahead_s
    progress = Progress(
        key, pid=holder.pid, process=holder.process, host=holder.host, machine=holder.machine, **figures
    )
    progress.started_s, progress.updated_s = now_s - 60, now_s
    path = root / f"metadata/.progress/{key}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(progress)))
    return path
