from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import pictures, tables
from dataset_assets_tests.generated import Generated


@pytest.fixture
def damaged(generated: Generated, tmp_path: Path) -> tuple[Path, Path]:
    """The configuration of a copy of the data set, and one of its files, which has become shorter."""
    shutil.copytree(generated.config.parent, tmp_path / "copy")
    file = next(iter(sorted((tmp_path / "copy").rglob("GT/beta_*.png"))))
    file.write_bytes(file.read_bytes()[:-1])
    return tmp_path / "copy" / generated.config.name, file


def test_a_sound_data_set_is_said_to_be_so(generated: Generated) -> None:
    done = run("verify", "--config", generated.config, "--deep", "--share", "0.1", "--workers", "2")
    assert (done.returncode, done.stderr) == (0, "")
    triplets = len(list(generated.root.rglob("GT/*.png")))
    summary = f"2 videos, {triplets} triplets read, 2 windows compared with their films: nothing is wrong"
    assert done.stdout.splitlines()[-1] == summary
    assert [line for line in done.stdout.splitlines() if "alpha" in line]


def test_damage_is_reported_repaired_and_recreated(generated: Generated, damaged: tuple[Path, Path]) -> None:
    config, file = damaged
    root = config.with_name("dataset")
    done = run("verify", "--config", config)
    assert done.returncode == 1
    name = file.relative_to(root).as_posix()
    length = file.stat().st_size
    wrong = f"wrong beta: {name} has {length} bytes instead of the {length + 1} of its row"
    assert wrong in done.stdout.splitlines()
    assert "1 finding; `dataset-assets verify --repair` deletes broken rows and files" in done.stdout
    assert run("verify", "--config", config, "--repair", "--videos", "beta").returncode == 0
    assert not file.exists()
    assert run("generate", "--config", config).returncode == 0
    assert pictures(root) == pictures(generated.root)
    assert tables(root) == tables(generated.root)


def test_scripts_read_a_line_for_each_video_and_a_summary(damaged: tuple[Path, Path]) -> None:
    config, file = damaged
    done = run("verify", "--config", config, "--json")
    assert done.returncode == 1
    alpha, beta, summary = map(json.loads, done.stdout.splitlines())
    assert (alpha["video"], alpha["findings"], alpha["left_out"]) == ("alpha", [], "")
    assert beta["video"] == "beta"
    (finding,) = beta["findings"]
    assert finding["kind"] == "file"
    assert config.with_name("dataset") / finding["place"] == file
    assert summary["summary"]["videos"] == 2
    assert summary["summary"]["wrong"] == 1
    assert summary["summary"]["triplets"] == alpha["triplets"] + beta["triplets"]


def test_an_unknown_video_is_a_mistake(generated: Generated) -> None:
    done = run("verify", "--config", generated.config, "--videos", "gamma,alpha")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--videos: 'gamma' is neither in the configuration nor in the tables" in done.stderr
