"""What clauses leave out, against what DuckDB counts in the files itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dataset_assets.config import Settings
from dataset_assets.curation import preview
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import Limit, ScoreRow
from dataset_assets_tests.curation.scored import drop_scores, score_all
from dataset_assets_tests.exports.samples import triplets

CONDITION = "detail_db < 34 AND (motion < 1.5 OR still_pairs = 0) AND 0.4 >= flat_share"
CLAUSES = ("detail_db < 34", "(motion < 1.5) OR (still_pairs = 0)", "0.4 >= flat_share")


def spread(_: str, row: ScoreRow) -> dict[str, Any] | None:
    """Scores that differ from window to window; one window has none."""
    place = row.window % 7
    scores = {"detail_db": 30.0 + place, "motion": 0.5 * place, "still_pairs": place % 2}
    return None if place == 6 else {**scores, "flat_share": 1 - place / 7}


def count(root: Path, condition: str) -> int:
    read = f"read_parquet('{root}/metadata/{{}}/category=general/*/*.parquet', hive_partitioning = true)"
    query = f"""
        SELECT count(*) FROM {read.format("patches")}
        LEFT JOIN {read.format("scores")} USING (video, patch_id) WHERE {condition}
    """
    ((found,),) = duckdb.connect().execute(query).fetchall()
    return int(found)


def test_each_clause_is_counted_by_itself_and_beside_the_others(settings: Settings) -> None:
    root = settings.base.output_base_dir
    score_all(settings, spread)
    found = preview(DataSet(root), "general", CONDITION)
    assert tuple(each.clause.text for each in found.clauses) == CLAUSES
    assert (found.patches, found.left_out) == (count(root, "true"), count(root, f"NOT ({CONDITION})"))
    assert found.unscored == count(root, "detail_db IS NULL") > 0
    for number, each in enumerate(found.clauses):
        others = " AND ".join(f"({text})" for text in CLAUSES if text != CLAUSES[number])
        alone = f"NOT ({CLAUSES[number]}) AND coalesce({others}, true)"
        assert each.left_out == count(root, f"NOT ({CLAUSES[number]})")
        assert each.alone == count(root, alone)
        assert each.unknown == count(root, f"({CLAUSES[number]}) IS NULL")
    assert all(each.left_out for each in found.clauses)
    assert any(each.alone for each in found.clauses)


def test_the_patches_nearest_to_a_limit_are_shown_on_both_sides(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_all(settings, spread)
    monkeypatch.setattr("dataset_assets.curation.previewing.NEAREST", 2)
    found = preview(DataSet.of(settings), "general", CONDITION)
    detail, either, flat = found.clauses
    assert (detail.clause.limit, flat.clause.limit) == (Limit("detail_db", 34), Limit("flat_share", 0.4))
    assert (either.outside, either.inside) == ((), ())
    values = sorted(
        (30.0 + each.row.window % 7, each.row.patch_id)
        for each in triplets(settings, "general")
        if each.row.window % 7 != 6
    )
    outside = [value for value, _ in values if value >= 34][:2]
    inside = [value for value, _ in values if value < 34][::-1][:2]
    assert [near.value for near in detail.outside] == outside
    assert [near.value for near in detail.inside] == inside
    by_name = {name: value for value, name in values}
    for near in (*detail.outside, *detail.inside):
        assert by_name[near.triplet.row.patch_id] == near.value
    assert all(near.value > 0.4 for near in flat.outside)
    assert [near for each in found.clauses for near in (*each.outside, *each.inside)] == found.shown


def test_without_scores_nothing_is_left_out_and_all_is_unknown(settings: Settings) -> None:
    drop_scores(settings)
    found = preview(DataSet.of(settings), "toon", "detail_db < 34 AND width > 0")
    assert (found.left_out, found.unscored) == (0, found.patches)
    assert [each.unknown for each in found.clauses] == [found.patches, 0]
    assert found.shown == [near for each in found.clauses[1:] for near in each.inside]


def test_null_takes_all(settings: Settings) -> None:
    found = preview(DataSet.of(settings), "toon", None)
    assert (found.condition, found.left_out, found.unscored) == (None, 0, 0)
    assert found.patches == len(triplets(settings, "toon"))


def test_a_condition_that_fails_on_the_patches_names_its_category(settings: Settings) -> None:
    with pytest.raises(DatasetAssetsError, match=r"The curation of toon, .* is not valid: Conversion Error"):
        preview(DataSet.of(settings), "toon", "CAST(format AS INTEGER) > 3")
