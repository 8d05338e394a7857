"""What the shell offers for a word that is half typed: keys of videos, and categories.

Which commands and options there are, and how a shell asks, is typer's. Nothing here prints: where the
configuration has mistakes, nothing is offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from dataset_assets.config import Settings, config_path, load_settings
from dataset_assets.errors import DatasetAssetsError


def key(context: typer.Context, incomplete: str) -> list[str]:
    """Return the keys of videos that begin like a word."""
    settings = _settings(context)
    return _beginning(incomplete, (video.key for video in settings.videos) if settings else ())


def keys(context: typer.Context, incomplete: str) -> list[str]:
    """Return a list of keys, separated by commas, with each key that its last word may become."""
    settings = _settings(context)
    return _continued(incomplete, [video.key for video in settings.videos] if settings else [])


def categories(context: typer.Context, incomplete: str) -> list[str]:
    """Return a list of categories, separated by commas, with each that its last word may become."""
    settings = _settings(context)
    return _continued(incomplete, list(settings.categories) if settings else [])


def layouts(incomplete: str) -> list[str]:
    """Return the layouts of exports that begin like a word."""
    from dataset_assets.exports import LAYOUT_NAMES

    return _beginning(incomplete, LAYOUT_NAMES)


def _settings(context: typer.Context) -> Settings | None:
    given = context.params.get("config")
    try:
        return load_settings(config_path(Path(given) if given else None))
    except DatasetAssetsError:
        return None


def _continued(incomplete: str, words: Iterable[str]) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    written = before.split(",")
    return [f"{before}{comma}{word}" for word in _beginning(last, words) if word not in written]


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
