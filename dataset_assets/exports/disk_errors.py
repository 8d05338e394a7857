"""Errors of the disk that an export is on, as sentences for the user.

Not here: errors of C libraries, which hide the disk's (`layouts.stores`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataset_assets.disk import FAILING_ERRNOS, FULL_ERRNOS
from dataset_assets.errors import DatasetAssetsError, SpaceError
from dataset_assets.object_store import StoreError


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Convert errors of the disk.

    Args:
        folder: The export's folder, named where an error names no file.

    Raises:
        SpaceError: The disk is full.
        DatasetAssetsError: It failed, or a file or folder cannot be read or written.
    """
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        place = error.filename or folder
        if error.errno in FULL_ERRNOS:
            raise SpaceError(
                f"The disk of the export is full ({place}: {error.strerror})",
                "free some space and export again: what is written stays.",
            ) from error
        if error.errno in FAILING_ERRNOS:
            raise DatasetAssetsError(
                f"The disk failed ({place}: {error.strerror})",
                "look after the disk or its connection and export again: what is written stays.",
            ) from error
        raise DatasetAssetsError(
            f"{place} cannot be read or written ({error.strerror})",
            "correct its permissions, or name another folder.",
        ) from error
