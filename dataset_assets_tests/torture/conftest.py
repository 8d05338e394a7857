"""What the tests of a worker process share: a server of Dagster runs, and a data set that nobody killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dataset_assets_tests.films import Film
from dataset_assets_tests.torture.kills import Victims
from dataset_assets_tests.torture.runs import Runs

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def runs() -> Iterator[Runs]:
    with Runs() as runs:
        yield runs


@pytest.fixture(scope="session")
def victims(runs: Runs, tiny_film: Film) -> Iterator[Victims]:
    # In memory where that can be: half of the time of a run on a disk goes into flushing.
    folder = MEMORY if os.access(MEMORY, os.W_OK) else None
    with TemporaryDirectory(dir=folder) as place:
        yield Victims(Path(place), tiny_film.path, runs)
