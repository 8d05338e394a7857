"""Who may write a video: by the configuration, and by what the data set records of itself."""

from __future__ import annotations

import os
import shutil
import socket
import time
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from dataset_assets.dataset import DataSet, Progress
from dataset_assets.disk import temporary
from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, files, pictures, small_settings, tables
from dataset_assets_tests.machines import holder_of, lease, write_progress


def data_set(folder: Path, **base: Any) -> DataSet:
    return DataSet.of(small_settings(folder, folder / "film.mkv", **base))


def test_many_machines_make_the_same_data_set_as_one(tiny_film: Film, tmp_path: Path) -> None:
    for machines in ("one", "many"):
        settings = small_settings(tmp_path / machines, tiny_film.path, machines=machines)
        probe_video(settings, KEY)
        generate_video(settings, KEY)
    one, many = tmp_path / "one", tmp_path / "many"
    assert pictures(many) == pictures(one) != {}
    assert tables(many) == tables(one)
    state = {name for name in files(many) if "/." in name}
    assert state == {f"metadata/.leases/{KEY}/2", f"metadata/.leases/{KEY}/1", "metadata/.machines"}


def test_one_machine_leaves_no_trace_of_leases(tiny_film: Film, tmp_path: Path) -> None:
    generate_video(small_settings(tmp_path, tiny_film.path), KEY)
    assert not [name for name in files(tmp_path) if "lease" in name or "machines" in name]


def test_one_machine_refuses_a_data_set_that_many_make(tmp_path: Path) -> None:
    with data_set(tmp_path, machines="many").hold(KEY):
        pass
    with (
        pytest.raises(
            DatasetAssetsError, match=r'base_settings.machines is "one".*; set it to "many", or del'
        ),
        data_set(tmp_path).hold(KEY),
    ):
        pass
    (tmp_path / "metadata/.machines").unlink()
    with data_set(tmp_path).hold(KEY):
        pass


def test_machines_that_wait_for_different_times_refuse_one_another(tmp_path: Path) -> None:
    with data_set(tmp_path, machines="many", lease_s=60).hold(KEY):
        pass
    with (
        pytest.raises(DatasetAssetsError, match=r"lease_s is 30, and the machines .* use 60; use the same"),
        data_set(tmp_path, machines="many", lease_s=30).hold(KEY),
    ):
        pass


def test_without_a_configuration_the_data_set_itself_decides(tmp_path: Path) -> None:
    with data_set(tmp_path, machines="many").hold(KEY):
        assert DataSet(tmp_path).is_held(KEY)
        assert DataSet(tmp_path).is_made_by_many
        assert not (tmp_path / "metadata/.locks").exists()


def test_a_damaged_record_of_the_machines_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata/.machines").write_text("{")
    with pytest.raises(DatasetAssetsError, match=r"\.machines is damaged; delete it while no machine"):
        DataSet(tmp_path).is_held(KEY)


def test_a_process_holds_a_video_for_all_of_its_steps(tmp_path: Path) -> None:
    many = data_set(tmp_path, machines="many")
    with many.hold(KEY) as first, many.work_on(KEY) as second:
        assert first.writer == second.writer == 1
    with many.hold(KEY) as later:
        assert later.writer == 2


def test_on_one_machine_a_video_that_is_held_is_an_error_for_who_could_wait_too(tmp_path: Path) -> None:
    with data_set(tmp_path).hold(KEY), pytest.raises(BusyError), data_set(tmp_path).hold(KEY, print):
        pass


def test_a_holder_deletes_what_holders_before_it_left(tiny_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, tiny_film.path, machines="many")
    generate_video(settings, KEY)
    whole, rows = pictures(tmp_path), tables(tmp_path)
    named, made = next(tmp_path.rglob("*.png")), tmp_path / f"metadata/windows/video={KEY}/part-0.parquet"
    stray = named.with_name("a-film_000099.png")
    journals = tmp_path / "metadata/.journals"
    for writer in (0, 3, 7):
        with DataSet.of(settings).hold("other"):
            pass
        journal = journals / (f"{KEY}.{writer}" if writer else KEY)
        path = stray.relative_to(tmp_path).as_posix()
        journal.write_text(f'\n["{named.relative_to(tmp_path).as_posix()}", "{path}"]')
        for begun in (temporary(stray, writer), temporary(named, writer), temporary(made, writer)):
            begun.write_bytes(b"begun")
    shutil.copyfile(named, stray)
    (tmp_path / f"metadata/.leases/{KEY}/7").write_bytes(b"free")
    assert DataSet.of(settings).clear_up() == [KEY]
    assert pictures(tmp_path) == whole
    assert tables(tmp_path) == rows
    assert list(journals.iterdir()) == []
    assert not list(tmp_path.rglob("*.tmp"))


def left_by_a_killed_run(root: Path, *keys: str) -> None:
    for key in keys:
        journal = root / f"metadata/.journals/{key}.1"
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.write_text("[]\n")


def test_what_another_machine_works_on_is_not_cleared_up(tmp_path: Path) -> None:
    many = data_set(tmp_path, machines="many", lease_s=3)
    left_by_a_killed_run(tmp_path, "alive", "free", "dead")
    lease(tmp_path, "alive", holder_of("w1"))
    lease(tmp_path, "free", holder_of("w1")).write_bytes(b"free")
    lease(tmp_path, "dead", holder_of("w2"), silent_s=60)
    # Whether a machine is dead shows once it was seen to give no sign of life: not waited for here.
    assert many.clear_up() == ["free"]
    assert many.clear_up(waits=True) == ["dead"]
    assert [path.name for path in (tmp_path / "metadata/.journals").iterdir()] == ["alive.1"]


def test_many_dead_runs_are_waited_for_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = data_set(tmp_path, machines="many", lease_s=3)
    keys = [f"film-{number:02d}" for number in range(12)]
    left_by_a_killed_run(tmp_path, *keys)
    for key in keys:
        lease(tmp_path, key, holder_of("w2"), silent_s=60)
    waiting, most, lock, sleep = 0, 0, Lock(), time.sleep

    def counted_sleep(seconds: float) -> None:
        nonlocal waiting, most
        with lock:
            waiting += 1
            most = max(most, waiting)
        sleep(seconds)
        with lock:
            waiting -= 1

    monkeypatch.setattr("time.sleep", counted_sleep)
    assert many.clear_up(waits=True) == keys
    assert most > len(keys) / 2


def test_runs_at_work_are_those_of_the_leases(tmp_path: Path) -> None:
    many = data_set(tmp_path, machines="many")
    lease(tmp_path, "far", holder_of("w1"))
    lease(tmp_path, "lost", holder_of("w2"), silent_s=61)
    write_progress(tmp_path, "left", holder_of("w2"))
    with many.hold(KEY) as work:
        many.progress_file(Progress(KEY), work).update()
        found = many.at_work()
    assert {key: (each.host, each.is_alive, each.is_here) for key, each in found.items()} == {
        KEY: (socket.gethostname(), True, True),
        "far": ("w1", True, False),
        "left": ("", False, True),
        "lost": ("w2", False, False),
    }
    assert (found[KEY].progress or Progress("none")).pid == os.getpid()
    assert many.run_on("far") is not None
    assert many.run_on("lost") is many.run_on("left") is many.run_on("none") is None
    one = data_set(tmp_path / "one")
    assert one.at_work() == {}
