"""What the tests of a worker process share: a server of Dagster runs, and a data set that nobody killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataset_assets_tests.films import Film
from dataset_assets_tests.torture.kills import Victims
from dataset_assets_tests.torture.runs import Runs


@pytest.fixture(scope="session")
def runs() -> Iterator[Runs]:
    with Runs() as runs:
        yield runs


@pytest.fixture(scope="session")
def victims(runs: Runs, tiny_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Victims:
    return Victims(tmp_path_factory.mktemp("victims"), tiny_film.path, runs)
