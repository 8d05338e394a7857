from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from dataset_assets.cli import unprobed
from dataset_assets.config import load_settings
from dataset_assets.generate import probe_video
from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import tables, write_config
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import Film, Shot, sdr_frames
from dataset_assets_tests.generated import Generated, two_films_config
from dataset_assets_tests.sounds import write_sound


def files(folder: Path) -> dict[str, str]:
    """Every file with the hash of its bytes, but for the shared memory of SQLite, which readers make."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def rows(output: str) -> list[list[str]]:
    lines = [line.strip("│").split("│") for line in output.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line] for line in lines]


@pytest.fixture
def copied(generated: Generated, tmp_path: Path, sdr_film: Film, vfr_film: Film) -> Path:
    """The data set of `generated` somewhere else: its configuration."""
    shutil.copytree(generated.root, tmp_path / "dataset")
    return two_films_config(tmp_path, sdr_film, vfr_film)


def change(config: Path, **base: object) -> None:
    content = json.loads(config.read_text(encoding="utf-8"))
    content["base_settings"] |= base
    config.write_text(json.dumps(content), encoding="utf-8")


def test_of_films_that_were_never_made_it_guesses_and_makes_no_folder(sdr_film: Film, tmp_path: Path) -> None:
    films = {name: (sdr_film.path, {"general": 1.0, "toon": 0.5}) for name in ("A", "B")}
    config = write_config(tmp_path, films)
    before = files(tmp_path)
    done = run("generate", "--dry-run", "--config", config)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path) == before
    assert not (tmp_path / "dataset").exists()
    assert rows(done.stdout) == [
        ["general", "never made", "2", "0", "12", "0", "0", "a"],
        ["toon", "never made", "2", "0", "6", "0", "0", "a"],
    ]
    assert "guessed from pictures of 0.9 megapixels, since no run on windows has ended yet" in done.stdout
    assert done.stdout.endswith("nothing was changed\n")


@pytest.mark.slow
def test_films_that_give_nothing_are_found_before_they_are_probed(sdr_film: Film, tmp_path: Path) -> None:
    small = tmp_path / "small.mp4"
    write_video(small, sdr_frames([Shot(1, 20, 2, 0)], 480, 270), options={"preset": "ultrafast"})
    wide = tmp_path / "wide.mp4"
    write_video(wide, sdr_frames([Shot(1, 20, 2, 0)], 960, 480), options={"preset": "ultrafast"})
    weights = {"general": 1.0, "toon": 0.5}
    films = {"Good": sdr_film.path, "Small": small, "Wide": wide, "Sound": write_sound(tmp_path / "s.mkv")}
    config = write_config(
        tmp_path,
        {name: (path, weights) for name, path in films.items()},
        categories={"toon": {"mix": {"small_540": 1.0}}, "general": {"mix": {"medium_169": 1.0}}},
    )
    done = run("generate", "--dry-run", "--config", config)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("4 videos to work on: keeps 0 patches, adds 15, ")
    assert rows(done.stdout) == [
        ["general", "never made", "2", "0", "12", "0", "0", "good"],
        ["toon", "never made", "1", "0", "3", "0", "0", "good"],
    ]
    (small_line,) = (line for line in lines if line.startswith("too small "))
    assert small_line.startswith(
        "too small 1 film, first small: no format fits: the largest crop would be 480x270"
    )
    (sound_line,) = (line for line in lines if line.startswith("cannot be used "))
    assert sound_line.startswith(
        f"cannot be used 1 film, first sound ({tmp_path / 's.mkv'}): it has no video"
    )
    assert "`dataset-assets videos remove sound`" in sound_line
    # Without opening films it is said that these may give less.
    real = run("generate", "--config", config)
    first = real.stdout.splitlines()[0]
    assert first.startswith("4 videos to work on: keeps 0 patches, adds 36, ")
    assert first.endswith("; this counts all windows of 4 films not probed yet")
    assert "not probed yet" not in lines[0]
    # The run that found the small film too small says nothing about the rate.
    change(config, base_frame_limit=13)
    done = run("generate", "--dry-run", "--config", config)
    assert " s a window, as in the last 2 runs" in done.stdout


def test_films_beyond_the_first_thousand_count_with_all_their_windows(
    sdr_film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = {name: (sdr_film.path, {"general": 1.0}) for name in "ABC"}
    settings = load_settings(write_config(tmp_path, films))
    monkeypatch.setattr(unprobed, "MOST_LOOKED_INTO", 2)
    found = unprobed.look_into(settings, ["a", "b", "c"], Console())
    assert (list(found.sizes), found.unseen) == (["a", "b"], ["c"])


@pytest.mark.slow
def test_what_a_change_would_do_is_what_generate_then_does(copied: Path) -> None:
    change(copied, base_frame_limit=3, allow_replacing=True)
    before = files(copied.parent)
    dry = run("generate", "--dry-run", "--config", copied)
    assert dry.returncode == 0, dry.stderr
    assert files(copied.parent) == before
    whys = [row[1] for row in rows(dry.stdout) if row[0] == "general"]
    assert sorted(whys) == ["2 wanted instead of 3", "3 wanted instead of 6"]
    assert " s a window, as in the last 2 runs" in dry.stdout
    real = run("generate", "--config", copied)
    assert dry.stdout.splitlines()[0].split(";")[0] == real.stdout.splitlines()[0].split(";")[0]


def test_it_says_what_would_be_refused(copied: Path) -> None:
    change(copied, base_frame_limit=2, allow_replacing=False)
    done = run("generate", "--dry-run", "--config", copied)
    assert done.returncode == 1
    assert f"would be refused {copied.parent}/dataset, general, toon of 2 videos: of 11 " in done.stdout
    change(copied, base_frame_limit=20, min_free_gb=1e6)
    done = run("generate", "--dry-run", "--config", copied)
    assert "base_settings.min_free_gb keeps 1.0 PB; free some space" in done.stdout


def about_s(output: str) -> int:
    """The seconds that it estimates."""
    (found,) = re.findall(r"^about (\d+) s, ", output, re.MULTILINE)
    return int(found)


def test_a_film_that_was_enlarged_is_named(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    frames = sdr_frames([Shot(seed, 7, 2, 2) for seed in range(70, 76)], 640, 360)
    pictures = (Image.fromarray(frame).resize((960, 540), Image.Resampling.BICUBIC) for frame in frames)
    options = {"preset": "veryfast", "crf": "12"}
    write_video(film, map(np.asarray, pictures), keyint=7, options=options)
    config = write_config(tmp_path, {"Anime": (film, {"general": 1.0})})
    probe_video(load_settings(config), "anime")
    done = run("generate", "--dry-run", "--config", config)
    assert "enlarged 1 film, first anime: 960x540, holds 640x360\n" in done.stdout


def test_time_is_that_of_the_windows_that_are_worked_on(copied: Path) -> None:
    data_set = copied.parent / "dataset"
    found = tables(data_set)["metadata/windows/video=beta/part-0.parquet"]
    row = next(row for row in found if row["accepted"])
    assert run("videos", "exclude", "beta", str(row["window"]), "--config", copied).returncode == 0
    one = about_s(run("generate", "--dry-run", "--config", copied).stdout)
    every = about_s(run("generate", "--dry-run", "--force", "--videos", "beta", "--config", copied).stdout)
    assert one < every


def test_an_absent_film_adds_nothing_and_is_named(copied: Path) -> None:
    content = json.loads(copied.read_text(encoding="utf-8"))
    film = Path(content["videos"][1]["path"])
    content["videos"][1]["path"] = str(film.with_name("away.mkv"))
    copied.write_text(json.dumps(content), encoding="utf-8")
    change(copied, base_frame_limit=9, allow_replacing=True)
    done = run("generate", "--dry-run", "--config", copied)
    key = content["videos"][1]["name"].lower()
    assert (
        f"absent 1 film, first {key} ({film.with_name('away.mkv')}): the file does not exist" in done.stdout
    )
    assert {row[2] for row in rows(done.stdout)} == {"1"}
    # Fewer are made of what is there.
    change(copied, base_frame_limit=2)
    done = run("generate", "--dry-run", "--config", copied)
    assert "absent" not in done.stdout


def test_films_of_watched_folders_are_planned_and_those_that_settle_are_mentioned(
    sdr_film: Film, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    shutil.copyfile(sdr_film.path, folder / "old.mkv")
    os.utime(folder / "old.mkv", (1e9, 1e9))
    watch = {"folder": str(folder), "categories": {"general": 1.0}, "settled_after_s": 0}
    config = write_config(tmp_path, {}, watch=[watch])
    before = files(tmp_path)
    done = run("generate", "--dry-run", "--config", config)
    assert rows(done.stdout) == [["general", "never made", "1", "0", "6", "0", "0", "old"]]
    assert files(tmp_path) == before
    config = write_config(tmp_path, {}, watch=[watch | {"settled_after_s": 3600}])
    done = run("generate", "--dry-run", "--config", config)
    assert f"1 film is not complete yet, first {folder / 'old.mkv'}" in done.stdout


def test_of_a_finished_data_set_nothing_is_to_be_made(copied: Path) -> None:
    done = run("generate", "--dry-run", "--config", copied)
    assert done.stdout.splitlines()[0].startswith("0 videos to work on: keeps 0 patches, adds 0")
    assert "nothing to write" in done.stdout
    assert rows(done.stdout) == []


def test_a_table_that_cannot_be_counted_is_named(copied: Path) -> None:
    table = copied.parent / "dataset/metadata/patches/category=general/video=alpha/part-0.parquet"
    table.write_bytes(b"no table")
    done = run("generate", "--dry-run", "--config", copied)
    assert done.returncode == 0
    assert f"not counted alpha: The general patches table of alpha ({table}) is damaged" in done.stdout


def megabytes_to_write(output: str) -> float:
    found = re.search(r"about ([\d.]+) (kB|MB) to write", output)
    assert found is not None, output
    return float(found[1]) * {"kB": 1e-3, "MB": 1.0}[found[2]]


@pytest.mark.slow
def test_files_that_patches_get_or_lose_are_counted_with_their_size(copied: Path) -> None:
    change(copied, gt_frames="all", lr_stacks=[7], allow_replacing=False)
    done = run("generate", "--dry-run", "--config", copied)
    found = rows(done.stdout)
    assert found
    for _, why, _, kept, added, remade, deleted, gets, loses, _ in found:
        assert why == "LR_5frames is not wanted, GT_7frames is wanted"
        assert (added, remade, deleted) == ("0", "0", "0")
        assert kept == gets == loses
    assert "would lose a file" in done.stdout
    before = sum(path.stat().st_size for path in copied.parent.rglob("*.png"))
    said = megabytes_to_write(run("generate", "--dry-run", "--yes", "--config", copied).stdout)
    assert run("generate", "--yes", "--config", copied).returncode == 0
    written = sum(path.stat().st_size for path in copied.parent.rglob("GT_7frames/*.png")) / 1e6
    assert before / 1e6 < written
    assert 0.3 * written < said < 3 * written


@pytest.mark.slow
def test_the_size_of_patches_of_another_scale_is_estimated_by_it(copied: Path) -> None:
    change(copied, lr_stacks=[7])
    assert run("generate", "--yes", "--config", copied).returncode == 0
    said = {}
    for scale in (3, 4, 2):
        change(copied, scale=scale)
        done = run("generate", "--dry-run", "--yes", *(["--force"] if scale == 3 else []), "--config", copied)
        said[scale] = megabytes_to_write(done.stdout)
        assert ("scale changed from 3 to" in done.stdout) == (scale != 3)
    pixels = {scale: 1 + 7 / scale**2 for scale in said}
    for scale in (2, 4):
        assert said[scale] / said[3] == pytest.approx(pixels[scale] / pixels[3], rel=0.05)
