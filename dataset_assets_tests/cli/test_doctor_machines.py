"""What `doctor` finds where many machines make a data set."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataset_assets.cli import doctor_machines, mounts
from dataset_assets.cli.doctor import Diagnosis, diagnose, examine
from dataset_assets.cli.doctor_machines import machine_checks
from dataset_assets.cli.host_table import disagreements
from dataset_assets.config import Settings, load_settings
from dataset_assets.dataset import DataSet, HostRecord
from dataset_assets_tests.command import ROOT, run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.machines import holder_of, lease


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return write_config(tmp_path, {"Film": (tmp_path / "a.mkv", {"general": 1.0})}, **MANY)


MANY: dict[str, Any] = {"base_settings": {"machines": "many"}}
OF_MACHINES = {"shared folder", "clock", "Dagster home", "services", "machines"}


def found(config: Path) -> dict[str, Diagnosis]:
    return {each.what: each for each in diagnose(machine_checks(load_settings(config)))}


def test_a_sound_place_passes(config: Path, tmp_path: Path) -> None:
    checks = found(config)
    assert checks.keys() == OF_MACHINES
    assert all(each.passed for each in checks.values())
    assert checks["shared folder"].detail.startswith("exclusive create, rename and flush work on ")
    assert checks["shared folder"].detail.endswith("; locks work on this machine, and are not needed")
    assert f"{tmp_path / 'home'}, on this machine's own disk" in checks["Dagster home"].detail
    assert checks["services"].detail == f"none are named in {tmp_path / 'home/dagster.yaml'}"
    assert checks["machines"].detail == "none has worked on the data set yet"
    assert not (tmp_path / "dataset").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("machines", ["one", "many"])
def test_one_machine_is_not_asked_for_what_many_need(tmp_path: Path, machines: str) -> None:
    films = {"Film": (tmp_path / "a.mkv", {"general": 1.0})}
    config = write_config(tmp_path, films, base_settings={"machines": machines})
    whats = [each.what for each in examine(load_settings(config))]
    assert len(whats) == len(set(whats))
    assert OF_MACHINES & set(whats) == ({"Dagster home"} if machines == "one" else OF_MACHINES)


def test_a_folder_where_two_may_create_the_same_file_is_refused(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    def open_blindly(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        return real_open(path, flags & ~os.O_EXCL, *rest, **named)

    monkeypatch.setattr(os, "open", open_blindly)
    check = found(config)["shared folder"]
    assert not check.passed
    assert (
        "8 of 8 threads created the same file exclusively; leases cannot keep machines apart" in check.detail
    )


@pytest.mark.parametrize("how", ["not supported", "blind"])
def test_locks_that_do_not_work_are_reported_and_no_fault(
    config: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    def flock(*_: object) -> None:
        if how == "not supported":
            raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    check = found(config)["shared folder"]
    assert check.passed
    assert f"locks {'are not supported' if how == 'not supported' else 'do nothing'}, and" in check.detail


@pytest.mark.parametrize(("ahead_s", "words"), [(5.26, "5.3 s ahead of"), (-7.0, "7.0 s behind"), (1.0, "")])
def test_a_clock_that_is_off_the_file_servers_is_reported(
    config: Path, monkeypatch: pytest.MonkeyPatch, ahead_s: float, words: str
) -> None:
    monkeypatch.setattr(doctor_machines, "clock_ahead_s", lambda _: ahead_s)
    check = found(config)["clock"]
    assert check.passed is not bool(words)
    assert words in check.detail


def test_a_history_in_the_shared_folder_is_refused(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dataset/home"))
    check = found(config)["Dagster home"]
    assert not check.passed
    assert "keeps SQLite's files in the data set's folder, which several machines write" in check.detail
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(doctor_machines, "file_system_of", lambda _: "nfs4")
    check = found(config)["Dagster home"]
    assert not check.passed
    assert "on a network file system (nfs4), which breaks them; set DAGSTER_HOME to a folder" in check.detail
    monkeypatch.delenv("DAGSTER_HOME")
    assert found(config)["Dagster home"].detail.startswith("none: DAGSTER_HOME is not set")


def test_the_file_system_is_that_of_the_nearest_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    class Part:
        def __init__(self, mountpoint: str, fstype: str) -> None:
            self.mountpoint, self.fstype = mountpoint, fstype

    parts = [Part("/", "ext4"), Part("/usr", "nfs4"), Part("/usr/bin/none", "xfs")]
    monkeypatch.setattr("psutil.disk_partitions", lambda **_: parts)
    assert mounts.file_system_of(Path("/usr/lib/none/yet")) == "nfs4"
    assert mounts.file_system_of(Path("/etc")) == "ext4"
    assert "nfs4" in mounts.NETWORK_FILE_SYSTEMS


@contextmanager
def broker(password: str) -> Iterator[int]:
    """A server that answers as Redis does to AUTH and PING."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    is_known = not password
                    while command := connection.recv(1000).decode().strip():
                        if command.startswith("AUTH"):
                            is_known = command == f"AUTH {password}"
                            connection.sendall(b"+OK\r\n" if is_known else b"-WRONGPASS invalid\r\n")
                        else:
                            connection.sendall(b"+PONG\r\n" if is_known else b"-NOAUTH Authentication\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes the thread
            thread.join()


def write_instance(home: Path, **settings: Any) -> None:
    (home / "dagster.yaml").write_text(yaml.safe_dump(settings))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (":right%2Fone", ""),
        (":wrong", "refuses the password (WRONGPASS invalid)"),
        ("films:right%2Fone", "refuses the password (WRONGPASS invalid)"),
        ("", "refuses commands (NOAUTH Authentication)"),
    ],
)
def test_the_broker_is_asked_for_with_its_password(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, words: str
) -> None:
    write_instance(tmp_path / "home", run_launcher={"config": {"broker": {"env": "TRIAL_BROKER"}}})
    monkeypatch.delenv("TRIAL_BROKER", raising=False)
    check = found(config)["services"]
    assert (check.passed, "reads TRIAL_BROKER, which is not set" in check.detail) == (False, True)
    with broker("right/one") as port:
        monkeypatch.setenv("TRIAL_BROKER", f"redis://{given}{'@' if given else ''}127.0.0.1:{port}/0")
        check = found(config)["services"]
        assert check.passed is not bool(words)
        assert (words or f"the broker at 127.0.0.1:{port} can be reached") in check.detail
        remedy = "use the password of its requirepass in the address (TRIAL_BROKER in the environment of the"
        assert (remedy in check.detail) is bool(words)
        assert "right" not in check.detail
    check = found(config)["services"]
    assert f"the broker at 127.0.0.1:{port} cannot be reached (Connection refused); start it" in check.detail


@pytest.mark.parametrize(
    "address", ["redis://:secret/1@host:6379/0", "redis://:secret#1@host/0", "redis://h:p/0"]
)
def test_an_address_of_the_broker_that_cannot_be_read_is_reported_without_its_password(
    config: Path, tmp_path: Path, address: str
) -> None:
    write_instance(tmp_path / "home", run_launcher={"config": {"broker": address}})
    check = found(config)["services"]
    assert not check.passed
    assert "the address of the broker has no port that is a number; write it as redis://" in check.detail
    assert "secret" not in check.detail


@pytest.mark.parametrize("is_parts", [False, True])
def test_a_database_that_is_away_is_named_without_its_password(
    config: Path, tmp_path: Path, is_parts: bool
) -> None:
    pytest.importorskip("psycopg2")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    storage: dict[str, Any] = {
        "postgres_url": f"postgresql+psycopg2://me:a%2Fsecret@127.0.0.1:{port}/history"
    }
    if is_parts:
        parts = {"username": "me", "password": "a/secret@", "hostname": "127.0.0.1", "port": port}
        storage = {"postgres_db": parts | {"db_name": "history"}}
    write_instance(tmp_path / "home", storage={"postgres": storage})
    check = found(config)["services"]
    assert not check.passed
    assert f"the database postgresql+psycopg2://me:***@127.0.0.1:{port}/history cannot be" in check.detail
    assert "secret" not in check.detail


@pytest.mark.parametrize(
    ("storage", "remedy"),
    [
        (
            {"postgres_url": {"env": "TRIAL_HISTORY"}},
            "in the address (TRIAL_HISTORY in the environment of the service)",
        ),
        ({"postgres_url": "postgresql+psycopg2://me:no@db/history"}, "in the address ({home}/dagster.yaml)"),
        (
            {"postgres_db": {"username": "me", "password": {"env": "TRIAL_HISTORY"}, "hostname": "db"}},
            "in postgres_db (TRIAL_HISTORY in the environment of the service)",
        ),
    ],
)
@pytest.mark.parametrize(
    "reason", ['FATAL:  password authentication failed for user "me"', "fe_sendauth: no password supplied"]
)
def test_a_database_that_refuses_the_password_is_not_said_to_be_away(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    storage: dict[str, Any],
    remedy: str,
    reason: str,
) -> None:
    psycopg2 = pytest.importorskip("psycopg2")
    monkeypatch.setenv("TRIAL_HISTORY", "postgresql+psycopg2://me:no@db/history")

    def connect(*_: object, **__: object) -> None:
        raise psycopg2.OperationalError(f'connection to server at "db", port 5432 failed: {reason}\n')

    monkeypatch.setattr(psycopg2, "connect", connect)
    write_instance(tmp_path / "home", storage={"postgres": storage})
    check = found(config)["services"]
    assert not check.passed
    assert f"{reason}); use the password of this role {remedy.format(home=tmp_path / 'home')}" in check.detail
    assert "start it" not in check.detail


def test_no_broker_or_database_is_imported_where_none_is_named(config: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dataset_assets.config import load_settings; "
        "from dataset_assets.cli.doctor_machines import machine_checks; "
        f"[check() for _, check in machine_checks(load_settings(Path({str(config)!r})))]; "
        "print(sorted({'celery', 'redis', 'kombu', 'psycopg2', 'dagster_postgres'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def settings_of(tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch, **base: Any) -> Settings:
    folder = tmp_path / host
    folder.mkdir()
    chosen = {"machines": "many", "output_base_dir": str(tmp_path / "dataset"), **base}
    films = {"Film": (folder / "films/a.mkv", {"general": 1.0})}
    config = write_config(folder, films, base_settings=chosen)
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: host)
        DataSet.of(load_settings(config)).join_hosts(load_settings(config), config)
    return load_settings(config)


def test_what_is_not_the_same_on_all_machines_is_a_finding_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, "w1", monkeypatch)
    data_set = DataSet.of(settings)
    records = data_set.host_records()
    assert [line.split(":")[0] for line in disagreements(records, {})] == ["w1"]  # its film is absent
    settings_of(tmp_path, "w2", monkeypatch, seed=3)
    lease(data_set.folder, "film", holder_of("w1"))
    at_work = data_set.at_work()
    records = data_set.host_records()
    records["w2"] = replace(records["w2"], clock_ahead_s=-9.0)
    lines = "\n".join(disagreements(records, at_work))
    assert "w2: base_settings.seed is 3 on w2 and 0 on w1; let it read the same configuration: " in lines
    assert f"w2: the films are below {tmp_path}/w2/films, and on w1 below {tmp_path}/w1/films; mount" in lines
    assert f"w1: 1 of 1 film is absent, first {tmp_path}/w1/films/a.mkv; mount their disk there" in lines
    assert "w2: its clock is 9.0 s behind the file server's; let both follow a time server" in lines
    code = dict(records["w2"].code) | {"the code of patches": "9"}
    records["w2"] = replace(records["w2"], code=code, release="9.9")
    other = f"install release {records['w1'].release} there, or 9.9 on both"
    seed = "base_settings.seed is 3 on w2 and 0 on w1"
    both = f"w2: the code of patches is 9 on w2 and 4 on w1; {seed}; {other}"
    assert both in disagreements(records, at_work)
    records["w2"] = replace(records["w2"], settings=records["w1"].settings, release=records["w1"].release)
    same = "w2: the code of patches is 9 on w2 and 4 on w1; check out the same commit on both, and install it"
    assert same in disagreements(records, at_work)


def test_equal_machines_disagree_in_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(tmp_path, "w1", monkeypatch)
    (record,) = DataSet.of(settings).host_records().values()
    sound: HostRecord = replace(record, films_absent=0, first_absent="")
    assert disagreements({"w1": sound, "w2": replace(sound, host="w2", release="9.9")}, {}) == []
    assert disagreements({}, {}) == []


def test_the_table_of_machines_shows_what_each_works_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, "w1", monkeypatch)
    lease(settings.base.output_base_dir, "film", holder_of("w2"))
    done = run("doctor", "--hosts", "--config", tmp_path / "w1/config.json")
    assert done.returncode == 1, done.stderr
    rows = [line.split("│")[1:-1] for line in done.stdout.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in row] for row in rows]
    assert [(row[0], row[-1]) for row in cells] == [("w1", "0"), ("w2", "1")]
    assert cells[0][6] == "1, 1 absent"
    assert done.stdout.splitlines()[-1].startswith("no w1: 1 of 1 film is absent")


def test_one_machine_has_no_table_of_machines(tmp_path: Path) -> None:
    config = write_config(tmp_path, {"Film": (tmp_path / "a.mkv", {"general": 1.0})})
    done = run("doctor", "--hosts", "--config", config)
    assert done.returncode == 1
    assert "one machine makes this data set" in done.stderr
