"""The sentence of a failed run: kept, forgotten, and never in the way of the run's own end."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dataset_assets.errors import BusyError, VideoError
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.generate.failures import read_failures
from dataset_assets.generate.lock import video_lock
from dataset_assets.tables import TableStore
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, small_settings


def test_a_failure_is_kept_until_a_run_gets_through(sdr_film: Film, tmp_path: Path) -> None:
    output = tmp_path / "out"
    store = TableStore(output)
    settings = small_settings(output, tmp_path / "film.mp4")
    for job in (probe_video, generate_video):
        with pytest.raises(VideoError) as failed:
            job(settings, KEY)
        assert read_failures(store) == {KEY: str(failed.value)}
    (tmp_path / "film.mp4").symlink_to(sdr_film.path)
    generate_video(settings, KEY)
    assert read_failures(store) == {}


def test_a_failure_that_cannot_be_kept_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small_settings(tmp_path / "out", tmp_path / "film.mp4")

    def is_full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", is_full)
    with pytest.raises(VideoError, match=r"film\.mp4"):
        generate_video(settings, KEY)
    assert read_failures(TableStore(tmp_path / "out")) == {}


def test_a_busy_video_has_not_failed(sdr_film: Film, tmp_path: Path) -> None:
    with video_lock(tmp_path / "metadata/.locks", KEY), pytest.raises(BusyError):
        generate_video(small_settings(tmp_path, sdr_film.path), KEY)
    assert read_failures(TableStore(tmp_path)) == {}
