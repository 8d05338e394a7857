"""Selections of triplets, against what DuckDB reads from the files itself."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dataset_assets.dataset import DataSet, Triplet, select
from dataset_assets.errors import DatasetAssetsError
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
    found = names(select(DataSet(generated.root), where=where))
    assert found == expected(generated.root, same)
    assert found != expected(generated.root, "true")


def test_categories_and_formats_select(generated: Generated) -> None:
    every = select(DataSet(generated.root))
    assert names(every) == expected(generated.root, "true")
    assert {each.category for each in every} == {"general", "toon"}
    one_format = every[0].row.format
    found = select(DataSet(generated.root), ["general"], formats=[one_format])
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
def test_a_mistake_is_one_sentence(generated: Generated, asked: dict[str, str], sentence: str) -> None:
    with pytest.raises(DatasetAssetsError) as raised:
        select(DataSet(generated.root), **asked)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_data_set_without_patches_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetAssetsError, match=r"Nothing is selected of .*; run generate first"):
        select(DataSet(tmp_path))
