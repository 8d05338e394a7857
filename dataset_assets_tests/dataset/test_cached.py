from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_assets.dataset import TableStore
from dataset_assets.dataset.cached_footers import CachedFooters
from dataset_assets.dataset.statistics import add_up
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import WINDOWS
from dataset_assets_tests.tables.samples import ACCEPTED, PROVENANCE, REJECTED


def test_a_table_is_read_again_once_it_was_replaced(tmp_path: Path) -> None:
    store, cached = TableStore(tmp_path), CachedFooters(tmp_path)
    path = store.windows_path("a")
    assert cached.read_footer(path) is None
    for rows in ([ACCEPTED], [REJECTED, ACCEPTED], [ACCEPTED]):
        store.write(path, WINDOWS, rows, replace(PROVENANCE, complete=False))
        assert cached.read_footer(path) == store.read_footer(path) is not None
        assert cached.read_provenance(path) == store.read_provenance(path)
        assert add_up(cached).totals == add_up(store).totals
    store.remove(path)
    assert cached.read_footer(path) is None


def test_an_unchanged_table_is_not_read_again(tmp_path: Path) -> None:
    store, cached = TableStore(tmp_path), CachedFooters(tmp_path)
    path = store.windows_path("a")
    store.write(path, WINDOWS, [ACCEPTED], PROVENANCE)
    known = cached.read_footer(path)
    stat = path.stat()
    path.write_bytes(b"x" * stat.st_size)
    with pytest.raises(DatasetAssetsError):
        cached.read_footer(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert cached.read_footer(path) == known
