"""What tests of Dagster's insides report where a new release changed them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import pytest


@contextmanager
def needed(what: str) -> Iterator[None]:
    """Says in a sentence what a new Dagster changed."""
    try:
        yield
    except (ImportError, AttributeError, TypeError, AssertionError) as error:
        (why, *_) = str(error).splitlines() or [type(error).__name__]
        pytest.fail(f"Dagster {dg.__version__} changed {what}; adapt dagster_internals ({why})")
