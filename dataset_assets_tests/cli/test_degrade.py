"""The command `degrade`: what it prints, its exit codes, and that other commands take no notice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet
from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import pictures
from dataset_assets_tests.curation.degrading import STEPS, named, stack_files, stacks
from dataset_assets_tests.generated import Generated


@pytest.fixture
def copy(generated: Generated, tmp_path: Path) -> Path:
    """The configuration of a copy of the data set, with steps that degrade."""
    shutil.copytree(generated.config.parent, tmp_path / "copy")
    config = tmp_path / "copy" / generated.config.name
    content = json.loads(config.read_text(encoding="utf-8"))
    content["base_settings"]["degradations"] = STEPS
    config.write_text(json.dumps(content), encoding="utf-8")
    return config


def test_it_degrades_every_patch_once_and_prints_how_far_that_is(copy: Path) -> None:
    root = copy.with_name("dataset")
    before = pictures(root)
    done = run("degrade", "--config", copy, "--workers", "2")
    assert (done.returncode, done.stderr) == (0, "")
    *table, last = done.stdout.splitlines()
    assert last.startswith("11 degraded stacks of 2 videos: 11 degraded now (")
    least, coded = duckdb.execute(
        "select min(db), count(codec) filter (codec = 'h264') from read_parquet("
        f"'{root}/metadata/degradations/*/*/*.parquet') where filename like '%category=general%'"
    ).fetchall()[0]
    (line,) = [line for line in table if "dB of LR, least" in line]
    assert f"{least:.1f}" in line
    (line,) = [line for line in table if "h264" in line]
    assert next(cell for cell in line.split() if cell.isdigit()) == str(coded)
    made = {name for key in ("alpha", "beta") for name in named(stacks(root, key))}
    assert stack_files(root) == made
    assert {name: each for name, each in pictures(root).items() if name not in made} == before

    again = run("degrade", "--config", copy)
    assert again.stdout.splitlines()[-1] == "11 degraded stacks of 2 videos: 0 degraded now"
    assert again.stdout.splitlines()[:-1] == table
    assert run("verify", "--config", copy).returncode == 0
    assert run("generate", "--config", copy, "--dry-run").stdout.startswith("0 videos to work on")


def test_videos_and_categories_narrow_it(copy: Path) -> None:
    done = run("degrade", "--config", copy, "--videos", "beta", "--categories", "toon")
    assert done.returncode == 0, done.stderr
    root = copy.with_name("dataset")
    assert stacks(root, "alpha") == {}
    assert list(stacks(root, "beta")) == ["toon"]


def test_without_degradations_in_the_configuration_it_says_so(generated: Generated) -> None:
    done = run("degrade", "--config", generated.config)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error The configuration names no degradations; add base_settings.degradations, as "
        "docs/degradation.md shows.\n"
    )


def test_degradations_that_left_the_configuration_are_removed(copy: Path) -> None:
    run("degrade", "--config", copy)
    content = json.loads(copy.read_text(encoding="utf-8"))
    del content["base_settings"]["degradations"]
    copy.write_text(json.dumps(content), encoding="utf-8")
    done = run("degrade", "--config", copy)
    assert done.stdout.splitlines()[-1] == (
        "0 degraded stacks of 2 videos: 0 degraded now, 11 old stacks removed"
    )
    assert stack_files(copy.with_name("dataset")) == set()


def test_a_damaged_file_fails_its_video_and_no_other(copy: Path) -> None:
    root = copy.with_name("dataset")
    file = next(iter(sorted(root.rglob("LR_7frames/alpha_*.png"))))
    file.write_bytes(file.read_bytes()[:-1])
    done = run("degrade", "--config", copy)
    assert done.returncode == 1
    assert f"failed alpha: the LR of 1 patch is missing, or not what its row describes, first {file}" in (
        done.stdout
    )
    assert stacks(root, "beta")


def test_a_video_that_another_run_works_on_is_skipped(copy: Path) -> None:
    with DataSet.of(load_settings(copy)).hold("beta"):
        done = run("degrade", "--config", copy)
    assert done.returncode == 0
    assert "skipped beta: another run works on this video" in done.stdout
    assert stacks(copy.with_name("dataset"), "beta") == {}


def test_removing_a_video_removes_its_stacks(copy: Path) -> None:
    run("degrade", "--config", copy)
    assert run("videos", "remove", "beta", "--files", "--yes", "--config", copy).returncode == 0
    root = copy.with_name("dataset")
    assert stack_files(root) == named(stacks(root, "alpha"))
    assert stacks(root, "beta") == {}
