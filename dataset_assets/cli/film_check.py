"""A brief look into many films, each in a process of its own that may hang or crash.

Not here: what is looked at (`video`), and what is said of a film (`doctor`, `main`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from dataset_assets.errors import LEAVE_OUT, VideoError
from dataset_assets.launch import shorten_socket_paths
from dataset_assets.video import open_briefly

Size = tuple[int, int]

LIMIT_S = 1.0
# Until the process of a film has started, which takes some 20 ms.
START_LIMIT_S = 60.0
AT_A_TIME = 4


@dataclass(frozen=True, slots=True)
class FilmCheck:
    """What a brief look into films found.

    Attributes:
        refused: Why a film cannot be used, by its path.
        sizes: Width and height of the coded frame of each other film that answered, pixels.
        slow: Films that did not answer in time, which says nothing about them.
    """

    refused: Mapping[Path, VideoError] = field(default_factory=dict)
    sizes: Mapping[Path, Size] = field(default_factory=dict)
    slow: Sequence[Path] = ()


def check_films(
    films: Sequence[Path],
    console: Console | None = None,
    *,
    limit_s: float = LIMIT_S,
    look: Callable[[Path], Size] = open_briefly,
) -> FilmCheck:
    """Look into films, a few at a time.

    Args:
        films: The films.
        console: Where progress is shown, if it is a terminal.
        limit_s: Seconds that a look into a film may take.
        look: Gives the size of a film, or raises VideoError where it cannot be used; importable, since
            another process calls it.
    """
    shorten_socket_paths()  # the server that forks the processes listens on one
    refused: dict[Path, VideoError] = {}
    sizes: dict[Path, Size] = {}
    slow = []
    is_shown = console is not None and console.is_terminal
    with (
        ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="film-check") as pool,
        Progress(console=console, transient=True, disable=not is_shown) as bar,
    ):
        task = bar.add_task("looking into films", total=len(films))
        for film, found in zip(films, pool.map(lambda each: _check(each, limit_s, look), films), strict=True):
            bar.advance(task)
            if isinstance(found, VideoError):
                refused[film] = found
            elif found is None:
                slow.append(film)
            else:
                sizes[film] = found
    return FilmCheck(refused, sizes, tuple(slow))


def _check(film: Path, limit_s: float, look: Callable[[Path], Size]) -> VideoError | Size | None:
    """Return why a film cannot be used, its size where nothing speaks against it, None where it is slow."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_look, args=(theirs, film, look), daemon=True)
    process.start()
    theirs.close()
    with ours:
        try:
            # The limit is for the film, and not for starting a process on a busy machine.
            if not ours.poll(START_LIMIT_S) or not ours.recv() or not ours.poll(limit_s):
                return None
            found: VideoError | Size = ours.recv()
        except EOFError:
            return VideoError("the decoder crashes on it", f"replace the file, or {LEAVE_OUT}")
        finally:
            process.kill()
    return found


def _look(connection: Connection, film: Path, look: Callable[[Path], Size]) -> None:
    connection.send(True)
    try:
        size = look(film)
    except VideoError as error:
        connection.send(VideoError(error.what, error.remedy))
    else:
        connection.send(size)
