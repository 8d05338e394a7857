"""`make torture`: kills, failing disks and mutated films by the hundred, and a report of them.

    python -m benchmarks.torture [--kills 500] [--faults 60] [--minutes 0] [--seed 0]

Each part stops when it has done what it was asked for, or when its time is up. The report, `torture.json` and
`torture.md` beside this file, is rewritten after every data set, so that an interrupted one shows how far
it came. The seed is in it: the same seed makes the same trials.
"""

from __future__ import annotations

import argparse
import errno
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from dataset_assets.demo.encode import write_video
from dataset_assets_tests.films import X264_OPTIONS, Shot, sdr_frames
from dataset_assets_tests.torture.kills import Victims
from dataset_assets_tests.torture.runs import FAILED, Runs

HERE = Path(__file__).parent
SHOTS = (Shot(31, 40), Shot(32, 44))
# A `generate` starts two processes that import everything, a Dagster run is forked: 7 CPU s and 2.
GENERATE_SHARE = 0.1
KILLS_A_LIFE = 8
# Calls that write in a run of 6 windows; further on it is through.
CALLS = 160
ERRORS = {errno.ENOSPC: "the disk is full", errno.EIO: "the disk failed", errno.EDQUOT: "the disk is full"}
# Prints tables of its own, and ends with 1 where a film got the better of it.
MUTATED_FILMS = "dataset_assets_tests.torture.films"


@dataclass
class Outcome:
    """What was tried, and what was lost.

    Attributes:
        kills: Runs killed, by what was run and how.
        data_sets: Data sets that were finished and compared.
        most_redone: Most windows that a kill cost.
        faults: Runs on a failing disk, by error.
        films: Mutated films tried.
        films_report: What they gave, in Markdown.
        losses: A message for each guarantee that did not hold.
    """

    kills: Counter[str] = field(default_factory=Counter)
    data_sets: int = 0
    most_redone: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    films: int = 0
    films_report: str = ""
    losses: list[str] = field(default_factory=list)


class Torture:
    """One torture with its report."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._started_s = time.monotonic()
        self._rng = random.Random(options.seed)
        self._outcome = Outcome()

    def run(self) -> int:
        """Try everything; return the number of losses."""
        with tempfile.TemporaryDirectory(dir=self._options.folder) as folder, Runs() as runs:
            film = Path(folder) / "film.mkv"
            write_video(film, sdr_frames(SHOTS, 320, 192), keyint=12, options=X264_OPTIONS)
            victims = Victims(Path(folder), film, runs)
            self._kill(victims)
            self._fail(victims)
        self._mutate()
        self._report()
        return len(self._outcome.losses)

    def _time_is_up(self) -> bool:
        minutes = self._options.minutes
        return bool(minutes) and time.monotonic() - self._started_s > 60 * minutes

    def _kill(self, victims: Victims) -> None:
        report = victims.report
        while report.kills.total() < self._options.kills and not self._time_is_up():
            mode: Literal["generate", "dagster"] = (
                "generate" if self._rng.random() < GENERATE_SHARE else "dagster"
            )
            left = self._options.kills - report.kills.total()
            try:
                victims.live(mode, min(left, KILLS_A_LIFE), self._rng)
            except AssertionError as error:
                self._outcome.losses.append(f"kill, {mode}, data set {victims.report.lives}: {error}")
                victims.report.lives += 1
            self._outcome.kills = report.kills
            self._outcome.data_sets = report.lives
            self._outcome.most_redone = report.most_redone
            self._report()

    def _fail(self, victims: Victims) -> None:
        for _ in range(self._options.faults):
            if self._time_is_up():
                return
            error, number = self._rng.choice(list(ERRORS)), self._rng.randint(1, CALLS)
            name = errno.errorcode[error]
            try:
                end = victims.fail(number, error)
                if end.code == FAILED and ERRORS[error] not in end.sentence:
                    raise AssertionError(f"no clear sentence: {end.sentence}")
            except AssertionError as lost:
                self._outcome.losses.append(f"disk, {name} from call {number} on: {lost}")
            self._outcome.faults[name] += 1
            self._outcome.data_sets += 1
            self._report()

    def _mutate(self) -> None:
        if not self._options.films or not find_spec(MUTATED_FILMS) or self._time_is_up():
            return
        command = [sys.executable, "-m", MUTATED_FILMS, "--films", str(self._options.films)]
        command += ["--seed", str(self._options.seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self._outcome.films = self._options.films
        self._outcome.films_report = done.stdout
        if done.returncode:
            self._outcome.losses.append(f"mutated films, see their table; {done.stderr.strip()[-500:]}")

    def _report(self) -> None:
        outcome, minutes = self._outcome, (time.monotonic() - self._started_s) / 60
        record = {
            "when": f"{datetime.now(UTC):%Y-%m-%d}",
            "minutes": round(minutes, 1),
            "seed": self._options.seed,
            "kills": dict(sorted(outcome.kills.items())),
            "data_sets": outcome.data_sets,
            "most_windows_redone": outcome.most_redone,
            "faults": dict(sorted(outcome.faults.items())),
            "mutated_films": outcome.films,
            "losses": outcome.losses,
        }
        folder = Path(self._options.report)
        (folder / "torture.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        (folder / "torture.md").write_text(_markdown(outcome, record), encoding="utf-8")


def _markdown(outcome: Outcome, record: dict[str, object]) -> str:
    lines = [
        f"Torture of {record['when']}, seed {record['seed']}, {record['minutes']} minutes:",
        "",
        "| tried | times |",
        "| --- | ---: |",
        f"| runs killed | {outcome.kills.total()} |",
        *(f"| {how} | {count} |" for how, count in sorted(outcome.kills.items())),
        *(f"| disk fails with {name} | {count} |" for name, count in sorted(outcome.faults.items())),
        f"| mutated films | {outcome.films} |",
        f"| data sets finished and compared, byte for byte | {outcome.data_sets} |",
        "",
        f"Most windows that a kill cost: {outcome.most_redone}. Losses: {len(outcome.losses) or 'none'}.",
        *(f"- {loss}" for loss in outcome.losses),
        "",
        outcome.films_report,
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Read the options and run all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture")
    parser.add_argument("--kills", type=int, default=500, help="runs to kill")
    parser.add_argument("--faults", type=int, default=60, help="runs on a disk that fails")
    parser.add_argument("--films", type=int, default=2000, help="mutated films")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long; 0 for never")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where data sets are made; the system's temporary folder by default")
    parser.add_argument("--report", default=str(HERE), help="folder of the report")
    return min(1, Torture(parser.parse_args()).run())


if __name__ == "__main__":
    sys.exit(main())
