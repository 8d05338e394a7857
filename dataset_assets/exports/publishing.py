"""Replace an export in one step: at any moment its folder holds the former one, or none, or the new one.

It is written beside, in `FOLDER.partial`, which a killed run leaves and the next one resumes. Here: these two
folders, and what may be deleted in them. Not here: what is written (`writing`).
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dataset_assets.counting import counted
from dataset_assets.disk import flush, locked
from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.exports.units import UNITS_FILE, read_units

RECORD_FILE: Final = "export.json"
PARTIAL_SUFFIX: Final = ".partial"
# Where the file system cannot exchange two folders, the former export has this name for an instant.
FORMER_SUFFIX: Final = ".former"
_RENAME_EXCHANGE: Final = 2  # of Linux' renameat2, and RENAME_SWAP of macOS' renamex_np
_AT_FDCWD: Final = -100


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where an export is written.

    Attributes:
        folder: The export's folder.
        partial: Where it is written; it exists.
        former: The export that is in the folder; None where there is none.
    """

    folder: Path
    partial: Path
    former: Path | None

    def discard(self) -> None:
        """Delete what a stopped run has written and nobody needs, since the export is up to date."""
        _delete_export(self.partial)

    def publish(self) -> None:
        """Give the export, which is complete and on the disk, its folder; delete the former one.

        Raises:
            OSError: The folder cannot be replaced; the former export stays.
        """
        if not self.folder.exists():
            self.partial.rename(self.folder)
            flush(self.folder.parent)
            return
        if _exchange(self.partial, self.folder):
            left = self.partial
        else:
            left = _with_suffix(self.folder, FORMER_SUFFIX)
            self.folder.rename(left)
            self.partial.rename(self.folder)
        flush(self.folder.parent)
        _delete_export(left)


@contextmanager
def workplace(folder: Path) -> Iterator[Workplace]:
    """Lock an export's folder against other exports, and make the folder that it is written in.

    Args:
        folder: The export's folder; may be absent.

    Raises:
        BusyError: Another process exports to it.
        DatasetAssetsError: The folder holds anything but an export.
        OSError: It cannot be made.
    """
    folder = folder.resolve()
    _recover(folder)
    refuse_foreign(folder)
    partial = _with_suffix(folder, PARTIAL_SUFFIX)
    partial.mkdir(parents=True, exist_ok=True)
    with _locked(partial):
        _refuse_foreign_partial(partial)
        # First, since it marks the folder as one that may be emptied.
        (partial / UNITS_FILE).touch()
        (partial / RECORD_FILE).unlink(missing_ok=True)
        try:
            yield Workplace(folder, partial, folder if (folder / RECORD_FILE).exists() else None)
        except BaseException:
            if partial.exists() and not read_units(partial):
                _delete_export(partial)
            raise


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds anything but an export, which would be lost.

    Raises:
        DatasetAssetsError: It does.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DatasetAssetsError(f"{folder} is no folder", "name another one for the export.")
    if folder.is_mount():
        raise DatasetAssetsError(
            f"{folder} is where a disk is mounted, which cannot be replaced", "name a folder in it."
        )
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        return
    record = read_record(folder)
    if record is None:
        raise DatasetAssetsError(
            f"{folder} holds {names[0]}, which is no export",
            "name an empty or a new folder; nothing was changed.",
        )
    foreign = [name for name in names if name not in record["contents"]]
    if foreign:
        raise DatasetAssetsError(
            f"{folder} holds {foreign[0]}, which no export wrote",
            "move it elsewhere, since the folder is replaced; nothing was changed.",
        )
    more = count_files(folder) - int(record["files"])
    if more > 0:
        raise DatasetAssetsError(
            f"{folder} holds {counted(more, 'file')} more than were exported to it",
            "move them elsewhere, since the folder is replaced; nothing was changed.",
        )


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read the record of a finished export; None where the folder holds none."""
    try:
        record = json.loads((folder / RECORD_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    is_ours = isinstance(record, dict) and {"layout", "contents", "files"} <= record.keys()
    return record if is_ours else None


def count_files(folder: Path) -> int:
    """Return the number of files in a folder and all below."""
    return sum(len(names) for _, _, names in os.walk(folder))


def prune(folder: Path, kept: Collection[str]) -> None:
    """Delete what is in a folder but some files, and folders that are empty then.

    Args:
        folder: The folder.
        kept: Relative posix paths of the files that stay.
    """
    for parent, _, names in os.walk(folder, topdown=False):
        place = Path(parent)
        base = "" if place == folder else place.relative_to(folder).as_posix() + "/"
        for name in names:
            if base + name not in kept:
                (place / name).unlink()
        if place != folder:
            with suppress(OSError):  # it is not empty
                place.rmdir()


def _recover(folder: Path) -> None:
    """Finish what a process left that was killed between two renames."""
    former = _with_suffix(folder, FORMER_SUFFIX)
    if read_record(former) is None:
        return
    if folder.exists():
        _delete_export(former)
    else:
        former.rename(folder)


def _refuse_foreign_partial(partial: Path) -> None:
    names = {path.name for path in partial.iterdir()}
    if names and not names & {UNITS_FILE, RECORD_FILE}:
        raise DatasetAssetsError(
            f"{partial} holds {min(names)}, which is no unfinished export",
            "move it elsewhere, or name another folder; nothing was changed.",
        )


@contextmanager
def _locked(partial: Path) -> Iterator[None]:
    busy = BusyError(
        f"Another process exports to {partial.with_name(partial.name.removesuffix(PARTIAL_SUFFIX))}",
        "wait until it has ended, or name another folder.",
    )
    try:
        with locked(partial, waits=False) as descriptor:
            # Another process may have given the folder its final name between its opening and its lock.
            if not partial.exists() or not os.path.samestat(os.fstat(descriptor), partial.stat()):
                raise busy
            yield
    except BlockingIOError as error:
        raise busy from error


def _with_suffix(folder: Path, suffix: str) -> Path:
    return folder.with_name(folder.name + suffix)


def _delete_export(folder: Path) -> None:
    """Delete an export so that it is never resumed in part, and recognised as an export until it is gone."""
    (folder / UNITS_FILE).unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != RECORD_FILE:
            path.unlink()
    (folder / RECORD_FILE).unlink(missing_ok=True)
    folder.rmdir()


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return False where the system or the file system cannot."""
    library = ctypes.CDLL(None, use_errno=True)
    names = (os.fsencode(one), os.fsencode(other))
    try:
        if sys.platform == "darwin":
            return bool(library.renamex_np(*names, _RENAME_EXCHANGE) == 0)
        return bool(library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
    except AttributeError:  # a C library without it, such as musl before 1.2
        return False
