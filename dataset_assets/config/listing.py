"""List folders without blocking, even if their drives are away and do not answer.

Belongs here: threads, and the size and times of each film. Not here: which films are videos (watch.py).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISLNK
from typing import Any, Final, Generic, TypeVar

from dataset_assets.config.films import films_below
from dataset_assets.config.skipping import Kind, Skipped

# 5000 films on a network drive that answers in a millisecond take 10 s.
PATIENCE_S: Final = 15.0
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the file system reports of a film.

    Attributes:
        path: Its absolute path.
        real: The same with links resolved.
        size_bytes: Its size.
        changed_s: When it was last changed, Unix time of the drive's clock.
        seen_s: When it was listed, Unix time of this machine's clock.
    """

    path: Path
    real: str
    size_bytes: int
    changed_s: float
    seen_s: float


@dataclass(slots=True)
class Listing:
    """The films below a folder.

    Attributes:
        films: The films, by path.
        is_there: Whether the folder exists.
        unread: The folders that may not be read.
        skipped: What is skipped and a user might miss.
        real: The folder with links resolved.
    """

    films: list[Seen] = field(default_factory=list)
    is_there: bool = True
    unread: list[OSError] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    real: str = ""


def list_films(folder: Path) -> Listing:
    """List the films below a folder, each once; one that disappears meanwhile is skipped as a dead link."""
    listing = Listing(is_there=folder.is_dir())
    if not listing.is_there:
        return listing
    listing.real = os.path.realpath(folder)
    found: dict[str, Seen] = {}
    parents: dict[Path, str] = {}
    for film in sorted(films_below(folder, listing.unread.append, listing.skipped.append)):
        try:
            # One system call a film, where `realpath` needs one for each folder of its path.
            stat = film.lstat()
            if S_ISLNK(stat.st_mode):
                stat, real = film.stat(), os.path.realpath(film)
            else:
                if film.parent not in parents:
                    parents[film.parent] = os.path.realpath(film.parent)
                real = os.path.join(parents[film.parent], film.name)  # noqa: PTH118  # as text: 5000 of them
        except OSError:
            if film.is_symlink():
                listing.skipped.append(Skipped(film, Kind.DANGLING))
            continue
        changed_s = max(stat.st_mtime, stat.st_ctime)
        found.setdefault(real, Seen(film, real, stat.st_size, changed_s, time.time()))
    listing.films = list(found.values())
    return listing


class _Work(Generic[_Found]):
    """Work in a thread that ends with the process, even if it is blocked."""

    def __init__(self, work: Callable[[], _Found]) -> None:
        self.value: _Found | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, args=(work,), daemon=True).start()

    def _run(self, work: Callable[[], _Found]) -> None:
        try:
            self.value = work()
        finally:
            self._done.set()

    def wait(self, until_s: float) -> bool:
        return self._done.wait(max(0.0, until_s - time.monotonic()))


# Work that is still blocked: a sensor that runs every 30 s must not start a thread each time.
_late: dict[Hashable, _Work[Any]] = {}


def patiently(
    works: Mapping[Hashable, Callable[[], _Found]], patience_s: float = PATIENCE_S
) -> dict[Hashable, _Found | None]:
    """Run several functions at a time and wait for them for a limited time.

    Args:
        works: The functions, by a name that is the same at the next call.
        patience_s: Seconds after which unfinished work is left running.

    Returns:
        The result of each; None if it is not finished, or failed. Work that was left running is not started
        again at the next call, which waits for it.
    """
    until_s = time.monotonic() + patience_s
    started = {name: _late.get(name) or _Work(work) for name, work in works.items()}
    found: dict[Hashable, _Found | None] = {}
    for name, work in started.items():
        if work.wait(until_s):
            _late.pop(name, None)
            found[name] = work.value
        else:
            _late[name] = work
            found[name] = None
    return found
