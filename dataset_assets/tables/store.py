"""Where the tables lie, and how they are written and read.

Here: paths, atomic replacement, removal, and one clear sentence for a file that cannot be read. Not here: the
columns (`schemas`), the records in the footer (`footer`), and the decision what to write and when
(`generate`).

Every file is written whole under a hidden temporary name that no reader's pattern matches, flushed to the
disk, and renamed; then its folder is flushed (`disk` says why). Its temporary name is fixed, so that what a
killed run leaves is overwritten by the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from dataset_assets.disk import flush, make_folder, temporary
from dataset_assets.errors import DamagedTableError, DatasetAssetsError
from dataset_assets.tables import footer
from dataset_assets.tables.footer import Counts, Provenance
from dataset_assets.tables.schemas import (
    PATCHES,
    SCHEMA_VERSION,
    VIDEOS,
    WINDOWS,
    PatchRow,
    Row,
    VideoRow,
    WindowRow,
)

_FILE = "part-0.parquet"
_VIDEO = "video="
_CATEGORY = "category="

_DICTIONARY_COLUMNS = ["format", "kernel", "settings_hash", "reason"]
"""Columns of few values. Dictionaries for the others too make a file of 100 patches 35 % larger."""

_AnyRow = TypeVar("_AnyRow", VideoRow, WindowRow, PatchRow)
_T = TypeVar("_T")


class TableStore:
    """The tables of one data set, under `<output_base_dir>/metadata`.

    Any number of processes may read and write different videos at once; two that write the same video are
    kept apart by the caller. Nothing is cached: what is returned is on the disk.

    Attributes:
        output_base_dir: The folder that holds the data set.
        root: The folder that holds the tables.
    """

    def __init__(self, output_base_dir: Path) -> None:
        self.output_base_dir = output_base_dir
        self.root = output_base_dir / "metadata"

    def video_path(self, key: str) -> Path:
        """Give the file of a video's row in the videos table."""
        return self.root / f"videos/{_VIDEO}{key}/{_FILE}"

    def windows_path(self, key: str) -> Path:
        """Give the file of a video's windows table."""
        return self.root / f"windows/{_VIDEO}{key}/{_FILE}"

    def patches_path(self, category: str, key: str) -> Path:
        """Give the file of a video's patches table for a category."""
        return self.root / f"patches/{_CATEGORY}{category}/{_VIDEO}{key}/{_FILE}"

    def video_files(self) -> dict[str, Path]:
        """List the files of the videos table by video key, sorted."""
        return _by_video(self.root / "videos")

    def windows_files(self) -> dict[str, Path]:
        """List the windows tables by video key, sorted."""
        return _by_video(self.root / "windows")

    def patches_files(self, category: str) -> dict[str, Path]:
        """List a category's patches tables by video key, sorted."""
        return _by_video(self.root / "patches" / f"{_CATEGORY}{category}")

    def categories(self) -> list[str]:
        """List the categories that have a patches table, sorted."""
        folder = self.root / "patches"
        return [
            name
            for name in self._category_names()
            if any(folder.glob(f"{_CATEGORY}{name}/{_VIDEO}*/{_FILE}"))
        ]

    def keys(self) -> list[str]:
        """List the keys of the videos that have a table of any kind, sorted."""
        keys = {*self.video_files(), *self.windows_files()}
        for category in self.categories():
            keys.update(self.patches_files(category))
        return sorted(keys)

    def write(self, path: Path, schema: pa.Schema, rows: Sequence[Row], provenance: Provenance) -> None:
        """Replace a table whole: at any moment, also when power is lost, the file is the old or the new one.

        Once this returns it is the new one, whatever happens. Equal rows and provenance give equal bytes.

        Args:
            path: A file that `video_path`, `windows_path` or `patches_path` gave.
            schema: The table's schema, `VIDEOS`, `WINDOWS` or `PATCHES`.
            rows: The rows of that table, in the order to store them; none is allowed.
            provenance: What the rows were made from; its versions are replaced by those of this release.

        Raises:
            OSError: The disk is full or cannot be written; the old file stays, and no temporary one.
        """
        metadata = footer.to_metadata(provenance, footer.count(rows))
        columns = [pa.array([getattr(row, field.name) for row in rows], type=field.type) for field in schema]
        table = pa.Table.from_arrays(columns, schema=schema)
        if not path.exists():
            make_folder(path.parent, self.output_base_dir)
        unnamed = temporary(path)
        try:
            with unnamed.open("wb") as file:
                with pq.ParquetWriter(
                    file,
                    schema,
                    compression="zstd",
                    use_dictionary=_DICTIONARY_COLUMNS,
                    write_page_checksum=True,
                    # Arrow's own copy of the schema, with the descriptions, doubles the price of a footer.
                    store_schema=False,
                ) as writer:
                    writer.write_table(table)
                    writer.add_key_value_metadata(metadata)
                # Before the rename: a name may reach the disk before the contents, and would lead to a part.
                file.flush()
                os.fsync(file.fileno())
            unnamed.replace(path)
        except BaseException:
            unnamed.unlink(missing_ok=True)
            raise
        # Before returning: the caller removes files that only the old table names.
        flush(path.parent)

    def leftovers(self, key: str) -> list[Path]:
        """List the temporary files of a video's tables: a run that was killed leaves them."""
        tables = [self.video_path(key), self.windows_path(key)]
        tables += [self.patches_path(name, key) for name in self._category_names()]
        return [path for table in tables if (path := temporary(table)).exists()]

    def read_video(self, key: str) -> VideoRow | None:
        """Read a video's row; None where it has none.

        Raises:
            DatasetAssetsError: The file is damaged, from a newer release, or cannot be read.
        """
        rows = self._read(self.video_path(key), VIDEOS, VideoRow)
        return rows[0] if rows else None

    def read_windows(self, key: str) -> list[WindowRow]:
        """Read every attempt at a video's windows in the order written; empty where there is no table.

        Raises:
            DatasetAssetsError: The file is damaged, from a newer release, or cannot be read.
        """
        return self._read(self.windows_path(key), WINDOWS, WindowRow)

    def read_patches(self, category: str, key: str) -> list[PatchRow]:
        """Read a video's patches for a category in the order written; empty where there is no table.

        Raises:
            DatasetAssetsError: The file is damaged, from a newer release, or cannot be read.
        """
        return self._read(self.patches_path(category, key), PATCHES, PatchRow)

    def read_provenance(self, path: Path) -> Provenance | None:
        """Read what a table was made from, from its footer only; None where the file is absent.

        Raises:
            DatasetAssetsError: The footer is damaged, from a newer release, or cannot be read.
        """
        records = self.read_footer(path)
        return records[0] if records else None

    def read_footer(self, path: Path) -> tuple[Provenance, Counts] | None:
        """Read what a table was made from and how many rows of each kind it has; None where it is absent.

        Raises:
            DatasetAssetsError: The footer is damaged, from a newer release, or cannot be read.
        """

        def read() -> tuple[Provenance, Counts]:
            return _records(path, pq.read_metadata(path).metadata)

        return _reading(path, read)

    def remove(self, path: Path) -> None:
        """Remove a table, and the folders above it that are empty then, up to the one that holds all tables.

        A table that is absent is no error.
        """
        folder = path.parent
        if not folder.is_dir():
            return
        temporary(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        # Before returning: the caller removes the files that the table names.
        flush(folder)
        for emptied in (folder, *folder.parents):
            if self.root not in emptied.parents:
                return
            try:
                emptied.rmdir()
                flush(emptied.parent)
            except OSError:
                # Not empty, or another process was quicker.
                return

    def remove_temporaries(self, key: str) -> None:
        """Remove what a killed run left of a video's tables that it was writing."""
        for leftover in self.leftovers(key):
            leftover.unlink(missing_ok=True)

    def _read(self, path: Path, schema: pa.Schema, row_type: type[_AnyRow]) -> list[_AnyRow]:
        def read() -> list[_AnyRow]:
            # Not pq.read_table, which would add the folder names as columns.
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                provenance, _ = _records(path, file.metadata.metadata)
                absent = _absent_columns(file.schema_arrow, schema, provenance.schema_version)
                if absent is None:
                    raise _unreadable(path, "has other columns than this release writes")
                table = file.read()
            nulls = [None] * table.num_rows
            columns = [nulls if name in absent else _values(table.column(name)) for name in schema.names]
            return [row_type(*values) for values in zip(*columns, strict=True)]

        return _reading(path, read) or []

    def _category_names(self) -> list[str]:
        folders = (self.root / "patches").glob(f"{_CATEGORY}*")
        return sorted(folder.name.removeprefix(_CATEGORY) for folder in folders)


def _by_video(folder: Path) -> dict[str, Path]:
    # Not glob, which takes four times as long to go through 5000 videos.
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.startswith(_VIDEO))
    except FileNotFoundError:
        return {}
    files = {name.removeprefix(_VIDEO): folder / f"{name}/{_FILE}" for name in names}
    return {key: file for key, file in files.items() if file.exists()}


def _absent_columns(found: pa.Schema, schema: pa.Schema, version: int) -> frozenset[str] | None:
    """Find the columns that an older release did not write yet: to be read as nulls.

    Returns:
        Their names, all nullable; None where the file has other columns than a release of its version wrote.
    """
    is_older = version < SCHEMA_VERSION
    absent = {field.name for field in schema if is_older and field.nullable and field.name not in found.names}
    expected = pa.schema([field for field in schema if field.name not in absent])
    return frozenset(absent) if found.equals(expected) else None


def _values(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_list(column.type):
        return [tuple(value) for value in values]
    return values


def _records(path: Path, metadata: Mapping[bytes, bytes] | None) -> tuple[Provenance, Counts]:
    try:
        return footer.from_metadata(metadata or {})
    except footer.NewerSchemaError as error:
        raise DatasetAssetsError(
            f"The table {path} is of version {error.version}, newer than the {SCHEMA_VERSION} that this "
            "release can read; update dataset_assets, or delete the file and run generate again."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, "was not written by dataset_assets, or its footer is damaged") from error


def _reading(path: Path, read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError, TypeError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DatasetAssetsError(
                f"The table {path} cannot be read ({os.strerror(error.errno)}); correct its permissions or "
                "its disk, and run again."
            ) from error
        raise _unreadable(path, "is damaged") from error


def _unreadable(path: Path, why: str) -> DamagedTableError:
    return DamagedTableError(f"The table {path} {why}; delete it and run generate again.")
