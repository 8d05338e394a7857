from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.tables import PATCHES, VIDEOS, WINDOWS, Row, TableStore
from dataset_assets.tables.footer import KEYS
from dataset_assets.tables.tail import key_values
from dataset_assets_tests.tables.samples import ACCEPTED, PATCH, PROVENANCE, REJECTED, VIDEO


def what_pyarrow_reads(path: Path) -> dict[bytes, bytes]:
    metadata = pq.read_metadata(path).metadata
    return {key: metadata[key] for key in KEYS}


@pytest.mark.parametrize("count", [0, 1, 500])
@pytest.mark.parametrize(("schema", "row"), [(VIDEOS, VIDEO), (WINDOWS, REJECTED), (PATCHES, PATCH)])
def test_the_records_are_those_that_pyarrow_reads(
    tmp_path: Path, schema: pa.Schema, row: Row, count: int
) -> None:
    store = TableStore(tmp_path)
    path = store.windows_path("a")
    store.write(path, schema, [row] * count, PROVENANCE)
    assert key_values(path, KEYS) == what_pyarrow_reads(path)


def test_records_longer_than_a_block_are_read_whole(tmp_path: Path) -> None:
    store = TableStore(tmp_path)
    path = store.windows_path("a")
    rows = [replace(REJECTED, attempt=n, reason=f"reason {n:04d}") for n in range(2000)]
    store.write(path, WINDOWS, rows, PROVENANCE)
    assert key_values(path, KEYS) == what_pyarrow_reads(path)
    assert len(what_pyarrow_reads(path)[KEYS[1]]) > 30_000


def test_a_row_that_looks_like_a_record_is_not_taken_for_one(tmp_path: Path) -> None:
    store = TableStore(tmp_path)
    path = store.video_path("a")
    for key in KEYS:
        record = "\x18" + chr(len(key)) + key.decode() + "\x18\x02{}"
        # Parquet keeps the smallest and largest value of a column in the footer.
        store.write(path, VIDEOS, [replace(VIDEO, name=record)], PROVENANCE)
        assert record.encode() in path.read_bytes()[-pq.read_metadata(path).serialized_size :]
        assert key_values(path, KEYS) == what_pyarrow_reads(path)


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_whatever_a_value_is_it_comes_back_from_a_file_of_other_hands(value: bytes, other: bytes) -> None:
    schema = pa.schema([("x", pa.int32())], metadata={b"first": other, b"wanted": value})
    with NamedTemporaryFile() as file:
        pq.write_table(pa.table({"x": [1, 2]}, schema=schema), file.name)
        assert key_values(Path(file.name), [b"wanted"]) == {b"wanted": value}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"\xff\xff\xff\x7fPAR1", bytes(5000)])
def test_what_is_no_parquet_file_has_no_records(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table"
    path.write_bytes(content)
    assert key_values(path, KEYS) is None


def test_a_table_of_another_program_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pd.DataFrame({"window": [1]}).to_parquet(path)
    assert key_values(path, KEYS) is None


def counted(store: TableStore, path: Path) -> int:
    records = store.read_footer(path)
    assert records is not None
    return records[1].accepted


def test_a_changed_table_is_noticed_whatever_its_size_and_time(tmp_path: Path) -> None:
    store = TableStore(tmp_path)
    path = store.windows_path("a")

    def write(rows: Sequence[Row]) -> os.stat_result:
        store.write(path, WINDOWS, rows, PROVENANCE)
        os.utime(path, ns=(1, 1))
        return path.stat()

    one = write([ACCEPTED, replace(REJECTED, reason="cut")])
    assert counted(store, path) == 1
    # Written over in place: name, inode, size and time stay as they were.
    content = path.read_bytes()
    changed = content.replace(b'"accepted": 1', b'"accepted": 7')
    path.write_bytes(changed)
    os.utime(path, ns=(1, 1))
    other = path.stat()
    assert (one.st_ino, one.st_size, one.st_mtime_ns) == (other.st_ino, other.st_size, other.st_mtime_ns)
    assert counted(store, path) == 7
