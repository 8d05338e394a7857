"""What a run reads back of a video after it, beside all of its files, as `verify` does.

    python -m benchmarks.read_back CONFIG KEY

Prints a line for each category: triplets, megabytes of their files, megabytes and CPU seconds that the checks
of a run take, and what reading each file and testing its checksums takes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dataset_assets.checks import inspect_triplets
from dataset_assets.config import Category, load_settings
from dataset_assets.dataset import DataSet, triplet_files
from dataset_assets.patches import whole_png_size
from dataset_assets.tables import PatchRow


def main() -> None:
    """Measure the categories of a video one after the other."""
    settings, key = load_settings(Path(sys.argv[1])), sys.argv[2]
    data_set = DataSet.of(settings)
    candidates = len(data_set.tables.read_windows(key))
    for name, category in settings.categories.items():
        rows = data_set.tables.read_patches(name, key)
        if not rows:
            continue

        of_run_mb, of_run_s = _cost(partial(_checks, data_set, key, category, rows, candidates))
        _, all_s = _cost(partial(_read_all, data_set, rows))
        total_mb = sum(row.size_bytes for row in rows) / 1e6
        print(
            f"{name}: {len(rows)} triplets of {total_mb:.1f} MB; a run reads {of_run_mb:.1f} MB in "
            f"{of_run_s:.2f} CPU s, all would take {all_s:.2f} CPU s more"
        )


def _checks(
    data_set: DataSet, key: str, category: Category, rows: Sequence[PatchRow], candidates: int
) -> None:
    inspect_triplets(data_set, rows)
    data_set.compare_sample(key, category, rows, candidates)


def _read_all(data_set: DataSet, rows: Sequence[PatchRow]) -> None:
    for row in rows:
        for file in triplet_files(row):
            whole_png_size(data_set.path_of(file.path).read_bytes())


def _cost(work: Callable[[], None]) -> tuple[float, float]:
    """Return the megabytes that work reads, by Linux's account of the process, and its CPU seconds."""
    read, cpu_s = _read_bytes(), time.process_time()
    work()
    return (_read_bytes() - read) / 1e6, time.process_time() - cpu_s


def _read_bytes() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


if __name__ == "__main__":
    main()
