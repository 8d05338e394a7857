"""The lock that allows one run on a video at a time.

Not here: locks of other files (`disk`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dataset_assets.disk import locked
from dataset_assets.errors import BusyError


@contextmanager
def video_lock(folder: Path, key: str) -> Iterator[None]:
    """Hold a video's lock; the kernel releases it when the process ends, for whatever reason.

    Args:
        folder: Where lock files are kept; made if absent.
        key: The video's key.

    Raises:
        BusyError: Another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / f"{key}.lock", waits=False))
        except BlockingIOError as error:
            raise BusyError(
                f"{key}: another run works on this video",
                "wait until it has ended, or stop it, and start again",
            ) from error
        yield
