"""Select finished triplets by category, format, an SQL condition, and what curation leaves out.

Used by everything that reads a part of a data set: exports and training. Not here: what is done with them,
and what conditions see (`patch_facts`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from dataset_assets.config import Curation, curation_of
from dataset_assets.counting import are, counted
from dataset_assets.dataset.patch_facts import judge, needed_columns
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import KEYS, PATCHES, Condition, ConditionError

if TYPE_CHECKING:
    from dataset_assets.dataset.data_set import DataSet
    from dataset_assets.dataset.triplets import Triplet


@dataclass(frozen=True, slots=True)
class Selection:
    """The triplets that were selected.

    Attributes:
        triplets: They, by category, video and row; never empty.
        curation: The condition in force of each selected category; None where all patches are taken.
        left_out: Triplets that curation leaves out, by selected category; all else is met by them.
        unscored: Selected triplets without scores in categories whose curation depends on scores.
    """

    triplets: list[Triplet]
    curation: Mapping[str, str | None]
    left_out: Mapping[str, int]
    unscored: int

    @property
    def left_out_sentence(self) -> str:
        """How many curation leaves out: `curation leaves out 3 of 54 patches (space 3)`; else empty."""
        left_out = sum(self.left_out.values())
        if not left_out:
            return ""
        by_category = ", ".join(f"{name} {count:,}" for name, count in self.left_out.items() if count)
        total = counted(left_out + len(self.triplets), "patch")
        return f"curation leaves out {left_out:,} of {total} ({by_category})"

    @property
    def unscored_sentence(self) -> str:
        """How many are selected although their scores are unknown, with the remedy; empty where none is."""
        if not self.unscored:
            return ""
        return (
            f"{self.unscored:,} of {counted(len(self.triplets), 'selected patch')} {are(self.unscored)} not "
            "scored, so that curation takes them: `dataset-assets score` measures them"
        )


def select(
    data_set: DataSet,
    categories: Collection[str] | None = None,
    *,
    where: str | None = None,
    formats: Collection[str] = (),
    curation: Curation | None = None,
) -> Selection:
    """Return the finished triplets that a selection names, by category, video and row.

    Args:
        data_set: The data set.
        categories: Names of the categories; all that have patches by default.
        where: Condition in DuckDB's SQL over the columns of the patches and the windows table, the scores,
            `category`, `video`, `duplicate_of`, and the videos table's columns as `film.<column>`, such as
            `detail_db < 50 AND sharpness > 0.8 AND film.hdr_format = 'pq'`. It has to be met.
        formats: Names of the formats; all by default.
        curation: Conditions that leave out what does not meet them, by category; where that is unknown, for
            want of scores, a triplet is selected. None takes all.

    Raises:
        DatasetAssetsError: A category or format has no patches, a condition is not valid, `where` names a
            score that some of the triplets lack, nothing is selected, or a table cannot be read.
    """
    found = list(data_set.triplets(categories=_known("category", categories, data_set.tables.categories())))
    known = sorted({triplet.row.format for triplet in found})
    chosen = set(_known("format", formats or None, known))
    found = [triplet for triplet in found if triplet.row.format in chosen]
    if where is not None:
        found = _meeting(data_set, found, where)
    if not found:
        raise DatasetAssetsError(
            f"Nothing is selected of the data set {data_set.folder}",
            f"no patch meets {where!r}: change the condition." if where else "run generate first.",
        )
    return _curated(data_set, found, curation)


def invalid_curation(category: str, condition: str, error: ConditionError) -> DatasetAssetsError:
    """Return the error of a category's condition that is no condition for its patches."""
    return DatasetAssetsError(
        f"The curation of {category}, {condition!r}, is not valid: {error.why}",
        f"correct curation.{category} in the configuration and run `dataset-assets curate`.",
    )


def _known(kind: str, asked: Collection[str] | None, known: Sequence[str]) -> Sequence[str]:
    if asked is None:
        return known
    for name in asked:
        if name not in known:
            there = f"there are {', '.join(known)}." if known else "run generate first."
            raise DatasetAssetsError(f"No patch has the {kind} {name!r}", there)
    return sorted(set(asked))


def _meeting(data_set: DataSet, triplets: Sequence[Triplet], where: str) -> list[Triplet]:
    """Return the triplets that meet a condition; refuse one over scores where some triplets have none."""
    try:
        condition = Condition(where)
        judged = judge(data_set.tables, _patches(triplets, condition), [condition])
    except ConditionError as error:
        raise DatasetAssetsError(
            f"The condition {where!r} is not valid: {error.why}", "docs/tables.md lists the columns."
        ) from error
    if unscored := judged.scored.to_pylist().count(False):
        raise DatasetAssetsError(
            f"The condition {where!r} names a score, and {unscored:,} of "
            f"{counted(len(triplets), 'patch')} have no scores",
            "run score first.",
        )
    return [each for each, is_met in zip(triplets, judged.met[0].to_pylist(), strict=True) if is_met]


def _curated(data_set: DataSet, triplets: Sequence[Triplet], curation: Curation | None) -> Selection:
    kept: list[Triplet] = []
    unscored = 0
    names = sorted({each.category for each in triplets})
    in_force = {name: None if curation is None else curation_of(curation, name) for name in names}
    for name, text in in_force.items():
        found = [each for each in triplets if each.category == name]
        if text is None:
            kept += found
            continue
        try:
            condition = Condition(text)
            judged = judge(data_set.tables, _patches(found, condition), [condition])
        except ConditionError as error:
            raise invalid_curation(name, text, error) from error
        of_each = zip(found, judged.met[0].to_pylist(), judged.scored.to_pylist(), strict=True)
        for each, is_met, is_scored in of_each:
            if is_met is not False:
                kept.append(each)
                unscored += not is_scored
    before, after = (Counter(each.category for each in some) for some in (triplets, kept))
    if not kept:
        raise DatasetAssetsError(
            f"Nothing is selected of the data set {data_set.folder}: curation leaves out all "
            f"{counted(len(triplets), 'patch')}",
            "change curation in the configuration, or take them too (--uncurated, curated=False).",
        )
    return Selection(kept, in_force, {name: before[name] - after[name] for name in names}, unscored)


def _patches(triplets: Sequence[Triplet], condition: Condition) -> pa.Table:
    """Return what a condition needs of triplets, after their numbers."""
    columns = [
        pa.array(range(len(triplets)), pa.int64()),
        pa.array([each.video for each in triplets], pa.string()),
        pa.array([each.category for each in triplets], pa.string()),
        pa.array([each.row.window for each in triplets], pa.int32()),
    ]
    fields = list(KEYS["patches"])
    needed = needed_columns([condition]).get("patches", set()) - {field.name for field in fields}
    for field in PATCHES:
        if field.name in needed:
            fields.append(field)
            columns.append(pa.array([getattr(each.row, field.name) for each in triplets], field.type))
    return pa.Table.from_arrays(columns, names=[field.name for field in fields])
