"""A bounded share of the mutated films; `python -m dataset_assets_tests.torture.films` tries 2,000."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from dataset_assets_tests.torture.films import MAX_WRONG_SHARE, torture
from dataset_assets_tests.torture.sources import SOURCES, source_named
from dataset_assets_tests.torture.trials import try_film, verdict

# One of each codec; the rest is the long run's.
NAMES = ("h264.ts", "hevc.mkv", "hevc10.mp4", "av1.mkv", "mpeg2.avi")


@pytest.mark.slow
def test_mutated_films_neither_crash_nor_hang_nor_get_wrong_frames_accepted(films_folder: Path) -> None:
    report = torture(45, 1, films_folder, [source_named(name) for name in NAMES])
    assert report.defects == []
    assert report.total("films") == 45
    assert report.total("right") > 80
    assert report.total("rejected") > 20
    assert report.wrong_share <= MAX_WRONG_SHARE, "\n".join(report.lines())


def test_a_crash_and_an_endless_loop_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test would be worth nothing if it did not notice."""
    read = "dataset_assets_tests.torture.trials._read"
    monkeypatch.setattr(read, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    assert try_film(tmp_path / "film.mkv", "keyframe").end == "crashed"
    monkeypatch.setattr(read, lambda *_: signal.pause())
    monkeypatch.setattr("dataset_assets_tests.torture.trials.WALL_S", 0.2)
    assert try_film(tmp_path / "film.mkv", "keyframe").end == "hung"


def test_windows_are_distinguished() -> None:
    film = [f"frame {number}" for number in range(20)]
    assert verdict(film[3:10], [film]) == "right"
    assert verdict(film[3:9] + film[10:11], [film]) == "other order"
    assert verdict([*film[3:9], "grey"], [film]) == "wrong pixels"


def test_every_codec_and_container_of_the_promise_is_there() -> None:
    names = {source.name for source in SOURCES}
    assert {name.split(".")[0] for name in names} >= {
        "h264",
        "hevc",
        "hevc10",
        "av1",
        "vp9",
        "mpeg2",
        "prores",
    }
    assert {name.split(".")[1] for name in names} >= {"mkv", "mp4", "ts", "avi"}
