"""Places in a run where it is ended by a signal, or where the disk begins to fail."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, get_args
from unittest.mock import patch

import pyarrow.parquet as pq

from dataset_assets.dataset import Journal

Place = Literal["in a picture", "before a name", "in a table", "after a table's name", "before notes go"]
PLACES: tuple[Place, ...] = get_args(Place)


@contextmanager
def ended_at(place: Place, number: int, signal_number: int) -> Iterator[None]:
    """Sends this process a signal when it comes to a place for the `number`-th time, counted from 1."""
    write_bytes, replace, write_table, settle = (
        Path.write_bytes,
        os.replace,
        pq.ParquetWriter.write_table,
        Journal.settle,
    )
    times = 0

    def is_time(here: Place) -> bool:
        nonlocal times
        times += here == place
        return here == place and times == number

    def end() -> None:
        os.kill(os.getpid(), signal_number)

    def picture(path: Path, content: bytes) -> int:
        if ".png." in path.name and path.suffix == ".tmp" and is_time("in a picture"):
            write_bytes(path, content[: len(content) // 2])
            end()
        return write_bytes(path, content)

    def name(source: Any, target: Any) -> None:
        if str(target).endswith(".png") and is_time("before a name"):
            end()
        replace(source, target)
        if str(target).endswith(".parquet") and is_time("after a table's name"):
            end()

    def table(writer: pq.ParquetWriter, content: Any, *rest: Any) -> None:
        write_table(writer, content, *rest)
        if is_time("in a table"):
            end()

    def notes(journal: Journal, *named: Any) -> None:
        if is_time("before notes go"):
            end()
        settle(journal, *named)

    with (
        patch.object(Path, "write_bytes", picture),
        patch.object(os, "replace", name),
        patch.object(pq.ParquetWriter, "write_table", table),
        patch.object(Journal, "settle", notes),
    ):
        yield


@contextmanager
def failing_from(number: int, error: int, root: Path) -> Iterator[None]:
    """Lets every call that writes below a folder fail from the `number`-th on, as a full or broken disk does.

    Args:
        number: Counted from 1.
        error: The error's number, e.g. `errno.ENOSPC`.
        root: The folder; Dagster's home in it goes on working.
    """
    calls, lock = 0, threading.Lock()

    def refuse(path: str) -> None:
        nonlocal calls
        if not path.startswith(f"{root}/") or "/.dagster" in path:
            return
        with lock:
            calls += 1
            if calls >= number:
                raise OSError(error, os.strerror(error), path)

    def watched(call: Callable[..., Any], path_of: Callable[..., str | None]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            path = path_of(*args)
            if path is not None:
                refuse(path)
            return call(*args, **kwargs)

        return wrapper

    def opened(file: Any, mode: str = "r", *_: Any) -> str | None:
        return str(file) if set(mode) & set("wax+") else None

    def flushed(descriptor: int) -> str:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())

    with ExitStack() as stack:
        for module, call, path_of in (
            (io, "open", opened),
            (os, "fsync", flushed),
            (os, "replace", lambda source, _: str(source)),
            (os, "mkdir", lambda path, *_: str(path)),
        ):
            stack.enter_context(patch.object(module, call, watched(getattr(module, call), path_of)))
        yield
