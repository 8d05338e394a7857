"""Pages of the gallery that runs update, and links to them. No run fails because of a page.

The pages themselves are made in the package `gallery`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg

from dataset_assets.config import Settings
from dataset_assets.dataset import Overview
from dataset_assets.gallery import page_of, refresh_gallery, write_video_page


@contextmanager
def page_follows(settings: Settings, key: str) -> Iterator[None]:
    """Write a video's page after a run on it that got through or failed; one that is stopped writes none."""
    try:
        yield
    except Exception:
        _try(lambda: write_video_page(settings, key))
        raise
    _try(lambda: write_video_page(settings, key))


def update_index(settings: Settings, overview: Overview) -> None:
    """Write the index, and the pages that runs which were stopped have not written."""

    def update() -> None:
        for problem in refresh_gallery(settings, overview).problems:
            dg.get_dagster_logger().warning(f"no gallery page for {problem}")

    _try(update)


def page_url(key: str, category: str = "") -> dg.UrlMetadataValue:
    """Return the link to a video's page, filtered by a category; `dataset-assets ui` serves it."""
    return dg.MetadataValue.url(f"/gallery/{page_of(key)}" + (f"#category={category}" if category else ""))


def index_url() -> dg.UrlMetadataValue:
    """Return the link to the index."""
    return dg.MetadataValue.url("/gallery/index.html")


def _try(write: Callable[[], None]) -> None:
    try:
        write()
    except Exception as error:  # whatever it is, the video's own work is done and must not be thrown away
        dg.get_dagster_logger().warning(f"the gallery was not updated: {type(error).__name__}: {error}")
