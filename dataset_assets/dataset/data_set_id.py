"""Whether a machine sees the folder that the others see: an id in it, which a run compares.

A machine whose mount is absent finds an empty folder of its own under the same path, and would make films
there that nobody sees. Who starts runs on other machines gives them the id, and a run refuses where its own
folder holds none, or another. It is a file of its own: the record of how many machines make the data set
(`holding`) is deleted to change that. Where the data set is in an object store the folders are each machine's
own, and an address names the same store everywhere: nothing is compared. Not here: which runs get the id
(`engines`), what follows from a refusal (`resources`).
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Final

from dataset_assets import layout
from dataset_assets.config import Settings
from dataset_assets.disk import flush, make_folder, own_writer, replacing, temporary
from dataset_assets.errors import ConfigError
from dataset_assets.process import host_name

_NAME: Final = "id"


def keep_data_set_id(settings: Settings) -> str | None:
    """Return the id of the data set's folder, which is given one where it has none.

    Returns:
        The id, the same for all that ask at once; None where the data set is in an object store.

    Raises:
        OSError: The disk cannot be read or written.
    """
    folder = settings.base.output_base_dir
    if settings.base.output_url is not None:
        return None
    found = _read(folder)
    if found is None:
        _create(folder)
        found = _read(folder)
    return found


def refuse_other_data_set(settings: Settings, wanted: str | None) -> None:
    """Refuse to work where this machine's folder is not the one with an id; write nothing to it.

    Args:
        settings: The configuration.
        wanted: The id, from `keep_data_set_id` on another machine; None where none was given.

    Raises:
        ConfigError: The folder has no id, or another one.
        OSError: The disk cannot be read.
    """
    folder = settings.base.output_base_dir
    if not wanted or settings.base.output_url is not None or _read(folder) == wanted:
        return
    # No other kind: it says nothing of the film, and another machine may be able to make it.
    raise ConfigError(
        [
            f"{host_name()}: {folder} is not the data set that the head sees; mount the shared folder there "
            f"(`findmnt -T {folder}` prints what is mounted now)"
        ]
    )


def _create(folder: Path) -> None:
    """Give a folder an id, unless another process does so first."""
    path = folder / layout.DATA_SET
    # In a folder that is renamed: that fails where there is one with contents, on every machine and without
    # hard links, which SMB has not, and nobody finds an id of which a part is written.
    made = temporary(path, own_writer())
    make_folder(made, folder)
    try:
        with replacing(made / _NAME) as file:
            file.write(uuid.uuid4().hex.encode())
        made.rename(path)
        flush(path.parent)
    except OSError:
        if _read(folder) is None:
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _read(folder: Path) -> str | None:
    """Return the id of a folder; None where it has none."""
    try:
        return (folder / layout.DATA_SET / _NAME).read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
