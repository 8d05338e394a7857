"""What tests of training share: the rows of a data set, and comparing samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from dataset_assets.training import Sample


def rows_of(root: Path, category: str = "general") -> list[dict[str, Any]]:
    """A category's rows by video and place in their table."""
    files = sorted((root / f"metadata/patches/category={category}").glob("video=*/part-0.parquet"))
    return [row for path in files for row in pq.ParquetFile(path).read().to_pylist()]


def assert_same(one: Sample, other: Sample) -> None:
    assert one["patch_id"] == other["patch_id"]
    assert np.array_equal(one["lr"], other["lr"])
    assert np.array_equal(one["gt"], other["gt"])
