"""Protect files and folders against power cuts, and look at those that may be out of reach.

Linux and macOS promise this much: what was written to a file is on the disk once that file was flushed, a
name (of a new file, a renamed or deleted one, a folder) once the folder that holds it was. Of all that was
not flushed, any part may exist after a power cut and any part not, in any order. Hence, wherever something
refers to something else: flush the contents, then rename, then flush the folder, and only then write what
refers to it.

Not here: which files are written, and when.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

# EFBIG: a limit on the size of files, by ulimit or by the file system.
FULL_ERRNOS: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
# Errors of disks, cables and network mounts that are away.
FAILING_ERRNOS: Final = frozenset(
    getattr(errno, name)
    for name in ("EIO", "ENXIO", "ENODEV", "ESTALE", "ETIMEDOUT", "ENOTCONN", "EHOSTDOWN", "ECONNRESET")
    if hasattr(errno, name)
)
FORBIDDEN_ERRNOS: Final = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))

TEMPORARY_SUFFIX = ".tmp"
# Network file systems that cannot flush a folder write its names at once.
_UNFLUSHABLE_ERRNOS: Final = frozenset((errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.ENOSYS))
# Network file systems that know no locks, such as Lustre mounted without them.
_UNLOCKABLE_ERRNOS: Final = frozenset((errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK))
# File systems without hard links, such as exFAT.
_UNLINKABLE_ERRNOS: Final = frozenset((errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP))
_MKDIR_TRIES = 10


def is_file(path: Path) -> bool:
    """Return whether a path is a file; False also where a folder on the way must not be entered.

    `Path.is_file` raises there.
    """
    try:
        return path.is_file()
    except OSError:
        return False


def temporary(path: Path, writer: int = 0) -> Path:
    """Return the name that a file has while it is written: hidden, in the same folder.

    It is the same each time, so that the next run overwrites what a killed run left behind.

    Args:
        path: The file.
        writer: Number of the lease under which it is written; 0 without one. Two machines that both take
            themselves for a video's writer do not write into each other's files.
    """
    number = f".{writer}" if writer else ""
    return path.with_name(f".{path.name}{number}{TEMPORARY_SUFFIX}")


def own_writer() -> int:
    """Return a number for `temporary` that no other process of any machine uses.

    For files that several may replace at once, and whose unfinished ones nobody looks for.
    """
    return 1 + secrets.randbits(60)


def temporaries(path: Path) -> list[Path]:
    """List the unfinished files of all writers of a file."""
    pattern = f".{glob.escape(path.name)}.[0-9]*{TEMPORARY_SUFFIX}"
    found = [temporary(path), *sorted(path.parent.glob(pattern))]
    return [each for each in found if each.exists()]


def flush(path: Path) -> None:
    """Flush a file's contents, or the names in a folder, to disk.

    Raises:
        OSError: The disk failed; what was not flushed before may be lost.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNFLUSHABLE_ERRNOS or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path, size_bytes: int) -> None:
    """Give a finished file its name, in the place of an earlier file.

    Args:
        source: Its temporary name.
        target: Its name, in the same folder.
        size_bytes: Its size.

    Raises:
        OSError: The disk cannot be written.
    """
    try:
        source.replace(target)
    except FileNotFoundError:
        # NFS repeats a request whose answer was lost; the second answer then denies what the first did.
        if not target.exists() or target.stat().st_size != size_bytes:
            raise


@contextmanager
def locked(path: Path, *, waits: bool = True, is_needed: bool = True) -> Iterator[int]:
    """Hold an exclusive lock; the kernel releases it when the process ends, for whatever reason.

    Args:
        path: A file, made if absent, or a folder.
        waits: Whether to wait for another process that holds it.
        is_needed: Whether a file system without locks is an error; else it is passed over.

    Yields:
        The descriptor that holds it; the processes that this one starts do not inherit it.

    Raises:
        BlockingIOError: Another process holds it, and it is not waited for.
        OSError: The file cannot be made.
    """
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if is_needed or error.errno not in _UNLOCKABLE_ERRNOS:
                raise
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path, *, is_durable: bool = True, writer: int = 0) -> Iterator[BinaryIO]:
    """Replace a file in one step: at any moment, also after a power cut, there is the old one or the new one.

    It is written under its temporary name; when the block ends it has its own, and is on the disk.

    Args:
        path: The file; its folder exists.
        is_durable: Whether it is flushed. Without, a power cut may leave a part of it.
        writer: Number of the lease under which it is written, see `temporary`.

    Yields:
        The file to write to.

    Raises:
        OSError: The disk is full or cannot be written; the old file stays, and no temporary one.
    """
    unnamed = temporary(path, writer)
    try:
        with unnamed.open("wb") as file:
            yield file
            file.flush()
            size_bytes = file.tell()
            if is_durable:
                # Before the rename: a name may reach the disk before the contents, and would lead to a part.
                os.fsync(file.fileno())
        rename(unnamed, path, size_bytes)
    except BaseException:
        unnamed.unlink(missing_ok=True)
        raise
    if is_durable:
        flush(path.parent)


def create(path: Path, content: bytes) -> bool:
    """Write a file in one step where there is none; an existing one is never replaced.

    Args:
        path: The file; its folder exists.
        content: Its content.

    Returns:
        Whether it was written; False where there is a file of that name.

    Raises:
        OSError: The disk is full or cannot be written; no file is left.
    """
    unnamed = temporary(path)
    try:
        with unnamed.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(unnamed)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _UNLINKABLE_ERRNOS:
                raise
            if path.exists():
                return False
            rename(unnamed, path, len(content))
    finally:
        unnamed.unlink(missing_ok=True)
    flush(path.parent)
    return True


def make_folder(folder: Path, root: Path) -> None:
    """Create a folder and flush its name and those of the folders above it, `root`'s too.

    Also those of existing folders: the process that made them may have been killed before it flushed.

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
