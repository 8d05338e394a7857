"""What curation leaves out, against what DuckDB reads from the files itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dataset_assets.config import DEFAULT_CURATION, Settings
from dataset_assets.dataset import DataSet, Selection, keep_curation, kept_curation, select
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import ScoreRow
from dataset_assets_tests.curation.scored import drop_scores, score_all
from dataset_assets_tests.exports.samples import replace_patch, triplets
from dataset_assets_tests.generate.samples import files

Names = set[tuple[str, str, str]]


def names(selection: Selection) -> Names:
    return {(each.category, each.video, each.row.patch_id) for each in selection.triplets}


def meeting(root: Path, category: str, condition: str) -> Names:
    """The patches of a category that do not fail a condition, by another query over the files."""
    patches, scores, windows = (
        f"read_parquet('{root}/metadata/{kind}/*.parquet', hive_partitioning = true)"
        for kind in ("patches/*/*", "scores/*/*", "windows/*")
    )
    query = f"""
        SELECT p.category, p.video, p.patch_id FROM (SELECT *, NULL::VARCHAR AS duplicate_of FROM {patches}) p
        LEFT JOIN {windows} w ON p.video = w.video AND p."window" = w."window"
        LEFT JOIN {scores} s
        ON (p.category, p.video, p.patch_id, p.gt_hash) = (s.category, s.video, s.patch_id, s.gt_hash)
        WHERE p.category = '{category}' AND coalesce({condition}, true)
    """
    return {(name, key, patch) for name, key, patch in duckdb.connect().sql(query).fetchall()}


def spoilt(category: str, row: ScoreRow) -> dict[str, Any] | None:
    """Of each category some patches that hold nothing to learn, some combed ones, and one without scores."""
    if category == "general" and row.window % 3 == 0:
        return {"detail_db": 61.0}
    if category == "toon" and row.window % 2:
        return {"combing": 0.01}
    return None if row.window == 4 else {"detail_db": 59.9, "combing": 0.009}


def test_by_default_what_is_wrong_in_itself_is_left_out(settings: Settings) -> None:
    root = settings.base.output_base_dir
    score_all(settings, spoilt)
    selection = select(DataSet(root), curation={})
    expected = meeting(root, "general", DEFAULT_CURATION) | meeting(root, "toon", DEFAULT_CURATION)
    assert names(selection) == expected
    every = triplets(settings)
    assert selection.left_out == {
        name: sum(each.category == name for each in every) - sum(name == found for found, *_ in expected)
        for name in ("general", "toon")
    }
    assert all(selection.left_out.values())
    assert selection.curation == dict.fromkeys(("general", "toon"), DEFAULT_CURATION)
    assert selection.unscored == sum(each.row.window == 4 for each in selection.triplets)
    assert [each.row for each in selection.triplets] == [
        each.row for each in every if (each.category, each.video, each.row.patch_id) in expected
    ]


@pytest.mark.parametrize(
    "condition",
    [
        "detail_db < 60",
        'detail_db < 60 and "window" > 2 and sharpness > 0',
        "detail_db < 60 or p.width > 600",
        "s.detail_db is not null",
    ],
)
def test_a_condition_holds_for_its_category_and_null_takes_all(settings: Settings, condition: str) -> None:
    root = settings.base.output_base_dir
    score_all(settings, spoilt)
    ours = condition.replace("p.", "").replace("s.", "")
    selection = select(DataSet(root), curation={"general": ours, "toon": None})
    theirs = condition.replace('"window"', 'p."window"')
    assert names(selection) == meeting(root, "general", theirs) | meeting(root, "toon", "true")
    assert selection.left_out["toon"] == 0 < selection.left_out["general"]
    assert selection.curation == {"general": ours, "toon": None}


def test_what_was_never_scored_or_made_again_since_is_taken_and_counted(settings: Settings) -> None:
    drop_scores(settings)
    data_set = DataSet.of(settings)
    selection = select(data_set, curation={})
    assert names(selection) == names(select(data_set))
    assert (selection.left_out, selection.unscored) == ({"general": 0, "toon": 0}, len(selection.triplets))
    assert selection.left_out_sentence == ""
    assert selection.unscored_sentence == (
        f"{len(selection.triplets)} of {len(selection.triplets)} selected patches are not scored, so that "
        "curation takes them: `dataset-assets score` measures them"
    )
    score_all(settings, lambda category, _: {"detail_db": 70.0 if category == "toon" else 30.0})
    first, *others = triplets(settings, "toon")
    replace_patch(settings, first)
    selection = select(data_set, curation={})
    assert [each.row.patch_id for each in selection.triplets if each.category == "toon"] == [
        first.row.patch_id
    ]
    assert (selection.left_out["toon"], selection.unscored) == (len(others), 1)
    assert selection.left_out_sentence == (
        f"curation leaves out {len(others)} of {len(triplets(settings))} patches (toon {len(others)})"
    )


def test_scores_that_no_condition_names_are_not_missed(settings: Settings) -> None:
    drop_scores(settings)
    selection = select(DataSet.of(settings), curation={"general": "width > 0", "toon": None})
    assert selection.unscored == 0


def test_an_explicit_condition_is_met_first_and_refuses_what_has_no_scores(settings: Settings) -> None:
    drop_scores(settings)
    data_set = DataSet.of(settings)
    with pytest.raises(DatasetAssetsError, match=r"names a score, and .* have no scores; run score first"):
        select(data_set, where="detail_db > 0", curation={})
    score_all(settings, lambda category, row: {"detail_db": 70.0 if row.window % 2 else 30.0})
    selection = select(data_set, where='"window" > 3', curation={})
    assert {each.row.window % 2 for each in selection.triplets} == {0}
    assert sum(selection.left_out.values()) + len(selection.triplets) == len(
        select(data_set, where='"window" > 3').triplets
    )


def test_where_nothing_is_left_the_sentence_names_curation(settings: Settings) -> None:
    score_all(settings, lambda *_: {"detail_db": 70.0})
    with pytest.raises(DatasetAssetsError, match=r"curation leaves out all .*--uncurated"):
        select(DataSet.of(settings), curation={})


def test_a_damaged_scores_table_names_the_remedy(settings: Settings) -> None:
    score_all(settings)
    tables = DataSet.of(settings).tables
    next(iter(tables.scores_files("toon").values())).write_bytes(b"PAR1")
    with pytest.raises(DatasetAssetsError, match="is damaged; run score again, which replaces it"):
        select(DataSet.of(settings), curation={})


def test_the_curation_of_a_configuration_is_kept_for_who_reads_without_it(settings: Settings) -> None:
    root = settings.base.output_base_dir
    before = files(root)
    keep_curation(settings)
    assert files(root) == before  # nothing to keep: the default holds
    assert kept_curation(root) == {}
    chosen = settings.model_copy(update={"curation": {"toon": None, "general": "detail_db < 50"}})
    keep_curation(chosen)
    path = root / "metadata/curation.json"
    assert kept_curation(root) == {"general": "detail_db < 50", "toon": None}
    written = path.stat().st_mtime_ns, path.stat().st_ino
    keep_curation(chosen)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == written
    keep_curation(settings)
    assert kept_curation(root) == {}
    for content in ("[1]", "{", '{"general": 7}'):
        path.write_text(content)
        with pytest.raises(DatasetAssetsError, match=r"cannot be read; run `dataset-assets curate`"):
            kept_curation(root)
