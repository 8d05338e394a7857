"""The Parquet tables of a data set: columns, the records beside them, and one file of them.

`schemas`, `degradations`, `duplicates` and `validation` define the columns, `footer` the metadata of a file,
`files` writes and reads one file, `conditions` evaluates SQL over the columns. Not here: where files are
stored (`dataset`), films, pictures, Dagster.
"""

from dataset_assets.tables.conditions import (
    KEYS,
    SOURCES,
    Clause,
    Condition,
    ConditionError,
    Limit,
    Source,
    condition_columns,
    evaluate,
)
from dataset_assets.tables.degradations import DEGRADATIONS, DegradedRow
from dataset_assets.tables.duplicates import (
    DUPLICATES,
    DuplicateRow,
    DuplicatesTable,
    read_duplicates,
    write_duplicates,
)
from dataset_assets.tables.files import read_columns, read_footer, read_table, write_table
from dataset_assets.tables.footer import (
    FILL_CANDIDATES,
    Counts,
    Provenance,
    Sampled,
    count,
    patches_target,
)
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
from dataset_assets.tables.validation import VALIDATION, VALIDATION_STATES, ValidationRow, ValidationState

__all__ = [
    "DEGRADATIONS",
    "DUPLICATES",
    "FILL_CANDIDATES",
    "KEYS",
    "PATCHES",
    "SCHEMA_VERSION",
    "SCORES",
    "SOURCES",
    "VALIDATION",
    "VALIDATION_STATES",
    "VIDEOS",
    "WINDOWS",
    "WRITER_VERSION",
    "Clause",
    "Condition",
    "ConditionError",
    "Counts",
    "DegradedRow",
    "DuplicateRow",
    "DuplicatesTable",
    "Limit",
    "PatchFile",
    "PatchRow",
    "Provenance",
    "Row",
    "Sampled",
    "ScoreRow",
    "Source",
    "ValidationRow",
    "ValidationState",
    "VideoRow",
    "WindowRow",
    "condition_columns",
    "count",
    "description",
    "evaluate",
    "patches_target",
    "read_columns",
    "read_duplicates",
    "read_footer",
    "read_table",
    "write_duplicates",
    "write_table",
]
