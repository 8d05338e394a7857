"""Selections of triplets, against what DuckDB reads from the files itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dataset_assets.config import Settings
from dataset_assets.curation import score_video
from dataset_assets.dataset import DataSet, Triplet, select
from dataset_assets.errors import DatasetAssetsError
from dataset_assets_tests.exports.samples import replace_patch
from dataset_assets_tests.generated import Generated


def expected(root: Path, where: str) -> list[tuple[str, str, str]]:
    """What the condition selects, by another query over the files."""
    tables = {
        name: f"read_parquet('{root}/metadata/{pattern}/*.parquet', hive_partitioning = true)"
        for name, pattern in (("patches", "patches/*/*"), ("windows", "windows/*"), ("videos", "videos/*"))
    }
    query = f"""
        SELECT p.category, p.video, p.patch_id FROM {tables["patches"]} p, {tables["windows"]} w,
        {tables["videos"]} v WHERE p.video = w.video AND p."window" = w."window" AND p.video = v.video
        AND ({where}) ORDER BY p.category, p.video, p.patch_id
    """
    return [(category, key, name) for category, key, name in duckdb.connect().sql(query).fetchall()]


def names(triplets: list[Triplet]) -> list[tuple[str, str, str]]:
    return sorted((each.category, each.video, each.row.patch_id) for each in triplets)


@pytest.mark.parametrize(
    ("where", "same"),
    [
        ("time_s > 1", "w.time_s > 1"),
        ("width > 600 and category = 'general'", "p.width > 600 and p.category = 'general'"),
        ("film.vfr", "v.vfr"),
        ("film.name = 'Alpha' or x < 100", "v.name = 'Alpha' or p.x < 100"),
        ("patch_id like 'beta%' -- the other film", "p.patch_id like 'beta%'"),
    ],
)
def test_a_condition_selects_by_the_columns_of_all_three_tables(
    generated: Generated, where: str, same: str
) -> None:
    found = names(select(DataSet(generated.root), where=where).triplets)
    assert found == expected(generated.root, same)
    assert found != expected(generated.root, "true")


def test_a_condition_selects_by_scores_of_every_patch_that_is_asked_for(settings: Settings) -> None:
    root = settings.base.output_base_dir
    with pytest.raises(DatasetAssetsError) as raised:
        select(DataSet(root), where="detail_db < 30")
    assert str(raised.value) == (
        "The condition 'detail_db < 30' names a score, and 11 of 11 patches have no scores; run score first."
    )
    score_video(settings, "alpha")
    score_video(settings, "beta", categories=["toon"])
    with pytest.raises(DatasetAssetsError, match="3 of 11 patches have no scores"):
        select(DataSet(root), where="motion > 1")
    score_video(settings, "beta")
    read = f"read_parquet('{root}/metadata/scores/*/*/*.parquet', hive_partitioning = true)"
    (median,) = duckdb.execute(f"select median(detail_db) from {read}").fetchall()[0]
    where = f"detail_db < {median} and width > 100 and video != 'motion'"
    same = f"select category, video, patch_id from {read} where detail_db < {median}"
    found = names(select(DataSet(root), where=where).triplets)
    assert found == sorted(duckdb.execute(same).fetchall())
    assert 0 < len(found) < 11
    # No score is named: none is needed.
    tables = DataSet(root).tables
    tables.remove(tables.scores_path("toon", "beta"))
    assert len(select(DataSet(root), where="video != 'motion'").triplets) == 11


def test_scores_of_a_patch_that_was_made_again_do_not_count(settings: Settings) -> None:
    for key in ("alpha", "beta"):
        score_video(settings, key)
    data_set = DataSet(settings.base.output_base_dir)
    first, *_ = data_set.triplets(["alpha"])
    replace_patch(settings, first)
    with pytest.raises(DatasetAssetsError, match="1 of 7 patches have no scores"):
        select(data_set, ["general"], where="noise_sigma >= 0 and video = 'alpha'")


def test_categories_and_formats_select(generated: Generated) -> None:
    every = select(DataSet(generated.root)).triplets
    assert names(every) == expected(generated.root, "true")
    assert {each.category for each in every} == {"general", "toon"}
    one_format = every[0].row.format
    found = select(DataSet(generated.root), ["general"], formats=[one_format]).triplets
    assert names(found) == expected(generated.root, f"p.category = 'general' AND p.format = '{one_format}'")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"categories": ["genral"]}, "No patch has the category 'genral'; there are general, space, toon"),
        ({"formats": ["small_541"]}, "No patch has the format 'small_541'; there are "),
        ({"where": "sharpnes > 1"}, "The condition 'sharpnes > 1' is not valid: Binder Error"),
        ({"where": "sharpness >"}, "is not valid: Parser Error"),
        ({"where": "sharpness > 1000"}, "no patch meets 'sharpness > 1000': change the condition"),
        ({"where": "(select count(*) from read_csv('/etc/hostname')) > 0"}, "disabled"),
    ],
)
def test_a_mistake_is_one_sentence(generated: Generated, asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DatasetAssetsError) as raised:
        select(DataSet(generated.root), **asked)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_data_set_without_patches_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetAssetsError, match=r"Nothing is selected of .*; run generate first"):
        select(DataSet(tmp_path))
