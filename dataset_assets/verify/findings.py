"""What is found wrong with a video, and what its repair would have to take away.

Here: plain records. How damage is found is said in `tables`, `pictures`, `folders` and `deep`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dataset_assets.dataset import TripletPaths


class Kind(StrEnum):
    """What sort of damage it is."""

    TABLE = "table"  # a table is damaged, missing, or tells another film than the source is
    WINDOW = "window"  # the rows of a window are not whole
    ROW = "row"  # a row of a patches table is doubled, missing, or not what was planned
    FILE = "file"  # a picture is missing, damaged, or other bytes than were written
    STACK = "stack"  # LR is not made of this GT
    BAR = "bar"  # many patches hold black bars: the film's picture was not found
    SOURCE = "source"  # the source gives other pictures
    COLOUR = "colour"  # the reference conversion of the source gives other pictures
    EXTRA = "extra"  # a file has no row
    LEFTOVER = "leftover"  # a run that was killed left it


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: Its sort.
        place: The file, relative to the data set's folder where it lies there.
        what: What is wrong with it, to be read after the place.
    """

    kind: Kind
    place: str
    what: str


@dataclass(slots=True)
class Mend:
    """What has to go so that `generate` makes it again.

    Attributes:
        rows: Positions of rows of patches tables, by category.
        windows: Windows whose rows go.
        tables: Tables that go whole.
        reopened: Tables that lack rows, and count as unfinished from then on.
        triplets: Triplets of which files are there without a row.
        leftovers: Files of a run that was killed.
    """

    rows: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    windows: set[int] = field(default_factory=set)
    tables: set[Path] = field(default_factory=set)
    reopened: set[Path] = field(default_factory=set)
    triplets: set[TripletPaths] = field(default_factory=set)
    leftovers: set[Path] = field(default_factory=set)


@dataclass(slots=True)
class VideoFindings:
    """What was found of one video.

    Attributes:
        key: The video's key; empty for files that belong to no video.
        triplets: Triplets that were read back.
        windows_compared: Windows that were decoded again and compared.
        findings: What is wrong.
        notes: What a reader should know and is no damage: unfinished or stale tables, a film that is absent.
        left_out: Why the video was left out; empty where it was not.
        repaired: Whether all that can be was taken away.
        is_mendable: Whether that can be done: not where a table cannot be read and may yet be whole.
        mend: What its repair takes away.
    """

    key: str
    triplets: int = 0
    windows_compared: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: str = ""
    repaired: bool = False
    is_mendable: bool = True
    mend: Mend = field(default_factory=Mend)

    @property
    def taken_away(self) -> int:
        """Findings whose repair took something away; what would be made just so again is left."""
        return self.repaired * sum(finding.kind is not Kind.COLOUR for finding in self.findings)

    def add(self, kind: Kind, place: str | Path, what: str) -> None:
        """Take a finding in."""
        self.findings.append(Finding(kind, Path(place).as_posix(), what))
