from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from dataset_assets.dataset import Completion, TableStore, reasons_text
from dataset_assets.dataset.statistics import add_up
from dataset_assets.tables import PATCHES, VIDEOS, WINDOWS
from dataset_assets_tests.tables.samples import ACCEPTED, PATCH, PROVENANCE, REJECTED, VIDEO

FORMATS = {"general": ["small_540", "medium_169", "large_720"], "toon": ["small_540", "medium_169"]}
REASONS = ["cut", "near_black", "flat", "blurred"]


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    return TableStore(tmp_path)


@pytest.fixture(params=range(3))
def filled(store: TableStore, request: pytest.FixtureRequest) -> TableStore:
    """A data set drawn at random: videos with and without windows, categories with and without patches."""
    draw = random.Random(request.param)
    for key in (f"film-{n}" for n in range(12)):
        store.write(store.video_path(key), VIDEOS, [VIDEO], replace(PROVENANCE, target=1))
        if draw.random() < 0.8:
            windows = [
                replace(ACCEPTED, window=n)
                if draw.random() < 0.6
                else replace(REJECTED, window=n, reason=draw.choice(REASONS))
                for n in range(draw.randrange(40))
            ]
            provenance = replace(PROVENANCE, target=draw.randrange(50), complete=draw.random() < 0.7)
            store.write(store.windows_path(key), WINDOWS, windows, provenance)
        for category, formats in FORMATS.items():
            if draw.random() < 0.3:
                continue
            patches = [
                replace(
                    PATCH,
                    window=n,
                    format=draw.choice(formats),
                    gt_bytes=draw.randrange(10**6),
                    lr5_bytes=draw.randrange(10**6),
                    lr7_bytes=draw.randrange(10**6),
                )
                for n in range(draw.choice([0, 5, 30]))
            ]
            provenance = replace(PROVENANCE, target=len(patches) + draw.randrange(3))
            store.write(store.patches_path(category, key), PATCHES, patches, provenance)
    return store


def ask(store: TableStore, question: str) -> list[tuple[Any, ...]]:
    """Let DuckDB answer from the rows: `w` are the windows, `p` the patches, `meta` their provenance."""
    connection = duckdb.connect()
    for name, table, depth in (("w", "windows", "*"), ("p", "patches", "*/*")):
        connection.sql(
            f"CREATE VIEW {name} AS SELECT * FROM "
            f"read_parquet('{store.root}/{table}/{depth}/*.parquet', hive_partitioning=true)"
        )
    connection.sql(
        "CREATE VIEW meta AS SELECT regexp_extract(file_name, 'metadata/(\\w+)/', 1) AS kind, "
        "regexp_extract(file_name, 'category=([^/]+)', 1) AS category, "
        "regexp_extract(file_name, 'video=([^/]+)', 1) AS video, "
        "(decode(value)::JSON->'target')::INT AS target, (decode(value)::JSON->'complete')::BOOL AS complete "
        f"FROM parquet_kv_metadata('{store.root}/**/*.parquet') "
        "WHERE decode(key) = 'dataset_assets.provenance'"
    )
    return connection.execute(question).fetchall()


def tuples(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in frame[list(columns)].to_numpy(dtype=object)]


def test_totals_are_what_duckdb_counts_in_the_rows(filled: TableStore) -> None:
    totals = add_up(filled).totals
    assert [(totals.candidates, totals.accepted, totals.acceptance_rate)] == ask(
        filled, "SELECT count(*), count_if(accepted), count_if(accepted) / count(*) FROM w"
    )
    assert list(totals.reject_reasons.items()) == ask(
        filled,
        "SELECT reason, count(*) n FROM w WHERE NOT accepted GROUP BY reason ORDER BY n DESC, reason",
    )
    assert [(totals.patches, totals.size_bytes)] == ask(
        filled, "SELECT count(*), sum(gt_bytes + lr5_bytes + lr7_bytes) FROM p"
    )
    assert totals.videos == 12


def test_each_video_has_what_duckdb_counts_in_its_rows(filled: TableStore) -> None:
    stats = add_up(filled)
    assert list(stats.videos["video"]) == sorted(f"film-{n}" for n in range(12))
    videos = stats.videos.set_index("video", drop=False)
    tried = videos[videos["candidates"] > 0]
    assert tuples(tried, "video", "accepted", "candidates", "acceptance_rate") == ask(
        filled,
        "SELECT video, count_if(accepted), count(*), count_if(accepted) / count(*) "
        "FROM w GROUP BY 1 ORDER BY 1",
    )
    assert videos.loc[videos["candidates"] == 0, "acceptance_rate"].isna().all()
    assert {
        (video, reason, n)
        for video, reasons in videos["reject_reasons"].items()
        for reason, n in reasons.items()
    } == set(ask(filled, "SELECT video, reason, count(*) FROM w WHERE NOT accepted GROUP BY ALL"))
    assert tuples(videos[videos["patches"] > 0], "video", "patches", "size_bytes") == ask(
        filled,
        "SELECT video, count(*), sum(gt_bytes + lr5_bytes + lr7_bytes) FROM p GROUP BY 1 ORDER BY 1",
    )
    assert tuples(videos, "video", "complete") == ask(
        filled, "SELECT video, bool_and(complete) FROM meta GROUP BY 1 ORDER BY 1"
    )
    assert tuples(stats.video_categories, "video", "category", "patches") == ask(
        filled,
        "SELECT video, category, (SELECT count(*) FROM p WHERE p.video = meta.video AND "
        "p.category = meta.category) FROM meta WHERE kind = 'patches' ORDER BY ALL",
    )


def test_each_category_has_what_duckdb_counts_in_its_rows(filled: TableStore) -> None:
    categories = add_up(filled).categories
    assert tuples(categories, "category", "videos", "patches", "size_bytes") == ask(
        filled,
        "SELECT category, count(DISTINCT video), count(*), sum(gt_bytes + lr5_bytes + lr7_bytes) "
        "FROM p GROUP BY 1 ORDER BY 1",
    )
    asked = "SELECT category, video FROM meta WHERE kind = 'patches' AND target > 0"
    assert tuples(categories, "category", "accepted", "candidates", "acceptance_rate") == ask(
        filled,
        "SELECT category, count_if(accepted), count(*), count_if(accepted) / count(*) "
        f"FROM ({asked}) JOIN w USING (video) GROUP BY 1 ORDER BY 1",
    )
    assert {
        (category, reason, n)
        for category, reasons in tuples(categories, "category", "reject_reasons")
        for reason, n in reasons.items()
    } == set(
        ask(
            filled,
            f"SELECT category, reason, count(*) FROM ({asked}) JOIN w USING (video) "
            "WHERE NOT accepted GROUP BY ALL",
        )
    )


def test_each_format_has_what_duckdb_counts_in_its_rows(filled: TableStore) -> None:
    formats = add_up(filled).formats
    assert tuples(formats, "category", "format", "patches", "size_bytes", "share") == ask(
        filled,
        "SELECT category, format, count(*) n, sum(gt_bytes + lr5_bytes + lr7_bytes), "
        "n / sum(n) OVER (PARTITION BY category) FROM p GROUP BY 1, 2 ORDER BY 1, 2",
    )
    assert formats["mix"].isna().all()
    assert tuples(formats, "category", "format", "accepted", "candidates") == ask(
        filled,
        "SELECT category, format, count_if(accepted), count(*) "
        "FROM (SELECT DISTINCT category, format, video FROM p) JOIN w USING (video) "
        "GROUP BY 1, 2 ORDER BY 1, 2",
    )


def test_shares_stand_beside_the_mix_asked_for_also_where_nothing_was_made(store: TableStore) -> None:
    patches = [replace(PATCH, format=name) for name in ["small_540"] * 3 + ["odd_300"]]
    store.write(store.patches_path("toon", "a-film"), PATCHES, patches, PROVENANCE)
    store.write(store.patches_path("space", "a-film"), PATCHES, [], PROVENANCE)
    mixes = {
        "toon": {"small_540": 0.65, "medium_169": 0.35},
        "space": {"small_540": 1.0},
        "general": {"small_540": 1.0},
    }
    rows = tuples(add_up(store, mixes).formats.fillna(-1), "category", "format", "patches", "share", "mix")
    assert rows == [
        ("general", "small_540", 0, -1, 1.0),
        ("space", "small_540", 0, -1, 1.0),
        ("toon", "medium_169", 0, 0.0, 0.35),
        ("toon", "odd_300", 1, 0.25, -1),
        ("toon", "small_540", 3, 0.75, 0.65),
    ]


def test_a_category_asked_for_nothing_has_no_part_in_the_candidates(store: TableStore) -> None:
    store.write(store.windows_path("a-film"), WINDOWS, [REJECTED, ACCEPTED], PROVENANCE)
    store.write(store.patches_path("toon", "a-film"), PATCHES, [], replace(PROVENANCE, target=0))
    store.write(store.patches_path("space", "a-film"), PATCHES, [], replace(PROVENANCE, target=1))
    stats = add_up(store)
    assert tuples(stats.categories, "category", "videos", "candidates") == [("space", 0, 2), ("toon", 0, 0)]
    assert len(stats.video_categories) == 2


def test_an_unfinished_table_counts_with_what_it_has(store: TableStore) -> None:
    unfinished = replace(PROVENANCE, complete=False, target=100)
    store.write(store.windows_path("a-film"), WINDOWS, [REJECTED, ACCEPTED], unfinished)
    store.write(store.patches_path("toon", "a-film"), PATCHES, [PATCH], unfinished)
    store.write(store.patches_path("space", "a-film"), PATCHES, [PATCH], PROVENANCE)
    stats = add_up(store)
    assert (stats.totals.accepted, stats.totals.patches) == (1, 2)
    assert list(stats.videos["complete"]) == [False]
    assert tuples(stats.video_categories, "category", "complete") == [("space", True), ("toon", False)]


def test_an_unreadable_table_is_reported_and_the_others_count(store: TableStore) -> None:
    for key in ("a-film", "b-film"):
        store.write(store.video_path(key), VIDEOS, [VIDEO], PROVENANCE)
        store.write(store.windows_path(key), WINDOWS, [REJECTED, ACCEPTED], PROVENANCE)
        store.write(store.patches_path("toon", key), PATCHES, [PATCH], PROVENANCE)
    store.write(store.patches_path("toon", "c-film"), PATCHES, [PATCH], PROVENANCE)
    broken = [store.video_path("a-film"), store.windows_path("a-film"), store.patches_path("toon", "c-film")]
    for path in broken:
        path.write_bytes(path.read_bytes()[:-9])
    stats = add_up(store)
    names = ["videos table of a-film", "windows table of a-film", "toon patches table of c-film"]
    assert stats.problems == [
        f"The {name} ({path}) is damaged; delete it and run generate again."
        for name, path in zip(names, broken, strict=True)
    ]
    assert (stats.totals.videos, stats.totals.candidates, stats.totals.patches) == (3, 2, 2)
    assert tuples(stats.videos, "video", "candidates", "patches", "complete") == [
        ("a-film", 0, 1, False),
        ("b-film", 2, 1, True),
        ("c-film", 0, 0, False),
    ]
    assert tuples(stats.video_categories, "video", "complete") == [
        ("a-film", True),
        ("b-film", True),
        ("c-film", False),
    ]


def test_what_is_wanted_is_added_up_also_where_there_is_no_table(store: TableStore) -> None:
    made = replace(PROVENANCE, mix={"small": 0.5, "large": 0.5})
    store.write(store.patches_path("toon", "a-film"), PATCHES, [replace(PATCH, format="small")], made)
    completions = {
        "a-film": {"windows": Completion(6, 4, 2), "toon": Completion(6, 1, 2), "space": Completion()},
        "b-film": {"windows": Completion(5), "toon": Completion(5), "space": Completion()},
    }
    mixes = {"toon": {"small": 0.45, "large": 0.35, "huge": 0.2}, "space": {"small": 1.0}}
    stats = add_up(store, mixes, completions)
    assert (stats.totals.windows_target, stats.totals.windows_short) == (11, 2)
    names = ("patches_target", "patches_done", "patches_short", "patches_to_do", "patches_stale")
    assert [getattr(stats.totals, name) for name in names] == [11, 1, 2, 8, 0]
    assert tuples(stats.categories, "category", *names) == [
        ("space", 0, 0, 0, 0, 0),
        ("toon", 11, 1, 2, 8, 0),
    ]
    assert tuples(stats.videos, "video", "patches", "patches_to_do") == [("a-film", 1, 3), ("b-film", 0, 5)]
    assert tuples(stats.video_categories, "video", "category", "patches_target") == [
        ("a-film", "toon", 6),
        ("b-film", "toon", 5),
    ]
    # 4 of the film with two formats, 5 of the other: 4.25, 3.75 and 1.
    assert tuples(stats.formats, "category", "format", "expected") == [
        ("space", "small", 0),
        ("toon", "huge", 1),
        ("toon", "large", 4),
        ("toon", "small", 4),
    ]


def test_no_table_yet_gives_empty_statistics(store: TableStore) -> None:
    stats = add_up(store)
    assert (stats.totals.videos, stats.totals.patches, stats.totals.reject_reasons) == (0, 0, {})
    assert math.isnan(stats.totals.acceptance_rate)
    frames = (stats.categories, stats.formats, stats.videos, stats.video_categories)
    assert [len(frame) for frame in frames] == [0, 0, 0, 0]
    assert all("patches" in frame.columns for frame in frames)
    assert stats.problems == []


def test_reject_reasons_make_one_line() -> None:
    assert reasons_text({"cut": 12, "near_black": 3}) == "cut 12, near_black 3"
    assert reasons_text({}) == ""
