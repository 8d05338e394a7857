"""The Dagster home: where run history lives."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import DBAPIError

from dataset_assets.cli.sockets import leave_room_for_sockets
from dataset_assets.config import CONFIG_VARIABLE, Settings
from dataset_assets.errors import DatasetAssetsError

HOME_VARIABLE = "DAGSTER_HOME"
HOME_FOLDER = ".dagster"
INSTANCE_FILE = "dagster.yaml"
# Where Dagster keeps its databases in a home whose settings name no other place.
HISTORY_FOLDER, SCHEDULES_FOLDER = "history", "schedules"
MAKING_FOLDER = ".making"


def dagster_home(settings: Settings) -> Path:
    """`DAGSTER_HOME` where set, else a folder beside the data set, so that its history stays with it."""
    given = os.environ.get(HOME_VARIABLE)
    return Path(given).expanduser().resolve() if given else settings.base.output_base_dir / HOME_FOLDER


@contextmanager
def history_told(home: Path) -> Iterator[None]:
    """Turns a home that cannot be read or written, mostly for a full disk, into a sentence.

    Raises:
        DatasetAssetsError: Dagster could not write its history.
    """
    # It would tell with a traceback that somebody interrupted it while it closed a connection.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    try:
        yield
    except (DBAPIError, OSError) as error:
        place = f"Dagster's history in {home}"
        reason = error.orig if isinstance(error, DBAPIError) else error.strerror or error
        if isinstance(error, OSError) and error.filename:
            place = error.filename
        raise DatasetAssetsError(
            f"{place} cannot be written ({reason}); free some space or look after the disk, and run generate "
            "again, what is committed stays"
        ) from error


def enter_home(settings: Settings, config: Path) -> Path:
    """Prepares the home and names it, and the configuration, to everything that this process starts.

    Args:
        settings: The configuration.
        config: Its file.

    Returns:
        The home.

    Raises:
        DatasetAssetsError: The home cannot be made.
    """
    leave_room_for_sockets()
    home = dagster_home(settings)
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / INSTANCE_FILE).exists():
            shutil.copyfile(Path(__file__).with_name(INSTANCE_FILE), home / INSTANCE_FILE)
        _make_history(home)
    except OSError as error:
        raise DatasetAssetsError(
            f"The Dagster home {home} cannot be made ({error.strerror}); "
            f"set {HOME_VARIABLE} to a folder that you may write."
        ) from error
    os.environ[HOME_VARIABLE] = str(home)
    os.environ[CONFIG_VARIABLE] = str(config.resolve())
    return home


def _make_history(home: Path) -> None:
    """Makes a new home's databases elsewhere first, and moves them in once they are whole.

    Whoever is killed in between would leave some of their tables out for good, and so would two at once.
    """
    making = home / MAKING_FOLDER
    descriptor = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not (home / HISTORY_FOLDER).exists():
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            shutil.copyfile(home / INSTANCE_FILE, making / INSTANCE_FILE)
            with dg.DagsterInstance.from_config(str(making)):
                pass
            # The history last: it tells that all is there.
            for name in (SCHEDULES_FOLDER, HISTORY_FOLDER):
                if (making / name).exists() and not (home / name).exists():
                    (making / name).rename(home / name)
        shutil.rmtree(making, ignore_errors=True)
    finally:
        os.close(descriptor)
