"""The Dagster home: where it is, how it is made, and what is reported when it cannot be written.

What Dagster records in it belongs to the assets; reading it, to `monitor.history`. `dagster.yaml` beside this
module is copied into a new home.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import dagster as dg
from sqlalchemy.exc import DBAPIError

from dataset_assets.assets import GALLERY_ADDRESS, GALLERY_VARIABLE
from dataset_assets.config import CONFIG_VARIABLE, Settings, keep_config, video_key
from dataset_assets.dagster_internals import (
    HISTORY_FOLDER,
    INSTANCE_FILE,
    SCHEDULES_FOLDER,
    can_hold_history,
    missing_variable,
    postgres_password_remedy,
    postgres_refusal,
    refuses_password,
    sqlite_folder,
)
from dataset_assets.dataset import DataSet
from dataset_assets.disk import locked
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.launch.sockets import shorten_socket_paths

HOME_VARIABLE = "DAGSTER_HOME"
MAKING_FOLDER = ".making"
# Homes that go with their commands, in the folder for temporary files.
PASSING_PREFIX = "dataset-assets-home-"
# Homes of data sets in whose folders Dagster can keep none, below the folder for what programs keep of a user
# (XDG base directories).
STATE_VARIABLE, STATE_FOLDER = "XDG_STATE_HOME", "~/.local/state"
UNUSABLE = "?, *, [ or a percent escape such as %41"


def dagster_home(settings: Settings) -> Path:
    """Return the home of a data set, as `home_of` does."""
    return home_of(settings.base.output_base_dir)


def home_of(data_set: Path) -> Path:
    """Choose the home of a data set: `DAGSTER_HOME` where set, else a folder in it, so that it moves along.

    Where Dagster could keep no history in that folder because of its name, the home is one of the user's own
    (`~/.local/state/dataset-assets/`), named by the data set's path.

    Raises:
        DatasetAssetsError: Dagster can keep no history in a folder of such a name.
    """
    given = os.environ.get(HOME_VARIABLE)
    if given:
        home = Path(given).expanduser().resolve()
        if not can_hold_history(home):
            raise DatasetAssetsError(
                f"Dagster can keep no history in {home} ({HOME_VARIABLE}): its path is too long, or holds "
                f"{UNUSABLE}",
                "set it to a folder of another name.",
            )
        return home
    home = DataSet(data_set).dagster_home
    return home if can_hold_history(home) else _home_elsewhere(data_set)


def _home_elsewhere(data_set: Path) -> Path:
    path_hash = hashlib.blake2b(os.fsencode(data_set.resolve()), digest_size=8).hexdigest()
    name = "-".join(filter(None, (video_key(data_set.name)[:40], path_hash)))
    try:
        state = Path(os.environ.get(STATE_VARIABLE) or STATE_FOLDER).expanduser()
    except RuntimeError:  # no home folder
        state = Path(STATE_FOLDER)
    home = state / "dataset-assets" / name
    if not (state.is_absolute() and can_hold_history(home)):
        raise DatasetAssetsError(
            f"Dagster can keep no history in {data_set}: its path is too long, or holds {UNUSABLE}",
            f"set {HOME_VARIABLE} to another folder, or rename the data set's.",
        )
    return home


@contextmanager
def reporting_history_errors(home: Path) -> Iterator[None]:
    """Report a history that cannot be read or written, for a full disk or Postgres, as an error of the user.

    Raises:
        DatasetAssetsError: Dagster could not open or write its history.
    """
    # It would log a traceback when it is interrupted while it closes a connection.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    try:
        yield
    except (DBAPIError, OSError) as error:
        place = f"Dagster's history in {home}"
        reason = error.orig if isinstance(error, DBAPIError) else error.strerror or error
        if isinstance(error, OSError) and error.filename:
            place = error.filename
        raise DatasetAssetsError(
            f"{place} cannot be written ({reason})",
            "free some space or look after the disk, and run generate again, what is committed stays",
        ) from error
    except Exception as error:
        if variable := missing_variable(error):
            raise DatasetAssetsError(
                f"{home / INSTANCE_FILE} reads {variable}, which is not set", f"export {variable}"
            ) from error
        refusal = postgres_refusal(error)
        if refuses_password(refusal):
            raise DatasetAssetsError(
                f"Dagster's history in Postgres refuses the password ({refusal})",
                postgres_password_remedy(home),
            ) from error
        if refusal:
            raise DatasetAssetsError(
                f"Dagster's history in Postgres does not answer ({refusal})",
                f"start it, or correct its address in {home / INSTANCE_FILE}",
            ) from error
        raise


def keeps_history(settings: Settings) -> bool:
    """Return whether commands of this machine keep Dagster's history.

    Where many machines make the data set, only those whose `DAGSTER_HOME` is set: SQLite must not lie in a
    folder that several machines write.
    """
    return bool(os.environ.get(HOME_VARIABLE)) or not DataSet.of(settings).is_made_by_many


@contextmanager
def entered_home(settings: Settings, config: Path) -> Iterator[Path]:
    """Enter the home for a command; one that is deleted after it where this machine keeps no history.

    Raises:
        DatasetAssetsError: The home cannot be made.
    """
    if keeps_history(settings):
        yield enter_home(settings, config)
        return
    with _passing_home() as folder:
        os.environ[HOME_VARIABLE] = str(folder)
        try:
            yield enter_home(settings, config)
        finally:
            del os.environ[HOME_VARIABLE]


@contextmanager
def _passing_home() -> Iterator[Path]:
    """Make a home that is deleted afterwards; delete those of commands that were killed."""
    for left in Path(gettempdir()).glob(f"{PASSING_PREFIX}*"):
        with suppress(OSError), locked(left, waits=False):
            shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=PASSING_PREFIX) as name, locked(Path(name)):
        yield Path(name, "home")  # which is locked by itself while its history is made


def enter_home(settings: Settings, config: Path) -> Path:
    """Prepare the home, and set it and the configuration in the environment of all that this process starts.

    Args:
        settings: The configuration.
        config: Its file.

    Returns:
        The home.

    Raises:
        DatasetAssetsError: The home cannot be made, or would lie where several machines write.
    """
    shorten_socket_paths()
    if not keeps_history(settings):
        raise DatasetAssetsError(
            f"Dagster's history would lie in {dagster_home(settings)}, which several machines write",
            f"set {HOME_VARIABLE} to a folder on this machine's own disk",
        )
    home = dagster_home(settings)
    data_set = DataSet.of(settings)
    is_shared = data_set.is_made_by_many and settings.base.output_url is None
    if is_shared and home.is_relative_to(data_set.folder.resolve()) and sqlite_folder(home) is not None:
        raise DatasetAssetsError(
            f"Dagster's history would lie in {home} ({HOME_VARIABLE}), which several machines write",
            "set it to a folder on this machine's own disk",
        )
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / INSTANCE_FILE).exists():
            shutil.copyfile(Path(__file__).with_name(INSTANCE_FILE), home / INSTANCE_FILE)
        _make_history(home)
        keep_config(config, home)
    except OSError as error:
        blocking = next((path for path in (home, *home.parents) if path.is_file()), None)
        if blocking is not None and not os.environ.get(HOME_VARIABLE):
            raise DatasetAssetsError(
                f"{settings.base.output_base_dir}: the data set cannot be there, since {blocking} is a file",
                "set base_settings.output_base_dir to a folder, or move the file away",
            ) from error
        raise DatasetAssetsError(
            f"The Dagster home {home} cannot be made ({error.strerror})",
            f"set {HOME_VARIABLE} to a folder that you may write.",
        ) from error
    os.environ[HOME_VARIABLE] = str(home)
    os.environ[CONFIG_VARIABLE] = str(config.resolve())
    os.environ[GALLERY_VARIABLE] = GALLERY_ADDRESS
    return home


def _make_history(home: Path) -> None:
    """Make a new home's databases elsewhere first, and move them in once they are complete.

    A kill in between, or two processes at once, would leave some of their tables out for good. Postgres makes
    them in one transaction, when it is first opened.
    """
    if sqlite_folder(home) is None:
        return
    making = home / MAKING_FOLDER
    with locked(home):
        if not (home / HISTORY_FOLDER).exists():
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            shutil.copyfile(home / INSTANCE_FILE, making / INSTANCE_FILE)
            with dg.DagsterInstance.from_config(str(making)):
                pass
            # The history last: where it exists, all does.
            for name in (SCHEDULES_FOLDER, HISTORY_FOLDER):
                if (making / name).exists() and not (home / name).exists():
                    (making / name).rename(home / name)
        shutil.rmtree(making, ignore_errors=True)
