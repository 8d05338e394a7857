"""A run of the UI and one of the command line at the same time, on one video and on two."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataset_assets_tests.command import run, wait_until
from dataset_assets_tests.configurations import pictures, write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import files_named_by_rows
from dataset_assets_tests.torture.runs import DONE, Order, Runs

FORMATS = {"small_540": {"width": 96, "height": 96, "folder": "Patches"}}
FORMATS |= {"medium_169": {"width": 144, "height": 81, "folder": "Patches_Medium169"}}
WEIGHTS = {"toon": 1.0}


@contextmanager
def halfway(runs: Runs, config: Path) -> Iterator[int]:
    """A Dagster run of the first film that stands still in the middle of a picture; gives its process."""
    pid = runs.start(Order(str(config), "film", "in a picture", 5, signal.SIGSTOP))
    stat = Path(f"/proc/{pid}/status")
    try:
        wait_until(
            lambda: "\nState:\tT" in stat.read_text(encoding="utf-8"), "the run comes to its fifth picture"
        )
        yield pid
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        runs.wait()
        raise


def test_a_second_run_on_a_video_stops_with_a_sentence_and_the_first_goes_on(
    runs: Runs, tiny_film: Film, tmp_path: Path
) -> None:
    films = {"Film": (tiny_film.path, WEIGHTS), "Other": (tiny_film.path, WEIGHTS)}
    config = write_config(tmp_path, films, formats=FORMATS)
    root = config.parent / "dataset"
    with halfway(runs, config) as pid:
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


def test_the_lock_of_a_run_that_was_killed_needs_no_hand(runs: Runs, tiny_film: Film, tmp_path: Path) -> None:
    config = write_config(tmp_path, {"Film": (tiny_film.path, WEIGHTS)}, formats=FORMATS)
    with halfway(runs, config) as pid:
        os.kill(pid, signal.SIGKILL)
    assert runs.wait().code == -signal.SIGKILL
    done = run("generate", "--config", config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert files_named_by_rows(tmp_path / "dataset") == set(pictures(tmp_path / "dataset"))
    assert len(pictures(tmp_path / "dataset")) == 3 * 6
