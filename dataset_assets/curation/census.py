"""How many patches curation leaves out of each film, and the histograms of their scores.

Counting reads the columns that the condition needs, and all scores: some milliseconds for each table of 1,000
patches. So counts are kept, and counted again where a table was replaced, or the condition is another one.
Not here: what is shown of them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataset_assets.config import Settings, curation_of
from dataset_assets.curation.histograms import LENGTH, Parts, by_score, count_parts
from dataset_assets.curation.reports import SCORES
from dataset_assets.dataset import (
    DataSet,
    invalid_curation,
    judge,
    keep_census,
    patch_columns,
    read_census,
)
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.scores import SCORES_VERSION
from dataset_assets.tables import Condition, ConditionError, DuplicateRow

# Films that are counted at a time: some 100,000 rows, whose columns take 50 MB.
_FILMS: Final = 100
_KEPT: Final = pa.schema(
    [
        pa.field("category", pa.string()),
        pa.field("video", pa.string()),
        # What was counted: the condition, and the states of the tables.
        pa.field("of", pa.string()),
        pa.field("patches", pa.int64()),
        pa.field("left_out", pa.int64()),
        pa.field("unscored", pa.int64()),
        pa.field("histograms", pa.list_(pa.int64())),
    ]
)


@dataclass(frozen=True, slots=True)
class PatchCounts:
    """Counts of patches, of a film in a category or of several.

    Attributes:
        patches: Patches that there are.
        left_out: Those that curation leaves out.
        unscored: Those without scores, where curation depends on scores.
        parts: Patches in each part of each score's scale, see `histograms`.
    """

    patches: int = 0
    left_out: int = 0
    unscored: int = 0
    parts: Parts = field(default_factory=lambda: np.zeros(LENGTH, np.int64))

    def __add__(self, other: PatchCounts) -> PatchCounts:
        """Return the sums of both."""
        return PatchCounts(
            self.patches + other.patches,
            self.left_out + other.left_out,
            self.unscored + other.unscored,
            self.parts + other.parts,
        )

    @property
    def histograms(self) -> dict[str, list[int]]:
        """Patches in each part of a score's scale, by score."""
        return by_score(self.parts)

    @property
    def scored(self) -> int:
        """Patches in the histograms."""
        return sum(self.histograms["detail_db"])


@dataclass(frozen=True, slots=True)
class Census:
    """The counts of a data set.

    Attributes:
        films: Counts by category and key of the video.
        uncounted: Tables of patches that are left to the next call, or cannot be read.
    """

    films: Mapping[tuple[str, str], PatchCounts]
    uncounted: int = 0

    def of(self, category: str, key: str) -> PatchCounts:
        """Return the counts of a film in a category; none where it was not counted."""
        return self.films.get((category, key), PatchCounts())

    @property
    def categories(self) -> dict[str, PatchCounts]:
        """The sums over all films, by category."""
        found: dict[str, PatchCounts] = {}
        for (category, _), counted in self.films.items():
            found[category] = found.get(category, PatchCounts()) + counted
        return dict(sorted(found.items()))

    @property
    def total(self) -> PatchCounts:
        """The sums over all films and categories."""
        return sum(self.films.values(), PatchCounts())


def take_census(settings: Settings, data_set: DataSet, *, most_s: float | None = None) -> Census:
    """Count what curation leaves out of all films.

    Args:
        settings: The configuration.
        data_set: Its data set.
        most_s: Seconds after which no further films are counted, but left to the next call; None counts all.
    """
    began_s = time.monotonic()
    kept, marks_of = _kept(data_set), _Marks(data_set)
    films: dict[tuple[str, str], PatchCounts] = {}
    marks: dict[tuple[str, str], str] = {}
    uncounted = 0
    for category in data_set.tables.categories():
        condition = curation_of(settings.curation, category)
        keys_of = data_set.tables.patches_files(category)
        of = {key: marks_of.of(category, key, condition) for key in keys_of}
        missing = []
        for key, mark in of.items():
            known = kept.get((category, key))
            if known is not None and known[0] == mark:
                films[category, key] = known[1]
            else:
                missing.append(key)
        for start in range(0, len(missing), _FILMS):
            keys = missing[start : start + _FILMS]
            if most_s is not None and time.monotonic() - began_s > most_s:
                uncounted += len(missing) - start
                break
            for key, counted in _readable(data_set, category, keys, condition).items():
                films[category, key] = counted
            uncounted += sum((category, key) not in films for key in keys)
        marks |= {(category, key): mark for key, mark in of.items() if (category, key) in films}
    if {name: mark for name, (mark, _) in kept.items()} != marks:
        keep_census(data_set.folder, _table(films, marks))
    return Census(films, uncounted)


def count_films(
    data_set: DataSet, category: str, keys: Sequence[str], condition: str | None
) -> dict[str, PatchCounts]:
    """Count what a condition leaves out of the patches of some films in a category.

    Args:
        data_set: The data set.
        category: Name of the category.
        keys: Keys of videos that have a patches table.
        condition: The condition; None to take all.

    Raises:
        DatasetAssetsError: The condition is not valid for these patches, or a table is damaged, from a newer
            release, or cannot be read.
    """
    try:
        parsed = Condition("true" if condition is None else condition)
        conditions = [parsed, _every_score()]
        patches = patch_columns(data_set.tables, category, keys, conditions)
        judged = judge(data_set.tables, patches, conditions, SCORES)
    except ConditionError as error:
        raise invalid_curation(category, condition or "", error) from error
    numbers = {key: number for number, key in enumerate(keys)}
    films = np.array([numbers[key] for key in patches.column("video").to_pylist()], np.int64)
    is_left_out = pc.equal(judged.met[0], False).fill_null(False).to_numpy()
    is_unscored = ~judged.scored.to_numpy() & parsed.names_score
    sums = [
        np.bincount(films[where], minlength=len(keys)) for where in (slice(None), is_left_out, is_unscored)
    ]
    parts = count_parts(dict(zip(SCORES, judged.values, strict=True)), films, len(keys))
    return {
        key: PatchCounts(int(patches), int(left_out), int(unscored), of_film)
        for key, patches, left_out, unscored, of_film in zip(keys, *sums, parts, strict=True)
    }


@cache
def _every_score() -> Condition:
    return Condition(" AND ".join(f"{name} IS NOT NULL" for name in SCORES))


def _readable(
    data_set: DataSet, category: str, keys: Sequence[str], condition: str | None
) -> dict[str, PatchCounts]:
    """Count films; those with a table that cannot be read, which statistics report, are left out."""
    try:
        return count_films(data_set, category, keys, condition)
    except DatasetAssetsError:
        if len(keys) == 1:
            return {}
    found: dict[str, PatchCounts] = {}
    for key in keys:
        found |= _readable(data_set, category, [key], condition)
    return found


class _Marks:
    """What changes with the condition, and with each table that it may read."""

    def __init__(self, data_set: DataSet) -> None:
        self._tables = data_set.tables
        self._films: dict[str, str] = {}

    def of(self, category: str, key: str, condition: str | None) -> str:
        paths = self._tables.patches_path(category, key), self._tables.scores_path(category, key)
        parts = [condition or "", str(SCORES_VERSION), self._film(key), _states(*paths)]
        if "duplicate_of" in (condition or "").lower():
            # Of what earlier films show only windows count that are there, with a patch in the category.
            rows = self._duplicates.get(key, [])
            parts += [f"{row.window} {row.of_video} {row.of_window} {row.of_signature_hash}" for row in rows]
            for earlier in sorted({row.of_video for row in rows}):
                parts += [self._film(earlier), _states(self._tables.patches_path(category, earlier))]
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()

    def _film(self, key: str) -> str:
        if key not in self._films:  # once for all categories
            self._films[key] = _states(self._tables.windows_path(key), self._tables.video_path(key))
        return self._films[key]

    @cached_property
    def _duplicates(self) -> Mapping[str, Sequence[DuplicateRow]]:
        """What earlier films show of each film, by its key."""
        found: dict[str, list[DuplicateRow]] = {}
        # A table that cannot be read is reported where films are counted.
        with suppress(DatasetAssetsError):
            table = self._tables.read_duplicates()
            for row in table.rows if table else ():
                found.setdefault(row.video, []).append(row)
        return found


def _states(*paths: Path) -> str:
    found = []
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            found.append("-")
        else:
            found.append(f"{state.st_ino}.{state.st_mtime_ns}.{state.st_size}")
    return " ".join(found)


def _kept(data_set: DataSet) -> dict[tuple[str, str], tuple[str, PatchCounts]]:
    table = read_census(data_set.folder, _KEPT)
    parts = table.column("histograms").combine_chunks().flatten().to_numpy()
    if len(parts) != table.num_rows * LENGTH:
        return {}
    columns = (table.column(name).to_pylist() for name in _KEPT.names[:-1])
    return {
        (category, key): (
            mark,
            PatchCounts(patches, left_out, unscored, parts[row * LENGTH : (row + 1) * LENGTH]),
        )
        for row, (category, key, mark, patches, left_out, unscored) in enumerate(zip(*columns, strict=True))
    }


def _table(films: Mapping[tuple[str, str], PatchCounts], marks: Mapping[tuple[str, str], str]) -> pa.Table:
    parts: Iterable[Parts] = [films[name].parts for name in marks]
    flat = np.concatenate([np.zeros(0, np.int64), *parts])
    offsets = pa.array(range(0, len(flat) + 1, LENGTH), pa.int32())
    columns = [
        pa.array([category for category, _ in marks], pa.string()),
        pa.array([key for _, key in marks], pa.string()),
        pa.array(list(marks.values()), pa.string()),
        *(
            pa.array([getattr(films[name], column) for name in marks], pa.int64())
            for column in ("patches", "left_out", "unscored")
        ),
        pa.ListArray.from_arrays(offsets, pa.array(flat)),
    ]
    return pa.Table.from_arrays(columns, schema=_KEPT)
