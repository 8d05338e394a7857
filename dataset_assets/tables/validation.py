"""The table of validation patches: which were proposed, and what a person decided.

Here: its columns and its row. Not here: which are proposed (`curation`), where the files are (`dataset`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Literal, get_args

import pyarrow as pa

from dataset_assets.tables.columns import column

ValidationState = Literal["proposed", "accepted", "declined"]
VALIDATION_STATES: Final[tuple[ValidationState, ...]] = get_args(ValidationState)

VALIDATION: pa.Schema = pa.schema(
    [
        column("patch_id", pa.string(), "Name of the patch, unique within its category."),
        column("window", pa.int32(), "Number of its window."),
        column("time_s", pa.float64(), "Place of the window in the film when it was proposed, seconds."),
        column("gt_hash", pa.string(), "Hash of GT as it was proposed, and as it is in `Val/GT`."),
        column(
            "state",
            pa.string(),
            "What was decided: `proposed`; `accepted`, its GT is in `Val/GT` and nothing near it is for "
            "training; `declined`, it is not proposed again.",
        ),
        column(
            "span_s",
            pa.float64(),
            "Seconds of the film before and after it that are set apart with it; null for the whole film.",
            nullable=True,
        ),
        column(
            "val_path",
            pa.string(),
            "Its file in `Val/GT`, relative to the data set's folder; null where it is not accepted, or the "
            "same file was there already.",
            nullable=True,
        ),
        column("changed_at", pa.timestamp("us", tz="UTC"), "When its state last changed."),
    ]
)
"""One row for every patch that was proposed, unless a later proposal replaced it."""


@dataclass(frozen=True, slots=True)
class ValidationRow:
    """A row of the validation table; `VALIDATION` describes the fields. `changed_at` has its time zone."""

    schema: ClassVar[pa.Schema] = VALIDATION

    patch_id: str
    window: int
    time_s: float
    gt_hash: str
    state: ValidationState
    span_s: float | None
    val_path: str | None
    changed_at: datetime
