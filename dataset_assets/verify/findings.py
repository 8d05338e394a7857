"""Records of what is wrong with a video, and of what its repair has to delete.

Here: plain records. Not here: how damage is detected (`tables`, `windows`, `patches`,
`pictures`, `run`, `deep`, `placements`, `outside`) and repaired (`repair`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dataset_assets.tables import PatchRow


class Kind(StrEnum):
    """The kind of damage."""

    TABLE = "table"  # a table is damaged, missing, or describes another film than the source
    WINDOW = "window"  # the rows of a window are incomplete or contradict one another
    ROW = "row"  # a row of a patches table is duplicated, missing, or not what was planned
    FILE = "file"  # a picture is missing, damaged, or has other bytes than were written
    STACK = "stack"  # LR is not made of this GT, or degraded LR not of this LR
    BAR = "bar"  # many patches have black bars: the active area was not detected
    SOURCE = "source"  # the source gives other pictures
    COLOUR = "colour"  # the reference conversion of the source gives other pictures
    EXTRA = "extra"  # a file has no row
    LEFTOVER = "leftover"  # left behind by a killed run
    VALIDATION = "validation"  # a decision cannot be read, or its file in Val/GT is missing or was changed

    @property
    def is_deletable(self) -> bool:
        """Whether a repair deletes it: neither what `generate` would make the same again, nor decisions."""
        return self not in (Kind.COLOUR, Kind.VALIDATION)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: The kind of damage.
        place: The file, relative to the data set's folder if it is inside.
        what: What is wrong with it, to be read after the place.
    """

    kind: Kind
    place: str
    what: str


@dataclass(slots=True)
class RepairPlan:
    """What has to be deleted so that `generate` rebuilds it.

    Attributes:
        rows: Positions of rows of patches tables, by category.
        windows: Windows whose rows are deleted.
        tables: Tables that are deleted completely.
        reopened: Tables that lack rows, and are marked as unfinished.
        triplets: Triplets that have files without a row, each by its files, and degraded stacks.
        degraded: Patches whose degraded stack is deleted, by category.
        leftovers: Files that a killed run left behind.
    """

    rows: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    windows: set[int] = field(default_factory=set)
    tables: set[Path] = field(default_factory=set)
    reopened: set[Path] = field(default_factory=set)
    triplets: set[tuple[Path, ...]] = field(default_factory=set)
    degraded: dict[str, list[PatchRow]] = field(default_factory=lambda: defaultdict(list))
    leftovers: set[Path] = field(default_factory=set)


@dataclass(slots=True)
class VideoFindings:
    """What was found in one video.

    Attributes:
        key: The video's key; empty for files that belong to no video.
        triplets: Triplets that were read back.
        windows_compared: Windows that were decoded again and compared.
        findings: What is wrong.
        notes: What a reader should know and is no damage: unfinished or stale tables, an absent film.
        left_out: Why the video was skipped or not repaired; empty if it was not.
        repaired: Whether everything in `repair` was deleted.
        is_repairable: Whether it may be deleted; False if a table cannot be read but may be undamaged.
        repair: What the repair deletes.
    """

    key: str
    triplets: int = 0
    windows_compared: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: str = ""
    repaired: bool = False
    is_repairable: bool = True
    repair: RepairPlan = field(default_factory=RepairPlan)

    @property
    def deleted(self) -> int:
        """Number of findings whose cause was deleted."""
        return self.repaired * sum(finding.kind.is_deletable for finding in self.findings)

    def add(self, kind: Kind, place: str | Path, what: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(kind, Path(place).as_posix(), what))
