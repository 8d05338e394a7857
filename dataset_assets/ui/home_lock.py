"""One UI for each Dagster home: two daemons would start every run twice.

A lock that the process which watches the services holds as long as it lives, with the UI's address in its
file. Not here: services (`services`), making the home (`launch`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dataset_assets.disk import locked
from dataset_assets.errors import DatasetAssetsError

LOCK_FILE = "ui.lock"


def refuse_second(home: Path) -> None:
    """Refuse a home that another UI serves; nothing is written.

    Raises:
        DatasetAssetsError: A UI serves it; its address is named.
    """
    if (home / LOCK_FILE).exists():
        with _locked_home(home):
            pass


@contextmanager
def serving(home: Path, address: str) -> Iterator[None]:
    """Hold a home for this process, and for the program that replaces it (exec).

    Args:
        home: The Dagster home; it exists.
        address: Where the UI is reached.

    Raises:
        DatasetAssetsError: Another UI serves it; its address is named.
    """
    with _locked_home(home) as descriptor:
        (home / LOCK_FILE).write_text(address, encoding="utf-8")
        os.set_inheritable(descriptor, True)
        yield


@contextmanager
def _locked_home(home: Path) -> Iterator[int]:
    file = home / LOCK_FILE
    with ExitStack() as stack:
        try:
            descriptor = stack.enter_context(locked(file, waits=False))
        except BlockingIOError as error:
            address = file.read_text(encoding="utf-8") or "an address that it has yet to write"
            raise DatasetAssetsError(
                f"A UI on {home} is running already, at {address}", "open that one, or stop it first."
            ) from error
        yield descriptor
