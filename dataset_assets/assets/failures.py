"""A user's mistake as a failed run: the one sentence, and no retry that would fail alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from dataset_assets.errors import DatasetAssetsError


@contextmanager
def told_in_one_sentence() -> Iterator[None]:
    """Turns an error that a user can mend into a Dagster failure with its sentence."""
    try:
        yield
    except DatasetAssetsError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
