"""Who works on what, as the progress files say."""

from __future__ import annotations

from pathlib import Path

from dataset_assets.generate import Progress
from dataset_assets.generate.progress import read_all_progress


def read_progress(folder: Path) -> list[Progress]:
    """The progress of every video that a live process of this machine works on, by key."""
    return [progress for progress in read_all_progress(folder) if progress.is_alive]
