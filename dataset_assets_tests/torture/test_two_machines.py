"""Several machines that make one data set, as processes that share nothing but its folder."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import load_settings
from dataset_assets.dataset import LOST_LEASE_EXIT_CODE, DataSet, Failure
from dataset_assets.disk import locked
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.launch import SharedVideos, Task, worker
from dataset_assets.launch.sharing import Turn
from dataset_assets_tests.command import run, start
from dataset_assets_tests.configurations import pictures, tables, write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.torture.places import Place
from dataset_assets_tests.torture.runs import DONE, Order, Runs
from dataset_assets_tests.torture.shared_sets import FORMATS, differences, frozen

WEIGHTS = {"toon": 1.0}
HOST = socket.gethostname()


def config_of(folder: Path, film: Film, names: list[str], **base: Any) -> Path:
    films = dict.fromkeys(names, (film.path, WEIGHTS))
    base = {"machines": "many", "lease_s": 3} | base
    return write_config(folder, films, formats=FORMATS, base_settings=base)


def made_alone(folder: Path, film: Film, names: list[str]) -> Path:
    """The data set as one machine makes it."""
    config = config_of(folder, film, names, machines="one")
    settings = load_settings(config)
    for video in settings.videos:
        probe_video(settings, video.key)
        generate_video(settings, video.key)
    return folder / "dataset"


def assert_as_made_alone(root: Path, alone: Path) -> None:
    assert list(differences(root, alone)) == []


@pytest.mark.slow
def test_two_machines_share_the_films_and_make_none_twice(tiny_film: Film, tmp_path: Path) -> None:
    names = ["a", "b", "c", "d", "e"]
    config = config_of(tmp_path, tiny_film, names)
    machines = [start("generate", "--config", config, "--workers", "1", "--wait") for _ in range(2)]
    printed = [machine.communicate()[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], printed
    made = [re.findall(r"^done (\w+): 6 patches", text, re.MULTILINE) for text in printed]
    assert sorted(made[0] + made[1]) == names
    assert all(made)
    assert all("5 videos are up to date: 30 of 30 patches in" in text for text in printed), printed
    root = tmp_path / "dataset"
    assert_as_made_alone(root, made_alone(tmp_path / "alone", tiny_film, names))
    # The last one to leave made statistics and pages; nobody kept a history among the shared files.
    assert not (root / "metadata/.stats-due").exists()
    assert (root / "gallery/index.html").exists()
    assert not (root / ".dagster").exists()


@pytest.mark.slow
def test_a_film_of_another_machine_is_left_to_it(runs: Runs, tiny_film: Film, tmp_path: Path) -> None:
    config = config_of(tmp_path, tiny_film, ["Film", "Other"], lease_s=3600)
    root = tmp_path / "dataset"
    with frozen(runs, config, "in a picture", 2) as pid:
        done = run("generate", "--config", config)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "done other: 6 patches" in done.stdout
        assert f"1 video is worked on elsewhere: film on {HOST}" in done.stdout
        assert "1 of 2 videos is up to date" in done.stdout
        assert (root / "metadata/.stats-due").exists()  # left to the machine that ends last
        os.kill(pid, signal.SIGKILL)
    runs.wait()
    # Its process was one of this machine, so nobody waits for an hour.
    done = run("generate", "--config", config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "done film: 6 patches" in done.stdout
    assert "2 videos are up to date" in done.stdout
    assert not (root / "metadata/.stats-due").exists()
    assert_as_made_alone(root, made_alone(tmp_path / "alone", tiny_film, ["Film", "Other"]))


@pytest.mark.slow
@pytest.mark.parametrize("place", ["before a name", "in a table", "after a table's name", "before notes go"])
def test_a_machine_that_froze_is_replaced_and_writes_nothing_when_it_wakes(
    place: Place, runs: Runs, tiny_film: Film, tmp_path: Path
) -> None:
    config = config_of(tmp_path, tiny_film, ["Film"], checkpoint_every=2)
    with frozen(runs, config, place, 2) as pid:
        done = run("generate", "--config", config, "--wait")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "done film: 6 patches" in done.stdout
        made = pictures(tmp_path / "dataset"), tables(tmp_path / "dataset")
        os.kill(pid, signal.SIGCONT)
    assert runs.wait().code == LOST_LEASE_EXIT_CODE
    assert (pictures(tmp_path / "dataset"), tables(tmp_path / "dataset")) == made
    assert_as_made_alone(tmp_path / "dataset", made_alone(tmp_path / "alone", tiny_film, ["Film"]))


@pytest.mark.slow
def test_a_run_of_the_ui_waits_for_the_machine_that_works_on_its_film(
    runs: Runs, tiny_film: Film, tmp_path: Path
) -> None:
    config = config_of(tmp_path, tiny_film, ["Film"], lease_s=60)
    with Runs() as others, frozen(runs, config, "in a picture", 2) as pid:
        others.start(Order(str(config), "film"))
        lease = tmp_path / "dataset/metadata/.leases/film"
        os.kill(pid, signal.SIGCONT)
        assert runs.wait().code == DONE
        assert others.wait().code == DONE
        assert sorted(path.name for path in lease.iterdir())[-1] != "1"
    assert_as_made_alone(tmp_path / "dataset", made_alone(tmp_path / "alone", tiny_film, ["Film"]))


def test_a_film_that_failed_before_is_not_tried_by_each_machine(tiny_film: Film, tmp_path: Path) -> None:
    settings = load_settings(config_of(tmp_path, tiny_film, ["Film"]))
    failures = DataSet.of(settings).failures
    failures.keep(Failure("film", "film.mkv", "it is interlaced", ended_s=time.time() - 3600))
    shared, task = SharedVideos(settings, [], force=False), Task("film", ["source_video"])
    assert shared.turn_of(task) is Turn.NOW
    failures.keep(Failure("film", "film.mkv", "it is interlaced", ended_s=time.time() + 1))
    assert shared.turn_of(task) is Turn.NEVER
    assert [failure.key for failure in shared.failures] == ["film"]


def test_a_film_that_another_machine_has_just_made_gets_no_run(
    tiny_film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(tmp_path, tiny_film, ["Film"])
    settings = load_settings(config)
    made = worker.Outcome("film", "run", None)
    monkeypatch.setattr(worker, "_materialize", lambda _: made)
    assets = ["source_video", "scene_windows", "toon_patches"]
    order = worker.Order(
        config, "film", assets, force=False, may_replace=False, lanes=1, run_id="run", is_shared=True
    )
    assert worker._materialize_alone(order) is made
    probe_video(settings, "film")
    generate_video(settings, "film")
    assert worker._materialize_alone(order) == replace(made, is_busy=True)
    assert worker._materialize_alone(replace(order, force=True)) is made


def test_who_alone_makes_a_data_set_has_nobody_to_wait_for(tiny_film: Film, tmp_path: Path) -> None:
    config = config_of(tmp_path, tiny_film, ["Film"], machines="one")
    done = run("generate", "--config", config, "--wait")
    assert done.returncode == 1
    assert (
        "--wait: one machine makes this data set, so there is no other to wait for; leave it" in done.stderr
    )


def test_the_ui_keeps_no_history_among_files_that_several_machines_write(
    tiny_film: Film, tmp_path: Path
) -> None:
    config = config_of(tmp_path, tiny_film, ["Film"])
    done = run("ui", "--config", config)
    assert done.returncode == 1
    printed = " ".join(done.stderr.split())
    assert "dataset/.dagster, which several machines write; set DAGSTER_HOME to a folder on this" in printed
    assert not (tmp_path / "dataset/.dagster").exists()


def test_a_home_named_among_files_that_several_machines_write_is_refused(
    tiny_film: Film, tmp_path: Path
) -> None:
    config, home = config_of(tmp_path, tiny_film, ["Film"]), tmp_path / "dataset/.dagster"
    done = run("generate", "--config", config, changes={"DAGSTER_HOME": str(home)})
    assert done.returncode == 1
    assert "(DAGSTER_HOME), which several machines write; set it to a" in " ".join(done.stderr.split())
    assert not home.exists()


@pytest.mark.slow
def test_homes_of_killed_commands_are_deleted_by_the_next_one(tiny_film: Film, tmp_path: Path) -> None:
    config, temporary = config_of(tmp_path, tiny_film, ["Film"]), tmp_path / "tmp"
    killed, live = (temporary / f"dataset-assets-home-{name}" for name in ("killed", "live"))
    for home in (killed, live):
        (home / "history").mkdir(parents=True)
    with locked(live):
        done = run("generate", "--config", config, changes={"TMPDIR": str(temporary)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(temporary.glob("dataset-assets-home-*")) == [live]


@pytest.mark.slow
def test_generate_keeps_a_history_where_its_own_folder_is_named(tiny_film: Film, tmp_path: Path) -> None:
    config, home = config_of(tmp_path, tiny_film, ["Film"]), tmp_path / "home"
    done = run("generate", "--config", config, changes={"DAGSTER_HOME": str(home)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert (home / "history").is_dir()


def test_a_configuration_of_one_machine_is_refused(tiny_film: Film, tmp_path: Path) -> None:
    config = config_of(tmp_path, tiny_film, ["Film"])
    with DataSet.of(load_settings(config)).hold("film"):
        pass
    changed = json.loads(config.read_text())
    changed["base_settings"]["machines"] = "one"
    config.write_text(json.dumps(changed))
    done = run("generate", "--config", config)
    assert done.returncode == 1
    assert 'base_settings.machines is "one"' in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
