"""Select finished triplets by category, format, and an SQL expression over what the tables know of them.

Used by everything that reads a part of a data set: exports and training. Not here: what is done with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from dataset_assets.counting import counted
from dataset_assets.dataset.scores import current_scores
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import PATCHES, SCORES, VIDEOS, WINDOWS, ScoreRow

if TYPE_CHECKING:
    from dataset_assets.dataset.data_set import DataSet
    from dataset_assets.dataset.triplets import Triplet

_COLUMNS_OF_ROW: Final = frozenset({"patch_id", "window", "gt_hash", "lr_hash", "scores_version"})
# A patch has no column of its film's name, so that `width` is its own and `film.width` the film's.
_QUERY: Final = """
    SELECT id FROM patches
    LEFT JOIN windows USING (video, "window")
    LEFT JOIN (SELECT video, films AS film FROM films) USING (video)
    {scores}
    WHERE ({where}
    ) ORDER BY id
"""
_SCORES_JOIN: Final = "LEFT JOIN scores USING (id)"
_SCORES: Final = pa.schema([field for field in SCORES if field.name not in _COLUMNS_OF_ROW])
_ID: Final = pa.field("id", pa.int64())
_KEY: Final = pa.field("video", pa.string())
_OF_PATCH: Final = (_ID, _KEY, pa.field("category", pa.string()))


def select(
    data_set: DataSet,
    categories: Collection[str] | None = None,
    *,
    where: str | None = None,
    formats: Collection[str] = (),
) -> list[Triplet]:
    """Return the finished triplets that a selection names, by category, video and row.

    Args:
        data_set: The data set.
        categories: Names of the categories; all that have patches by default.
        where: Condition in DuckDB's SQL over the columns of the patches and the windows table, the scores,
            `category`, `video`, and the videos table's columns as `film.<column>`, such as
            `detail_db < 50 AND sharpness > 0.8 AND film.hdr_format = 'pq'`.
        formats: Names of the formats; all by default.

    Raises:
        DatasetAssetsError: A category or format has no patches, the condition is not valid or names a score
            that some of the triplets lack, nothing is selected, or a table cannot be read.
    """
    found = list(data_set.triplets(categories=_known("category", categories, data_set.tables.categories())))
    known = sorted({triplet.row.format for triplet in found})
    chosen = set(_known("format", formats or None, known))
    found = [triplet for triplet in found if triplet.row.format in chosen]
    if where is not None:
        found = [found[index] for index in _matching(data_set, found, where)]
    if not found:
        raise DatasetAssetsError(
            f"Nothing is selected of the data set {data_set.folder}",
            f"no patch meets {where!r}: change the condition." if where else "run generate first.",
        )
    return found


def _known(kind: str, asked: Collection[str] | None, known: Sequence[str]) -> Sequence[str]:
    if asked is None:
        return known
    for name in asked:
        if name not in known:
            there = f"there are {', '.join(known)}." if known else "run generate first."
            raise DatasetAssetsError(f"No patch has the {kind} {name!r}", there)
    return sorted(set(asked))


def _matching(data_set: DataSet, triplets: Sequence[Triplet], where: str) -> list[int]:
    """Return the indices of the triplets that meet a condition, ascending."""
    import duckdb  # A third of a second of CPU time, which only a condition needs.

    keys = sorted({triplet.video for triplet in triplets})
    windows = [(key, row) for key in keys for row in data_set.tables.read_windows(key)]
    films = [(key, row) for key in keys if (row := data_set.tables.read_video(key))]
    with duckdb.connect(config={"threads": 1}) as database:
        patches = ((index, each.video, each.category, each.row) for index, each in enumerate(triplets))
        database.register("patches", _table(_OF_PATCH, PATCHES, list(patches)))
        database.register("windows", _table((_KEY,), WINDOWS, windows))
        database.register("films", _table((_KEY,), VIDEOS, films))
        database.execute("SET enable_external_access = false")
        try:
            try:
                found = database.execute(_QUERY.format(where=where, scores="")).fetchall()
            except duckdb.BinderException:
                # Scores are read only for a condition that names one.
                scores = _scores(data_set, triplets)
                database.register("scores", _table((_ID,), _SCORES, scores))
                found = database.execute(_QUERY.format(where=where, scores=_SCORES_JOIN)).fetchall()
                _refuse_unscored(where, len(triplets), len(scores))
        except duckdb.Error as error:
            raise DatasetAssetsError(
                f"The condition {where!r} is not valid: {_first_line(error)}",
                "docs/tables.md lists the columns.",
            ) from error
    return [index for (index,) in found]


def _scores(data_set: DataSet, triplets: Sequence[Triplet]) -> list[tuple[int, ScoreRow]]:
    """Return the current scores of the triplets that have some, after their indices."""
    indices: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for index, each in enumerate(triplets):
        indices[each.category, each.video][each.row.patch_id] = index
    found = []
    for (category, key), by_id in indices.items():
        patches = (triplets[index].row for index in by_id.values())
        current = current_scores(patches, data_set.tables.read_scores(category, key))
        found += [(by_id[name], row) for name, row in current.items()]
    return found


def _refuse_unscored(where: str, patches: int, scored: int) -> None:
    """Refuse a condition over scores where some patches have none: it would leave them out silently."""
    if scored < patches:
        raise DatasetAssetsError(
            f"The condition {where!r} names a score, and {patches - scored:,} of {counted(patches, 'patch')} "
            "have no scores",
            "run score first.",
        )


def _table(keys: Sequence[pa.Field], schema: pa.Schema, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Return rows as an Arrow table; each is the values of the keys, and a table's row at the end."""
    columns = [pa.array([row[place] for row in rows], field.type) for place, field in enumerate(keys)]
    columns += [pa.array([getattr(row[-1], field.name) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, names=[field.name for field in (*keys, *schema)])


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
