"""Small data sets that several processes make at once, and how they have to compare with one made alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataset_assets_tests.command import wait_until
from dataset_assets_tests.configurations import pictures, tables
from dataset_assets_tests.generate.samples import files_named_by_rows
from dataset_assets_tests.torture.places import Place
from dataset_assets_tests.torture.runs import Order, Runs

FORMATS = {
    "small_540": {"width": 96, "height": 96, "folder": "Patches"},
    "medium_169": {"width": 144, "height": 81, "folder": "Patches_Medium169"},
}


def differences(root: Path, alone: Path) -> Iterator[str]:
    """What of a data set is not as one machine makes it, and what was left behind."""
    if not pictures(alone) or pictures(root) != pictures(alone):
        yield "other PNG files"
    if tables(root) != tables(alone):
        yield "other rows"
    if files_named_by_rows(root) != set(pictures(root)):
        yield "files and rows do not agree"
    if strays := [*root.rglob("*.tmp"), *root.glob("metadata/.journals/*")]:
        yield f"left behind: {', '.join(map(str, strays))}"


@contextmanager
def frozen(runs: Runs, config: Path, place: Place, number: int) -> Iterator[int]:
    """A Dagster run of the video `film` that stands still where it comes for the how manyth time.

    Yields:
        Its process.
    """
    pid = runs.start(Order(str(config), "film", place, number, signal.SIGSTOP))
    status = Path(f"/proc/{pid}/status")
    try:
        wait_until(lambda: "\nState:\tT" in status.read_text(encoding="utf-8"), "the run stands still")
        yield pid
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        runs.wait()
        raise
