"""The command `duplicates`: what it prints, and its exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film


@pytest.mark.slow
def test_a_film_under_two_names_is_a_pair_with_its_times(tiny_film: Film, tmp_path: Path) -> None:
    films = {"Night": tiny_film.path, "Twin": shutil.copy(tiny_film.path, tmp_path / "twin.mp4")}
    formats = {"tiny": {"width": 192, "height": 192, "folder": "Tiny"}}
    categories = {"general": {"mix": {"tiny": 1.0}}, "space": None, "toon": None}
    config = write_config(
        tmp_path,
        {name: (Path(path), {"general": 1.0}) for name, path in films.items()},
        formats=formats,
        categories=categories,
        base_settings={"base_frame_limit": 20},
    )
    done = run("duplicates", "--config", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error {tmp_path}/dataset has no windows to compare; run generate first.\n"

    assert run("generate", "--config", config).returncode == 0
    done = run("duplicates", "--config", config)
    assert (done.returncode, done.stderr) == (0, "")
    *table, last = done.stdout.splitlines()
    (line,) = [line for line in table if "twin" in line]
    assert [cell.strip() for cell in line.strip("│").split("│")][:2] == ["twin", "night"]
    assert "same film" in line
    assert "+0.0 s" in line
    path = tmp_path / "dataset/metadata/duplicates/part-0.parquet"
    assert f" in 1 pair of videos in {path}; 2 videos: 2 compared now (" in last

    again = run("duplicates", "--config", config)
    assert again.stdout.splitlines()[-1].endswith("; 2 videos: 0 compared now")
    assert again.stdout.splitlines()[:-1] == table
    assert run("verify", "--config", config).returncode == 0
    assert run("generate", "--config", config, "--dry-run").stdout.startswith("0 videos to work on")
