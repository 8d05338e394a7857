"""Settings: what a person wants, read from one YAML or JSON file and checked as a whole.

Belongs here: the models and their defaults, reading and extending the file, keys of videos, finding films in
folders. Not here: anything that opens a film, writes a data set or knows Dagster.
"""

from __future__ import annotations

from dataset_assets.config.films import FILM_SUFFIXES, Rule, find_films, parse_weights
from dataset_assets.config.keys import video_key
from dataset_assets.config.loading import CONFIG_VARIABLE, DEFAULT_CONFIG, config_path, load_settings
from dataset_assets.config.models import (
    DEFAULT_CATEGORIES,
    DEFAULT_FORMATS,
    BaseSettings,
    Category,
    Format,
    Settings,
    VideoEntry,
)
from dataset_assets.config.scan import append_videos

__all__ = [
    "CONFIG_VARIABLE",
    "DEFAULT_CATEGORIES",
    "DEFAULT_CONFIG",
    "DEFAULT_FORMATS",
    "FILM_SUFFIXES",
    "BaseSettings",
    "Category",
    "Format",
    "Rule",
    "Settings",
    "VideoEntry",
    "append_videos",
    "config_path",
    "find_films",
    "load_settings",
    "parse_weights",
    "video_key",
]
