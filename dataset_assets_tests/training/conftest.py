"""A data set of three films without Dagster, and a packed export of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from dataset_assets.config import BaseSettings, Category, Format, Settings, VideoEntry
from dataset_assets.exports import ExportOptions, plan_export, write_export
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.films import X264_OPTIONS, Shot, make_film, sdr_frames

SIZE = (384, 288)
# No two films share a picture, so that each can be held out. Film three is the longest.
FILMS: Final[Mapping[str, tuple[Shot, ...]]] = {
    "one": (Shot(41, 40), Shot(42, 40, -4, 2)),
    "two": (Shot(43, 40, 4, -2), Shot(44, 40, 6, 2)),
    "three": (Shot(45, 40, 2, 4), Shot(46, 40, -4, -2), Shot(47, 30, 4, 4)),
}
FORMATS = {
    "square": Format(width=192, height=192, folder="Square"),
    "wide": Format(width=288, height=162, folder="Wide"),
}
CATEGORIES = {
    "general": Category(folder="Universal/Learn", mix={"square": 0.6, "wide": 0.4}),
    "toon": Category(folder="Toon/Learn", mix={"square": 1.0}),
}


WEIGHTS = {"general": 1.0, "toon": 0.25}


def training_settings(
    folder: Path, films_folder: Path, categories: Mapping[str, Category] = CATEGORIES, **base: Any
) -> Settings:
    """Make the three films, and return the settings of a data set of them in a folder."""
    entries = []
    for name, shots in FILMS.items():
        path = films_folder / f"training-{name}.mkv"
        make_film(path, sdr_frames(shots, *SIZE), shots, size=SIZE, options=X264_OPTIONS)
        weights = {category: WEIGHTS[category] for category in categories}
        entries.append(VideoEntry(name=name, path=path, categories=weights))
    formats = {name: FORMATS[name] for each in categories.values() for name in each.mix}
    chosen: dict[str, Any] = {"output_base_dir": folder, "base_frame_limit": 8, "min_free_gb": 0.0} | base
    return Settings(
        base=BaseSettings(**chosen), videos=tuple(entries), formats=formats, categories=dict(categories)
    )


def generate(settings: Settings) -> Settings:
    """Make the data set of some settings; return them."""
    for entry in settings.videos:
        probe_video(settings, entry.key)
        generate_video(settings, entry.key)
    return settings


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, films_folder: Path) -> Settings:
    """The settings of a finished data set of three films."""
    return generate(training_settings(tmp_path_factory.mktemp("training") / "dataset", films_folder))


@pytest.fixture(scope="session")
def variant_sets(tmp_path_factory: pytest.TempPathFactory, films_folder: Path) -> Mapping[int, Path]:
    """Small data sets by scale: 2 with LR_7frames and GT of all frames, 4 with LR_5frames."""
    folder = tmp_path_factory.mktemp("variants")
    others: dict[int, dict[str, Any]] = {
        2: {"lr_stacks": [7], "gt_frames": "all"},
        4: {"lr_stacks": [5]},
    }
    for scale, base in others.items():
        category = {"toon": CATEGORIES["toon"]}
        generate(training_settings(folder / str(scale), films_folder, category, scale=scale, **base))
    return {scale: folder / str(scale) for scale in others}


@pytest.fixture(scope="session")
def data_set(settings: Settings) -> Path:
    """Its folder; tests read it and do not change it."""
    return settings.base.output_base_dir


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    """A packed export of it, elsewhere."""
    folder = tmp_path_factory.mktemp("packed") / "export"
    return write_export(plan_export(settings, ExportOptions("packed"), folder)).folder
