"""Two machines against one, and what a lease costs: wall time and CPU time of `generate`.

    python -m benchmarks.many_machines [--films 6] [--windows 24] [--rounds 3]

Machines are processes `generate --workers 1` that share nothing but the data set's folder. Where two cores
are idle, two of them can be twice as fast as one; where other work uses the cores, compare CPU time.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import Measured, measure
from dataset_assets.demo.encode import write_video
from dataset_assets_tests.command import COMMAND, environment
from dataset_assets_tests.configurations import pictures, write_config
from dataset_assets_tests.films import X264_OPTIONS, Shot, sdr_frames

SHOTS = tuple(Shot(number, 48) for number in range(31, 39))


def make(config: Path, machines: int) -> Measured:
    """Make the data set of a configuration, by so many machines at once."""
    shutil.rmtree(config.parent / "dataset", ignore_errors=True)
    command = shlex.join([*COMMAND, "generate", "--config", str(config), "--workers", "1"])
    together = " & ".join([f"({command} || kill $$)"] * machines)
    return measure(["bash", "-c", f"{together} & wait"], environment())


def main() -> int:
    """Measure in turns and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--films", type=int, default=6)
    parser.add_argument("--windows", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film.mkv")
        write_video(film, sdr_frames(SHOTS, 1280, 720), keyint=24, options=X264_OPTIONS)
        films = {f"film {number}": (film, {"general": 1.0}) for number in range(options.films)}
        cases = {
            "one machine, lock": ("one", 1),
            "one machine, lease": ("many", 1),
            "two machines": ("many", 2),
        }
        spent: dict[str, list[Measured]] = {name: [] for name in cases}
        found = set()
        for _ in range(options.rounds):
            for name, (machines, count) in cases.items():
                base = {"machines": machines, "base_frame_limit": options.windows}
                config = write_config(Path(folder, name), films, base_settings=base)
                spent[name].append(make(config, count))
                found.add(frozenset(pictures(config.parent / "dataset").items()))
        if len(found) != 1:
            raise SystemExit("the data sets differ")
    work = f"{options.films} films of 1280x720, {options.windows} windows each"
    print(f"{work}, medians of {options.rounds} rounds")
    for name, each in spent.items():
        wall_s, cpu_s = median(one.wall_s for one in each), median(one.cpu_s for one in each)
        print(f"{name:20} {wall_s:7.1f} s {cpu_s:7.1f} CPU s")
    walls = {name: median(one.wall_s for one in each) for name, each in spent.items()}
    print(f"two machines are {walls['one machine, lease'] / walls['two machines']:.2f} times as fast as one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
