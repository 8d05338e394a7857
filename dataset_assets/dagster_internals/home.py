"""The files of a Dagster home, and whether Dagster finds them again.

Not here: what their tables hold (`history`), which folder is the home (`launch`).
"""

from __future__ import annotations

import glob
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy.engine import make_url

INSTANCE_FILE: Final = "dagster.yaml"
# Where Dagster keeps its databases in a home whose settings name no other place.
HISTORY_FOLDER, SCHEDULES_FOLDER = "history", "schedules"
_DATABASES = (
    f"{HISTORY_FOLDER}/runs.db",
    f"{HISTORY_FOLDER}/runs/index.db",
    f"{SCHEDULES_FOLDER}/schedules.db",
)
_MISSING_VARIABLE = re.compile(r'fetch the environment variable "(\w+)" which is not set')
# SQLite opens paths of 504 bytes (its MAX_PATHNAME of 512, less 8 for its own suffixes).
_LONGEST_PATH_BYTES = 504


def can_hold_history(home: Path) -> bool:
    """Return whether Dagster finds its databases and its settings again in a folder of this name.

    It names a database to SQLAlchemy by a URL that it does not quote (`create_db_conn_string`), where `?`
    ends the path and `%41` is `A`, and reads `dagster.yaml` as a pattern (`load_yaml_from_globs`).
    """
    database = str(_run_database(home, "0" * 36))  # the longest path there is; a run's name is a UUID
    if len(os.fsencode(database)) > _LONGEST_PATH_BYTES or glob.has_magic(database):
        return False
    return make_url(f"sqlite:///{database}").database == database


def is_initialised(home: Path) -> bool:
    """Return whether a Dagster home has its databases, so that opening it makes none.

    Databases that are not files of the home (Postgres) are taken to be there.
    """
    folder = sqlite_folder(home)
    if folder is None:
        return True
    return all(_has_tables(folder / name) for name in _DATABASES)


def has_events(home: Path, run_id: str) -> bool:
    """Return whether a run has events; SQLite would make the database of one whose first is yet to come."""
    folder = sqlite_folder(home)
    return folder is None or _run_database(folder, run_id).exists()


def sqlite_folder(home: Path) -> Path | None:
    """Folder of a home's SQLite databases; None where `dagster.yaml` names another storage."""
    settings = instance_settings(home)
    if "run_storage" in settings:
        return None
    storage = settings.get("storage")
    if not storage:
        return home
    given = (storage.get("sqlite") or {}).get("base_dir")
    if isinstance(given, dict):
        given = os.environ.get(str(given.get("env")))
    return Path(given) if given else None


def instance_settings(home: Path) -> dict[str, Any]:
    """Return what a home's `dagster.yaml` holds; nothing where it cannot be read."""
    try:
        return yaml.safe_load((home / INSTANCE_FILE).read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError):
        return {}


def place_of_setting(value: object, home: Path) -> str:
    """Return where to change a setting of `dagster.yaml`: the variable that it names, or the file."""
    if isinstance(value, dict) and "env" in value:
        return f"{value['env']} in the environment of the service"
    return str(home / INSTANCE_FILE)


def postgres_password_remedy(home: Path) -> str:
    """Return what to do where Postgres refuses the password."""
    postgres = (instance_settings(home).get("storage") or {}).get("postgres") or {}
    parts = postgres.get("postgres_db")
    if isinstance(parts, dict):
        return (
            f"use the password of this role in postgres_db ({place_of_setting(parts.get('password'), home)})"
        )
    place = place_of_setting(postgres.get("postgres_url"), home)
    return f"use the password of this role in the address ({place})"


def missing_variable(error: Exception) -> str:
    """Return the environment variable that `dagster.yaml` reads and that is not set; empty where none is.

    Args:
        error: What opening the home raised.
    """
    found = _MISSING_VARIABLE.search(str(error))
    return found[1] if found else ""


def _run_database(folder: Path, run_id: str) -> Path:
    return folder / HISTORY_FOLDER / "runs" / f"{run_id}.db"


def _has_tables(database: Path) -> bool:
    """Return whether Dagster has finished making a database; SQLite does not create the file."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            return bool(connection.execute("select 1 from alembic_version").fetchall())
    except sqlite3.Error:
        return False
