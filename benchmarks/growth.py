"""Measures what the product does with thousands of finished videos, each time in a fresh process.

    python -m benchmarks.growth [--videos 5000] [--rounds 3] [--folder FOLDER]

The data set of `benchmarks.synthetic` goes to `.cache/benchmarks/growth/<videos>/` and stays there; the
figures go beside it as `results.json`, and as a table to the terminal. Goals are for 5000 videos, and held
against CPU seconds: nothing here waits for anything but the processor once the tables were read before. What
a tick does is held against its own seconds, since it runs in a code server that was started long before.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measure import Measured, measure

CACHE = Path(__file__).parent.parent / ".cache" / "benchmarks" / "growth"
WINDOWS_EACH, CATEGORIES, TABLES_EACH = 500, 3, 5
STATS, REGISTER, GENERATE, FIRST_TICK, TICK, NIGHTLY = (
    "`dataset-assets stats`",
    "`dataset-assets generate` in a new Dagster home, every table registered",
    "`dataset-assets generate`, nothing to do",
    "sensor tick that adds every partition",
    "sensor tick, nothing new",
    "nightly tick, nothing to do",
)
GOALS_S = {STATS: 6.0, REGISTER: 300.0, GENERATE: 10.0, FIRST_TICK: 5.0, TICK: 5.0, NIGHTLY: 5.0}
GOALS_MIB = {STATS: 1024}


@dataclass(frozen=True, slots=True)
class Figure:
    """What one thing cost.

    Attributes:
        name: What was done.
        cpu_s: CPU seconds of the whole process, the median of the rounds.
        wall_s: Its wall seconds, likewise.
        step_cpu_s: CPU seconds of a tick without the start of its process; None for commands.
        max_rss_mib: Largest resident set of all rounds.
        goal_s: Goal for `step_cpu_s`, for `cpu_s` where that is None.
        goal_mib: Goal for `max_rss_mib`, if there is one.
    """

    name: str
    cpu_s: float
    wall_s: float
    step_cpu_s: float | None
    max_rss_mib: float
    goal_s: float
    goal_mib: int | None

    @property
    def is_reached(self) -> bool:
        """Whether the goals are."""
        cpu_s = self.cpu_s if self.step_cpu_s is None else self.step_cpu_s
        return cpu_s < self.goal_s and self.max_rss_mib < (self.goal_mib or float("inf"))


def main() -> None:
    """Make the data set, measure, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--videos", type=int, default=5000)
    parser.add_argument("--folder", type=Path, default=CACHE, help="where data sets and figures go")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = options.folder / str(options.videos)
    subprocess.run(
        [sys.executable, "-m", "benchmarks.synthetic", str(folder), str(options.videos)], check=True
    )
    rounds = [_round(folder, options.videos) for _ in range(options.rounds)]
    figures = [_figure(name, [each[name] for each in rounds]) for name in rounds[0]]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    result = {"machine": machine, "videos": options.videos, "figures": [asdict(each) for each in figures]}
    (folder / "results.json").write_text(json.dumps(result, indent=2) + "\n")
    print(_markdown(f"{options.videos} videos; {machine}; median of {options.rounds}.", figures))


def _round(folder: Path, videos: int) -> dict[str, Measured]:
    """Everything once, in a Dagster home that knows no partition yet."""
    config, home = folder / "config.json", folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    patches = videos * WINDOWS_EACH * CATEGORIES
    steps = (sys.executable, "-m", "benchmarks.growth_steps")
    command = str(Path(sys.executable).with_name("dataset-assets"))
    generate = [command, "generate", "--config", str(config)]
    jobs = {
        FIRST_TICK: ([*steps, "sensor", str(config)], f'"partitions": {videos}}}'),
        TICK: ([*steps, "sensor", str(config)], f'"partitions": {videos}}}'),
        REGISTER: (generate, f"{videos * TABLES_EACH} finished tables are registered"),
        GENERATE: (generate, f"{videos} of {videos} videos are up to"),
        STATS: (
            [command, "stats", "--config", str(config)],
            f"{videos:,} videos, {patches:,} of {patches:,} ",
        ),
        NIGHTLY: ([*steps, "nightly", str(config)], '{"requested": 0}'),
    }
    found = {}
    for name, (arguments, expected) in jobs.items():
        found[name] = measure(arguments, {"DAGSTER_HOME": str(home)})
        if expected not in found[name].output:
            raise SystemExit(f"{name}: {expected} is not in its output:\n{found[name].output[:2000]}")
    return found


def _figure(name: str, seen: Sequence[Measured]) -> Figure:
    steps = [each.output.splitlines()[-1] for each in seen]
    is_step = all(line.startswith('{"found"') for line in steps)
    return Figure(
        name,
        round(statistics.median(each.cpu_s for each in seen), 2),
        round(statistics.median(each.wall_s for each in seen), 2),
        round(statistics.median(json.loads(line)["cpu_s"] for line in steps), 2) if is_step else None,
        round(max(each.max_rss_mib for each in seen)),
        GOALS_S[name],
        GOALS_MIB.get(name),
    )


def _markdown(title: str, figures: Sequence[Figure]) -> str:
    lines = [
        title,
        "",
        "| | CPU s | tick alone | goal s | wall s | peak MiB | goal MiB | reached |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for each in figures:
        step = "" if each.step_cpu_s is None else f"{each.step_cpu_s:.2f}"
        lines.append(
            f"| {each.name} | {each.cpu_s:.2f} | {step} | {each.goal_s:.0f} | {each.wall_s:.2f} "
            f"| {each.max_rss_mib:.0f} | {each.goal_mib or ''} | {'yes' if each.is_reached else 'no'} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
