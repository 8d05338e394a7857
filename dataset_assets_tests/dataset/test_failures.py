"""The failure of a run: kept, shown, forgotten, and never in the way of the run's own end."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_assets.dataset import DataSet, Failure, newest
from dataset_assets.errors import BusyError, VideoError
from dataset_assets.gallery import refresh_gallery
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.monitor import SnapshotCollector
from dataset_assets.monitor.snapshot import Activity
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, small_settings


def test_a_failure_is_kept_until_a_run_gets_through(sdr_film: Film, tmp_path: Path) -> None:
    output, film = tmp_path / "out", tmp_path / "film.mp4"
    settings = small_settings(output, film)
    for job in (probe_video, generate_video):
        with pytest.raises(VideoError) as failed:
            job(settings, KEY)
        (kept,) = DataSet(output).failures.read().values()
        assert (kept.key, kept.film, kept.sentence) == (KEY, str(film), str(failed.value))
        assert kept.run_id == ""
    film.symlink_to(sdr_film.path)
    generate_video(settings, KEY)
    assert DataSet(output).failures.read() == {}


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (None, "the file does not exist", "correct its path in the configuration or bring the file back"),
        (
            b"no film",
            "it cannot be opened as a film (Invalid data found when processing input)",
            "replace the file",
        ),
    ],
)
def test_film_what_is_wrong_and_remedy_are_kept_apart(
    tmp_path: Path, content: bytes | None, what: str, remedy: str
) -> None:
    output, film = tmp_path / "out", tmp_path / "film.mp4"
    if content is not None:
        film.write_bytes(content)
    with pytest.raises(VideoError):
        generate_video(small_settings(output, film), KEY)
    kept = DataSet(output).failures.read_one(KEY)
    assert kept is not None
    assert (kept.film, kept.what, kept.remedy) == (str(film), f"{KEY} ({film}): {what}", remedy)


@pytest.mark.parametrize("ahead_s", [0.0, 3600.0, -3600.0])
def test_a_refused_film_is_refused_until_it_is_replaced_whatever_the_clocks_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead_s: float
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"no film")
    now_s = time.time()
    monkeypatch.setattr("time.time", lambda: now_s + ahead_s)
    failure = Failure.of(VideoError("it is broken", "replace it"), KEY, film)
    assert failure.is_refusal
    assert failure.refuses(film)
    film.write_bytes(b"on film")
    os.utime(film, ns=(0, int(failure.film_version.split()[1])))  # as a copy that keeps its time
    assert not failure.refuses(film)
    film.unlink()
    assert not failure.refuses(film)


def test_a_refusal_of_the_release_before_goes_by_the_time_of_the_file(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"no film")
    before = Failure(KEY, str(film), "it is broken", ended_s=time.time() + 60, is_refusal=True)
    assert before.refuses(film)
    assert not replace(before, ended_s=1.0).refuses(film)
    assert not replace(before, is_refusal=False).refuses(film)


def test_a_repaired_film_that_is_only_probed_has_not_failed(sdr_film: Film, tmp_path: Path) -> None:
    output, film = tmp_path / "out", tmp_path / "film.mp4"
    settings = small_settings(output, film)
    with pytest.raises(VideoError):
        generate_video(settings, KEY)
    film.symlink_to(sdr_film.path)
    probe_video(settings, KEY)
    assert DataSet(output).failures.read() == {}


def test_gallery_and_monitor_show_a_run_from_python_that_failed_alike(tmp_path: Path) -> None:
    settings = small_settings(tmp_path / "out", tmp_path / "film.mp4")
    with pytest.raises(VideoError) as failed:
        generate_video(settings, KEY)
    (shown,) = SnapshotCollector(settings).snapshot(Activity()).failures
    assert (shown.key, shown.sentence) == (KEY, str(failed.value))
    index = refresh_gallery(settings).index.read_text()
    assert 'data-state="failed"' in index
    assert f"{KEY} (" in index


def test_a_failure_that_cannot_be_kept_is_raised_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small_settings(tmp_path / "out", tmp_path / "film.mp4")

    def is_full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", is_full)
    with pytest.raises(VideoError, match=r"film\.mp4"):
        generate_video(settings, KEY)
    assert DataSet(tmp_path / "out").failures.read() == {}


def test_a_busy_video_has_not_failed(sdr_film: Film, tmp_path: Path) -> None:
    with DataSet(tmp_path).hold(KEY), pytest.raises(BusyError):
        generate_video(small_settings(tmp_path, sdr_film.path), KEY)
    assert DataSet(tmp_path).failures.read() == {}


def test_the_same_failure_reported_again_adds_its_run(tmp_path: Path) -> None:
    failures = DataSet(tmp_path).failures
    first = Failure("film", "/films/film.mkv", "it is interlaced", "deinterlace it", ended_s=10)
    failures.keep(first)
    failures.keep(Failure("film", "", "it is interlaced; deinterlace it", run_id="run-1", ended_s=20))
    kept = failures.read_one("film")
    assert kept == Failure("film", "/films/film.mkv", "it is interlaced", "deinterlace it", "run-1", 20)
    failures.keep(Failure("film", "", "the disk is full", ended_s=30))
    assert failures.read_one("film") == Failure("film", "", "the disk is full", ended_s=30)


def test_of_several_failures_the_newest_counts() -> None:
    found = newest(
        [
            Failure("a", "", "new", ended_s=20),
            Failure("b", "", "only", ended_s=15),
            Failure("a", "", "old", ended_s=10),
        ]
    )
    assert [(key, each.what) for key, each in found.items()] == [("a", "new"), ("b", "only")]


def test_a_path_that_is_not_text_is_kept_in_a_form_that_can_be_printed(tmp_path: Path) -> None:
    failures = DataSet(tmp_path).failures
    failures.keep(Failure("film", os.fsdecode(b"/films/\xff.mkv"), "it is missing"))
    kept = failures.read_one("film")
    assert kept is not None
    assert kept.film.encode("utf-8") == b"/films/\\udcff.mkv"


def test_a_damaged_record_is_no_failure(tmp_path: Path) -> None:
    failures = DataSet(tmp_path).failures
    failures.keep(Failure("film", "", "it is missing"))
    (path,) = tmp_path.rglob("film.json")
    path.write_text("{")
    assert failures.read() == {}
