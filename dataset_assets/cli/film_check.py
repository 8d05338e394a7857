"""A brief look into many films, each in a process of its own that may hang or crash.

Not here: what is looked at (`video`), and what is said of a film (`doctor`, `main`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection

from rich.console import Console
from rich.progress import Progress

from dataset_assets.addresses import Address, FilmPath
from dataset_assets.errors import LEAVE_OUT, VideoError
from dataset_assets.launch import shorten_socket_paths
from dataset_assets.video import open_briefly

Size = tuple[int, int]

LIMIT_S = 1.0
# A film at an address takes some 5 requests and 5 MB: so much of 100 films is read, and of no more.
ADDRESS_LIMIT_S, MOST_AT_ADDRESSES = 20.0, 100
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
        unopened: Films at addresses beyond the first `MOST_AT_ADDRESSES`.
    """

    refused: Mapping[FilmPath, VideoError] = field(default_factory=dict)
    sizes: Mapping[FilmPath, Size] = field(default_factory=dict)
    slow: Sequence[FilmPath] = ()
    unopened: Sequence[FilmPath] = ()


def check_films(
    films: Sequence[FilmPath],
    console: Console | None = None,
    *,
    limit_s: float = LIMIT_S,
    look: Callable[[FilmPath], Size] = open_briefly,
) -> FilmCheck:
    """Look into films, a few at a time.

    Args:
        films: The films.
        console: Where progress is shown, if it is a terminal.
        limit_s: Seconds that a look into a film of a disk may take.
        look: Gives the size of a film, or raises VideoError where it cannot be used; importable, since
            another process calls it.
    """
    shorten_socket_paths()  # the server that forks the processes listens on one
    refused: dict[FilmPath, VideoError] = {}
    sizes: dict[FilmPath, Size] = {}
    slow = []
    unopened = [film for film in films if isinstance(film, Address)][MOST_AT_ADDRESSES:]
    left_out = set(unopened)
    films = [film for film in films if film not in left_out]
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
    return FilmCheck(refused, sizes, tuple(slow), tuple(unopened))


def _check(film: FilmPath, limit_s: float, look: Callable[[FilmPath], Size]) -> VideoError | Size | None:
    """Return why a film cannot be used, its size where nothing speaks against it, None where it is slow."""
    limit_s = ADDRESS_LIMIT_S if isinstance(film, Address) else limit_s
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


def _look(connection: Connection, film: FilmPath, look: Callable[[FilmPath], Size]) -> None:
    connection.send(True)
    try:
        size = look(film)
    except VideoError as error:
        connection.send(VideoError(error.what, error.remedy))
    else:
        connection.send(size)
