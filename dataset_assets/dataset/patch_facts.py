"""What the tables of a data set know of patches, as conditions see it, and the values of conditions for them.

Here: reading the columns that conditions need, and no others: a data set may have millions of patches. Not
here: which patches a selection takes (`selection`), and SQL (`tables.conditions`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from dataset_assets.dataset.duplicates import duplicates_of
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.scores import SCORES_VERSION
from dataset_assets.tables import KEYS, PATCHES, SCORES, SOURCES, VIDEOS, WINDOWS, Condition, Source, evaluate

# By which a row of the scores table is that of a patch, see `ScoreRow.is_of`.
PATCH_IDENTITY: Final = ("patch_id", "gt_hash", "lr5_hash", "lr7_hash")
_SCORE_IDENTITY: Final = ("patch_id", "gt_hash", "lr_hash", "scores_version")
_HAS_SCORES: Final = "id IN (SELECT id FROM scores)"


@dataclass(frozen=True, slots=True)
class Judged:
    """The values of conditions for patches.

    Attributes:
        met: Of each condition, whether each patch meets it; null where that is unknown.
        values: Of each further expression, its value for each patch.
        scored: Of each patch, whether it has current scores; True where no condition depends on them.
    """

    met: list[pa.ChunkedArray]
    values: list[pa.ChunkedArray]
    scored: pa.ChunkedArray


def needed_columns(conditions: Sequence[Condition]) -> dict[Source, set[str]]:
    """Return the columns that conditions need of each source, also those that tell whose scores there are."""
    needed: dict[Source, set[str]] = defaultdict(set)
    for condition in conditions:
        for source, names in condition.columns.items():
            needed[source].update(names)
    if "scores" in needed:
        needed["patches"].update(PATCH_IDENTITY)
    return dict(needed)


def patch_columns(
    tables: TableStore, category: str, keys: Sequence[str], conditions: Sequence[Condition]
) -> pa.Table:
    """Read what `judge` needs of the patches of some videos in a category, and their `patch_id`.

    Args:
        tables: The tables of a data set.
        category: Name of the category.
        keys: Keys of the videos; one without a table has no patches.
        conditions: The conditions.

    Raises:
        DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
    """
    columns = {"patch_id", "window", *needed_columns(conditions).get("patches", set())}

    def read(key: str) -> pa.Table | None:
        return tables.read_columns(tables.patches_path(category, key), PATCHES, columns)

    found = _by_video(keys, read)
    if found is None:
        found = pa.schema([KEYS["patches"][1], *(field for field in PATCHES if field.name in columns)])
        found = found.empty_table()
    numbers = pa.array(range(found.num_rows), pa.int64())
    names = pa.array([category] * found.num_rows, pa.string())
    return found.add_column(0, "id", numbers).add_column(2, "category", names)


def judge(
    tables: TableStore, patches: pa.Table, conditions: Sequence[Condition], expressions: Sequence[str] = ()
) -> Judged:
    """Return the values of conditions for patches.

    Args:
        tables: The tables of their data set.
        patches: The patches: `KEYS["patches"]`, of which `id` counts from 0 in their order, and the columns
            that `needed_columns` names.
        conditions: The conditions.
        expressions: SQL over the columns of the conditions, whose values follow.

    Raises:
        ConditionError: A condition is not valid.
        DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
    """
    needed = needed_columns(conditions)
    sources: dict[Source, pa.Table] = {"patches": patches}
    keys = pc.unique(patches.column("video")).to_pylist()
    if "windows" in needed:
        columns = {*needed["windows"], "window"}
        sources["windows"] = _by_video(
            keys, lambda key: tables.read_columns(tables.windows_path(key), WINDOWS, columns)
        )
    if "films" in needed:
        columns = needed["films"]
        sources["films"] = _by_video(
            keys, lambda key: tables.read_columns(tables.video_path(key), VIDEOS, columns)
        )
    if "scores" in needed:
        sources["scores"] = _scores(tables, patches, needed["scores"])
    if "duplicates" in needed:
        sources["duplicates"] = _duplicates(tables, patches)
    texts = [f"({each.text}\n)::BOOLEAN" for each in conditions]
    *found, scored = evaluate([*texts, *expressions, _HAS_SCORES if "scores" in needed else "true"], sources)
    return Judged(found[: len(texts)], found[len(texts) :], scored)


def _by_video(keys: Sequence[str], read: Callable[[str], pa.Table | None]) -> pa.Table | None:
    """Return the rows of several videos, after their keys; None where there are none."""
    found = [
        table.add_column(0, "video", pa.array([key] * table.num_rows, pa.string()))
        for key in keys
        if (table := read(key)) is not None
    ]
    return pa.concat_tables(found) if found else None


def _duplicates(tables: TableStore, patches: pa.Table) -> pa.Table:
    """Return the earlier windows of the patches that have one, after their ids."""
    schema = pa.schema([*KEYS["duplicates"], *SOURCES["duplicates"]])
    # The condition by default asks for them: of a million patches none is looked at for nothing.
    if not tables.duplicates_path.exists():
        return schema.empty_table()
    places = zip(*(patches.column(name).to_pylist() for name in ("category", "video", "window")), strict=True)
    ids = dict(zip(patches.column("id").to_pylist(), places, strict=True))
    found = duplicates_of(tables, set(ids.values()))
    rows = [(index, found[place]) for index, place in ids.items() if place in found]
    columns = [pa.array([row[place] for row in rows], field.type) for place, field in enumerate(schema)]
    return pa.Table.from_arrays(columns, schema=schema)


def _scores(tables: TableStore, patches: pa.Table, columns: set[str]) -> pa.Table | None:
    """Return the current scores of the patches that have some, after their ids."""
    wanted = [name for name in SOURCES["scores"].names if name in columns]
    ids: Mapping[tuple[str, str], dict[tuple[Any, ...], int]] = defaultdict(dict)
    names = ("category", "video", "id", *PATCH_IDENTITY)
    for category, key, index, patch_id, gt, lr5, lr7 in zip(
        *(patches.column(name).to_pylist() for name in names), strict=True
    ):
        ids[category, key][patch_id, gt, lr7 or lr5, SCORES_VERSION] = index
    found = []
    for (category, key), of_table in ids.items():
        table = tables.read_columns(tables.scores_path(category, key), SCORES, {*_SCORE_IDENTITY, *wanted})
        if table is None:
            continue
        identities = zip(*(table.column(name).to_pylist() for name in _SCORE_IDENTITY), strict=True)
        of_rows = pa.array([of_table.get(identity) for identity in identities], pa.int64())
        current = table.select(wanted).add_column(0, KEYS["scores"][0], of_rows)
        found.append(current.filter(pc.is_valid(of_rows)))
    return pa.concat_tables(found) if found else None
