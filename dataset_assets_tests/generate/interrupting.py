"""Ends of a run at chosen moments: at the n-th call that touches a file, just before it or just after.

Run as a script it kills copies of itself there: `interrupting.py CONFIG KEY MOMENT...`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import cv2

from dataset_assets.config import load_settings
from dataset_assets.generate import generate_video

DISK_CALLS = ((cv2, "imencode"), (os, "fsync"), (os, "replace"), (os, "unlink"))
When = Literal["before", "after"]


@contextmanager
def at_disk_call(number: int, end: Callable[[], None], when: When = "before") -> Iterator[list[str]]:
    """Calls `end` at the `number`-th call that touches a file, counted from 1.

    Yields:
        The names of the calls so far.
    """
    calls: list[str] = []

    def watched(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            is_last = len(calls) == number
            if is_last and when == "before":
                end()
            result = call(*args, **kwargs)
            if is_last and when == "after":
                end()
            return result

        return wrapper

    with ExitStack() as stack:
        for module, name in DISK_CALLS:
            stack.enter_context(patch.object(module, name, watched(name, getattr(module, name))))
        yield calls


def interrupt() -> None:
    """What Ctrl+C does."""
    raise KeyboardInterrupt


def kill() -> None:
    """What `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_at_each(config: Path, key: str, moments: list[int]) -> None:
    settings = load_settings(config)
    for moment in moments:
        child = os.fork()
        if not child:
            with at_disk_call(moment, kill):
                generate_video(settings, key)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(f"{moment} {'killed' if os.WIFSIGNALED(status) else 'finished'}")


if __name__ == "__main__":
    _kill_at_each(Path(sys.argv[1]), sys.argv[2], [int(moment) for moment in sys.argv[3:]])
