"""What `doctor` checks beside where many machines make the data set: folder, clock, home, services, machines.

Each check returns what was found, and raises an error with the remedy where a requirement is not met. Not
here: what one machine needs too (`doctor`), the table of machines (`host_table`).
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from dataset_assets.cli.host_table import MOST_AHEAD_S, disagreements
from dataset_assets.cli.mounts import NETWORK_FILE_SYSTEMS, existing_part, file_system_of
from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.dagster_internals import (
    INSTANCE_FILE,
    instance_settings,
    place_of_setting,
    postgres_password_remedy,
    refuses_password,
    sqlite_folder,
)
from dataset_assets.dataset import DataSet, clock_ahead_s
from dataset_assets.disk import flush, locked
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.launch import HOME_VARIABLE, dagster_home

RACERS, ROUNDS = 8, 20
TIMEOUT_S: Final = 5.0
DEFAULT_PORTS: Final = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671, "pyamqp": 5672}


def machine_checks(settings: Settings) -> list[tuple[str, Callable[[], str]]]:
    """Return the checks by what they check."""
    folder = settings.base.output_base_dir
    return [
        ("shared folder", partial(_shared_folder, folder)),
        ("clock", partial(_clock, folder)),
        ("Dagster home", partial(_home, settings)),
        ("services", partial(_services, settings)),
        ("machines", partial(_machines, settings)),
    ]


def _shared_folder(folder: Path) -> str:
    """Try what leases and tables are made of."""
    place = existing_part(folder)
    system = file_system_of(place) or "unknown file system"
    try:
        with TemporaryDirectory(dir=place, prefix=".doctor-") as name:
            trial = Path(name)
            _race(trial)
            for text in ("first", "second"):
                (trial / "temporary").write_text(text)
                (trial / "temporary").replace(trial / "named")
                flush(trial)
            if (trial / "named").read_text() != "second":
                raise DatasetAssetsError(
                    f"{place} ({system}): a file that takes the place of another keeps its contents",
                    "no data set can be made there; choose another folder",
                )
            locks = _locks(trial)
    except OSError as error:
        raise DatasetAssetsError(
            f"{place} ({system}) cannot be written ({error.strerror})",
            "choose another folder or correct its permissions",
        ) from error
    return f"exclusive create, rename and flush work on {system}; locks {locks}, and are not needed"


def _race(trial: Path) -> None:
    """Let threads create the same file, of which one alone may succeed."""

    def create(name: str) -> bool:
        try:
            os.close(os.open(trial / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(RACERS) as pool:
        for number in range(ROUNDS):
            winners = sum(pool.map(create, [str(number)] * RACERS))
            if winners != 1:
                raise DatasetAssetsError(
                    f"{trial.parent}: {winners} of {RACERS} threads created the same file exclusively",
                    "leases cannot keep machines apart there; choose a file system that honours O_EXCL, as "
                    "NFS 3 and later, SMB and Lustre do",
                )


def _locks(trial: Path) -> str:
    """Return what `flock` does between two descriptors of this machine."""
    path = trial / "lock"
    try:
        with locked(path, waits=False):
            descriptor = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return "work on this machine"
            finally:
                os.close(descriptor)
    except OSError:
        return "are not supported"
    return "do nothing"


def _clock(folder: Path) -> str:
    try:
        ahead_s = clock_ahead_s(existing_part(folder))
    except OSError as error:
        raise DatasetAssetsError(
            f"{folder} cannot be written ({error.strerror})",
            "choose another folder or correct its permissions",
        ) from error
    if abs(ahead_s) > MOST_AHEAD_S:
        way = "ahead of" if ahead_s > 0 else "behind"
        raise DatasetAssetsError(
            f"this machine's clock is {abs(ahead_s):.1f} s {way} that of the file server of {folder}",
            "let both follow a time server (timedatectl set-ntp true): ages of films and signs of life are "
            "counted by them",
        )
    return f"within {MOST_AHEAD_S:g} s of the file server's"


def _home(settings: Settings) -> str:
    if not os.environ.get(HOME_VARIABLE):
        return f"none: {HOME_VARIABLE} is not set, so that generate keeps no history here; ui needs it"
    home = dagster_home(settings)
    database = sqlite_folder(home)
    if database is None:
        return f"{home}, with its history in a database server"
    remedy = f"set {HOME_VARIABLE} to a folder on this machine's own disk"
    is_shared = settings.base.output_url is None
    if is_shared and database.resolve().is_relative_to(settings.base.output_base_dir.resolve()):
        raise DatasetAssetsError(
            f"the Dagster home {home} keeps SQLite's files in the data set's folder, which several machines "
            "write",
            remedy,
        )
    system = file_system_of(database)
    if system in NETWORK_FILE_SYSTEMS:
        raise DatasetAssetsError(
            f"the Dagster home {home} keeps SQLite's files on a network file system ({system}), which breaks "
            "them",
            remedy,
        )
    return f"{home}, on this machine's own disk ({system or 'file system not known'})"


def _services(settings: Settings) -> str:
    """Try to reach the broker and the database that `dagster.yaml` names."""
    home = dagster_home(settings)
    path, instance = home / INSTANCE_FILE, instance_settings(home)
    reached = []
    launcher = (instance.get("run_launcher") or {}).get("config") or {}
    if broker := _value(launcher.get("broker"), path):
        _reach_broker(broker, place_of_setting(launcher["broker"], home))
        reached.append(f"the broker at {_place(broker)}")
    if url := _postgres_url(instance, path):
        _reach_database(url, home)
        reached.append(f"the database {make_url(url).render_as_string(hide_password=True)}")
    return f"{' and '.join(reached)} can be reached" if reached else f"none are named in {path}"


def _postgres_url(instance: Mapping[str, Any], path: Path) -> str:
    settings = (instance.get("storage") or {}).get("postgres") or {}
    if url := _value(settings.get("postgres_url"), path):
        return url
    parts = settings.get("postgres_db")
    if not isinstance(parts, dict):
        return ""
    user, password, host, database, port = (
        _value(parts.get(name), path) for name in ("username", "password", "hostname", "db_name", "port")
    )
    if port and not port.isdecimal():
        raise DatasetAssetsError(f"{path}: the port {port} of postgres_db is no number", "write a number")
    address = URL.create("postgresql+psycopg2", user, password, host, int(port or 5432), database)
    return address.render_as_string(hide_password=False)


def _value(value: object, path: Path) -> str:
    """Return a setting of `dagster.yaml`, which may name a variable; empty where there is none.

    Raises:
        DatasetAssetsError: The variable is not set.
    """
    if not isinstance(value, dict):
        return str(value or "")
    name = str(value.get("env"))
    if name not in os.environ:
        raise DatasetAssetsError(f"{path} reads {name}, which is not set", f"export {name} on this machine")
    return os.environ[name]


def _place(url: str) -> str:
    """Return host and port of an address, which may hold a password.

    Raises:
        DatasetAssetsError: The address cannot be read.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise DatasetAssetsError(
            "the address of the broker has no port that is a number",
            "write it as redis://:password@host:6379/0, and / # ? of its password as %2F %23 %3F",
        ) from error
    return f"{parts.hostname}:{port or DEFAULT_PORTS.get(parts.scheme, 6379)}"


def _reach_broker(url: str, written: str) -> None:
    """Connect to a broker; a Redis is also asked whether it takes the password.

    Args:
        url: Its address.
        written: Where the address is written.
    """
    place, parts = _place(url), urlsplit(url)
    remedy = "start it, let it listen on this network, or correct its address and the firewall"
    try:
        with socket.create_connection(
            (parts.hostname or "", int(place.rpartition(":")[2])), TIMEOUT_S
        ) as connection:
            if parts.scheme != "redis":
                return
            entered = "+OK"
            if parts.password:
                words = filter(None, ("AUTH", unquote(parts.username or ""), unquote(parts.password)))
                entered = _answer(connection, " ".join(words))
            answer = _answer(connection, "PING")
    except OSError as error:
        raise DatasetAssetsError(
            f"the broker at {place} cannot be reached ({error.strerror or error})", remedy
        ) from error
    remedy = f"use the password of its requirepass in the address ({written}): redis://:password@host:6379/0"
    if not entered.startswith("+OK"):
        reason = entered.lstrip("-") or "no answer"
        raise DatasetAssetsError(f"the broker at {place} refuses the password ({reason})", remedy)
    if not answer.startswith("+PONG"):
        reason = answer.lstrip("-") or "no answer"
        raise DatasetAssetsError(f"the broker at {place} refuses commands ({reason})", remedy)


def _answer(connection: socket.socket, command: str) -> str:
    connection.sendall(f"{command}\r\n".encode())
    return connection.recv(1000).decode("utf-8", "replace").strip()


def _reach_database(url: str, home: Path) -> None:
    shown = make_url(url).render_as_string(hide_password=True)
    try:
        engine = create_engine(url, connect_args={"connect_timeout": int(TIMEOUT_S)})
    except (ImportError, SQLAlchemyError) as error:
        raise DatasetAssetsError(
            f"the database {shown} cannot be opened ({error})",
            "write its address as postgresql+psycopg2://..., and install dataset-assets[postgres]",
        ) from error
    try:
        with engine.connect():
            pass
    except SQLAlchemyError as error:
        reason = next(iter(str(getattr(error, "orig", error)).strip().splitlines()), type(error).__name__)
        remedy = (
            "start it, let it listen on this network (listen_addresses, pg_hba.conf), or correct its address"
        )
        if refuses_password(reason):
            remedy = postgres_password_remedy(home)
        raise DatasetAssetsError(f"the database {shown} cannot be reached ({reason})", remedy) from error
    finally:
        with suppress(SQLAlchemyError):
            engine.dispose()


def _machines(settings: Settings) -> str:
    data_set = DataSet.of(settings)
    records = data_set.host_records()
    if not records:
        return "none has worked on the data set yet"
    if found := disagreements(records, data_set.at_work()):
        raise DatasetAssetsError("\n".join(found), "")
    return f"{counted(len(records), 'machine')} agree; `doctor --hosts` shows them"
