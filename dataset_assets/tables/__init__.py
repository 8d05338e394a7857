"""The Parquet tables of a data set: columns, the records beside them, and one file of them.

`schemas` names the columns, `footer` what a file says beside them, `files` writes and reads one file. Nothing
here knows where files lie, films, pictures or Dagster.
"""

from dataset_assets.tables.files import read_footer, read_table, write_table
from dataset_assets.tables.footer import Counts, Provenance, Sampled, count
from dataset_assets.tables.schemas import (
    PASSED_OVER,
    PATCHES,
    SCHEMA_VERSION,
    VIDEOS,
    WINDOWS,
    WRITER_VERSION,
    PatchRow,
    Row,
    VideoRow,
    WindowRow,
    description,
)

__all__ = [
    "PASSED_OVER",
    "PATCHES",
    "SCHEMA_VERSION",
    "VIDEOS",
    "WINDOWS",
    "WRITER_VERSION",
    "Counts",
    "PatchRow",
    "Provenance",
    "Row",
    "Sampled",
    "VideoRow",
    "WindowRow",
    "count",
    "description",
    "read_footer",
    "read_table",
    "write_table",
]
