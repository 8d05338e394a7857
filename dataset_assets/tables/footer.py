"""Metadata in a table's footer: what the table was made from, and how many rows of each kind it has.

Here: the records and their form in the file's key-value metadata. Not here: opening files (`files`) and
adding the counts of many files up (`dataset`).

The counts are in the footer because its cost does not grow with the rows: adding up the 25000 tables of 5000
videos takes 2.4 CPU seconds, scanning only the columns of 15 million patches 11.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from dataset_assets.frames import DEFAULT_KINDS, DEFAULT_SCALE, FileKind
from dataset_assets.tables.schemas import SCHEMA_VERSION, WRITER_VERSION, PatchRow, Row, WindowRow
from dataset_assets.video import Fingerprint

FILL_CANDIDATES = 64
"""Candidates of a film whose detail says which of the later ones have much."""

_PROVENANCE_KEY = b"dataset_assets.provenance"
_COUNTS_KEY = b"dataset_assets.counts"


class NewerSchemaError(Exception):
    """The records are of a version that this release cannot read.

    Attributes:
        version: That version.
    """

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


@dataclass(frozen=True, slots=True)
class Sampled:
    """How the candidates of a windows table were placed and judged, so that a later run can go on.

    Attributes:
        sequence_hash: Identity of the settings that decide where candidates lie.
        spans: The film's spans when its first candidate was placed, PTS.
        frame_ticks: Ticks that a frame lasted on average.
        cut_rule: Which test detected cuts.
        max_mean_abs_diff: Limit of that test.
        max_cut_score: Limit of the block test.
        is_full: Whether the film has no place left for another candidate.
        strata: Windows below this number were placed by the release before, one in each stratum of the film.
        fills: How much detail the first candidates hold all over, ascending, in dB; empty where too few of
            them were measured, None while they are not all settled.
    """

    sequence_hash: str
    spans: tuple[tuple[int, int], ...]
    frame_ticks: int
    cut_rule: Literal["both", "blocks", "legacy"]
    max_mean_abs_diff: float
    max_cut_score: float
    is_full: bool = False
    strata: int = 0
    fills: tuple[float, ...] | None = None

    def fills_for(self, number: int) -> tuple[float, ...]:
        """Return `fills` for the format of a candidate; empty for the first ones themselves."""
        return (self.fills or ()) if number >= self.strata + FILL_CANDIDATES else ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a table was made from, and whether it is finished.

    Attributes:
        settings_hash: Identity of the settings that shape the table.
        source_fingerprint: Of the film's file.
        code_version: Version of the code that decides what is in the rows.
        complete: False while a run still has rows to add.
        target: Windows asked for, of a patches table too; 1 for a videos table, patches for those of scores
            and degraded stacks.
        max_attempts: Candidates that may be tried for each window; None for other tables than windows.
        chosen: Windows that the category takes of those accepted; None for other tables than patches.
        mix: Expected share of each format that fits the film, 0..1; None for other tables than patches.
        outdated: Rows of other settings, which a run has yet to replace or delete.
        sampled: How candidates were placed; None for other tables than windows.
        strata_target: Patches that the release before was asked for, where rows of it are kept.
        kinds: The files that each patch of a finished patches table has; `DEFAULT_KINDS` in those of older
            releases and in tables of other kinds.
        scale: How many times smaller the LR of a patches table is than its GT.
        crops_per_window: Patches of a window that a patches table was to have at most.
        schema_version: Version of the columns and of this record. The store writes its own, `SCHEMA_VERSION`.
        writer_version: Release of dataset_assets. The store writes its own, `WRITER_VERSION`.
    """

    settings_hash: str
    source_fingerprint: Fingerprint
    code_version: str
    complete: bool
    target: int
    max_attempts: int | None = None
    chosen: int | None = None
    mix: Mapping[str, float] | None = None
    outdated: int = 0
    sampled: Sampled | None = None
    strata_target: int | None = None
    kinds: tuple[FileKind, ...] = DEFAULT_KINDS
    scale: int = DEFAULT_SCALE
    crops_per_window: int = 1
    schema_version: int = SCHEMA_VERSION
    writer_version: str = WRITER_VERSION

    def is_finished_for(self, asked: Provenance) -> bool:
        """Return whether the table is finished and what is asked for now, of the same film."""
        return self.complete and self._asked_for == asked._asked_for

    @property
    def _asked_for(self) -> tuple[str, int, int]:
        return self.settings_hash, self.target, self.crops_per_window


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of each kind a table holds.

    Attributes:
        accepted: Accepted candidates of a windows table; else 0.
        rejected: Rejected candidates of a windows table by reason, without those passed over; else empty.
        patches: Patches of a patches table by format; else empty.
        size_bytes: Bytes of the triplets of a patches table by format; else empty.
        further: Patches of a patches table by format that are not the first of their window; else empty.
    """

    accepted: int
    rejected: Mapping[str, int]
    patches: Mapping[str, int]
    size_bytes: Mapping[str, int]
    further: Mapping[str, int] = field(default_factory=dict)

    @property
    def candidates(self) -> int:
        """Candidates of a windows table that were tried, accepted or not."""
        return self.accepted + sum(self.rejected.values())

    def first(self, format_name: str) -> int:
        """Return the patches of a format that are the first of their window."""
        return self.patches.get(format_name, 0) - self.further.get(format_name, 0)

    @property
    def windows(self) -> int:
        """Windows of a patches table that have a first patch."""
        return sum(map(self.first, self.patches))


def patches_target(made: Provenance, counts: Counts) -> int:
    """Return the patches that a finished patches table was to have; of windows that are missing at most."""
    return sum(counts.patches.values()) + (made.target - counts.windows) * made.crops_per_window


def count(rows: Sequence[Row]) -> Counts:
    """Count the rows of one table."""
    accepted = 0
    rejected: Counter[str] = Counter()
    patches: Counter[str] = Counter()
    size_bytes: Counter[str] = Counter()
    further: Counter[str] = Counter()
    for row in rows:
        if isinstance(row, WindowRow):
            if row.reason is None:
                accepted += 1
            elif row.is_tried:
                rejected[row.reason] += 1
        elif isinstance(row, PatchRow):
            patches[row.format] += 1
            size_bytes[row.format] += row.size_bytes
            if row.crop:
                further[row.format] += 1
    return Counts(accepted, dict(rejected), dict(patches), dict(size_bytes), dict(further))


def to_metadata(provenance: Provenance, counts: Counts) -> dict[bytes, bytes]:
    """Return both records as Parquet key-value metadata, the same bytes for equal records.

    The versions are those of this release, not those of `provenance`.
    """
    record = asdict(provenance) | {
        "source_fingerprint": str(provenance.source_fingerprint),
        "schema_version": SCHEMA_VERSION,
        "writer_version": WRITER_VERSION,
    }
    return {
        _PROVENANCE_KEY: json.dumps(record).encode(),
        _COUNTS_KEY: json.dumps(asdict(counts)).encode(),
    }


def from_metadata(metadata: Mapping[bytes, bytes]) -> tuple[Provenance, Counts]:
    """Read what `to_metadata` made.

    Raises:
        NewerSchemaError: A newer release wrote the records.
        KeyError: A record is missing.
        TypeError: A record has other fields than this release writes.
        ValueError: A record is damaged.
    """
    provenance = json.loads(metadata[_PROVENANCE_KEY])
    version = int(provenance["schema_version"])
    if version > SCHEMA_VERSION:
        raise NewerSchemaError(version)
    provenance["source_fingerprint"] = Fingerprint.parse(provenance["source_fingerprint"])
    if provenance.get("sampled"):
        spans = tuple((start, end) for start, end in provenance["sampled"]["spans"])
        fills = provenance["sampled"].get("fills")
        known = {"spans": spans, "fills": None if fills is None else tuple(fills)}
        provenance["sampled"] = Sampled(**(provenance["sampled"] | known))
    if "kinds" in provenance:
        provenance["kinds"] = tuple(map(FileKind, provenance["kinds"]))
    return Provenance(**provenance), Counts(**json.loads(metadata[_COUNTS_KEY]))
