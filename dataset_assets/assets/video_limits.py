"""Limits of time and memory around an asset's step, reported to Dagster.

What the limits are, and how a process is ended, is in `generate.limits`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from dataset_assets.config import Settings
from dataset_assets.generate import step_limits, within_limits


@contextmanager
def video_within_limits(
    settings: Settings, context: dg.AssetExecutionContext, lanes: int = 1
) -> Iterator[None]:
    """End the run's process where a step of its video takes more than any undamaged film does."""

    def report(message: str) -> None:
        # Into the run's own events: nothing else of it will say why its process ended.
        context.instance.report_engine_event(message, context.run)

    entry = settings.video(context.partition_key)
    # Of many machines `max_workers` counts the places of all: what one film gets is not known, but in a Slurm
    # job or a pod it is the memory of the control group.
    places = settings.base.max_workers if settings.base.machines == "one" else 1
    with within_limits(settings, entry, step_limits(entry.path, lanes, places), report):
        yield
