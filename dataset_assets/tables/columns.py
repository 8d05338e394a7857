"""Columns of Arrow schemas that describe themselves. Not here: which columns a table has (the schemas)."""

from __future__ import annotations

import pyarrow as pa


def column(name: str, type_: pa.DataType, description: str, *, nullable: bool = False) -> pa.Field:
    """Return a column with its description, which the catalogue and the documentation show."""
    return pa.field(name, type_, nullable=nullable, metadata={"description": description})
