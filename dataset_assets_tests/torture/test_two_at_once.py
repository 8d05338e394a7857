"""A run of the UI and one of the command line at the same time, on one video and on two."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import pictures, write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import files_named_by_rows
from dataset_assets_tests.torture.runs import DONE, Runs
from dataset_assets_tests.torture.shared_sets import FORMATS, frozen

WEIGHTS = {"toon": 1.0}


@pytest.mark.slow
def test_a_second_run_on_a_video_stops_with_a_sentence_and_the_first_goes_on(
    runs: Runs, tiny_film: Film, tmp_path: Path
) -> None:
    films = {"Film": (tiny_film.path, WEIGHTS), "Other": (tiny_film.path, WEIGHTS)}
    config = write_config(tmp_path, films, formats=FORMATS)
    root = config.parent / "dataset"
    with frozen(runs, config, "in a picture", 5) as pid:
        second = run("generate", "--config", config)
        os.kill(pid, signal.SIGCONT)
    assert runs.wait().code == DONE
    assert second.returncode == 1
    assert "failed film: another run works on this video; wait until it has ended" in second.stdout
    assert "done other: 6 patches" in second.stdout
    assert "Traceback" not in second.stdout + second.stderr
    assert len(pictures(root)) == 2 * 3 * 6
    assert files_named_by_rows(root) == set(pictures(root))
    assert list(root.glob("metadata/.journals/*")) == []


@pytest.mark.slow
def test_the_lock_of_a_run_that_was_killed_needs_no_hand(runs: Runs, tiny_film: Film, tmp_path: Path) -> None:
    config = write_config(tmp_path, {"Film": (tiny_film.path, WEIGHTS)}, formats=FORMATS)
    with frozen(runs, config, "in a picture", 5) as pid:
        os.kill(pid, signal.SIGKILL)
    assert runs.wait().code == -signal.SIGKILL
    done = run("generate", "--config", config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert files_named_by_rows(tmp_path / "dataset") == set(pictures(tmp_path / "dataset"))
    assert len(pictures(tmp_path / "dataset")) == 3 * 6
