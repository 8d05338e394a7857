"""Progress that other processes read while a video is worked on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import cv2
import pytest

from dataset_assets.dataset import Progress, ProgressFile
from dataset_assets.dataset.progress import read_progress_files
from dataset_assets.generate import generate_video
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.interrupting import at_disk_call
from dataset_assets_tests.generate.samples import KEY, small_settings
from dataset_assets_tests.machines import holder_of, write_progress
from dataset_assets_tests.progress import read_progress


def test_what_one_process_writes_another_reads(tmp_path: Path) -> None:
    progress = Progress("a-film", windows_target=9, patches_target={"toon": 4}, patches={"toon": 1})
    file = ProgressFile(tmp_path, progress)
    assert read_progress(tmp_path) == []
    file.update()
    assert read_progress(tmp_path) == [progress]
    file.remove()
    assert read_progress(tmp_path) == []


def test_progress_is_written_at_most_once_a_second(tmp_path: Path) -> None:
    progress = Progress("a-film")
    file = ProgressFile(tmp_path, progress)
    file.update()
    first = progress.updated_s
    progress.windows_done = 5
    file.update()
    assert progress.updated_s == first
    progress.updated_s -= 2
    file.update()
    assert read_progress(tmp_path)[0].windows_done == 5


def test_what_a_dead_process_left_or_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    ProgressFile(tmp_path, Progress("dead", pid=ended.pid)).update()
    ProgressFile(tmp_path, Progress("alive", pid=os.getppid())).update()
    (tmp_path / "half.json").write_text('{"key": "ha')
    (tmp_path / "other.json").write_text(json.dumps({"unknown": 1}))
    assert [progress.key for progress in read_progress(tmp_path)] == ["alive"]


def test_another_process_with_the_number_of_a_dead_one_is_not_taken_for_it(tmp_path: Path) -> None:
    progress = Progress("a-film")
    ProgressFile(tmp_path, progress).update()
    assert progress.is_alive
    (path,) = tmp_path.glob("*.json")
    written = json.loads(path.read_text())
    path.write_text(json.dumps(written | {"process": written["process"] + "1"}))
    assert read_progress(tmp_path) == []
    (left,) = read_progress_files(tmp_path)
    assert (left.key, left.pid, left.is_alive) == ("a-film", os.getpid(), False)


def test_files_of_the_release_before_are_read(tmp_path: Path) -> None:
    progress = Progress("a-film", windows_done=3)
    ProgressFile(tmp_path, progress).update()
    (path,) = tmp_path.glob("*.json")
    written = json.loads(path.read_text())
    assert written["host"] == socket.gethostname()
    del written["host"], written["machine"]
    path.write_text(json.dumps(written))
    (found,) = read_progress(tmp_path)
    assert (found.windows_done, found.is_alive, found.is_here) == (3, True, True)


@pytest.mark.parametrize(("ahead_s", "is_moved"), [(1.0, False), (90.0, True), (-90.0, True)])
def test_moments_of_another_machine_are_by_the_file_servers_clock(
    tmp_path: Path, ahead_s: float, is_moved: bool
) -> None:
    path = write_progress(tmp_path, "a-film", holder_of("w1"), ahead_s=ahead_s, film_away_s=1e9)
    (found,) = read_progress_files(path.parent)
    written = json.loads(path.read_text())
    for name in ("started_s", "updated_s", "film_away_s"):
        moved_s = written[name] - getattr(found, name)
        assert moved_s == pytest.approx(ahead_s if is_moved else 0.0, abs=1)
    assert found.committed_s == 0.0
    assert not found.is_here


def test_a_folder_that_does_not_exist_shows_no_progress(tmp_path: Path) -> None:
    assert read_progress(tmp_path / "none") == []


@pytest.mark.parametrize("resumed", [False, True])
def test_counts_include_what_earlier_runs_made(sdr_film: Film, tmp_path: Path, resumed: bool) -> None:
    settings = small_settings(tmp_path, sdr_film.path, checkpoint_every=1)
    folder = tmp_path / "metadata/.progress"

    def stop() -> None:
        raise KeyboardInterrupt

    if resumed:
        with pytest.raises(KeyboardInterrupt), at_disk_call(90, stop):
            generate_video(settings, KEY)
    seen: list[Progress] = []
    told: list[Progress] = []
    encode = cv2.imencode

    def watched(*args: Any) -> Any:
        seen.extend(read_progress(folder))
        return encode(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dataset_assets.dataset.progress.INTERVAL_S", 0.0)
        patch.setattr(cv2, "imencode", watched)
        report = generate_video(settings, KEY, on_progress=lambda progress: told.append(deepcopy(progress)))
    # What is read while a window is made is what was told after the one before.
    assert seen[-1] == told[-2]
    last = told[-1]
    assert (last.windows_target, last.patches_target) == (6, {"general": 6, "space": 3, "toon": 2})
    assert last.patches == {name: len(made.rows) for name, made in report.categories.items()}
    assert last.patches_bytes == {name: made.size_bytes for name, made in report.categories.items()}
    assert last.windows_done == last.accepted == report.windows.accepted
    assert last.candidates == report.windows.candidates
    assert last.windows_pending == 6 - last.windows_done
    for name in ("windows_done", "windows_worked", "candidates"):
        counts = [getattr(progress, name) for progress in told]
        assert counts == sorted(counts)
    # What an earlier run finished is nothing that this run has to work on.
    assert (last.windows_worked < last.candidates) == resumed
    assert resumed or seen[0].committed_s == 0.0
    assert last.started_s < last.committed_s <= last.updated_s
    assert (report.made < sum(last.patches.values())) == resumed
    assert read_progress(folder) == []


def test_a_run_writes_its_progress_after_each_window(sdr_film: Film, tmp_path: Path) -> None:
    states: list[tuple[int, int, int]] = []

    def on_progress(progress: Progress) -> None:
        states.append((progress.windows_done, progress.windows_pending, progress.patches["general"]))

    settings = small_settings(tmp_path, sdr_film.path, base_frame_limit=2)
    report = generate_video(settings, KEY, categories=["general"], on_progress=on_progress)
    assert [(done, pending) for done, pending, _ in states] == [(1, 1), (2, 0)]
    assert states[-1][2] == report.made
    states.clear()
    generate_video(settings, KEY, categories=["general"], on_progress=on_progress)
    assert states == []
