"""The Parquet tables of a data set: what was read, what was tried, what was made, and what it adds up to.

`schemas` names the columns, `footer` what a file says beside them, `store` writes and reads the files,
`cached` reads footers again and again, `stats` adds them up. Nothing here knows films, pictures or Dagster.
"""

from dataset_assets.tables.cached import CachedFooters
from dataset_assets.tables.footer import Counts, Provenance
from dataset_assets.tables.schemas import (
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
from dataset_assets.tables.stats import DatasetStats, Totals, collect, reasons_text
from dataset_assets.tables.store import TableStore

__all__ = [
    "PATCHES",
    "SCHEMA_VERSION",
    "VIDEOS",
    "WINDOWS",
    "WRITER_VERSION",
    "CachedFooters",
    "Counts",
    "DatasetStats",
    "PatchRow",
    "Provenance",
    "Row",
    "TableStore",
    "Totals",
    "VideoRow",
    "WindowRow",
    "collect",
    "description",
    "reasons_text",
]
