"""Runs in processes of their own that are killed at a request to the object store."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args
from unittest.mock import patch

from dataset_assets.config import Settings
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.object_store import ObjectStore
from dataset_assets_tests.generate.samples import KEY

Place = Literal["journal", "file", "windows", "patches", "removal of a file", "removal of a journal"]
PLACES: Final[tuple[Place, ...]] = get_args(Place)
# Children are forked from a process that has imported all, and never used a store.
_CONTEXT: Final = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Kill:
    """A moment of a run.

    Attributes:
        place: What is written or deleted.
        times: At the so many-th time, counted from 1.
        is_done: Whether the request has been answered; else it was not sent.
    """

    place: Place
    times: int = 1
    is_done: bool = False


def run(settings: Settings, kill: Kill | None = None) -> int:
    """Makes the film of the settings in a process of its own; gives its exit code, -9 where it was killed."""
    _CONTEXT.set_forkserver_preload([__name__])
    process = _CONTEXT.Process(target=_make, args=(settings, kill, dict(os.environ)))
    process.start()
    process.join(120)
    assert process.exitcode is not None
    return process.exitcode


def _make(settings: Settings, kill: Kill | None, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    with ExitStack() as stack:
        if kill is not None:
            for call, watched in _watched(kill).items():
                stack.enter_context(patch.object(ObjectStore, call, watched))
        probe_video(settings, KEY)
        generate_video(settings, KEY)


def _place(call: str, name: str) -> Place | None:
    if "/.journals/" in name:
        return "removal of a journal" if call == "delete" else "journal"
    if name.endswith(".png"):
        return "removal of a file" if call == "delete" else "file"
    if name.endswith(".parquet") and call != "delete":
        return "windows" if "/windows/" in name else "patches" if "/patches/" in name else None
    return None


def _watched(kill: Kill) -> dict[str, Callable[..., Any]]:
    times = 0

    def watch(call: str) -> Callable[..., Any]:
        original = getattr(ObjectStore, call)

        def request(store: ObjectStore, names: Any, *rest: Any, **options: Any) -> Any:
            nonlocal times
            names = names if isinstance(names, str) else list(names)
            first = names if isinstance(names, str) else next(iter(names), "")
            here = _place(call, first) == kill.place
            times += here
            is_time = here and times == kill.times
            if is_time and not kill.is_done:
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(store, names, *rest, **options)
            if is_time:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return request

    return {call: watch(call) for call in ("put", "create", "replace", "delete")}
