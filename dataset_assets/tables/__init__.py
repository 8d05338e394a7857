"""The Parquet tables of a data set: columns, the records beside them, and one file of them.

`schemas` defines the columns, `footer` the metadata of a file, `files` writes and reads one file. Not here:
where files are stored (`dataset`), films, pictures, Dagster.
"""

from dataset_assets.tables.files import read_footer, read_table, write_table
from dataset_assets.tables.footer import Counts, Provenance, Sampled, count
from dataset_assets.tables.schemas import (
    PATCHES,
    SCHEMA_VERSION,
    SCORES,
    VIDEOS,
    WINDOWS,
    WRITER_VERSION,
    PatchFile,
    PatchRow,
    Row,
    ScoreRow,
    VideoRow,
    WindowRow,
    description,
)

__all__ = [
    "PATCHES",
    "SCHEMA_VERSION",
    "SCORES",
    "VIDEOS",
    "WINDOWS",
    "WRITER_VERSION",
    "Counts",
    "PatchFile",
    "PatchRow",
    "Provenance",
    "Row",
    "Sampled",
    "ScoreRow",
    "VideoRow",
    "WindowRow",
    "count",
    "description",
    "read_footer",
    "read_table",
    "write_table",
]
