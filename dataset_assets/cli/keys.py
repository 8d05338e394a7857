"""Keys of a terminal, read while a view is shown. What they do belongs to the view."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Given where the terminal is gone: there is nothing to show any more.
QUIT = "q"


@contextmanager
def reading_keys() -> Iterator[Callable[[float], str]]:
    """Read keys as they are pressed, without Enter and without showing them.

    Yields:
        A function that waits for a key for so many seconds, and gives it, or "" where there was none: always
        where the input is no terminal, or belongs to another job of the shell.
    """
    if not sys.stdin.isatty() or not _is_ours(sys.stdin.fileno()):
        yield _no_key
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def wait_for_key(seconds: float) -> str:
        if not select.select([descriptor], [], [], seconds)[0]:
            return ""
        if not _is_ours(descriptor):
            return _no_key(seconds)
        # Nothing to read where there is something: the terminal is gone.
        return os.read(descriptor, 1).decode(errors="replace") or QUIT

    tty.setcbreak(descriptor)
    try:
        yield wait_for_key
    finally:
        if _is_ours(descriptor):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _is_ours(descriptor: int) -> bool:
    """Return whether the terminal listens to this process; it would stop one in the background."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:  # the terminal is gone, which reading shows
        return True


def _no_key(seconds: float) -> str:
    time.sleep(seconds)
    return ""
