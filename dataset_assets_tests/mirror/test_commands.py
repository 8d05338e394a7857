"""Commands of several machines on one data set in an object store, each with a folder of its own."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import ConfigError, VideoError
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.command import run, start
from dataset_assets_tests.configurations import pictures, tables, write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.object_stores import URL, Bucket, bucket

__all__ = ["bucket"]

FORMATS = {"small_540": {"width": 96, "height": 96, "folder": "Patches"}}
FORMATS |= {"medium_169": {"width": 144, "height": 81, "folder": "Patches_Medium169"}}
FILE = "Toon/ToonModel/Learn/Patches/GT/film_000000.png"


def config_of(folder: Path, film: Film, names: list[str], **base: Any) -> Path:
    films = dict.fromkeys(names, (film.path, {"toon": 1.0}))
    base = {"machines": "many", "lease_s": 60, "output_url": URL} | base
    return write_config(folder, films, formats=FORMATS, base_settings=base)


def generate(config: Path) -> None:
    """Makes all films, as the command does but without Dagster."""
    settings = load_settings(config)
    for video in settings.videos:
        probe_video(settings, video.key)
        generate_video(settings, video.key)


def succeed(*arguments: str | Path) -> str:
    done = run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def made_alone(folder: Path, film: Film, names: list[str], **base: Any) -> Path:
    """The data set as one machine makes it in its folder."""
    config = config_of(folder, film, names, machines="one", output_url=None, **base)
    generate(config)
    return folder / "dataset"


def assert_equal(bucket: Bucket, root: Path) -> None:
    bucket.hold()
    assert bucket.noted() == set()
    assert bucket.pictures() == pictures(root)
    assert bucket.tables() == tables(root)


@pytest.mark.slow
def test_two_machines_with_a_folder_each_share_the_films(
    bucket: Bucket, tiny_film: Film, tmp_path: Path
) -> None:
    names = ["a", "b", "c", "d"]
    configs = [config_of(tmp_path / each, tiny_film, names) for each in ("one", "two")]
    machines = [start("generate", "--config", config, "--workers", "1", "--wait") for config in configs]
    printed = [machine.communicate()[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], printed
    made = [re.findall(r"^done (\w+): 6 patches", text, re.MULTILINE) for text in printed]
    assert sorted(made[0] + made[1]) == names
    assert all(made)
    assert all("4 videos are up to date: 24 of 24 patches in" in text for text in printed), printed
    alone = made_alone(tmp_path / "alone", tiny_film, names)
    assert_equal(bucket, alone)
    # A third has nothing to do, and sees all of it.
    third = config_of(tmp_path / "three", tiny_film, names)
    assert "4 videos are up to date: 24 of 24 patches" in succeed("generate", "--config", third)
    assert tables(tmp_path / "three/dataset") == tables(alone)
    succeed("pull", "--config", third, "--videos", "a")
    assert pictures(tmp_path / "three/dataset") == {
        name: content for name, content in pictures(alone).items() if "/a_" in name
    }
    succeed("pull", "--config", third)
    assert pictures(tmp_path / "three/dataset") == pictures(alone)


@pytest.fixture
def made(bucket: Bucket, tiny_film: Film, tmp_path: Path) -> Path:
    """A configuration of an empty machine, whose data set another has made."""
    generate(config_of(tmp_path / "first", tiny_film, ["film"]))
    return config_of(tmp_path / "second", tiny_film, ["film"])


def test_views_of_an_empty_machine_show_what_is_in_the_store(made: Path) -> None:
    root = made.parent / "dataset"
    assert "6" in succeed("stats", "--config", made)
    assert "done" in succeed("videos", "list", "--config", made)
    snapshot = json.loads(succeed("monitor", "--config", made, "--json"))
    assert snapshot["overall"]["patches"] == 6
    assert pictures(root) == {}
    assert "object store" in succeed("doctor", "--config", made)


def test_an_export_brings_the_pictures_it_needs(made: Path) -> None:
    succeed("export", "packed", "--config", made)
    assert len(pictures(made.parent / "dataset")) == 18


def test_verify_finds_what_is_wrong_in_the_store_and_repairs_it_there(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, made: Path
) -> None:
    root, whole = made.parent / "dataset", bucket.pictures()
    assert "verify" not in succeed("verify", "--config", made, "--workers", "2")
    # What is damaged here alone comes from the store again.
    (root / FILE).write_bytes(b"\0" * (root / FILE).stat().st_size)
    succeed("verify", "--config", made)
    assert pictures(root) == whole
    stray = FILE.replace("000000", "000099")
    missing, damaged = sorted(name for name in whole if "/LR_7frames/" in name)[:2]
    bucket.write(stray, b"a stray")
    bucket.delete(missing)
    bucket.write(damaged, b"damaged")
    found = run("verify", "--config", made, "--json")
    assert found.returncode == 1
    places = {each["place"] for each in json.loads(found.stdout.splitlines()[0])["findings"]}
    assert places == {stray, missing, damaged}
    succeed("verify", "--config", made, "--repair")
    bucket.hold()
    assert stray not in bucket.names()
    generate(made)
    assert bucket.pictures() == whole
    bucket.hold()


def test_a_video_that_is_removed_is_removed_from_the_store(bucket: Bucket, made: Path) -> None:
    whole = bucket.pictures()
    succeed("videos", "remove", "film", "--files", "--yes", "--config", made)
    left = {name for name in bucket.names() if not name.startswith("metadata/.leases/")}
    assert left == {"metadata/.machines"}
    # The machine that made it, whose folder still has it, makes it again like any other.
    generate(made.parents[1] / "first/config.json")
    assert bucket.pictures() == whole
    bucket.hold()


def test_windows_excluded_on_one_machine_are_excluded_on_the_others(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, made: Path
) -> None:
    succeed("videos", "exclude", "film", "0", "--config", made)
    assert json.loads(bucket.read("metadata/excluded/film.json"))["middle_frames"]
    generate(tmp_path / "first/config.json")
    assert FILE not in bucket.names()
    bucket.hold()
    succeed("videos", "exclude", "film", "0", "--undo", "--config", tmp_path / "first/config.json")
    assert "metadata/excluded/film.json" not in bucket.names()
    generate(made)
    assert_equal(bucket, made_alone(tmp_path / "alone", tiny_film, ["film"]))


def test_what_one_machine_accepts_is_set_apart_on_the_others(
    bucket: Bucket, tmp_path: Path, made: Path
) -> None:
    first, table = (
        tmp_path / "first/config.json",
        "metadata/validation/category=toon/video=film/part-0.parquet",
    )
    succeed("score", "--config", made)
    succeed("validation", "propose", "--count", "1", "--span", "1", "--config", made)
    proposed = bucket.read(table)
    assert succeed("validation", "accept", "--all", "--config", first).startswith(
        "1 patch accepted; 1 file in"
    )
    assert bucket.read(table) != proposed
    shown = succeed("validation", "list", "--config", made)
    assert "accepted" in shown
    assert "is missing" in shown
    assert succeed("validation", "accept", "--all", "--config", made).startswith(
        "0 patches accepted; 1 file in"
    )
    files = [list(config.parent.rglob("Val/GT/*.png")) for config in (first, made)]
    assert [len(each) for each in files] == [1, 1]
    assert files[0][0].read_bytes() == files[1][0].read_bytes()
    succeed("validation", "decline", "--patches", files[0][0].stem, "--config", made)
    assert "declined" in succeed("validation", "list", "--config", first)


def test_stacks_that_are_not_wanted_any_more_are_deleted_from_the_store(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, made: Path
) -> None:
    other = config_of(tmp_path / "third", tiny_film, ["film"], lr_stacks=[5], gt_frames="all")
    generate(other)
    alone = made_alone(tmp_path / "alone", tiny_film, ["film"], lr_stacks=[5], gt_frames="all")
    assert bucket.pictures() == pictures(alone)
    bucket.hold()


def test_a_machine_with_other_settings_is_refused_while_another_works(
    bucket: Bucket, tiny_film: Film, tmp_path: Path
) -> None:
    older = config_of(tmp_path / "older", tiny_film, ["film"], seed=1)
    os.utime(older, (0, 0))
    newer = config_of(tmp_path / "newer", tiny_film, ["film"], seed=2)
    working = DataSet.of(load_settings(newer))
    working.join_hosts(load_settings(newer), newer)
    with (
        working.hold("film"),
        pytest.raises(ConfigError, match=r"base_settings.seed is 1 here and 2 there"),
    ):
        DataSet.of(load_settings(older)).join_hosts(load_settings(older), older)


def test_a_film_that_one_machine_cannot_read_is_shown_as_failed_on_the_others(
    bucket: Bucket, tiny_film: Film, tmp_path: Path
) -> None:
    film = tmp_path / "broken.mkv"
    film.write_bytes(b"no film")
    configs = [
        write_config(
            tmp_path / name,
            {"Film": (film, {"toon": 1.0})},
            formats=FORMATS,
            base_settings={"machines": "many", "output_url": URL},
        )
        for name in ("one", "two")
    ]
    with pytest.raises(VideoError, match="cannot be opened as a film"):
        generate(configs[0])
    assert "cannot be opened as a film" in succeed("videos", "list", "--config", configs[1])
    film.write_bytes(tiny_film.path.read_bytes())
    generate(configs[1])
    assert "cannot be opened" not in succeed("videos", "list", "--config", configs[0])
