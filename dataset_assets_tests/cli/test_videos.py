from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet, Failure
from dataset_assets.errors import VideoError
from dataset_assets.generate import probe_video
from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.generated import Generated
from dataset_assets_tests.sounds import write_sound


def rows(table: str) -> dict[str, list[str]]:
    """Cells of a table in the terminal, by its first column."""
    lines = [line.strip("│┃").split("│") for line in table.splitlines() if line.startswith("│")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def empty_config(folder: Path) -> Path:
    config = folder / "config.json"
    config.write_text('{\n  "base_settings": {"output_base_dir": "dataset"},\n  "videos": []\n}\n')
    return config


def test_scanned_films_are_listed(sdr_film: Film, tmp_path: Path) -> None:
    films = tmp_path / "films"
    (films / "more").mkdir(parents=True)
    (films / "[#recycle]").mkdir()
    for name in ("Star Film.mkv", "Other Film.mp4", "more/Third.mkv"):
        shutil.copyfile(sdr_film.path, films / name)
    for name in ("notes.txt", "[#recycle]/[b].iso"):
        (films / name).touch()
    config = empty_config(tmp_path)
    weights = ("--category", "general=0.5,space=0.25", "--rule", "star*=space")
    done = run("videos", "scan", films, *weights, "--config", config)
    assert done.returncode == 0, done.stderr
    assert "added star-film (space 1)" in done.stdout
    assert "added other-film (general 0.5, space 0.25)" in done.stdout
    assert done.stdout.endswith("3 films added\n")
    assert done.stderr.startswith("scan 1 skipped, films/[#recycle]/[b].iso: kinds that cannot be read")
    assert done.stderr.count("\n") == 1
    assert len(json.loads(config.read_text(encoding="utf-8"))["videos"]) == 3
    again = run("videos", "scan", films, *weights, "--config", config)
    assert again.stdout == "0 films added\n"
    listed = rows(run("videos", "list", "--config", config).stdout)
    of_rest = ["ok", "missing", "missing 0/500", "missing 0/500", "missing 0/250", "-"]
    assert listed == {
        "star-film": ["ok", "missing", "missing 0/1000", "-", "missing 0/1000", "-"],
        "other-film": of_rest,
        "third": of_rest,
    }


def test_a_scan_leaves_out_what_cannot_be_a_film(sdr_film: Film, tmp_path: Path) -> None:
    films = tmp_path / "films"
    write_sound(films / "[sound].mkv")
    shutil.copyfile(sdr_film.path, films / "film.mkv")
    config = empty_config(tmp_path)
    done = run("videos", "scan", films, "--category", "general=1", "--config", config)
    assert (done.returncode, done.stdout) == (0, "added film (general 1)\n1 film added\n")
    assert done.stderr == f"scan {films}/[sound].mkv: it has no video stream, so it is left out\n"


def test_the_list_shows_what_is_done_missing_stale_and_absent(generated: Generated, tmp_path: Path) -> None:
    settings = json.loads(generated.config.read_text(encoding="utf-8"))
    settings["base_settings"]["output_base_dir"] = str(generated.root)
    settings["videos"][0]["categories"]["toon"] = 0.5
    absent = {"name": "Absent", "path": "absent.mkv", "categories": {"toon": 1}}
    settings["videos"].append(absent)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    listed = rows(run("videos", "list", "--config", config).stdout)
    assert listed == {
        "alpha": ["ok", "done", "short 4/6", "short 4/6", "-", "stale 0/3"],
        "beta": ["ok", "done", "short 4/6", "done 3/3", "-", "short 4/6"],
        "absent": ["absent", "missing", "missing 0/6", "-", "-", "missing 0/6"],
    }


def test_an_unknown_category_leaves_the_configuration_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "film.mkv").touch()
    config = empty_config(tmp_path)
    before = config.read_bytes()
    done = run("videos", "scan", tmp_path, "--category", "genral=1", "--config", config)
    assert done.returncode == 2
    assert "genral: there is no such category" in done.stderr
    assert config.read_bytes() == before


def test_a_refused_film_is_shown_with_its_reason_until_it_is_replaced(sdr_film: Film, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "sound.mkv")
    config = write_config(tmp_path, {"Sound": (sound, {"general": 1}), "New": (sdr_film.path, {"toon": 1})})
    settings = load_settings(config)
    with pytest.raises(VideoError):
        probe_video(settings, "sound")
    shown = run("videos", "list", "--config", config).stdout
    assert rows(shown)["sound"] == ["refused", *["-"] * 5]
    assert rows(shown)["new"] == ["ok", "missing", "missing 0/6", "-", "-", "missing 0/6"]
    (line,) = (line for line in shown.splitlines() if line.startswith("refused"))
    assert line == (
        f"refused sound ({sound}): it has no video stream; remove it from the configuration by "
        "`dataset-assets videos remove sound`"
    )
    shutil.copyfile(sdr_film.path, tmp_path / "film")
    (tmp_path / "film").replace(sound)
    shown = run("videos", "list", "--config", config).stdout
    assert rows(shown)["sound"] == ["ok", "missing", "missing 0/6", "missing 0/6", "-", "-"]
    assert "refused" not in shown


def test_a_run_that_failed_for_another_reason_is_no_refusal(sdr_film: Film, tmp_path: Path) -> None:
    config = write_config(tmp_path, {"Film": (sdr_film.path, {"toon": 1})})
    data_set = DataSet.of(load_settings(config))
    data_set.failures.keep(Failure("film", str(sdr_film.path), "film: the disk is full", "free some space"))
    shown = run("videos", "list", "--config", config).stdout
    assert rows(shown)["film"] == ["failed", "missing", "missing 0/6", "-", "-", "missing 0/6"]
    assert shown.splitlines()[-1] == "failed film: the disk is full; free some space"


def test_films_that_are_still_being_copied_are_mentioned(sdr_film: Film, tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for name in ("one.mkv", "two.mkv"):
        shutil.copyfile(sdr_film.path, films / name)
    watch = [{"folder": str(films), "categories": {"toon": 1}, "settled_after_s": 3600}]
    config = write_config(tmp_path, {"Film": (sdr_film.path, {"toon": 1})}, watch=watch)
    done = run("videos", "list", "--config", config)
    assert list(rows(done.stdout)) == ["film"]
    assert done.stderr == (
        f"watch 2 films are not complete yet, first {films}/one.mkv: a film becomes a video once it has been "
        "unchanged for `settled_after_s`.\n"
    )


def test_a_long_key_stays_on_one_line_of_a_pipe(sdr_film: Film, tmp_path: Path) -> None:
    key = "a-film-" + "x" * 90
    config = empty_config(tmp_path)
    shutil.copyfile(sdr_film.path, tmp_path / f"{key}.mkv")
    assert run("videos", "scan", tmp_path, "--category", "general=1", "--config", config).returncode == 0
    assert key in rows(run("videos", "list", "--config", config).stdout)
