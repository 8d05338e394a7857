"""The table of near-duplicates: written, read back, and what is said of files that are none."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_assets.errors import DamagedTableError, DatasetAssetsError
from dataset_assets.tables import (
    DUPLICATES,
    SCHEMA_VERSION,
    DuplicateRow,
    DuplicatesTable,
    read_duplicates,
    write_duplicates,
)

ROWS = [
    DuplicateRow("beta", 4, "alpha", 7, 1.5, 2.5, 0.125, 0.25, 0.5, "00", "11"),
    DuplicateRow("beta", 3, "alpha", 7, 1.0, 2.5, 0.25, None, None, "22", "11"),
]
COMPARED = {"beta": "1-b", "alpha": "1-a"}


def test_it_comes_back_in_its_order_and_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "part-0.parquet"
    write_duplicates(path, ROWS, COMPARED)
    assert read_duplicates(path) == DuplicatesTable((ROWS[1], ROWS[0]), COMPARED)
    content = path.read_bytes()
    write_duplicates(path, ROWS[::-1], dict(reversed(COMPARED.items())))
    assert path.read_bytes() == content
    write_duplicates(path, [], {})
    assert read_duplicates(path) == DuplicatesTable()


def test_columns_have_descriptions_and_the_order_of_the_rows_fields(tmp_path: Path) -> None:
    assert [each.name for each in fields(DuplicateRow)] == DUPLICATES.names
    assert all(each.metadata[b"description"] for each in DUPLICATES)
    write_duplicates(tmp_path / "part-0.parquet", ROWS, COMPARED)
    assert pq.read_table(tmp_path).column_names == DUPLICATES.names


def test_an_absent_file_is_no_table(tmp_path: Path) -> None:
    assert read_duplicates(tmp_path / "part-0.parquet") is None


def test_files_that_are_damaged_foreign_or_newer_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "part-0.parquet"
    write_duplicates(path, ROWS, COMPARED)
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(DamagedTableError, match="is damaged; delete it and run `dataset-assets duplicates`"):
        read_duplicates(path)
    pq.write_table(pa.table({"video": ["alpha"]}), path)
    with pytest.raises(DamagedTableError, match="was not written by dataset_assets"):
        read_duplicates(path)
    record = {"schema_version": SCHEMA_VERSION + 1, "videos": {}}
    table = pa.table({"video": ["alpha"]}).replace_schema_metadata(
        {"dataset_assets.compared": json.dumps(record)}
    )
    pq.write_table(table, path)
    with pytest.raises(DatasetAssetsError, match="newer than the"):
        read_duplicates(path)
    pq.write_table(
        table.replace_schema_metadata(
            {"dataset_assets.compared": json.dumps(record | {"schema_version": SCHEMA_VERSION})}
        ),
        path,
    )
    with pytest.raises(DamagedTableError, match="other columns"):
        read_duplicates(path)
