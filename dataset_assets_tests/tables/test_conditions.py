"""Conditions: what they need, of which clauses they are, and what is no condition."""

from __future__ import annotations

import pyarrow as pa
import pytest

from dataset_assets.tables import (
    PATCHES,
    SCORES,
    VIDEOS,
    WINDOWS,
    Clause,
    Condition,
    ConditionError,
    Limit,
    condition_columns,
    evaluate,
)


def test_every_column_of_the_tables_can_be_named() -> None:
    plain = {*PATCHES.names, *WINDOWS.names, *SCORES.names, "video", "category", "duplicate_of"} - {
        "scores_version",
        "lr_hash",
    }
    assert set(condition_columns()) == plain | {f"film.{name}" for name in VIDEOS.names}
    for name in condition_columns():
        Condition(f"{name} IS NOT NULL" if "." in name else f'"{name}" IS NOT NULL').check()


def test_it_needs_the_columns_that_it_names_and_no_others() -> None:
    condition = Condition("Detail_DB < 50 and not (sharpness > 1 or film.width < 9) and video != 'width'")
    assert condition.columns == {
        "patches": ("video", "width"),
        "windows": ("sharpness",),
        "scores": ("detail_db",),
        "films": ("width",),
    }
    assert condition.names_score
    assert not Condition("width > 3 and video != 'detail_db'").names_score
    assert Condition("true").columns == {}


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("detail_db < 50", [("detail_db < 50", Limit("detail_db", 50))]),
        (
            "combing<0.01 AND (detail_db <= 60 and -1.5e1 < motion)",
            [
                ("combing < 0.01", Limit("combing", 0.01)),
                ("detail_db <= 60", Limit("detail_db", 60)),
                ("-1.5e1 < motion", Limit("motion", -15)),
            ],
        ),
        (
            "(motion > 1 or still_pairs = 0) and flat_share between 0 and 1 and film.width / 2 > 3",
            [
                ("(motion > 1) OR (still_pairs = 0)", None),
                ("flat_share BETWEEN 0 AND 1", None),
                ("(film.width / 2) > 3", None),
            ],
        ),
        (
            "film.duration_s > 60 * 2 and video <> 'a and b' and detail_db < sharpness",
            [
                ("film.duration_s > (60 * 2)", Limit("film.duration_s", 120)),
                ("video != 'a and b'", None),
                ("detail_db < sharpness", None),
            ],
        ),
    ],
)
def test_clauses_are_what_and_joins(text: str, clauses: list[tuple[str, Limit | None]]) -> None:
    assert Condition(text).clauses == tuple(Clause(*each) for each in clauses)


@pytest.mark.parametrize(
    ("text", "why", "unknown"),
    [
        ("detial_db < 50", "there is no column detial_db", "detial_db"),
        ("film.wdth < 50", "there is no column film.wdth", "film.wdth"),
        ('patch_id = "alpha"', "there is no column alpha", "alpha"),
        ("detail_db <", "Parser Error: syntax error", None),
        ("detail_db < 50); drop table patches; select (1", "", None),
        ("  ", "it is empty", None),
        ("detail_db < 0) OR (true", "Parser Error: syntax error", None),
        ("detail_db < 50 AND random() < 0.5", "random() gives another value each time", None),
        ("detail_db", "it gives FLOAT, and a condition is true or false", None),
        ("null", "it gives", None),
        ("detail_db < 'much'", "Could not convert", None),
        ("avg(detail_db) < 50", "aggregates", None),
        ("row_number() over () < 50", "window functions", None),
        ("detail_db < (select avg(detail_db) from scores)", "one patch at a time", None),
    ],
)
def test_what_is_no_condition_over_a_patch_is_said_in_one_line(
    text: str, why: str, unknown: str | None
) -> None:
    with pytest.raises(ConditionError) as raised:
        Condition(text).check()
    assert why in raised.value.why
    assert "\n" not in raised.value.why
    assert raised.value.unknown == unknown


def test_what_is_not_known_of_a_patch_is_neither_true_nor_false() -> None:
    ids = pa.array([0, 1, 2], pa.int64())
    patches = pa.table({"id": ids, "video": ["a", "a", "b"], "category": ["c"] * 3, "window": [0, 1, 0]})
    scores = pa.table({"id": ids.slice(1), "detail_db": pa.array([40.0, 70.0], pa.float32())})
    windows = pa.table({"video": ["a"], "window": [1], "sharpness": [0.5]})
    found = evaluate(
        ["detail_db < 60 -- why", "detail_db < 60 and video = 'b'", "sharpness > 0.4"],
        {"patches": patches, "scores": scores, "windows": windows},
    )
    assert [each.to_pylist() for each in found] == [
        [None, True, False],
        [False, False, False],
        [None, True, None],
    ]
