"""The file of a film, on a disk or at an address: whether it is there, its state, its bytes.

Everything that looks at a film without decoding it comes through here. Not here: comparing what was seen at
two times (`fingerprint`, `source`), requests to stores (`objects`).

For pages and lists of many films a process does not ask a store for the same film again within `LOOK_S`
seconds: `look_at` asks for many films at a time, and `seen` answers from that.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from dataset_assets.addresses import Address, FilmPath
from dataset_assets.disk import is_file
from dataset_assets.errors import SourceLostError, VideoError
from dataset_assets.video.kept_blocks import ObjectFile
from dataset_assets.video.objects import state_of

# What a store said counts as long in lists, pages and statistics.
LOOK_S: Final = 600.0
# A store that gave no answer is not asked for another film within so many seconds.
AWAY_S: Final = 30.0
AT_A_TIME: Final = 32


@dataclass(frozen=True, slots=True)
class FileState:
    """The state of a film's file that shows without reading it that it is unchanged.

    Attributes:
        size_bytes: Its size.
        version: A file's modification time, Unix time in nanoseconds, which anybody can set; the version of
            an object, see `objects.ObjectState`.
        changed_ns: A file's change time, which nobody can set; 0 for an object.
        inode: Which file it is, of those that had the name; 0 for an object.
    """

    size_bytes: int
    version: str
    changed_ns: int = 0
    inode: int = 0

    @classmethod
    def of(cls, film: FilmPath) -> FileState:
        """Look at a film's file.

        Raises:
            OSError: The file is not there.
            VideoError: The object is not there, or its store does not answer.
        """
        if isinstance(film, Address):
            found = state_of(film)
            state = cls(found.size_bytes, found.version)
            _looks[film] = time.monotonic(), state
            return state
        stat = film.stat()
        return cls(stat.st_size, str(stat.st_mtime_ns), stat.st_ctime_ns, stat.st_ino)


_looks: dict[Address, tuple[float, FileState | VideoError]] = {}
_away: dict[str, tuple[float, SourceLostError]] = {}


def open_film(film: FilmPath) -> BinaryIO:
    """Open a film's file to read its bytes.

    Raises:
        OSError: The file cannot be read.
        VideoError: The object cannot be read; so do its reads.
    """
    return (
        cast("BinaryIO", io.BufferedReader(ObjectFile(film)))
        if isinstance(film, Address)
        else film.open("rb")
    )


def is_there(film: FilmPath) -> bool:
    """Return whether a film's file can be found, asking for it."""
    if isinstance(film, Path):
        return is_file(film)
    try:
        FileState.of(film)
    except VideoError:
        return False
    return True


def look_at(films: Iterable[FilmPath], *, max_age_s: float = LOOK_S) -> None:
    """Ask for the states of films at addresses, many at a time, for `seen` to answer from.

    Args:
        films: The films; nothing is done for files.
        max_age_s: Films that were seen within so many seconds are left out.
    """
    now_s = time.monotonic()
    due = [
        film
        for film in films
        if isinstance(film, Address) and (film not in _looks or now_s - _looks[film][0] > max_age_s)
    ]
    if due:
        with ThreadPoolExecutor(min(AT_A_TIME, len(due)), thread_name_prefix="films") as pool:
            list(pool.map(_look, due))


def seen(film: FilmPath) -> FileState | None:
    """Return the state of a film's file; None where it cannot be found.

    A file is looked at; for an object, what its store said within `LOOK_S` seconds counts.
    """
    if isinstance(film, Path):
        return FileState.of(film) if is_file(film) else None
    look_at([film])
    found = _looks[film][1]
    return found if isinstance(found, FileState) else None


def why_unseen(film: Address) -> VideoError | None:
    """Return why a film at an address was not found when it was looked at last; None where it was."""
    look_at([film])
    found = _looks[film][1]
    return found if isinstance(found, VideoError) else None


def _look(film: Address) -> None:
    """Ask for the state of an object, and keep the answer."""
    asked_s, error = _away.get(film.store, (0.0, None))
    if error is not None and time.monotonic() - asked_s < AWAY_S:
        _looks[film] = asked_s - LOOK_S + AWAY_S, error
        return
    try:
        FileState.of(film)
    except SourceLostError as lost:
        _away[film.store] = time.monotonic(), lost
        _looks[film] = time.monotonic() - LOOK_S + AWAY_S, lost
    except VideoError as absent:
        _looks[film] = time.monotonic(), absent
