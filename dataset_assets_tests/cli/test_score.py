"""The command `score`: what it prints, its exit codes, and that other commands take no notice."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path
from typing import cast

import duckdb
import pytest
from rich.console import Console

from dataset_assets.cli.score import score
from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet
from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import pictures
from dataset_assets_tests.curation.samples import marks
from dataset_assets_tests.curation.scored import drop_scores
from dataset_assets_tests.generated import Generated


@pytest.fixture
def copy(generated: Generated, tmp_path: Path) -> Path:
    """The configuration of a copy of the data set, without scores."""
    shutil.copytree(generated.config.parent, tmp_path / "copy")
    config = tmp_path / "copy" / generated.config.name
    drop_scores(load_settings(config))
    return config


def test_it_scores_every_patch_once_and_prints_the_medians(copy: Path) -> None:
    root = copy.with_name("dataset")
    before = pictures(root)
    done = run("score", "--config", copy, "--workers", "2")
    assert (done.returncode, done.stderr) == (0, "")
    *table, last = done.stdout.splitlines()
    assert last.startswith(f"11 patches of 2 videos in {root}/metadata/scores: 11 scored now (")
    count, median = duckdb.execute(
        f"select count(*), median(detail_db) from read_parquet('{root}/metadata/scores/*/*/*.parquet') "
        "where filename like '%category=general%'"
    ).fetchall()[0]
    (line,) = [line for line in table if "detail_db" in line]
    assert f"{median:.3g}" in line
    (line,) = [line for line in table if " patches " in line]
    assert [cell for cell in line.split() if cell.isdigit()] == [str(count), str(11 - count)]
    assert pictures(root) == before

    kept = marks(root)
    again = run("score", "--config", copy)
    assert again.stdout.splitlines()[-1] == f"11 patches of 2 videos in {root}/metadata/scores: 0 scored now"
    assert again.stdout.splitlines()[:-1] == table
    assert marks(root) == kept
    assert run("verify", "--config", copy).returncode == 0
    assert run("generate", "--config", copy, "--dry-run").stdout.startswith("0 videos to work on")


def test_videos_and_categories_narrow_it(copy: Path) -> None:
    done = run("score", "--config", copy, "--videos", "beta", "--categories", "toon")
    assert done.returncode == 0, done.stderr
    assert [path.parts[-3:-1] for path in marks(copy.with_name("dataset"))] == [
        ("category=toon", "video=beta")
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--videos", "gamma"), "--videos: 'gamma' has no patches; use one of `alpha`, `beta`"),
        (("--categories", "tone"), "--categories: there is no category tone; did you mean `toon`?"),
    ],
)
def test_an_unknown_name_is_a_mistake(generated: Generated, options: tuple[str, str], sentence: str) -> None:
    done = run("score", "--config", generated.config, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error {sentence}\n"


def test_a_damaged_file_fails_its_video_and_no_other(copy: Path) -> None:
    root = copy.with_name("dataset")
    file = next(iter(sorted(root.rglob("GT/alpha_*.png"))))
    file.write_bytes(file.read_bytes()[:-1])
    done = run("score", "--config", copy)
    assert done.returncode == 1
    assert (
        f"failed alpha: the files of 1 patch are missing, or not what their rows describe, first {file}"
        in (done.stdout)
    )
    assert {path.parent.name for path in marks(root)} == {"video=alpha", "video=beta"}


def test_a_video_that_another_run_works_on_is_skipped(copy: Path) -> None:
    with DataSet.of(load_settings(copy)).hold("beta"):
        done = run("score", "--config", copy)
    assert done.returncode == 0
    assert "skipped beta: another run works on this video" in done.stdout
    assert {path.parent.name for path in marks(copy.with_name("dataset"))} == {"video=alpha"}


def test_before_there_are_patches_it_says_so(tmp_path: Path, generated: Generated) -> None:
    config = tmp_path / "config.json"
    shutil.copy(generated.config, config)
    done = run("score", "--config", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error {tmp_path / 'dataset'} has no patches to score; run generate first.\n"


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataset_assets.cli.patch_work.LINE_INTERVAL_S", 0.0)
    console = Console(file=StringIO(), width=200)
    assert score(copy, console, videos=["alpha"], categories=[], workers=1) == 0
    printed = cast("StringIO", console.file).getvalue().splitlines()
    assert "1 of 4 patches" in printed
    assert "4 of 4 patches" in printed
