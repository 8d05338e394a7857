"""The command `export`: what it prints, its exit codes, and the folder that it needs no name for."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from dataset_assets.cli.export import export_dataset
from dataset_assets.config import load_settings
from dataset_assets.exports import ExportOptions
from dataset_assets_tests.command import run
from dataset_assets_tests.films import Film
from dataset_assets_tests.generated import Generated, two_films_config


def test_it_says_what_it_takes_and_what_it_did(generated: Generated, tmp_path: Path) -> None:
    arguments = ("export", "redux", tmp_path / "x", "--config", generated.config, "--category", "general")
    done = run(*arguments, "--val-videos", "beta")
    assert done.returncode == 0, done.stderr
    first, *_, second, third = done.stdout.splitlines()
    assert first.startswith("redux: 7 triplets of general, 3 of them for validation (beta); about ")
    assert " GT hard-linked, " in first
    assert first.endswith("gt_size at most 405")
    assert second.startswith(f"{tmp_path / 'x'}: 7 written; ")
    assert third == f"options to paste: {tmp_path / 'x/README.md'}"
    again = run(*arguments, "--val-videos", "beta")
    assert f"{tmp_path / 'x'} is up to date" in again.stdout
    fewer = run(*arguments, "--where", "video = 'alpha'")
    assert f"{tmp_path / 'x'}: 0 written, 4 unchanged, 3 removed; " in fewer.stdout


def test_categories_may_be_repeated_or_separated_by_commas(generated: Generated, tmp_path: Path) -> None:
    done = run("export", "pairs", tmp_path / "x", "--config", generated.config, "--category", "general,toon")
    assert done.stdout.startswith("pairs: 11 triplets of general, toon;")
    options = ("--category", "general", "--category", "toon")
    again = run("export", "pairs", tmp_path / "x", "--config", generated.config, *options)
    assert "is up to date" in again.stdout


def test_a_mistake_is_one_sentence_without_a_traceback(generated: Generated, tmp_path: Path) -> None:
    done = run("export", "reduks", tmp_path / "x", "--config", generated.config)
    assert done.returncode == 1
    assert done.stderr.strip() == "error There is no layout 'reduks'; did you mean `redux`?"
    (tmp_path / "x").mkdir()
    (tmp_path / "x/mine.txt").touch()
    refused = run("export", "redux", tmp_path / "x", "--config", generated.config)
    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        f"error {tmp_path / 'x'} holds mine.txt, which is no export; name an empty or a new folder; "
        "nothing was changed."
    )


def test_without_a_folder_it_goes_to_the_data_set(
    generated: Generated, sdr_film: Film, vfr_film: Film, tmp_path: Path
) -> None:
    shutil.copytree(generated.root, tmp_path / "dataset", ignore=shutil.ignore_patterns(".dagster"))
    config = two_films_config(tmp_path, sdr_film, vfr_film)
    done = run("export", "redux", "--config", config, "--formats", "small_540", "--frames", "5")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dataset/exports/redux/README.md").is_file()
    assert run("verify", "--config", config).returncode == 0


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(
    generated: Generated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataset_assets.cli.export.LINE_INTERVAL_S", 0.0)
    console = Console(file=StringIO(), width=200)
    settings = load_settings(generated.config)
    assert export_dataset(settings, ExportOptions("pairs"), tmp_path / "x", console, workers=1)
    printed = cast("StringIO", console.file).getvalue().splitlines()
    assert "1 of 11 triplets, about 0 min to go" in printed
    assert sum(" of 11 triplets, about " in line for line in printed) == 11
