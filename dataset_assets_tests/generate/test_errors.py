"""What a user can do wrong: one error that names the video and the remedy, and nothing else is lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_assets.errors import (
    BusyError,
    ConfigError,
    DatasetAssetsError,
    MissingWindowsError,
    SpaceError,
    VideoError,
)
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.interrupting import at_disk_call
from dataset_assets_tests.generate.samples import KEY, pictures, small_settings, tables
from dataset_assets_tests.progress import read_progress

HOLD_LOCK = """
import fcntl, sys
file = open(sys.argv[1], "wb")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
input()
"""


def test_patches_without_windows_say_how_to_make_them(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    with pytest.raises(MissingWindowsError) as caught:
        generate_video(settings, KEY, windows=False, categories=["space", "toon"])
    for part in (KEY, str(sdr_film.path), "space and toon", "scene_windows", "dataset-assets generate"):
        assert part in str(caught.value)
    assert pictures(tmp_path) == {}


def test_stale_windows_are_not_replayed(sdr_film: Film, tmp_path: Path) -> None:
    generate_video(small_settings(tmp_path, sdr_film.path), KEY, categories=[])
    with pytest.raises(MissingWindowsError):
        generate_video(small_settings(tmp_path, sdr_film.path, seed=1), KEY, windows=False)


def test_finished_patches_need_no_windows(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    generate_video(settings, KEY)
    shutil.rmtree(tmp_path / "metadata/windows")
    assert generate_video(settings, KEY, windows=False).made == 0


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[None]:
    """Another process holds the film's lock."""
    folder = tmp_path / "metadata/.locks"
    folder.mkdir(parents=True)
    command = [sys.executable, "-c", HOLD_LOCK, str(folder / f"{KEY}.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield
        other.communicate(b"\n")


@pytest.mark.usefixtures("locked")
def test_a_second_run_on_the_same_video_is_asked_to_wait(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    with pytest.raises(BusyError, match=f"{KEY}: another run works on this video; wait"):
        generate_video(settings, KEY)
    with pytest.raises(BusyError):
        probe_video(settings, KEY)
    assert tables(tmp_path) == {}


def test_a_run_that_failed_holds_no_lock(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    with pytest.raises(MissingWindowsError):
        generate_video(settings, KEY, windows=False)
    assert generate_video(settings, KEY).made > 0


def test_too_little_space_is_reported_before_anything_is_made(sdr_film: Film, tmp_path: Path) -> None:
    with pytest.raises(SpaceError) as caught:
        generate_video(small_settings(tmp_path, sdr_film.path, min_free_gb=1e9), KEY)
    for part in (KEY, str(tmp_path), "1000000000.0 GB", "min_free_gb"):
        assert part in str(caught.value)
    assert pictures(tmp_path) == {}
    assert tables(tmp_path) == {}


def test_room_is_not_asked_for_what_is_there(sdr_film: Film, tmp_path: Path) -> None:
    generate_video(small_settings(tmp_path, sdr_film.path), KEY)
    assert generate_video(small_settings(tmp_path, sdr_film.path, min_free_gb=1e9), KEY).made == 0


def test_a_missing_film_is_named_by_key_and_path(tmp_path: Path) -> None:
    settings = small_settings(tmp_path, tmp_path / "gone.mkv")
    for run in (generate_video, probe_video):
        with pytest.raises(VideoError, match=r"a-film \(.*gone\.mkv\): the file does not exist; .*correct"):
            run(settings, KEY)


def test_a_film_that_one_of_many_machines_lacks_is_named_with_that_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "w3")
    settings = small_settings(tmp_path, tmp_path / "gone.mkv", machines="many")
    for run in (generate_video, probe_video):
        with pytest.raises(VideoError) as caught:
            run(settings, KEY)
        assert str(caught.value) == (
            f"{KEY} ({tmp_path / 'gone.mkv'}): the file does not exist on w3; correct its path in the "
            "configuration or mount its disk there"
        )


def test_a_film_whose_recorded_frames_are_gone_keeps_what_was_made(
    sdr_film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataset_assets.video.fingerprint.CHUNK_BYTES", 64)
    film = tmp_path / "film.mp4"
    shutil.copy2(sdr_film.path, film)
    settings = small_settings(tmp_path / "out", film)
    generate_video(settings, KEY, categories=["toon"])
    before = pictures(tmp_path / "out")
    stat = film.stat()
    # Damage that neither size nor time tells, nor the sampled content: it lies between the samples.
    content = bytearray(film.read_bytes())
    for start, stop in ((1, 7), (9, 13)):
        span = slice(len(content) * start // 16, len(content) * stop // 16)
        content[span] = bytes(len(content[span]))
    film.write_bytes(content)
    os.utime(film, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(VideoError, match=r"a-film .*window \d+ at .* cannot be read any more; .*--force"):
        generate_video(settings, KEY, windows=False, categories=["general"])
    assert before.items() <= pictures(tmp_path / "out").items()


def test_unknown_names_are_reported_with_the_known_ones(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    with pytest.raises(ConfigError, match=r"no category has the name 'cartoon'.*general, space, toon"):
        generate_video(settings, KEY, categories=["cartoon"])
    with pytest.raises(ConfigError, match="a-film"):
        generate_video(settings, "a-flim")


def test_a_damaged_table_is_reported_and_not_overwritten(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    generate_video(settings, KEY)
    table = tmp_path / f"metadata/patches/category=toon/video={KEY}/part-0.parquet"
    table.write_bytes(b"damaged")
    with pytest.raises(DatasetAssetsError, match=r"category=toon.* is damaged; delete it"):
        generate_video(settings, KEY)
    assert table.read_bytes() == b"damaged"
    table.unlink()
    generate_video(settings, KEY)
    assert tables(tmp_path)[str(table.relative_to(tmp_path))][1]["complete"]


def test_a_folder_that_cannot_be_written_is_reported(sdr_film: Film, tmp_path: Path) -> None:
    def refused() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    with (
        pytest.raises(DatasetAssetsError, match=r"a-film: .* cannot be written .*output_base_dir"),
        at_disk_call(5, refused),
    ):
        generate_video(small_settings(tmp_path, sdr_film.path), KEY)


def test_after_an_error_no_progress_is_shown(sdr_film: Film, tmp_path: Path) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(SpaceError), at_disk_call(20, full):
        generate_video(small_settings(tmp_path, sdr_film.path), KEY)
    assert read_progress(tmp_path / "metadata/.progress") == []
