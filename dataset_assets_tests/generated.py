"""A data set of two small films, generated once by the command itself."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film


@dataclass(frozen=True)
class Generated:
    """What `generate` left.

    Attributes:
        config: The configuration.
        root: The data set.
        done: The process.
    """

    config: Path
    root: Path
    done: subprocess.CompletedProcess[str]


def two_films_config(folder: Path, sdr_film: Film, vfr_film: Film) -> Path:
    """The configuration of `generated`, somewhere else."""
    return write_config(
        folder,
        {
            "Alpha": (sdr_film.path, {"general": 1.0}),
            "Beta": (vfr_film.path, {"general": 0.5, "toon": 1.0}),
        },
    )
