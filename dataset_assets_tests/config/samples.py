"""Configurations for the tests, and loading them from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.config import Settings, load_settings
from dataset_assets.errors import ConfigError

HEAD = """\
base_settings:
  output_base_dir: out
videos:
  - name: Dune
    path: dune.mkv
    categories: {general: 0.5}
"""


def problems_of(text: str, folder: Path, name: str = "c.yaml") -> list[str]:
    """Load a file and give its mistakes without the folder's name."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    return [problem.removeprefix(f"{folder}/") for problem in caught.value.problems]


def settings_of(text: str, folder: Path, name: str = "c.yaml") -> Settings:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return load_settings(file)
