from __future__ import annotations

import math
from typing import Any

import dagster as dg
import duckdb
import pytest

from dataset_assets.config import DEFAULT_CURATION, load_settings
from dataset_assets.definitions import build_defs
from dataset_assets_tests.assets.world import ALL, World, checks, failure, metadata
from dataset_assets_tests.curation.scored import score_all
from dataset_assets_tests.system.labels import DASHBOARD_LABELS

SHOWN_IN_PLACE = 1000  # characters of Markdown
Finished = tuple[World, dg.ExecuteInProcessResult]


def query(sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(sql).fetchall()


def records(value: object) -> list[dict[str, object]]:
    assert isinstance(value, dg.TableMetadataValue)
    return [dict(record.data) for record in value.records]


def test_statistics_are_what_duckdb_adds_up(finished: Finished) -> None:
    world, _ = finished
    stats = metadata(world.materialize_stats(), "dataset_stats")
    patches = f"read_parquet('{world.root}/metadata/patches/*/*/*.parquet', hive_partitioning = true)"
    windows = f"read_parquet('{world.root}/metadata/windows/*/*.parquet', hive_partitioning = true)"
    size = "sum(gt_bytes + lr5_bytes + lr7_bytes)"
    total, size_bytes = query(f"select count(*), {size} from {patches}")[0]
    tried = f"select * from {windows} where reason is distinct from 'passed_over'"
    accepted, candidates = query(f"select sum(accepted::int), count(*) from ({tried})")[0]
    assert stats["patches"].value == total > 0
    assert stats["windows"].value == accepted > 0
    assert stats["acceptance_rate"].value == round(accepted / candidates, 3)
    assert stats["gigabytes"].value == round(size_bytes / 1e9, 3)
    counted = query(f"select category, format, count(*), {size} from {patches} group by all")
    formats = {(row["category"], row["format"]): row for row in records(stats["formats"]) if row["patches"]}
    assert set(formats) == {(category, name) for category, name, _, _ in counted}
    for category, name, count, size in counted:
        assert formats[category, name]["patches"] == count
        assert formats[category, name]["megabytes"] == round(size / 1e6, 1)
    (video,) = records(stats["by_video"])
    assert (video["video"], video["state"]) == ("film", "short")
    assert (video["patches"], video["windows"]) == (f"{total}/9", f"{accepted}/6")
    reasons = query(f"select reason, count(*) from ({tried}) where not accepted group by all")
    assert video["reject_reasons"] == ", ".join(f"{reason} {count}" for reason, count in reasons)


def test_what_curation_leaves_out_is_shown_with_its_condition(finished: Finished) -> None:
    world, _ = finished
    settings = load_settings(world.config)
    score_all(settings, lambda category, _: {"detail_db": 70.0 if category == "general" else 30.0})
    stats = metadata(world.materialize_stats(), "dataset_stats")
    patches = f"read_parquet('{world.root}/metadata/patches/category=general/*/*.parquet')"
    ((general,),) = query(f"select count(*) from {patches}")
    assert stats["left_out_by_curation"].value == general > 0
    assert stats["patches_not_scored"].value == 0
    assert f"| general | {general} | {general} | 0 | {DEFAULT_CURATION} |" in str(stats["curation"].value)


def test_everything_done_passes_the_headline_check(finished: Finished) -> None:
    world, _ = finished
    result = world.materialize_stats()
    check = checks(result)["dataset_stats", "every_video_done"]
    assert (check.passed, check.description) == (True, "1 of 1 video is done")
    assert metadata(result, "dataset_stats")["unfinished"].value == "none"
    headline = checks(result)["dataset_stats", "videos_ok"]
    assert (headline.passed, headline.severity) == (True, dg.AssetCheckSeverity.ERROR)
    assert headline.description == "1 of 1 video is done, 0 failed, 0 to come"
    assert metadata(result, "dataset_stats")["failed_videos"].value == "none"


def test_what_is_missing_is_listed_with_its_reason(world: World) -> None:
    world.materialize("source_video", "scene_windows", "general_patches")
    result = world.materialize_stats()
    check = checks(result)["dataset_stats", "every_video_done"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.description == "0 of 1 video is done; first film: never made"
    assert records(metadata(result, "dataset_stats")["unfinished"]) == [
        {"video": "film", "tables": "space, toon", "why": "never made"}
    ]
    world.film.unlink()
    (row,) = records(metadata(world.materialize_stats(), "dataset_stats")["unfinished"])
    assert row["why"] == "the film is absent; never made"
    gone = checks(world.materialize_stats())["dataset_stats", "sources_unchanged"]
    assert (gone.passed, gone.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (gone.description or "").endswith("missing: film")


def test_a_failed_video_turns_the_headline_red_with_its_remedy_and_its_run(world: World) -> None:
    world.film.write_bytes(b"no film")
    sentence = failure(world.materialize(*ALL, may_fail=True))
    (run,) = world.instance.get_runs()
    result = world.materialize_stats()
    headline = checks(result)["dataset_stats", "videos_ok"]
    assert (headline.passed, headline.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert headline.description == f"0 of 1 video is done, 1 failed, 0 to come; first {sentence}"
    stats = metadata(result, "dataset_stats")
    assert stats["videos_failed"].value == 1
    shown = str(stats["failed_videos"].value)
    header, _, row = ([cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines())
    assert header == ["video", "what", "remedy", "run"]
    assert row[0] == "film"
    assert "; ".join(row[1:3]) == sentence
    assert row[2] == "replace the file"
    assert row[3] == f"[{run.run_id[:8]}](/runs/{run.run_id})"
    assert len(shown) < SHOWN_IN_PLACE


def test_a_run_that_died_fails_its_video_until_another_gets_through(world: World) -> None:
    partition = {"dagster/partition": "film"}
    died = world.instance.create_run_for_job(
        build_defs(world.config).resolve_job_def("make_patches"), tags=partition
    )
    world.instance.report_run_failed(died, "killed")
    result = world.materialize_stats()
    assert not checks(result)["dataset_stats", "videos_ok"].passed
    assert died.run_id in str(metadata(result, "dataset_stats")["failed_videos"].value)
    world.materialize("source_video")
    assert checks(world.materialize_stats())["dataset_stats", "videos_ok"].passed


def test_the_dashboard_shows_the_same_in_the_same_order(finished: Finished) -> None:
    world, _ = finished
    stats = metadata(world.materialize_stats(), "dataset_stats")
    assert list(stats) == DASHBOARD_LABELS
    texts = [value.value for value in stats.values() if isinstance(value, dg.MarkdownMetadataValue)]
    assert len(texts) == 5
    assert all(text and len(text) < SHOWN_IN_PLACE for text in texts)


def test_progress_to_target_is_reported_for_each_category_and_format(finished: Finished) -> None:
    world, _ = finished
    stats = metadata(world.materialize_stats(), "dataset_stats")
    lines = str(stats["progress"].value).splitlines()
    cells = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:6]] for line in lines}
    made = {row["category"]: int(str(row["patches_done"])) for row in records(stats["categories"])}
    assert cells["**general**"][:2] == [str(made["general"]), "6"]
    assert cells["**space**"][:2] == [str(made["space"]), "3"]
    assert cells["**toon**"] == ["0", "0", "0", "-"]
    # The share is that of what the film can give.
    lacking = 6 - made["general"]
    assert cells["**general**"][2:] == [str(lacking), "100%"]
    assert [name for name in cells if name.startswith("**")] == ["**general**", "**space**", "**toon**"]
    # Formats that do not fit the film leave their share to the others; windows that it lacks are nobody's.
    names = [line.split("|")[1].strip() for line in lines]
    block = lines[names.index("**general**") + 1 : names.index("**space**")]
    rows = [[cell.strip() for cell in line.split("|")[2:8]] for line in block]
    assert all(row[1:5] == ["", "", "", ""] and row[5].startswith("about ") for row in rows)
    formats = [(int(row[0]), int(row[5].removeprefix("about "))) for row in rows]
    assert sum(expected for _, expected in formats) == made["general"] < 6
    assert all(count <= expected + 2 for count, expected in formats)


def test_statistics_of_nothing_are_zeros(world: World) -> None:
    stats = metadata(world.materialize_stats(), "dataset_stats")
    numbers = [stats[name].value for name in ("videos", "patches", "windows", "acceptance_rate", "gigabytes")]
    assert numbers == [1, 0, 0, 0.0, 0.0]
    assert stats["reject_reasons"].value == "none"
    wanted = {
        row["category"]: (row["patches_target"], row["patches_to_do"]) for row in records(stats["categories"])
    }
    assert wanted == {"general": (6, 6), "space": (3, 3), "toon": (0, 0)}


def test_a_damaged_table_is_reported_and_the_others_counted(world: World) -> None:
    world.materialize(*ALL)
    table = world.root / "metadata/patches/category=general/video=film/part-0.parquet"
    table.write_bytes(b"")
    stats = metadata(world.materialize_stats(), "dataset_stats")
    assert str(table) in str(stats["problems"].value)
    assert stats["patches"].value == metadata_patches(stats) > 0


def metadata_patches(stats: object) -> float:
    assert isinstance(stats, dict)
    return math.fsum(float(str(row["patches_done"])) for row in records(stats["categories"]))


@pytest.mark.parametrize("kept", ["general", "space"])
def test_columns_of_the_tables_are_scalars(finished: Finished, kept: str) -> None:
    world, _ = finished
    stats = metadata(world.materialize_stats(), "dataset_stats")
    rows = [row for row in records(stats["categories"]) if row["category"] == kept]
    assert [list(row) for row in rows] == [
        [
            "category",
            "videos",
            "patches_target",
            "patches_done",
            "patches_short",
            "patches_to_do",
            "patches_stale",
            "megabytes",
            "acceptance",
        ]
    ]
