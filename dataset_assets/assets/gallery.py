"""Pages of the gallery that runs update, and links to them. No run fails because of a page.

The pages themselves are made in the package `gallery`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from dataset_assets.config import Settings
from dataset_assets.curation import Census
from dataset_assets.dataset import Overview
from dataset_assets.gallery import (
    DUPLICATES_FILE,
    INDEX_FILE,
    index_path,
    page_of,
    refresh_gallery,
    write_duplicates_page,
    write_video_page,
)

# Address of the gallery for processes that `ui` and `generate` start.
GALLERY_VARIABLE = "DATASET_ASSETS_GALLERY"
GALLERY_ADDRESS = "/gallery"
# Another release, or another curation, makes all pages again: more than the 60 s of a sensor's tick.
MOST_PAGES_S = 15.0


@contextmanager
def page_follows(settings: Settings, key: str) -> Iterator[None]:
    """Write a video's page after a run on it that got through or failed; one that is stopped writes none."""
    try:
        yield
    except Exception:
        _try(lambda: write_video_page(settings, key))
        raise
    _try(lambda: write_video_page(settings, key))


def update_index(settings: Settings, overview: Overview, census: Census) -> None:
    """Write the index, and the pages that runs which were stopped have not written."""

    def update() -> None:
        for problem in refresh_gallery(settings, overview, census, most_s=MOST_PAGES_S).problems:
            dg.get_dagster_logger().warning(f"no gallery page for {problem}")

    _try(update)


def update_duplicates_page(settings: Settings) -> None:
    """Write the page of near-duplicates."""
    _try(lambda: write_duplicates_page(settings))


def duplicates_link(settings: Settings) -> dg.MetadataValue[Any]:
    """Return the link to the page of near-duplicates."""
    return _link(settings, DUPLICATES_FILE)


def page_link(settings: Settings, key: str, category: str = "") -> dg.MetadataValue[Any]:
    """Return the link to a video's page, filtered by a category."""
    return _link(settings, page_of(key), f"#category={category}" if category else "")


def index_link(settings: Settings) -> dg.MetadataValue[Any]:
    """Return the link to the index."""
    return _link(settings, INDEX_FILE)


def _link(settings: Settings, page: str, place: str = "") -> dg.MetadataValue[Any]:
    """Return the address of a page; its path where plain Dagster launched the run, which serves no page."""
    address = os.environ.get(GALLERY_VARIABLE)
    if address is None:
        return dg.MetadataValue.path(index_path(settings).parent / page)
    return dg.MetadataValue.url(f"{address}/{page}{place}")


def _try(write: Callable[[], object]) -> None:
    try:
        write()
    except Exception as error:  # whatever it is, the video's own work is done and must not be thrown away
        dg.get_dagster_logger().warning(f"the gallery was not updated: {type(error).__name__}: {error}")
