"""Write and read one Parquet file: completely, or with one clear error.

Not here: where the files of a data set are (`dataset`), the columns (`schemas`), and the records in the
footer (`footer`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from dataset_assets.disk import replacing
from dataset_assets.errors import DamagedTableError, DatasetAssetsError
from dataset_assets.tables import footer
from dataset_assets.tables.degradations import DegradedRow
from dataset_assets.tables.footer import Counts, Provenance
from dataset_assets.tables.schemas import (
    IMPLIED_COLUMNS,
    REMOVED_COLUMNS,
    RENAMED_COLUMNS,
    SCHEMA_VERSION,
    PatchRow,
    Row,
    ScoreRow,
    VideoRow,
    WindowRow,
)
from dataset_assets.tables.validation import ValidationRow

_DICTIONARY_COLUMNS = ["format", "kernel", "settings_hash", "reason", "degradation_hash"]
"""Columns of few values. Dictionaries for the others too make a file of 100 patches 35 % larger."""

_AnyRow = TypeVar("_AnyRow", VideoRow, WindowRow, PatchRow, ScoreRow, DegradedRow, ValidationRow)
_T = TypeVar("_T")


def write_table(
    path: Path, schema: pa.Schema, rows: Sequence[Row], provenance: Provenance, *, writer: int = 0
) -> None:
    """Replace a table in one step: at any moment, also after a power cut, the file is the old or the new one.

    Once this returns, the new one is on the disk. Equal rows and provenance give equal bytes.

    Args:
        path: The file; its folder exists.
        schema: The table's schema.
        rows: The rows of that table, in the order to store them; none is allowed.
        provenance: What the rows were made from; its versions are replaced by those of this release.
        writer: Number of the lease under which it is written, see `disk.temporary`.

    Raises:
        OSError: The disk is full or cannot be written; the old file stays, and no temporary one.
    """
    metadata = footer.to_metadata(provenance, footer.count(rows))
    columns = [pa.array([getattr(row, field.name) for row in rows], type=field.type) for field in schema]
    table = pa.Table.from_arrays(columns, schema=schema)
    with (
        replacing(path, writer=writer) as file,
        pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            use_dictionary=_DICTIONARY_COLUMNS,
            write_page_checksum=True,
            # Arrow's own copy of the schema, with the descriptions, doubles the cost of a footer.
            store_schema=False,
        ) as parquet,
    ):
        parquet.write_table(table)
        parquet.add_key_value_metadata(metadata)


def read_table(path: Path, name: str, schema: pa.Schema, row_type: type[_AnyRow]) -> list[_AnyRow]:
    """Read a table's rows in the order written; empty if there is no file.

    A column that an older release did not write is null, or what it implied.

    Args:
        path: The file.
        name: What it is, in errors: `the windows table of alpha`.
        schema: The table's schema.
        row_type: The type of its rows.

    Raises:
        DatasetAssetsError: The file is damaged, from a newer release, or cannot be read.
    """
    table = read_columns(path, name, schema, schema.names)
    if table is None:
        return []

    def read() -> list[_AnyRow]:
        columns = [_values(table.column(name)) for name in schema.names]
        return [row_type(*values) for values in zip(*columns, strict=True)]

    return reading(_place(path, name), read) or []


def read_columns(path: Path, name: str, schema: pa.Schema, columns: Collection[str]) -> pa.Table | None:
    """Read some columns of a table, in the order of its schema; None if there is no file.

    A column that an older release did not write is null, or what it implied.

    Args:
        path: The file.
        name: What it is, in errors: `the windows table of alpha`.
        schema: The table's schema, `VIDEOS`, `WINDOWS`, `PATCHES` or `SCORES`.
        columns: Names of the columns.

    Raises:
        DatasetAssetsError: The file is damaged, from a newer release, or cannot be read.
    """
    place = _place(path, name)

    def read() -> pa.Table:
        # Not pq.read_table, which would add the folder names as columns.
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            provenance, _ = _records(place, file.metadata.metadata)
            is_older = provenance.schema_version < SCHEMA_VERSION
            written = file.schema_arrow
            found = _renamed(written) if is_older else written
            absent = _absent_columns(found, schema, is_older=is_older)
            if absent is None:
                raise _unreadable(place, "has other columns than this release writes")
            as_written = dict(zip(found.names, written.names, strict=True))
            fields = [field for field in schema if field.name in columns]
            there = [as_written[field.name] for field in fields if field.name not in absent]
            table = file.read(there)
            rows = file.metadata.num_rows
        values = [
            _implied(field, rows) if field.name in absent else table.column(as_written[field.name])
            for field in fields
        ]
        return pa.Table.from_arrays(values, schema=pa.schema(fields))

    return reading(place, read)


def read_footer(path: Path, name: str) -> tuple[Provenance, Counts] | None:
    """Read what a table was made from and how many rows of each kind it has; None where it is absent.

    Args:
        path: The file.
        name: What it is, in errors: `the windows table of alpha`.

    Raises:
        DatasetAssetsError: The footer is damaged, from a newer release, or cannot be read.
    """
    place = _place(path, name)

    def read() -> tuple[Provenance, Counts]:
        return _records(place, pq.read_metadata(path).metadata)

    return reading(place, read)


def _renamed(found: pa.Schema) -> pa.Schema:
    """Return the schema of an older release's table with the names that this release gives its columns."""
    return pa.schema([field.with_name(RENAMED_COLUMNS.get(field.name, field.name)) for field in found])


def _absent_columns(found: pa.Schema, schema: pa.Schema, *, is_older: bool) -> frozenset[str] | None:
    """Find the columns that an older release did not write, which are read as what it implied.

    Returns:
        Their names; None where the file has other columns than a release of its version wrote.
    """
    absent = {
        field.name
        for field in schema
        if is_older and field.name not in found.names and (field.nullable or field.name in IMPLIED_COLUMNS)
    }
    expected = pa.schema([field for field in schema if field.name not in absent])
    removed = REMOVED_COLUMNS if is_older else frozenset()
    nullable = {field.name for field in schema if is_older and field.nullable}
    kept = pa.schema(
        [
            field.with_nullable(nullable=field.nullable or field.name in nullable)
            for field in found
            if field.name not in removed
        ]
    )
    return frozenset(absent) if kept.equals(expected) else None


def _implied(field: pa.Field, rows: int) -> pa.Array:
    """Return a column that an older release did not write."""
    return pa.repeat(pa.scalar(IMPLIED_COLUMNS.get(field.name), field.type), rows)


def _values(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_list(column.type):
        return [tuple(value) for value in values]
    return values


def _place(path: Path, name: str) -> str:
    return f"{name[0].upper()}{name[1:]} ({path})"


def _records(place: str, metadata: Mapping[bytes, bytes] | None) -> tuple[Provenance, Counts]:
    try:
        return footer.from_metadata(metadata or {})
    except footer.NewerSchemaError as error:
        raise DatasetAssetsError(
            f"{place} is of version {error.version}, newer than the {SCHEMA_VERSION} that this "
            "release can read",
            "update dataset_assets, or delete the file and run generate again.",
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(place, "was not written by dataset_assets, or its footer is damaged") from error


def reading(place: str, read: Callable[[], _T]) -> _T | None:
    """Call a function that reads a file; None if there is no file, and one clear error if it fails.

    Args:
        place: The file, in errors.
        read: The function.

    Raises:
        DamagedTableError: The file is damaged.
        DatasetAssetsError: It cannot be read, or what the function raises.
    """
    try:
        return read()
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError, TypeError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DatasetAssetsError(
                f"{place} cannot be read ({os.strerror(error.errno)})",
                "correct its permissions or its disk, and run again.",
            ) from error
        raise _unreadable(place, "is damaged") from error


def _unreadable(place: str, why: str) -> DamagedTableError:
    return DamagedTableError(f"{place} {why}", "delete it and run generate again.")
