"""A film at a place that cannot be looked at, where `Path.is_file` raises: one sentence, no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dataset_assets.errors import VideoError
from dataset_assets.video import probe
from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film


def config_of(folder: Path, film: Film) -> Path:
    """A film behind a link to a name longer than a name may be: root is refused too."""
    (folder / "link").symlink_to("x" * 300)
    films = {"Away": (folder / "link/film.mkv", {"general": 1.0}), "Good": (film.path, {"general": 1.0})}
    return write_config(folder, films)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("videos", "list"), "absent"),
        (("generate", "--dry-run"), "it cannot be reached"),
        (("doctor",), "1 of 2 films is absent"),
        (("monitor", "--once"), "0 of 2 done"),
        (("stats",), "good"),
    ],
)
def test_other_films_are_shown(sdr_film: Film, tmp_path: Path, command: tuple[str, ...], said: str) -> None:
    done = run(*command, "--config", config_of(tmp_path, sdr_film), changes={"COLUMNS": "2000"})
    assert "Traceback" not in done.stdout + done.stderr
    assert said in done.stdout + done.stderr


@pytest.mark.slow
def test_other_films_are_made_and_the_remedy_fits(sdr_film: Film, tmp_path: Path) -> None:
    config = config_of(tmp_path, sdr_film)
    done = run("generate", "--config", config, changes={"COLUMNS": "2000"})
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "it cannot be reached (File name too long); change the permissions of its folder" in (
        done.stdout + done.stderr
    )
    assert list((tmp_path / "dataset").rglob("GT/good_*.png"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_folder_that_must_not_be_entered_is_named(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    with pytest.raises(VideoError, match=r"it cannot be reached \(Permission denied\)"):
        probe(locked / "film.mkv")
