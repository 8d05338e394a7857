"""Configurations for small data sets, and what a data set holds, read without the project's own readers."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from dataset_assets.addresses import FilmPath
from dataset_assets.config import BaseSettings, Category, Format, Settings, VideoEntry

KEY = "a-film"
WEIGHTS = {"general": 1.0, "space": 0.5, "toon": 0.25}
FORMATS = {
    "square": Format(width=96, height=96, folder="Square"),
    "wide": Format(width=144, height=81, folder="Wide"),
    "large": Format(width=192, height=192, folder="Large"),
}
CATEGORIES = {
    "general": Category(folder="Universal/Learn", mix={"square": 0.45, "wide": 0.35, "large": 0.2}),
    "space": Category(folder="Space/Learn", mix={"square": 0.3, "large": 0.7}),
    "toon": Category(folder="Toon/Learn", mix={"square": 0.65, "wide": 0.35}),
}
TIMES = {"created_at", "probed_at"}


def copied(settings: Settings, folder: Path) -> Settings:
    """A copy of a data set in a new folder, of the same films."""
    shutil.copytree(settings.base.output_base_dir, folder)
    base = settings.base.model_copy(update={"output_base_dir": folder})
    return settings.model_copy(update={"base": base})


def small_settings(
    output: Path,
    film: FilmPath,
    *,
    weights: Mapping[str, float] = WEIGHTS,
    formats: Mapping[str, Format] = FORMATS,
    categories: Mapping[str, Category] = CATEGORIES,
    exclude: Sequence[str] = (),
    **base: Any,
) -> Settings:
    """One film, `A Film`, in three categories of small formats: 6, 3 and 2 patches."""
    chosen = {
        "base_frame_limit": 6,
        "min_free_gb": 0.0,
        "checkpoint_every": 2,
        "allow_replacing": True,
    } | base
    return Settings(
        base=BaseSettings(output_base_dir=output, **chosen),
        videos=(VideoEntry(name="A Film", path=film, categories=dict(weights), exclude=list(exclude)),),
        formats=dict(formats),
        categories=dict(categories),
    )


def raise_version(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Another code version, such as `SOURCE_VERSION`, in every module that uses it."""
    users = [
        module
        for path, module in sys.modules.items()
        if path.startswith("dataset_assets.") and hasattr(module, name)
    ]
    assert users
    for module in users:
        monkeypatch.setattr(module, name, "later")


def files(output: Path) -> dict[str, tuple[str, int]]:
    """Every file of a data set by its path but for locks, with a hash of its bytes and its time in ns."""
    return {
        path.relative_to(output).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(output.rglob("*"))
        if path.is_file() and ".locks" not in path.parts
    }


def pictures(output: Path) -> dict[str, str]:
    """Every file outside the tables by its path, with a hash of its bytes; unfinished ones too."""
    return {
        path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*"))
        if path.is_file() and path.relative_to(output).parts[0] != "metadata"
    }


def tables(output: Path) -> dict[str, tuple[list[dict[str, Any]], dict[str, Any]]]:
    """Rows and provenance of every table by its path, without the times at which rows were made."""
    found = {}
    for path in sorted(output.glob("metadata/*/**/*.parquet")):
        file = pq.ParquetFile(path)
        rows = [
            {name: value for name, value in row.items() if name not in TIMES}
            for row in file.read().to_pylist()
        ]
        provenance = json.loads(file.metadata.metadata[b"dataset_assets.provenance"])
        found[path.relative_to(output).as_posix()] = (rows, provenance)
    return found


def patch_rows(output: Path, category: str) -> list[dict[str, Any]]:
    """A category's rows of the film."""
    path = f"metadata/patches/category={category}/video={KEY}/part-0.parquet"
    return tables(output)[path][0]


def window_rows(output: Path) -> list[dict[str, Any]]:
    """The windows table of the film."""
    return tables(output)[f"metadata/windows/video={KEY}/part-0.parquet"][0]


def files_named_by_rows(output: Path) -> set[str]:
    """The files that rows name; each is opened whole and held against its row."""
    named = set()
    for path, (rows, _) in tables(output).items():
        if not path.startswith("metadata/patches/"):
            continue
        for row in rows:
            small_width, small_height = row["width"] // row["scale"], row["height"] // row["scale"]
            for kind, size in (
                ("gt7", (row["width"], 7 * row["height"])),
                ("gt", (row["width"], row["height"])),
                ("lr5", (small_width, 5 * small_height)),
                ("lr7", (small_width, 7 * small_height)),
            ):
                # Tables of schema version 4 name the path by the kind alone.
                name, size_bytes = row.get(f"{kind}_path", row.get(kind)), row.get(f"{kind}_bytes")
                if name is None:
                    continue
                file = output / name
                assert file.stat().st_size == size_bytes
                with Image.open(file) as image:
                    assert image.size == size
                    image.load()
                named.add(name)
    return named


def assert_same(output: Path, whole: Path) -> None:
    """Two data sets have the same pictures and tables, and pictures that no row names are in neither."""
    assert pictures(output) == pictures(whole)
    assert tables(output) == tables(whole)
    assert files_named_by_rows(output) == set(pictures(output))
