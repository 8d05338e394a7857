"""Errors of the disk that a data set is on, as sentences for the user who scores or degrades it.

Not here: errors of an object store, which are sentences already.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dataset_assets.disk import FULL_ERRNOS
from dataset_assets.errors import DatasetAssetsError, SpaceError
from dataset_assets.object_store import StoreError


@contextmanager
def disk_errors(key: str, command: str) -> Iterator[None]:
    """Convert errors of the disk.

    Args:
        key: The video's key.
        command: What to run again.

    Raises:
        SpaceError: The disk is full.
        DatasetAssetsError: It cannot be read or written.
    """
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        place = error.filename or "a table"
        if error.errno in FULL_ERRNOS:
            raise SpaceError(
                f"{key}: the disk is full ({place}: {error.strerror})",
                f"free some space and {command} again: what is written stays.",
            ) from error
        raise DatasetAssetsError(
            f"{key}: {place} cannot be read or written ({error.strerror})",
            f"look after the disk or its permissions and {command} again: what is written stays.",
        ) from error
