"""Machines that disagree: what each records of itself, and which may work beside which."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataset_assets import __version__
from dataset_assets.assets.runs import CONFIG_MISTAKE_TAG, MAX_RETRIES_TAG
from dataset_assets.config import Settings, load_settings
from dataset_assets.dataset import DataSet, HostRecord
from dataset_assets.dataset import hosts as hosts_module
from dataset_assets.dataset.leases import Leases
from dataset_assets.errors import ConfigError
from dataset_assets.resources import DatasetConfig
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.generate.samples import files
from dataset_assets_tests.machines import holder_of, lease

HERE = socket.gethostname()


class Machine:
    """A machine with its own copy of a configuration, or the one that all read."""

    def __init__(self, host: str, config: Path, code: str | None = None, release: str | None = "9.9") -> None:
        self.host = host
        self.config = config
        self.code = code
        self.release = release

    @property
    def settings(self) -> Settings:
        return load_settings(self.config)

    def join(self) -> HostRecord:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("socket.gethostname", lambda: self.host)
            if self.code is not None:
                patch.setattr(hosts_module, "WINDOWS_VERSION", self.code)
                patch.setattr(hosts_module, "__version__", self.release or __version__)
            DataSet.of(self.settings).join_hosts(self.settings, self.config)
            return DataSet.of(self.settings).host_records()[self.host]

    def work(self, key: str = "a", silent_s: float = 0.0) -> None:
        digest = self.join().digest
        lease(self.settings.base.output_base_dir, key, holder_of(self.host, digest=digest), silent_s=silent_s)


def written(folder: Path, root: Path, changed_s: float | None = None, **base: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    films = {name: (root / "films" / f"{name}.mkv", {"general": 1.0}) for name in ("A", "B")}
    chosen = {"machines": "many", "output_base_dir": str(root / "dataset"), **base}
    config = write_config(folder, films, base_settings=chosen)
    if changed_s is not None:
        os.utime(config, (changed_s, changed_s))
    return config


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path / "head", tmp_path)


def test_a_machine_records_what_it_works_with(config: Path, tmp_path: Path) -> None:
    record = Machine("w1.example.org", config).join()
    assert (record.host, record.films, record.films_absent) == ("w1.example.org", 2, 2)
    assert record.films_folder == str(tmp_path / "films")
    assert record.first_absent == str(tmp_path / "films/A.mkv")
    assert record.settings["base_settings.seed"] == 0
    assert record.configured_s == config.stat().st_mtime
    assert abs(record.clock_ahead_s) < 2
    assert record.free_bytes > 0
    names = [path.name for path in (tmp_path / "dataset/metadata/.hosts").iterdir()]
    assert names == [f"w1.example.org.{record.digest}.json"]


def test_one_machine_records_nothing(tmp_path: Path) -> None:
    config = written(tmp_path / "head", tmp_path, machines="one")
    DataSet.of(load_settings(config)).join_hosts(load_settings(config), config)
    assert not (tmp_path / "dataset").exists()


def test_a_record_is_written_once_an_hour(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine("w1", config)
    first = machine.join()
    assert machine.join() == first
    now_s = time.time()
    monkeypatch.setattr("time.time", lambda: now_s + hosts_module.RENEWED_AFTER_S)
    assert machine.join().joined_s > first.joined_s


def test_a_machine_that_is_not_seen_for_a_week_is_forgotten(config: Path, tmp_path: Path) -> None:
    Machine("w1", config).join()
    (path,) = (tmp_path / "dataset/metadata/.hosts").iterdir()
    long_ago_s = time.time() - hosts_module.KEPT_S - 1
    os.utime(path, (long_ago_s, long_ago_s))
    Machine("w2", config).join()
    assert DataSet.of(load_settings(config)).host_records().keys() == {"w2"}


def test_another_release_refuses_to_work_beside_one_that_works_and_names_both(config: Path) -> None:
    Machine("w1", config).work()
    with pytest.raises(ConfigError) as refused:
        Machine("w2", config, code="8").join()
    (sentence,) = refused.value.problems
    assert sentence.startswith("w2 does not work on the data set while w1 does: its release ")
    assert "the code of windows is 8 here and 4 there. Install one release on both (w2 has 9.9)" in sentence


def test_another_commit_of_the_same_release_is_refused_by_what_differs(config: Path) -> None:
    Machine("w1", config).work()
    with pytest.raises(ConfigError) as refused:
        Machine("w2", config, code="8", release=None).join()
    assert refused.value.problems == [
        "w2 does not work on the data set while w1 does: its code differs: the code of windows is 8 here and "
        "4 there. Check out the same commit on both, install it, and start again"
    ]


@pytest.mark.parametrize("state", ["idle", "given back", "dead"])
def test_a_machine_that_does_not_work_stops_nobody(config: Path, tmp_path: Path, state: str) -> None:
    w1 = Machine("w1", config)
    w1.join()
    if state != "idle":
        w1.work(silent_s=61.0 if state == "dead" else 0.0)
    if state == "given back":
        (tmp_path / "dataset/metadata/.leases/a/1").write_bytes(b"free")
    assert Machine("w2", config, code="8").join().release == "9.9"


def test_a_change_of_the_one_file_that_all_read_stops_nobody(config: Path, tmp_path: Path) -> None:
    w1, w2 = Machine("w1", config), Machine("w2", config)
    w1.work("a")
    written(tmp_path / "head", tmp_path, config.stat().st_mtime + 60, seed=1)
    # w1 is still at a film that it began before.
    w2.work("b")
    assert w1.join().settings["base_settings.seed"] == 1


def test_a_copy_that_was_not_changed_with_the_others_refuses(tmp_path: Path) -> None:
    now_s = time.time()
    old = written(tmp_path / "w1", tmp_path, now_s - 3600, seed=0, lr_stacks=[7])
    new = written(tmp_path / "w2", tmp_path, now_s, seed=1)
    Machine("w1", old).work("a")
    Machine("w2", new).work("b")
    with pytest.raises(ConfigError) as refused:
        Machine("w1", old).join()
    (sentence,) = refused.value.problems
    assert sentence == (
        f"w1 does not work on the data set while w2 does: its configuration {new} differs, and was changed "
        "later: base_settings.lr_stacks is [7] here and [5, 7] there; base_settings.seed is 0 here and 1 "
        f"there. Let all machines read the same file, or copy that one to {old}"
    )


@pytest.mark.parametrize("change", ["a film", "order", "workers", "weight"])
def test_what_shapes_nothing_of_the_others_films_is_no_difference(
    tmp_path: Path, config: Path, change: str
) -> None:
    Machine("w1", config).work()
    settings = json.loads(config.read_text())
    if change == "a film":
        settings["videos"].append(settings["videos"][0] | {"name": "New"})
    elif change == "order":
        settings = dict(reversed(settings.items())) | {"videos": settings["videos"][::-1]}
    elif change == "workers":
        settings["base_settings"] |= {"max_workers": 7, "nice": 5, "checkpoint_every": 3}
    else:
        settings["videos"][0]["categories"] = {"toon": 0.5}
    other = tmp_path / "w2" / config.name
    other.parent.mkdir()
    other.write_text(json.dumps(settings))
    os.utime(other, (0, 0))  # the older of the two
    Machine("w2", other).join()


def test_leases_are_read_only_where_a_record_differs(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Machine("w1", config).work()

    def beats(_: Leases) -> None:
        raise AssertionError("the leases of all films are read")

    monkeypatch.setattr(Leases, "beats", beats)
    Machine("w2", config).join()
    with pytest.raises(AssertionError):
        Machine("w3", config, code="8").join()


def test_a_process_shows_with_what_it_holds_a_film(config: Path, tmp_path: Path) -> None:
    machine = Machine(HERE, config)
    record = machine.join()
    with DataSet.of(machine.settings).hold("a"):
        (beat,) = DataSet.of(machine.settings).beats().values()
        assert (beat.holder.host, beat.holder.digest) == (HERE, record.digest)
        # As after an update of the release in mid-work.
        with pytest.raises(ConfigError, match=f"{HERE} does not work on the data set while {HERE} does"):
            Machine(HERE, config, code="8").join()


@pytest.mark.parametrize(("retries", "again"), [(None, "2"), ("0", "0")])
def test_a_run_on_a_machine_that_refuses_fails_for_no_film_and_is_tried_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retries: str | None, again: str
) -> None:
    now_s = time.time()
    old = written(tmp_path / "here", tmp_path, now_s - 3600, lease_s=600)
    Machine("w1", written(tmp_path / "w1", tmp_path, now_s, seed=1, lease_s=600)).work()
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    before = files(tmp_path / "dataset")

    @dg.op(required_resource_keys={"dataset_config"})
    def make() -> None:
        raise AssertionError("it worked")

    @dg.job(resource_defs={"dataset_config": DatasetConfig(path=str(old))})
    def making() -> None:
        make()

    tags = {"dagster/partition": "a"} | ({MAX_RETRIES_TAG: retries} if retries else {})
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(dg.DagsterResourceFunctionError) as failed:
            making.execute_in_process(instance=instance, tags=tags)
        (run,) = instance.get_runs()
    # Longer than others need to take the next run.
    assert 600.0 in waits
    assert run.tags[MAX_RETRIES_TAG] == again
    assert run.tags[CONFIG_MISTAKE_TAG] == run.run_id
    assert "does not work on the data set while w1 does" in str(failed.value.__cause__)
    assert {path for path in files(tmp_path / "dataset") if ".hosts" not in path} == {
        path for path in before if ".hosts" not in path
    }


def test_a_run_of_no_film_asks_no_machine(tmp_path: Path) -> None:
    config = written(tmp_path / "here", tmp_path)
    context = dg.build_init_resource_context()
    assert DatasetConfig(path=str(config)).create_resource(context) == load_settings(config)
    assert not (tmp_path / "dataset").exists()
