"""What a power cut may take, and how files and folders are kept from it.

Linux and macOS promise this much: what was written to a file is on the disk once that file was flushed, a
name (of a new file, a renamed or removed one, a folder) once the folder that holds it was. Of all that was
not flushed, any part may be there after a power cut and any part not, in any order. Hence, wherever
something refers to something else: flush the contents, then rename, then flush the folder, and only then
write what refers to it.

Which files are written when does not belong here.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"
_MKDIR_TRIES = 10


def temporary(path: Path) -> Path:
    """Return the name that a file has while it is written: hidden, in the same folder.

    It is the same each time, so that what a killed run left is overwritten by the next.
    """
    return path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")


def flush(path: Path) -> None:
    """Flushes a file's contents, or the names in a folder, to disk.

    Raises:
        OSError: The disk failed; what was not flushed before may be lost.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, root: Path) -> None:
    """Make a folder and flush its name and those of the folders above it, `root`'s too.

    Also of those that were there: whoever made them may have been killed before it came to flush.

    Args:
        folder: The folder, `root` or below it.
        root: The data set's folder.
    """
    for tries_left in reversed(range(_MKDIR_TRIES)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            break
        except FileNotFoundError:
            # Another process has just removed an empty folder on the way.
            if not tries_left:
                raise
    for each in (folder, *folder.parents):
        if each == root:
            # A home of many data sets may be one that only its owner can list.
            with suppress(PermissionError):
                flush(root.parent)
            return
        flush(each.parent)
