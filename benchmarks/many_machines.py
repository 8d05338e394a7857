"""Two machines against one, and what a lease costs: wall time and CPU time of `generate`.

    python -m benchmarks.many_machines [--films 12] [--windows 48] [--rounds 3]

Machines are processes `generate --workers 1` that share nothing but the data set's folder, and this
computer. What this computer allows at most is measured beside it: two data sets, each of half the films, made
at once. Where other work uses the cores, compare CPU time.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.measure import Measured, measure
from dataset_assets.demo.encode import write_video
from dataset_assets_tests.command import COMMAND, environment
from dataset_assets_tests.configurations import pictures, write_config
from dataset_assets_tests.films import X264_OPTIONS, Shot, sdr_frames

ONE_LOCK, ONE_LEASE = "one machine, lock", "one machine, lease"
TWO, HALVES = "two machines", "two data sets of half the films"
SHOTS = tuple(Shot(number, 48) for number in range(31, 39))


def make(configs: Sequence[Path]) -> Measured:
    """Make the data sets of configurations, each by a machine of its own, all at once."""
    for config in configs:
        shutil.rmtree(config.parent / "dataset", ignore_errors=True)
    commands = (
        shlex.join([*COMMAND, "generate", "--config", str(config), "--workers", "1"]) for config in configs
    )
    together = " & ".join(f"({command} || kill $$)" for command in commands)
    return measure(["bash", "-c", f"{together} & wait"], environment())


def main() -> int:
    """Measure in turns and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--films", type=int, default=12)
    parser.add_argument("--windows", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film.mkv")
        write_video(film, sdr_frames(SHOTS, 1280, 720), keyint=24, options=X264_OPTIONS)
        films = {f"film {number}": (film, {"general": 1.0}) for number in range(options.films)}
        names = list(films)

        def config(name: str, machines: str, keys: Sequence[str] = names) -> Path:
            base = {"machines": machines, "base_frame_limit": options.windows}
            return write_config(Path(folder, name), {key: films[key] for key in keys}, base_settings=base)

        one, many = config("one", "one"), config("many", "many")
        halves = [config(f"half {first}", "one", names[first::2]) for first in (0, 1)]
        cases = {ONE_LOCK: [one], ONE_LEASE: [many], TWO: [many, many], HALVES: halves}
        spent: dict[str, list[Measured]] = {name: [] for name in cases}
        found = set()
        for _ in range(options.rounds):
            for name, configs in cases.items():
                spent[name].append(make(configs))
                made: dict[str, str] = {}
                for each in configs:
                    made |= pictures(each.parent / "dataset")
                found.add(frozenset(made.items()))
        if len(found) != 1:
            raise SystemExit("the data sets differ")
    work = f"{options.films} films of 1280x720, {options.windows} windows each"
    print(f"{work}, medians of {options.rounds} rounds")
    walls = {name: median(taken.wall_s for taken in every) for name, every in spent.items()}
    for name, every in spent.items():
        cpu_s = median(taken.cpu_s for taken in every)
        speedup = walls[ONE_LEASE] / walls[name]
        print(f"{name:36} {walls[name]:7.1f} s {cpu_s:7.1f} CPU s {speedup:5.2f} times as fast")
    return 0


if __name__ == "__main__":
    sys.exit(main())
