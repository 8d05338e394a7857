"""Where the counts of curation are kept between two looks at them: a file that may be deleted at any time.

Not here: counting, and what the columns mean (`curation.census`).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dataset_assets import layout
from dataset_assets.disk import own_writer, replacing


def read_census(folder: Path, schema: pa.Schema) -> pa.Table:
    """Return what is kept in a data set's folder; no rows where nothing is, or not of this schema."""
    with suppress(OSError, pa.ArrowException):
        table = pq.ParquetFile(folder / layout.CENSUS).read()
        if table.schema.equals(schema):
            return table
    return schema.empty_table()


def keep_census(folder: Path, table: pa.Table) -> None:
    """Keep counts; nothing where the folder cannot be written, since they can be counted again."""
    with suppress(OSError), replacing(folder / layout.CENSUS, is_durable=False, writer=own_writer()) as file:
        pq.write_table(table, file, compression="zstd")
