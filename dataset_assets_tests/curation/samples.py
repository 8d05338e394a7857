"""Scores of a data set, read without the project's own readers; a scoring that is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pyarrow.parquet as pq

from dataset_assets.config import Settings
from dataset_assets.curation import score_video, scoring
from dataset_assets.scores import score_patch
from dataset_assets_tests.generate.samples import KEY

Rows = dict[str, list[dict[str, Any]]]

# Children are forked from a process that has imported all.
_CONTEXT: Final = multiprocessing.get_context("forkserver")


def scores(root: Path, key: str = KEY) -> Rows:
    """The rows of a video's scores tables, by category."""
    return {
        path.parents[1].name.partition("=")[2]: pq.ParquetFile(path).read().to_pylist()
        for path in sorted((root / "metadata/scores").glob(f"*/video={key}/part-0.parquet"))
    }


def marks(root: Path) -> dict[Path, tuple[int, int]]:
    """Inode and time of each scores table."""
    paths = (root / "metadata/scores").rglob("*.parquet")
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def score_killed_at(settings: Settings, number: int) -> int:
    """Scores in a process that is killed at the so many-th patch, counted from 1; gives its exit code."""
    _CONTEXT.set_forkserver_preload([__name__])
    process = _CONTEXT.Process(target=_score, args=(settings, number))
    process.start()
    process.join(120)
    assert process.exitcode is not None
    return process.exitcode


def _score(settings: Settings, number: int) -> None:
    measured = 0
    original = score_patch

    def watched(*args: Any) -> Any:
        nonlocal measured
        measured += 1
        if measured == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args)

    with patch.object(scoring, "score_patch", watched), patch.object(scoring, "COMMIT_EVERY", 1):
        score_video(settings, KEY)
