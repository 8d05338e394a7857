"""CPU time and bytes of every export layout, on a data set that is there.

    python benchmarks/exporting.py CONFIG [CATEGORY] [--gt-all]

Each layout is exported three times by one thread, to a temporary folder beside the data set; the median
counts.
A line for each: CPU ms a triplet, files, MB that are not shared with the data set, MB in all.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from dataset_assets.config import load_settings
from dataset_assets.exports import LAYOUT_NAMES, ExportOptions, plan_export, write_export

ROUNDS = 3
WITH_ALL_GT = ("vimeo90k", "vimeo90k-lmdb")


def main() -> None:
    """Export in every layout and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("category", nargs="?")
    parser.add_argument("--gt-all", action="store_true", help="also ground truth of all frames")
    arguments = parser.parse_args()
    categories = (arguments.category,) if arguments.category else ()
    runs = [ExportOptions(layout, categories) for layout in LAYOUT_NAMES]
    if arguments.gt_all:
        runs += [ExportOptions(layout, categories, gt="all") for layout in WITH_ALL_GT]  # type: ignore[arg-type]
    print("| layout | CPU ms a triplet | files a triplet | MB own | MB in all |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for options in runs:
        print(_measured(arguments.config, options))


def _measured(config: Path, options: ExportOptions) -> str:
    settings = load_settings(config)
    spent_s, lines = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=settings.base.output_base_dir.parent) as folder:
            plan = plan_export(settings, options, Path(folder) / "export")
            began_s = time.process_time()
            report = write_export(plan, workers=1)
            spent_s.append(time.process_time() - began_s)
            count = len(plan.selected.items)
            own = sum(
                path.stat().st_size
                for path in report.folder.rglob("*")
                if path.is_file() and path.stat().st_nlink == 1
            )
            name = options.layout + (", GT of all frames" if options.gt == "all" else "")
            cpu_ms = statistics.median(spent_s) / count * 1e3
            lines.append(
                f"| {name} | {cpu_ms:.1f} | {report.files / count:.1f} | {own / 1e6:.1f} | "
                f"{report.size_bytes / 1e6:.1f} |"
            )
    return lines[-1]


if __name__ == "__main__":
    main()
