"""Limits on what a video's run may take; each run has a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.generate.limits import step_limits, within_limits


@contextmanager
def video_within_limits(
    settings: Settings, context: dg.AssetExecutionContext, lanes: int = 1
) -> Iterator[None]:
    """End the run's process where a step of its video takes more than any sound film does."""

    def tell(sentence: str) -> None:
        # Into the run's own events: nothing else of it will tell why its process ended.
        context.instance.report_engine_event(sentence, context.run)

    key = context.partition_key
    film = settings.video(key).path
    store = DataSet.of(settings)
    with within_limits(store, key, film, step_limits(film, lanes), tell):
        yield
