"""`videos remove`: what goes, what stays, and that nothing goes unasked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.config import load_settings, look_for_films
from dataset_assets.dataset import DataSet
from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import pictures, tables, write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.generated import Generated
from dataset_assets_tests.terminal import Terminal

ASSETS = ("source_video", "scene_windows", "general_patches", "toon_patches")


@pytest.fixture
def copy(generated: Generated, tmp_path: Path) -> Path:
    """The configuration of a copy of the data set."""
    shutil.copytree(generated.config.parent, tmp_path / "copy", copy_function=shutil.copy2)
    return tmp_path / "copy" / generated.config.name


def listed(config: Path) -> list[str]:
    return [entry["name"] for entry in json.loads(config.read_text(encoding="utf-8"))["videos"]]


def line_of(config: Path, name: str) -> int:
    """The line in which the entry of a video begins: its brace, above its name."""
    return config.read_text(encoding="utf-8").splitlines().index(f'      "name": "{name}",')


def partitions(root: Path) -> dict[str, set[str]]:
    """The partitions that there are, and those that each asset has been made of."""
    with dg.DagsterInstance.from_config(str(root / ".dagster")) as instance:
        made = {name: set(instance.get_materialized_partitions(dg.AssetKey(name))) for name in ASSETS}
        return made | {"videos": set(instance.get_dynamic_partitions("videos"))}


def test_files_stay_unless_they_are_named_and_go_with_all_that_shows_them(copy: Path) -> None:
    root = copy.with_name("dataset")
    before, rows, made = pictures(root), tables(root), partitions(root)
    patches = sum(path.rpartition("/")[2].startswith("beta_") for path in before) // 3
    line = line_of(copy, "Beta")
    done = run("videos", "remove", "beta", "--yes", "--config", copy)
    assert (done.returncode, done.stderr) == (0, "")
    head, *lines, last = done.stdout.splitlines()
    assert (head, last) == ("remove beta:", "removed beta")
    assert lines[:2] == [f"  its entry in {copy}, line {line}", "  its partition in Dagster"]
    assert lines[2].startswith(f"  its tables and {patches} patches (")
    assert lines[2].endswith(" stay: --files deletes them too")
    assert listed(copy) == ["Alpha"]
    assert (pictures(root), tables(root)) == (before, rows)
    assert partitions(root) == made | {"videos": {"alpha"}}

    done = run("videos", "remove", "beta", "--files", "--yes", "--config", copy)
    assert (done.returncode, done.stderr) == (0, "")
    assert pictures(root) == {path: file for path, file in before.items() if "/beta_" not in path} != {}
    assert set(tables(root)) == {path for path in rows if "video=beta" not in path}
    assert not [path for path in root.rglob("*beta*") if path.suffix != ".lock"]
    assert "beta" not in (root / "gallery/index.html").read_text(encoding="utf-8").lower()
    assert partitions(root) == {name: keys - {"beta"} for name, keys in made.items()}
    assert run("verify", "--config", copy).returncode == 0


@pytest.mark.slow
def test_a_person_is_asked_and_no_is_the_default(copy: Path) -> None:
    root = copy.with_name("dataset")
    before = pictures(root)
    for keys, code, names in (
        ("\r", 1, ["Alpha", "Beta"]),
        ("\x03", 1, ["Alpha", "Beta"]),
        ("y\r", 0, ["Alpha"]),
    ):
        with Terminal("videos", "remove", "beta", "--config", copy, columns=200) as terminal:
            terminal.wait_for("Remove it?")
            terminal.press(keys)
            assert terminal.end() == code
            assert ("nothing was removed" in terminal.lines) == bool(code)
        assert listed(copy) == names
    assert pictures(root) == before


def test_nothing_is_removed_where_nobody_can_be_asked_or_a_run_works_on_it(copy: Path) -> None:
    done = run("videos", "remove", "beta", "--config", copy)
    assert done.returncode == 1
    assert done.stderr == "error beta: nothing was removed, since nobody can be asked; add --yes\n"
    with DataSet.of(load_settings(copy)).hold("beta"):
        done = run("videos", "remove", "beta", "--files", "--yes", "--config", copy)
    assert done.returncode == 1
    assert done.stderr.startswith("error beta: another run works on this video; wait until it has ended")
    assert listed(copy) == ["Alpha", "Beta"]


def test_a_key_that_nothing_has_is_answered_with_those_like_it(copy: Path) -> None:
    done = run("videos", "remove", "bets", "--yes", "--config", copy)
    assert (done.returncode, done.stderr) == (2, "error no video has the key 'bets'; did you mean beta?\n")


def test_a_video_that_was_never_made_leaves_no_data_set_behind(sdr_film: Film, tmp_path: Path) -> None:
    config = write_config(tmp_path, {"Film": (sdr_film.path, {"toon": 1})})
    line = line_of(config, "Film")
    done = run("videos", "remove", "film", "--yes", "--config", config)
    assert done.stdout == f"remove film:\n  its entry in {config}, line {line}\nremoved film\n"
    assert listed(config) == []
    assert not list((tmp_path / "dataset").rglob("*.db"))


def test_a_watched_film_goes_once_no_search_finds_it_again(sdr_film: Film, tmp_path: Path) -> None:
    film = tmp_path / "films/found.mkv"
    film.parent.mkdir()
    shutil.copyfile(sdr_film.path, film)
    watch = [{"folder": str(film.parent), "categories": {"toon": 1}, "settled_after_s": 0}]
    config = write_config(tmp_path, {"Film": (sdr_film.path, {"toon": 1})}, watch=watch)
    look_for_films(load_settings(config))
    done = run("videos", "remove", "found", "--yes", "--config", config)
    assert done.returncode == 1
    assert done.stderr == (
        f"error found ({film}): the next search of its watched folder would find it again; "
        f'add "found.mkv" to `exclude` of the watched folder {film.parent} first\n'
    )
    film.parent.rename(tmp_path / "away")
    assert run("videos", "remove", "found", "--yes", "--config", config).returncode == 1
    film.parent.mkdir()
    assert [entry.key for entry in load_settings(config).videos] == ["film", "found"]
    done = run("videos", "remove", "found", "--yes", "--config", config)
    assert done.stdout == "remove found:\n  its place among the films of watched folders\nremoved found\n"
    assert [entry.key for entry in load_settings(config).videos] == ["film"]


def test_a_watched_film_that_is_excluded_goes_for_good(sdr_film: Film, tmp_path: Path) -> None:
    film = tmp_path / "films/found.mkv"
    film.parent.mkdir()
    shutil.copyfile(sdr_film.path, film)
    films = {"Film": (sdr_film.path, {"toon": 1})}
    watch = {"folder": str(film.parent), "categories": {"toon": 1}, "settled_after_s": 0}
    look_for_films(load_settings(write_config(tmp_path, films, watch=[watch])))
    config = write_config(tmp_path, films, watch=[watch | {"exclude": ["found.mkv"]}])
    done = run("videos", "remove", "found", "--yes", "--config", config)
    assert done.stdout == "remove found:\n  its place among the films of watched folders\nremoved found\n"
    assert [entry.key for entry in look_for_films(load_settings(config)).settings.videos] == ["film"]
    assert run("videos", "remove", "found", "--yes", "--config", config).returncode == 2


def test_a_disk_that_refuses_is_one_sentence_and_the_video_stays(copy: Path) -> None:
    locks = copy.with_name("dataset") / "metadata/.locks"
    shutil.rmtree(locks)
    locks.write_text("")
    done = run("videos", "remove", "beta", "--yes", "--files", "--config", copy)
    assert done.returncode == 1
    assert done.stderr.startswith("error beta: ")
    assert "look after the disk or its permissions and remove it again" in done.stderr
    assert "Traceback" not in done.stderr
    assert listed(copy) == ["Alpha", "Beta"]
