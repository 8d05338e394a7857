"""Configurations of small data sets, and the tables and files that come of them, for tests of whole runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dataset_assets.addresses import FilmPath

MOMENTS = {"created_at", "probed_at"}


def write_config(
    folder: Path, videos: Mapping[str, tuple[FilmPath, Mapping[str, float]]], **sections: Any
) -> Path:
    """Writes a configuration whose data set lies beside it.

    Args:
        folder: Where it goes; made if absent.
        videos: Film and weights, by the video's name.
        sections: Other sections of the file; `base_settings` over what is here.
    """
    base = {"base_frame_limit": 6, "min_free_gb": 0, "output_base_dir": "dataset", "allow_replacing": True}
    config = sections | {
        "base_settings": base | dict(sections.get("base_settings", {})),
        "videos": [
            {"name": name, "path": str(path), "categories": dict(weights)}
            for name, (path, weights) in videos.items()
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.json"
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
    return path


def pictures(root: Path) -> dict[str, str]:
    """Hash of every PNG of a data set, by its relative path."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*.png"))
    }


def tables(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows of every table of a data set, by its relative path, without the moments of making them."""
    return {
        path.relative_to(root).as_posix(): [
            {name: value for name, value in row.items() if name not in MOMENTS}
            for row in pq.ParquetFile(path).read().to_pylist()
        ]
        for path in sorted((root / "metadata").rglob("[!.]*.parquet"))
    }
