"""Degraded stacks of a data set, read without the project's own readers; a degrading that is killed."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pyarrow.parquet as pq
from PIL import Image

from dataset_assets.config import DegradationStep, Settings
from dataset_assets.curation import degrade_video, degrading
from dataset_assets.degradation import degrade
from dataset_assets_tests.generate.samples import KEY

Rows = dict[str, list[dict[str, Any]]]
STEPS: Final[tuple[dict[str, Any], ...]] = (
    {"blur": {"p": 0.5}},
    {"noise": {"p": 0.5}},
    {"codec": {"p": 0.9, "h264": {"weight": 2.0}, "mpeg2": {}}},
)

# Children are forked from a process that has imported all.
_CONTEXT: Final = multiprocessing.get_context("forkserver")


def degraded_settings(settings: Settings, *steps: dict[str, Any], **base: Any) -> Settings:
    """The same configuration with steps that degrade."""
    chosen = [DegradationStep.model_validate(step) for step in steps]
    changed = settings.base.model_copy(update={"degradations": chosen, **base})
    return settings.model_copy(update={"base": changed})


def stacks(root: Path, key: str = KEY) -> Rows:
    """The rows of a video's degradations tables, by category; each file is held against its row."""
    found: Rows = {}
    for path in sorted((root / "metadata/degradations").glob(f"*/video={key}/part-0.parquet")):
        rows = pq.ParquetFile(path).read().to_pylist()
        for row in rows:
            content = (root / row["lr7d_path"]).read_bytes()
            assert len(content) == row["lr7d_bytes"]
            assert hashlib.blake2b(content, digest_size=8).hexdigest() == row["lr7d_hash"]
        found[path.parents[1].name.partition("=")[2]] = rows
    return found


def stack_files(root: Path) -> set[str]:
    """Every file in a folder of degraded stacks, unfinished ones too, each opened."""
    paths = [path for path in root.rglob("LR_7frames_degraded/*") if path.is_file()]
    for path in paths:
        if path.suffix == ".png":
            with Image.open(path) as image:
                image.load()
    return {path.relative_to(root).as_posix() for path in paths}


def named(rows: Rows) -> set[str]:
    """The files that rows name."""
    return {row["lr7d_path"] for each in rows.values() for row in each}


def degrade_killed_at(settings: Settings, number: int) -> int:
    """Degrades in a process that is killed at the so many-th patch, counted from 1; gives its exit code."""
    _CONTEXT.set_forkserver_preload([__name__])
    process = _CONTEXT.Process(target=_degrade, args=(settings, number))
    process.start()
    process.join(120)
    assert process.exitcode is not None
    return process.exitcode


def _degrade(settings: Settings, number: int) -> None:
    made = 0

    def watched(*args: Any) -> Any:
        nonlocal made
        made += 1
        if made == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return degrade(*args)

    with patch.object(degrading, "degrade", watched), patch.object(degrading, "COMMIT_EVERY", 2):
        degrade_video(settings, KEY)
