"""Settings: what a user wants, read from one YAML or JSON file and validated.

Belongs here: the models and their defaults, reading and extending the file, keys of videos, finding films in
folders and remembering those of watched ones. Not here: anything that opens a film, makes a data set or knows
Dagster.
"""

from __future__ import annotations

from dataset_assets.config.curation import DEFAULT_CURATION, Curation, curation_of, mistake_in
from dataset_assets.config.degradations import (
    AvcCodec,
    BlurStep,
    ChromaStep,
    CodecName,
    CodecStep,
    DegradationStep,
    Mpeg2Codec,
    NoiseStep,
    ResizeStep,
    WebCodec,
)
from dataset_assets.config.films import Rule, find_films, parse_weights
from dataset_assets.config.kept import keep_config, kept_settings, named_data_set
from dataset_assets.config.keys import near_names, video_key
from dataset_assets.config.loading import CONFIG_VARIABLE, DEFAULT_CONFIG, config_path, load_settings
from dataset_assets.config.models import (
    DEFAULT_CATEGORIES,
    DEFAULT_CROP_CANDIDATES,
    DEFAULT_FORMATS,
    BaseSettings,
    Category,
    Format,
    Settings,
    VideoEntry,
    WatchedVideo,
    default_formats,
)
from dataset_assets.config.operation import EndedRuns, Nightly, WatchFolder
from dataset_assets.config.reader import ConfigReader
from dataset_assets.config.remedies import fitting_remedy, how_to_exclude
from dataset_assets.config.removing import without_entry
from dataset_assets.config.replacing import replace_config
from dataset_assets.config.scan import append_videos
from dataset_assets.config.schema import file_schema
from dataset_assets.config.skipping import FILM_SUFFIXES
from dataset_assets.config.time_ranges import TimeRange
from dataset_assets.config.watch import Look, forget_film, is_registered, look_for_films, would_return

__all__ = [
    "CONFIG_VARIABLE",
    "DEFAULT_CATEGORIES",
    "DEFAULT_CONFIG",
    "DEFAULT_CROP_CANDIDATES",
    "DEFAULT_CURATION",
    "DEFAULT_FORMATS",
    "FILM_SUFFIXES",
    "AvcCodec",
    "BaseSettings",
    "BlurStep",
    "Category",
    "ChromaStep",
    "CodecName",
    "CodecStep",
    "ConfigReader",
    "Curation",
    "DegradationStep",
    "EndedRuns",
    "Format",
    "Look",
    "Mpeg2Codec",
    "Nightly",
    "NoiseStep",
    "ResizeStep",
    "Rule",
    "Settings",
    "TimeRange",
    "VideoEntry",
    "WatchFolder",
    "WatchedVideo",
    "WebCodec",
    "append_videos",
    "config_path",
    "curation_of",
    "default_formats",
    "file_schema",
    "find_films",
    "fitting_remedy",
    "forget_film",
    "how_to_exclude",
    "is_registered",
    "keep_config",
    "kept_settings",
    "load_settings",
    "look_for_films",
    "mistake_in",
    "named_data_set",
    "near_names",
    "parse_weights",
    "replace_config",
    "video_key",
    "without_entry",
    "would_return",
]
