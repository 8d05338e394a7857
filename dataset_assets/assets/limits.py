"""Limits on what a video's run may take; each run has a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dataset_assets.config import Settings
from dataset_assets.generate.limits import step_limits, within_limits
from dataset_assets.tables import TableStore


@contextmanager
def video_within_limits(settings: Settings, key: str, lanes: int = 1) -> Iterator[None]:
    """Ends the run's process where a step of its video takes more than any sound film does."""
    film = settings.video(key).path
    with within_limits(TableStore(settings.base.output_base_dir), key, film, step_limits(film, lanes)):
        yield
