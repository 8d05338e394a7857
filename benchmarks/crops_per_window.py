"""What several patches of a window cost: decoding is shared, all else is paid by the patch.

    python -m benchmarks.crops_per_window [--windows N] [--crops 1,2,4] [--rounds N] FILM

The film is made into the default categories with each number of `crops_per_window`, in turns. Printed are the
patches, CPU seconds a patch (the least of the rounds) and the shares of the formats by patches.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from dataset_assets.config import load_settings
from dataset_assets.generate import VideoReport, generate_video


def main() -> None:
    """Make the film with each number of crops, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("film", type=Path)
    parser.add_argument("--windows", type=int, default=20)
    parser.add_argument("--crops", default="1,2,4")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    found: dict[int, list[VideoReport]] = defaultdict(list)
    for _ in range(options.rounds):
        for crops in map(int, options.crops.split(",")):
            found[crops].append(_made(options.film, options.windows, crops))
    for crops, reports in found.items():
        _print(crops, reports)


def _made(film: Path, windows: int, crops: int) -> VideoReport:
    with TemporaryDirectory() as folder:
        config = Path(folder) / "config.json"
        video = {
            "name": "film",
            "path": str(film.resolve()),
            "categories": {"general": 1, "space": 1, "toon": 1},
        }
        base = {"output_base_dir": "out", "base_frame_limit": windows, "crops_per_window": crops}
        config.write_text(json.dumps({"base_settings": base | {"min_free_gb": 0}, "videos": [video]}))
        return generate_video(load_settings(config), "film")


def _print(crops: int, reports: list[VideoReport]) -> None:
    report = min(reports, key=lambda each: each.cpu_s)
    print(
        f"crops_per_window {crops}: {report.windows.accepted} windows, {report.made} patches, "
        f"{report.cpu_s / report.made:.4f} CPU s a patch"
    )
    for category, each in report.categories.items():
        counts = Counter(each.formats)
        shares = ", ".join(f"{name} {count / counts.total():.0%}" for name, count in counts.most_common())
        print(f"  {category}: {counts.total()} patches; {shares}")


if __name__ == "__main__":
    main()
