"""Whether the price of a window and the memory stay what they are, and what a second worker gives.

    python -m benchmarks.scaling [--windows 125,500,2000] [--rounds 3]

Results go to `benchmarks/scaling.json`, `scaling.md` and `scaling.svg`. Wall times mean something on an idle
machine only: the load that was there is written beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.chart import lines
from benchmarks.films import make_films, make_long_film
from benchmarks.measure import Measured, apart, measure
from benchmarks.run import CACHE, HERE, accepted_windows, candidates

FOLDER = CACHE / "scaling"
COMMAND = str(Path(sys.executable).with_name("dataset-assets"))
# Long enough that of 2,000 windows hardly one is a duplicate of another or has no place without a cut.
LONG_S, UHD_S, HD_S = 800, 100, 200
# A start and the probing are 8 s that no second worker shortens: few windows would measure those.
WORKER_WINDOWS = 80
PATCH_GOAL_S, SPEEDUP_GOAL = 15, 1.8


def main() -> None:
    """Measures all and writes what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", default="125,500,2000", help="windows of the long film, ascending")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each wall time; the median counts")
    arguments = parser.parse_args()
    long = apart(make_long_film, CACHE / "films", seconds=LONG_S)
    uhd, _ = apart(make_films, CACHE / "films", uhd_seconds=UHD_S, hd_seconds=HD_S)
    counts = [int(count) for count in arguments.windows.split(",")]
    growth = [_growth(long, count) for count in counts]
    seen: dict[str, object] = {
        "growth": growth,
        "load": round(os.getloadavg()[0], 1),
        "first_patch_wall_s": round(
            statistics.median(_first_patch_s(uhd) for _ in range(arguments.rounds)), 1
        ),
        "two_videos_speedup": _speedup(uhd, 2, arguments.rounds),
        "one_video_speedup": _speedup(uhd, 1, arguments.rounds),
    }
    (HERE / "scaling.json").write_text(json.dumps(seen, indent=2) + "\n")
    text = _markdown(growth, seen)
    (HERE / "scaling.md").write_text(text)
    (HERE / "scaling.svg").write_text(_chart(growth))
    print(text)


def _growth(film: Path, windows: int) -> dict[str, float]:
    """One whole `generate` of so many windows."""
    done = _generate(film, videos=1, windows=windows, workers=1)
    accepted = accepted_windows(FOLDER)
    return {
        "windows": windows,
        "accepted": accepted,
        "candidates": candidates(FOLDER),
        "cpu_ms_per_window": round(1000 * done.cpu_s / windows, 1),
        "max_rss_mib": round(done.max_rss_mib),
    }


def _speedup(film: Path, videos: int, rounds: int) -> float:
    """How much less wall time two workers take than one, in turns."""
    windows = WORKER_WINDOWS // videos
    ratios = []
    for _ in range(rounds):
        one, two = (
            _generate(film, videos=videos, windows=windows, workers=workers).wall_s for workers in (1, 2)
        )
        ratios.append(one / two)
    return round(statistics.median(ratios), 2)


def _first_patch_s(film: Path) -> float:
    """Seconds from the start of `generate` to the first ground truth under its name."""
    command, environment = prepared(film, videos=1, windows=WORKER_WINDOWS, workers=1)
    started_s = time.perf_counter()
    with subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if any(FOLDER.glob("Universal/**/GT/[!.]*.png")):
                passed_s = time.perf_counter() - started_s
                process.terminate()
                return passed_s
            time.sleep(0.05)
    raise SystemExit("generate ended without a patch")


def _generate(film: Path, *, videos: int, windows: int, workers: int) -> Measured:
    return measure(*prepared(film, videos=videos, windows=windows, workers=workers))


def prepared(film: Path, *, videos: int, windows: int, workers: int) -> tuple[Sequence[str], dict[str, str]]:
    """Return the command on a new data set, and its environment."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    config = {
        "base_settings": {
            "base_frame_limit": windows,
            "output_base_dir": str(FOLDER),
            "max_workers": workers,
            "min_free_gb": 1.0,
        },
        "videos": [
            {"name": f"film {number}", "path": str(film), "categories": {"general": 1.0}}
            for number in range(videos)
        ],
    }
    path = FOLDER / "config.json"
    path.write_text(json.dumps(config))
    return [COMMAND, "generate", "--config", str(path)], {"DAGSTER_HOME": str(FOLDER / "home")}


def _markdown(growth: Sequence[Mapping[str, float]], seen: Mapping[str, object]) -> str:
    rows = [
        "| windows asked for | accepted | candidates | CPU ms a window | peak MiB |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *(f"| {' | '.join(format(value, 'g') for value in each.values())} |" for each in growth),
        "",
        f"Wall time, UHD film, load {seen['load']} before: first patch after {seen['first_patch_wall_s']} s "
        f"(goal {PATCH_GOAL_S}); 2 workers are {seen['two_videos_speedup']} times as fast as 1 on two "
        f"videos, {seen['one_video_speedup']} times on one (goal {SPEEDUP_GOAL}).",
    ]
    return "\n".join(rows) + "\n"


def _chart(growth: Sequence[Mapping[str, float]]) -> str:
    series = {
        "CPU ms a window": [(each["windows"], each["cpu_ms_per_window"]) for each in growth],
        "peak memory, MiB": [(each["windows"], each["max_rss_mib"]) for each in growth],
    }
    return lines("What more windows of one film cost", "windows", series)


if __name__ == "__main__":
    main()
