"""Who works on what, as the progress files say."""

from __future__ import annotations

from pathlib import Path

from dataset_assets.dataset import Progress
from dataset_assets.dataset.progress import read_progress_files


def read_progress(folder: Path) -> list[Progress]:
    """The progress of every video that a live process of this machine works on, by key."""
    return [progress for progress in read_progress_files(folder) if progress.is_alive]
