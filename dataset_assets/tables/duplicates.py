"""The table of near-duplicates: windows that show what a window of another video shows.

Here: its columns, its row, reading and writing it. It has a module of its own since, unlike the others, it is
of no single video: its footer names the videos that were compared, and what each was then. Not here: where
the file is (`dataset`), and what makes two windows near-duplicates (`windows`, `curation`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

import pyarrow as pa
import pyarrow.parquet as pq

from dataset_assets.disk import replacing
from dataset_assets.errors import DamagedTableError, DatasetAssetsError
from dataset_assets.tables.files import reading
from dataset_assets.tables.schemas import SCHEMA_VERSION, WRITER_VERSION

_RECORD: Final = b"dataset_assets.compared"
_REMEDY: Final = "delete it and run `dataset-assets duplicates` again."


def _column(name: str, type_: pa.DataType, description: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, type_, nullable=nullable, metadata={"description": description})


DUPLICATES: pa.Schema = pa.schema(
    [
        _column("video", pa.string(), "Key of the later video in the order of the keys."),
        _column("window", pa.int32(), "Number of its window: the one that is left out."),
        _column("of_video", pa.string(), "Key of the earlier video."),
        _column("of_window", pa.int32(), "Number of its window, the most alike of this video."),
        _column("time_s", pa.float64(), "Place of the window in its video, in seconds of film time."),
        _column("of_time_s", pa.float64(), "Place of the other window in its video."),
        _column(
            "distance",
            pa.float32(),
            "1 minus the correlation of their signatures, contrast-normalised: 0 the same, at most 0.35.",
        ),
        _column(
            "block_error",
            pa.float32(),
            "How different their pictures are after compensating motion and exposure: 0 the same, at most "
            "0.45, about 1 for unrelated ones; null where a picture is missing.",
            nullable=True,
        ),
        _column(
            "peak",
            pa.float32(),
            "Peak of the phase correlation of their pictures: about 1 the same, at least 0.2, below 0.28 for "
            "unrelated ones; null where a picture is missing.",
            nullable=True,
        ),
        _column("signature_hash", pa.string(), "BLAKE2b of the window's signature, 64 bits."),
        _column("of_signature_hash", pa.string(), "BLAKE2b of the other window's signature, 64 bits."),
    ]
)
"""One row for every window and earlier video that has one like it."""


@dataclass(frozen=True, slots=True)
class DuplicateRow:
    """A row of the table of near-duplicates; `DUPLICATES` describes the fields."""

    schema: ClassVar[pa.Schema] = DUPLICATES

    video: str
    window: int
    of_video: str
    of_window: int
    time_s: float
    of_time_s: float
    distance: float
    block_error: float | None
    peak: float | None
    signature_hash: str
    of_signature_hash: str


@dataclass(frozen=True, slots=True)
class DuplicatesTable:
    """The near-duplicates of a data set.

    Attributes:
        rows: By video, window and earlier video.
        compared: What each compared video was: a hash of its windows, by key. Every two of them were
            compared.
    """

    rows: tuple[DuplicateRow, ...] = ()
    compared: Mapping[str, str] = field(default_factory=dict)


def write_duplicates(path: Path, rows: Sequence[DuplicateRow], compared: Mapping[str, str]) -> None:
    """Replace the table in one step; equal contents give equal bytes.

    Args:
        path: The file; its folder exists.
        rows: The rows, in any order.
        compared: See `DuplicatesTable`.

    Raises:
        OSError: The disk is full or cannot be written; the old file stays, and no temporary one.
    """
    ordered = sorted(rows, key=lambda row: (row.video, row.window, row.of_video))
    columns = [pa.array([getattr(row, each.name) for row in ordered], each.type) for each in DUPLICATES]
    record = {
        "schema_version": SCHEMA_VERSION,
        "writer_version": WRITER_VERSION,
        "videos": dict(sorted(compared.items())),
    }
    with (
        replacing(path) as file,
        pq.ParquetWriter(
            file,
            DUPLICATES,
            compression="zstd",
            use_dictionary=["video", "of_video"],
            write_page_checksum=True,
            store_schema=False,
        ) as parquet,
    ):
        parquet.write_table(pa.Table.from_arrays(columns, schema=DUPLICATES))
        parquet.add_key_value_metadata({_RECORD: json.dumps(record).encode()})


def read_duplicates(path: Path) -> DuplicatesTable | None:
    """Read the table; None where the file is absent.

    Raises:
        DamagedTableError: The file is damaged, or is no such table.
        DatasetAssetsError: It is from a newer release, or cannot be read.
    """
    place = f"The table of near-duplicates ({path})"

    def read() -> DuplicatesTable:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            record = json.loads((file.metadata.metadata or {}).get(_RECORD, b"null"))
            if record is None:
                raise DamagedTableError(f"{place} was not written by dataset_assets", _REMEDY)
            if record["schema_version"] > SCHEMA_VERSION:
                raise DatasetAssetsError(
                    f"{place} is of version {record['schema_version']}, newer than the {SCHEMA_VERSION} that "
                    "this release can read",
                    f"update dataset_assets, or {_REMEDY}",
                )
            columns = file.read(columns=DUPLICATES.names).select(DUPLICATES.names)
        values = zip(*(column.to_pylist() for column in columns.columns), strict=True)
        return DuplicatesTable(tuple(DuplicateRow(*row) for row in values), dict(record["videos"]))

    try:
        return reading(place, read)
    except KeyError as error:
        raise DamagedTableError(f"{place} has other columns than this release writes", _REMEDY) from error
    except DamagedTableError as error:
        raise DamagedTableError(error.what, _REMEDY) from error
