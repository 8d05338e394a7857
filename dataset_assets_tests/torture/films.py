"""Mutated films by the thousand: none may hang, crash the run, or have a wrong frame accepted.

    python -m dataset_assets_tests.torture.films [--films 2000] [--seed 1] [--folder FOLDER] [--codec hevc]

Films of 18 codecs and containers are damaged in 9 ways in turn and read as a run reads them; accepted windows
are held against the whole film, frame by frame and bit by bit. Ends with 1 where a film crashed or hung, or
where more than `MAX_WRONG_SHARE` of the accepted windows have wrong pixels. A film that is to be looked at
again is made by `mutated_film(source, kind, seed, number, folder)`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

import numpy as np

from dataset_assets_tests.torture.mutations import MUTATIONS
from dataset_assets_tests.torture.sources import SOURCES, Source, frame_digests, source_film
from dataset_assets_tests.torture.trials import Trial, try_film, verdict
from dataset_assets_tests.windows.samples import Sampling

SAMPLINGS: tuple[Sampling, ...] = ("keyframe", "uniform")
# Single bits turned over in streams without checksums cannot all be noticed: see docs/reliability.md.
MAX_WRONG_SHARE = 0.05


@dataclass
class Report:
    """What came of the films, by source; and what should be looked at."""

    counts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    kinds: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    defects: list[str] = field(default_factory=list)

    def total(self, what: str) -> int:
        """The sum of a count over all sources."""
        return sum(counts[what] for counts in self.counts.values())

    def add(self, source: Source, kind: str, name: str, trial: Trial, films: Sequence[Sequence[str]]) -> None:
        """Takes in a trial."""
        self.counts[source.name]["films"] += 1
        self.counts[source.name][trial.end] += 1
        self.counts[source.name]["rejected"] += trial.rejected
        if trial.end not in ("read", "refused"):
            self.defects.append(f"{name}: {trial.end} {trial.detail}")
        for window in trial.accepted:
            outcome = verdict(window, films)
            self.counts[source.name][outcome] += 1
            self.kinds[kind][outcome] += 1

    def lines(self) -> Iterator[str]:
        """The report as a table for each, in Markdown."""
        columns = ("films", "read", "refused", "rejected", "right", "other order", "wrong pixels")
        yield f"| source | {' | '.join(columns)} |"
        yield f"| --- |{' --- |' * len(columns)}"
        for name, counts in self.counts.items():
            yield f"| {name} | {' | '.join(str(counts[column]) for column in columns)} |"
        yield f"| all | {' | '.join(str(self.total(column)) for column in columns)} |"
        yield ""
        yield "| damage | right | other order | wrong pixels |"
        yield "| --- | --- | --- | --- |"
        for kind, counts in self.kinds.items():
            yield f"| {kind} | {counts['right']} | {counts['other order']} | {counts['wrong pixels']} |"
        yield from self.defects

    @property
    def wrong_share(self) -> float:
        """Share of accepted windows with wrong pixels."""
        accepted = sum(self.total(outcome) for outcome in ("right", "other order", "wrong pixels"))
        return self.total("wrong pixels") / max(1, accepted)


def mutated_film(source: Source, kind: str, seed: int, number: int, folder: Path) -> Path:
    """Writes a damaged film; the same arguments give the same bytes where the encoders are the same."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{source.name} {kind}".encode()), number])
    film, donor = source_film(source, folder), source_film(source, folder, is_donor=True)
    path = folder / f"mutated-{source.name}"
    path.write_bytes(MUTATIONS[kind](film.read_bytes(), donor.read_bytes(), rng))
    return path


def torture(films: int, seed: int, folder: Path, sources: Sequence[Source] = SOURCES) -> Report:
    """Tries so many films: each source in turn, each damage in turn."""
    report = Report()
    truths = {
        source.name: [
            [outcome for _, outcome in frame_digests(source_film(source, folder, is_donor=is_donor))]
            for is_donor in (False, True)
        ]
        for source in sources
    }
    plan = ((number, kind, source) for number in count() for kind in MUTATIONS for source in sources)
    for tried, (number, kind, source) in enumerate(islice(plan, films)):
        film = mutated_film(source, kind, seed, number, folder)
        trial = try_film(film, SAMPLINGS[tried // len(sources) % 2])
        report.add(source, kind, f"{source.name}, {kind}, {number}", trial, truths[source.name])
    return report


def main() -> int:
    """Prints a report; 0 where it is as promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--films", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the whole films are kept; else a temporary one")
    parser.add_argument("--codec", default="", help="sources whose name begins so only")
    arguments = parser.parse_args()
    sources = [source for source in SOURCES if source.name.startswith(arguments.codec)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        report = torture(arguments.films, arguments.seed, folder, sources)
    print("\n".join(report.lines()))
    print(f"wrong windows: {report.wrong_share:.2%} of the accepted ones")
    return int(bool(report.defects) or report.wrong_share > MAX_WRONG_SHARE)


if __name__ == "__main__":
    sys.exit(main())
