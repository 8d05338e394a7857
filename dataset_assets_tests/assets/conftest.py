"""Worlds: a fresh one for a test that changes it, a finished one that tests only look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.assets import GALLERY_ADDRESS, GALLERY_VARIABLE
from dataset_assets_tests.assets.world import ALL, World
from dataset_assets_tests.films import Film


@pytest.fixture(scope="session", autouse=True)
def gallery_is_served() -> Iterator[None]:
    """Runs are those of `ui`, which serves the gallery."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(GALLERY_VARIABLE, GALLERY_ADDRESS)
        yield


@pytest.fixture
def world(tmp_path: Path, letterboxed_film: Film) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield World(tmp_path, instance, letterboxed_film)


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, letterboxed_film: Film
) -> Iterator[tuple[World, dg.ExecuteInProcessResult]]:
    """A world in which everything was materialised, and that run."""
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path_factory.mktemp("finished"), instance, letterboxed_film)
        yield world, world.materialize(*ALL)
