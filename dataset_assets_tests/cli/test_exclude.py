"""`videos exclude`: windows by their numbers, from the terminal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dataset_assets.dataset import DataSet
from dataset_assets_tests.command import run
from dataset_assets_tests.generated import Generated

KEY = "alpha"


@pytest.fixture
def config(generated: Generated, tmp_path: Path) -> Path:
    """The configuration beside a copy of its data set."""
    shutil.copytree(generated.root, tmp_path / "dataset", ignore=shutil.ignore_patterns(".dagster"))
    return Path(shutil.copy2(generated.config, tmp_path))


@pytest.mark.slow
def test_windows_are_excluded_until_that_is_undone(config: Path) -> None:
    data_set = DataSet(config.with_name("dataset"))
    first, second = [row.window for row in data_set.excludable_windows(KEY)][:2]
    done = run("videos", "exclude", KEY, str(first), str(second), "--config", config)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"{KEY}: {first}, {second} excluded; the next generate deletes the patches and tries other places\n"
    )
    assert len(data_set.excluded_windows.read(KEY)) == 2
    page = data_set.gallery_folder / f"videos/{KEY}.html"
    assert page.read_text(encoding="utf-8").count('data-state="to_exclude"') == 2
    assert "stale" in run("videos", "list", "--config", config).stdout
    generated = run("generate", "--yes", "--config", config, "--videos", KEY)
    assert generated.returncode == 0, generated.stdout
    assert {first, second}.isdisjoint(triplet.row.window for triplet in data_set.triplets([KEY]))
    undone = run("videos", "exclude", KEY, str(first), str(second), "--undo", "--config", config)
    assert undone.stdout.startswith(f"{KEY}: {first}, {second} no longer excluded")
    assert data_set.excluded_windows.read(KEY) == frozenset()
    again = run("videos", "exclude", KEY, str(first), str(second), "--undo", "--config", config)
    assert (again.returncode, again.stdout) == (1, "")
    assert f"{KEY}: {first}, {second} were not excluded by hand, so nothing was changed; " in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        ((KEY, "999"), "alpha has no window 999; its page in the gallery shows their numbers", 1),
        (("alhpa", "0"), "no video has the key 'alhpa'; did you mean alpha?", 2),
    ],
)
def test_a_mistake_has_its_remedy_and_excludes_nothing(
    config: Path, arguments: tuple[str, ...], message: str, code: int
) -> None:
    done = run("videos", "exclude", *arguments, "--config", config)
    assert done.returncode == code
    assert message in done.stderr
    assert not (config.with_name("dataset") / "metadata/excluded").exists()


def test_a_range_that_many_patches_touch_is_announced_and_waits_for_a_yes(config: Path) -> None:
    content = json.loads(config.read_text(encoding="utf-8"))
    content["base_settings"]["allow_replacing"] = False
    content["videos"][0]["exclude"] = ["0:00-end"]
    config.write_text(json.dumps(content), encoding="utf-8")
    done = run("generate", "--config", config, "--videos", KEY)
    assert done.returncode == 1
    assert "would be deleted (exclude changed)" in done.stderr


def test_a_video_that_is_removed_with_its_files_has_no_excluded_windows(config: Path) -> None:
    data_set = DataSet(config.with_name("dataset"))
    number = data_set.excludable_windows(KEY)[0].window
    assert run("videos", "exclude", KEY, str(number), "--config", config).returncode == 0
    assert run("videos", "remove", KEY, "--files", "--yes", "--config", config).returncode == 0
    assert not data_set.excluded_windows.path(KEY).exists()
