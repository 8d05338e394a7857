"""What curation leaves out, and histograms, against what DuckDB and numpy count in the files themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from dataset_assets.config import DEFAULT_CURATION, Settings
from dataset_assets.curation import (
    SCALES,
    SCORES,
    Census,
    PatchCounts,
    census,
    histograms_of,
    score_video,
    take_census,
)
from dataset_assets.dataset import DataSet
from dataset_assets.tables import ScoreRow
from dataset_assets_tests.curation.scored import drop_scores, score_all
from dataset_assets_tests.exports.samples import drop_patch, triplets
from dataset_assets_tests.generate.samples import KEY


def taken(settings: Settings, **options: Any) -> Census:
    return take_census(settings, DataSet.of(settings), **options)


def counts(found: PatchCounts) -> tuple[int, int, int]:
    return found.patches, found.left_out, found.unscored


def counted_by_duckdb(root: Path, condition: str = DEFAULT_CURATION) -> dict[str, tuple[int, int, int]]:
    read = f"read_parquet('{root}/metadata/{{}}/*/*/*.parquet', hive_partitioning = true)"
    patches = f"SELECT *, NULL::VARCHAR AS duplicate_of FROM {read.format('patches')}"
    query = f"""
        SELECT category, count(*), count(*) FILTER (NOT ({condition})), count(*) FILTER (detail_db IS NULL)
        FROM ({patches}) p LEFT JOIN {read.format("scores")} s
        USING (category, video, patch_id, gt_hash)
        GROUP BY category
    """
    return {name: (*rest,) for name, *rest in duckdb.connect().execute(query).fetchall()}


def some(category: str, row: ScoreRow) -> dict[str, Any] | None:
    """In one patch nothing is to be learnt, one is combed, one has no scores."""
    place = row.window % 4
    if place == 3:
        return None
    return {"detail_db": 61.0 if place == 1 else 59.0, "combing": 0.01 if place == 2 else 0.0}


def test_every_film_is_counted(settings: Settings) -> None:
    score_all(settings, some)
    found = taken(settings)
    expected = counted_by_duckdb(settings.base.output_base_dir)
    assert {name: counts(each) for name, each in found.categories.items()} == expected
    assert counts(found.total) == tuple(np.sum(list(expected.values()), axis=0))
    assert found.total.left_out > 0 < found.total.unscored
    assert counts(found.of("general", KEY)) == expected["general"]
    assert counts(found.of("general", "other")) == (0, 0, 0)
    curation = {"general": "detail_db < 59", "toon": None, "space": None}
    again = taken(settings.model_copy(update={"curation": curation})).categories
    by_score = counted_by_duckdb(settings.base.output_base_dir, "detail_db < 59")
    assert counts(again["general"]) == by_score["general"]
    # Where no condition names a score, none is missed.
    assert counts(again["toon"]) == (by_score["toon"][0], 0, 0)


def test_histograms_hold_every_score_in_the_part_that_it_lies_in(settings: Settings) -> None:
    score_all(settings)
    found = taken(settings).categories
    assert tuple(SCALES) == SCORES
    for category, each in found.items():
        rows = DataSet.of(settings).tables.read_scores(category, KEY)
        assert each.scored == len(rows)
        assert each.histograms == histograms_of(rows)
        for name, scale in SCALES.items():
            values = np.clip([getattr(row, name) for row in rows], scale.low, scale.high)
            expected, _ = np.histogram(values, scale.parts, (scale.low, scale.high))
            assert each.histograms[name] == expected.tolist()


@pytest.mark.parametrize("name", SCALES)
def test_a_value_at_the_end_of_a_part_is_in_the_next(name: str) -> None:
    scale = SCALES[name]
    ends = np.array(scale.ends, np.float32)
    assert scale.part_of(ends[:-1]).tolist() == list(range(scale.parts))
    assert scale.part_of(np.array([scale.low - 1, scale.high, scale.high + 9])).tolist() == [
        0,
        scale.parts - 1,
        scale.parts - 1,
    ]


def test_the_limits_of_the_default_are_ends_of_parts() -> None:
    assert any(np.isclose(SCALES["detail_db"].ends, 60))
    assert any(np.isclose(SCALES["combing"].ends, 0.01))


def test_only_what_has_changed_is_counted_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    score_all(settings)
    asked: list[tuple[str, list[str]]] = []
    original = census.count_films

    def watched(data_set: DataSet, category: str, keys: list[str], condition: str | None) -> Any:
        asked.append((category, list(keys)))
        return original(data_set, category, keys, condition)

    monkeypatch.setattr(census, "count_films", watched)
    first = taken(settings)
    assert asked == [("general", [KEY]), ("space", [KEY]), ("toon", [KEY])]
    asked.clear()
    again = taken(settings)
    assert asked == []
    assert {name: counts(each) for name, each in again.films.items()} == {
        name: counts(each) for name, each in first.films.items()
    }
    assert again.total.histograms == first.total.histograms
    drop_patch(settings, triplets(settings, "toon")[0])
    assert taken(settings).total.patches == first.total.patches - 1
    taken(settings.model_copy(update={"curation": {"space": None}}))
    assert asked == [("toon", [KEY]), ("space", [KEY])]
    asked.clear()
    # What is kept is of the last conditions; a damaged file is counted again.
    (settings.base.output_base_dir / "metadata/.census.parquet").write_bytes(b"PAR1")
    assert taken(settings).total.patches == first.total.patches - 1
    assert len(asked) == 3


def test_what_there_is_no_time_for_is_left_to_the_next_call(settings: Settings) -> None:
    drop_scores(settings)
    found = taken(settings, most_s=-1.0)
    assert (found.films, found.uncounted) == ({}, 3)
    found = taken(settings)
    assert (len(found.films), found.uncounted) == (3, 0)
    assert found.total.unscored == found.total.patches
    assert taken(settings, most_s=-1.0).uncounted == 0


def test_a_table_that_cannot_be_read_hides_no_other(settings: Settings) -> None:
    score_video(settings, KEY)
    tables = DataSet.of(settings).tables
    tables.scores_path("space", KEY).write_bytes(b"PAR1")
    found = taken(settings)
    assert set(found.categories) == {"general", "toon"}
    assert found.uncounted == 1
