"""Tables that an older release wrote, beside new ones: added columns are null in them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_assets.dataset import TableStore
from dataset_assets.dataset.cached_footers import CachedFooters
from dataset_assets.dataset.statistics import add_up
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import SCHEMA_VERSION, WINDOWS, WindowRow
from dataset_assets_tests.tables.samples import ACCEPTED, PROVENANCE, REJECTED

ROWS = [REJECTED, ACCEPTED]
# The windows table of schema version 2, as the release that wrote it declared it.
VERSION_2 = pa.schema(
    [
        pa.field("window", pa.int32(), nullable=False),
        pa.field("attempt", pa.int32(), nullable=False),
        pa.field("time_s", pa.float64(), nullable=False),
        pa.field("pts", pa.list_(pa.int64()), nullable=False),
        pa.field("keyframe", pa.bool_(), nullable=False),
        pa.field("mean_abs_diff", pa.float32()),
        pa.field("cut_score", pa.float32()),
        pa.field("brightness", pa.float32()),
        pa.field("contrast", pa.float32()),
        pa.field("sharpness", pa.float32()),
        pa.field("signature", pa.binary()),
        pa.field("accepted", pa.bool_(), nullable=False),
        pa.field("reason", pa.string()),
    ]
)
ADDED = [name for name in WINDOWS.names if name not in VERSION_2.names]


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    return TableStore(tmp_path)


def write_old(store: TableStore, key: str, schema: pa.Schema = VERSION_2, version: int = 2) -> Path:
    """Write a windows table as a release of another schema did."""
    path = store.windows_path(key)
    path.parent.mkdir(parents=True)
    columns = [
        pa.array([getattr(row, name, 1) for row in ROWS], schema.field(name).type) for name in schema.names
    ]
    provenance = asdict(PROVENANCE) | {
        "source_fingerprint": str(PROVENANCE.source_fingerprint),
        "schema_version": version,
        "writer_version": "3.0.0",
    }
    counts = {"accepted": 1, "rejected": {REJECTED.reason: 1}, "patches": {}, "size_bytes": {}}
    with pq.ParquetWriter(path, schema, compression="zstd", store_schema=False) as writer:
        writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        writer.add_key_value_metadata(
            {
                "dataset_assets.provenance": json.dumps(provenance),
                "dataset_assets.counts": json.dumps(counts),
            }
        )
    return path


def same_but_for_added(row: WindowRow) -> dict[str, object]:
    return asdict(row) | dict.fromkeys(ADDED)


def test_added_columns_are_null_in_the_rows_of_an_older_table(store: TableStore) -> None:
    write_old(store, "old-film")
    assert [asdict(row) for row in store.read_windows("old-film")] == [
        same_but_for_added(row) for row in ROWS
    ]


def test_old_and_new_tables_add_up_in_one_data_set(store: TableStore) -> None:
    path = write_old(store, "old-film")
    store.write(store.windows_path("new-film"), WINDOWS, ROWS, PROVENANCE)
    for reader in (store, CachedFooters(store.root.parent)):
        found = add_up(reader)
        assert found.problems == []
        assert (found.totals.accepted, found.totals.candidates) == (2, 4)
    provenance = store.read_provenance(path)
    assert provenance is not None
    assert provenance.schema_version == 2


@pytest.mark.parametrize("first_is_old", [True, False])
def test_old_and_new_tables_are_read_in_one_line(store: TableStore, *, first_is_old: bool) -> None:
    write_old(store, "a-film" if first_is_old else "b-film")
    store.write(store.windows_path("b-film" if first_is_old else "a-film"), WINDOWS, ROWS, PROVENANCE)
    accepted = [False, True] * 2
    assert list(pd.read_parquet(store.root / "windows")["accepted"]) == accepted
    named = pd.read_parquet(store.root / "windows", schema=WINDOWS)
    assert list(named.columns) == WINDOWS.names
    assert list(named["accepted"]) == accepted
    found = duckdb.execute(
        f"SELECT * FROM read_parquet('{store.root}/windows/*/*.parquet', union_by_name = true)"
    ).df()
    assert set(found.columns) >= {*WINDOWS.names}
    assert len(found) == 4


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(VERSION_2.remove(VERSION_2.get_field_index("accepted")), id="lacks a required column"),
        pytest.param(VERSION_2.append(pa.field("mood", pa.int32())), id="has an unknown column"),
        pytest.param(
            VERSION_2.set(0, pa.field("window", pa.int64(), nullable=False)),
            id="has a column of another type",
        ),
    ],
)
def test_an_older_table_of_other_columns_is_refused(store: TableStore, schema: pa.Schema) -> None:
    write_old(store, "old-film", schema)
    with pytest.raises(DatasetAssetsError, match="other columns than this release writes; delete it"):
        store.read_windows("old-film")


@pytest.mark.parametrize(
    ("version", "sentence"),
    [(SCHEMA_VERSION, "other columns than this release writes"), (SCHEMA_VERSION + 1, "newer than the")],
)
def test_only_an_older_table_may_lack_columns(store: TableStore, version: int, sentence: str) -> None:
    """Whatever columns this release added, one that its own tables lack is damage."""
    write_old(store, "film", VERSION_2.remove(VERSION_2.get_field_index("sharpness")), version)
    with pytest.raises(DatasetAssetsError, match=sentence):
        store.read_windows("film")
