"""Fixtures for films at addresses, for conftest.py: a server, a store, a process that has read none yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataset_assets.video import film_files, fingerprint, kept_blocks, objects
from dataset_assets_tests.film_server import FilmServer, FilmStore, film_store

# Films of tests are smaller than a block of 1 MiB.
SMALL_BLOCK_BYTES, FEW_BLOCKS = 1 << 14, 8


@pytest.fixture
def nothing_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing was asked or read yet; blocks are small and few, and nobody waits for long."""
    monkeypatch.setattr(kept_blocks, "BLOCK_BYTES", SMALL_BLOCK_BYTES)
    monkeypatch.setattr(kept_blocks, "_kept", kept_blocks._KeptBlocks(FEW_BLOCKS))
    monkeypatch.setattr(film_files, "_looks", {})
    monkeypatch.setattr(film_files, "_away", {})
    monkeypatch.setattr(objects, "STALL_TIMEOUT_S", 1.0)
    monkeypatch.setattr(objects, "RETRIES", 0)
    for cached in (objects._store, fingerprint._object_hash):
        cached.cache_clear()
    yield
    for cached in (objects._store, fingerprint._object_hash):
        cached.cache_clear()


@pytest.fixture
def http_films(nothing_read: None) -> Iterator[FilmServer]:
    """A server on this machine."""
    found = FilmServer()
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def moto_films() -> Iterator[FilmStore]:
    """A store for all tests of a module."""
    with film_store() as found:
        yield found


@pytest.fixture
def s3_films(moto_films: FilmStore, nothing_read: None, monkeypatch: pytest.MonkeyPatch) -> FilmStore:
    """A store, with what the environment must hold to read it."""
    for name, value in moto_films.environment.items():
        monkeypatch.setenv(name, value)
    return moto_films
