"""A gallery's patches as its chunks hold them, decoded without the page's scripts, and as DuckDB has them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

SCORES = ("cut_score", "mean_abs_diff", "sharpness", "brightness", "contrast", "repeated_frames")
FILES = ("gt_path", "lr5_path", "lr7_path")
COLUMNS = ("category", "format", "width", "height", *FILES, "window", "x", "y", "gt_bytes", "time_s", *SCORES)


def chunk_path(root: Path, key: str) -> Path:
    """The file of a video's chunk."""
    return root / f"gallery/patches/{key}.js"


def decoded(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two arguments of the call in a chunk."""
    text = path.read_text(encoding="ascii")
    assert text.startswith("addPatches(")
    assert text.endswith(");\n")
    head, columns = text.removeprefix("addPatches(").removesuffix(");\n").split("\n")
    return json.loads(head.removesuffix(",")), json.loads(columns)


def chunk_rows(path: Path) -> list[tuple[Any, ...]]:
    """The patches of a chunk, as `COLUMNS`; files relative to the data set's folder."""
    head, columns = decoded(path)

    def column(kind: str, name: str) -> list[Any]:
        return list(np.frombuffer(base64.b64decode(columns[name]), kind).tolist())

    numbers, times = column("<u4", "number"), column("<f4", "time")
    scores = {
        name: np.frombuffer(base64.b64decode(text), "<f4").tolist()
        for name, text in columns["scores"].items()
    }
    rows = []
    for window, group, x, y, gt_bytes in zip(
        column("<u4", "window"),
        column("<u2", "group"),
        column("<u2", "x"),
        column("<u2", "y"),
        column("<u4", "gtBytes"),
        strict=True,
    ):
        chosen = head["groups"][group]
        number = numbers[window]
        addresses = dict(chosen["files"])
        files = [
            addresses[name.removesuffix("_path")].replace("{}", f"{number:06d}").removeprefix("../")
            for name in FILES
        ]
        shape = [chosen[name] for name in ("category", "format", "width", "height")]
        measured = [scores[name][window] for name in SCORES]
        rows.append((*shape, *files, number, x, y, gt_bytes, times[window], *measured))
    return rows


def table_rows(root: Path, columns: str, more: str = "") -> list[tuple[Any, ...]]:
    """What DuckDB reads of the patches with their windows.

    Args:
        root: The data set.
        columns: SQL; `p` is the patches table, `w` the windows table.
        more: What follows FROM.
    """
    tables = {
        name: f"read_parquet('{root}/metadata/{table}/*.parquet', hive_partitioning=true)"
        for name, table in (("p", "patches/*/*"), ("w", "windows/*"))
    }
    query = f'SELECT {columns} FROM {tables["p"]} p JOIN {tables["w"]} w USING (video, "window") {more}'
    return duckdb.connect().sql(query).fetchall()
