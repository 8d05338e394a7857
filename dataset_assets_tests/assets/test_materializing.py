from __future__ import annotations

import base64
import io
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
from PIL import Image

from dataset_assets.assets.make_patches import FORCE_TAG, REPLACE_TAG, WINDOWS_TAG
from dataset_assets_tests.assets.world import ALL, World, checks, failure, metadata
from dataset_assets_tests.configurations import pictures, tables

Finished = tuple[World, dg.ExecuteInProcessResult]

PICTURES = ("contact_sheet", "rejected", "triplet")
SHOWN_IN_PLACE = 1000  # characters of Markdown; the UI hides more behind a link
PATCHES_KINDS = """\
video text
patches int
patches_target int
patches_made_now int
acceptance_rate float
patches_per_cpu_s float
wall_s float
gigabytes float
format_mix markdown
formats_left_out text
contact_sheet markdown
triplet markdown
samples table
gallery url
folder path
table path
dagster/row_count int"""
KINDS = {
    "source_video": """\
video text
duration_s float
frames_per_s float
gigabytes float
size text
colour text
working_frame text
true_resolution text
active_area text
warnings text
gallery url
path path
table path
dagster/row_count int""",
    "scene_windows": """\
video text
windows int
windows_target int
windows_with_repeats int
candidates int
acceptance_rate float
wall_s float
cpu_s float
reject_reasons markdown
shortfall text
contact_sheet markdown
gallery url
table path
dagster/row_count int""",
    "general_patches": PATCHES_KINDS.replace("formats_left_out text\n", ""),
    "space_patches": PATCHES_KINDS,
    "toon_patches": """\
video text
patches int
patches_target int
patches_made_now int
acceptance_rate float
patches_per_cpu_s float
wall_s float
gigabytes float
format_mix markdown
note text
gallery url
folder path
table path
dagster/row_count int""",
}


def kinds(found: Mapping[str, dg.MetadataValue[Any]]) -> str:
    names = {
        dg.TextMetadataValue: "text",
        dg.FloatMetadataValue: "float",
        dg.IntMetadataValue: "int",
        dg.MarkdownMetadataValue: "markdown",
        dg.TableMetadataValue: "table",
        dg.PathMetadataValue: "path",
        dg.UrlMetadataValue: "url",
    }
    return "\n".join(f"{name} {names[type(value)]}" for name, value in found.items())


def test_every_materialization_shows_the_same_in_the_same_order(finished: Finished) -> None:
    _, result = finished
    assert {asset: kinds(metadata(result, asset)) for asset in ALL} == KINDS


def test_numbers_of_a_materialization_are_those_of_the_tables(finished: Finished) -> None:
    world, result = finished
    rows = tables(world.root)
    windows = metadata(result, "scene_windows")
    candidates = rows["metadata/windows/video=film/part-0.parquet"]
    assert windows["dagster/row_count"].value == len(candidates)
    assert windows["candidates"].value == sum(row["reason"] != "passed_over" for row in candidates)
    assert windows["windows"].value == sum(row["accepted"] for row in candidates) > 0
    general = metadata(result, "general_patches")
    made = rows["metadata/patches/category=general/video=film/part-0.parquet"]
    assert general["patches"].value == general["patches_made_now"].value == len(made) > 0
    assert general["dagster/row_count"].value == len(made)
    assert general["patches_target"].value == 6
    assert general["acceptance_rate"].value == windows["acceptance_rate"].value
    files = [world.root / row[name] for row in made for name in ("gt_path", "lr5_path", "lr7_path")]
    assert general["gigabytes"].value == round(sum(file.stat().st_size for file in files) / 1e9, 3)


def test_markdown_is_short_enough_to_be_shown_in_place(finished: Finished) -> None:
    _, result = finished
    texts = {
        (asset, name): value.value
        for asset in ALL
        for name, value in metadata(result, asset).items()
        if isinstance(value, dg.MarkdownMetadataValue) and name not in PICTURES
    }
    assert len(texts) == 4
    assert [place for place, text in texts.items() if not text or len(text) >= SHOWN_IN_PLACE] == []


@pytest.mark.parametrize(
    ("asset", "names"),
    [
        ("scene_windows", ["contact_sheet"]),
        ("general_patches", ["contact_sheet", "triplet"]),
        ("space_patches", ["contact_sheet", "triplet"]),
    ],
)
def test_pictures_are_small_jpegs_that_fit_the_dialog(
    finished: Finished, asset: str, names: list[str]
) -> None:
    _, result = finished
    found = metadata(result, asset)
    assert [name for name in found if name in PICTURES] == names
    for name in names:
        text = found[name].value
        assert isinstance(text, str)
        prefix = f"![{name.replace('_', ' ')}](data:image/jpeg;base64,"
        assert text.startswith(prefix)
        jpeg = base64.b64decode(text.removeprefix(prefix).removesuffix(")"), validate=True)
        assert len(jpeg) <= 25_000
        with Image.open(io.BytesIO(jpeg)) as picture:
            picture.load()
            assert picture.format == "JPEG"
            assert picture.width <= 990
            # Something of a bright film, not an empty sheet.
            assert np.asarray(picture.convert("L")).max() > 150


def test_the_letterboxed_film_passes_the_checks_of_what_was_made(finished: Finished) -> None:
    _, result = finished
    found = checks(result)
    failed = {place for place, check in found.items() if not check.passed}
    assert failed == {
        ("scene_windows", "enough_windows"),  # 36 frames have three keyframes
        ("general_patches", "enough_patches"),
    }
    why = "only 3 of 6 windows found: the film has no place left for another one"
    assert found["scene_windows", "enough_windows"].description == why
    assert metadata(result, "scene_windows")["shortfall"].value == why
    for asset in ALL[2:]:
        assert [name for each, name in found if each == asset] == [
            "up_to_date",
            "enough_patches",
            "format_mix_kept",
            "triplets_whole",
            "files_match_table",
            "windows_uncut",
            "free_of_black_bars",
            "free_of_combs",
        ]
    errors = {name for (_, name), check in found.items() if check.severity == dg.AssetCheckSeverity.ERROR}
    assert errors == {"source_unchanged", "triplets_whole", "files_match_table"}
    sampled = {name for (_, name), check in found.items() if "sampled" in check.metadata}
    assert sampled == {
        *("triplets_whole", "files_match_table", "windows_uncut", "free_of_black_bars", "free_of_combs")
    }
    for (_, name), check in found.items():
        assert len(check.metadata) == 1 + (name in sampled)
        assert check.description
        assert ("sampled" in check.description) == (name in sampled)
    assert {check.partition for check in found.values()} == {"film"}


def test_weight_0_makes_an_empty_partition_that_says_so(finished: Finished) -> None:
    _, result = finished
    toon = metadata(result, "toon_patches")
    assert toon["patches"].value == toon["patches_target"].value == 0
    assert toon["note"].value == "weight 0: this category takes nothing of this video"


def test_assets_materialised_one_by_one_give_the_same_files(world: World, finished: Finished) -> None:
    for asset in ALL:
        result = world.materialize(asset)
        made = [event.asset_key for event in result.get_asset_materialization_events()]
        # Patches are scored as they are made; those of the categories before have scores already.
        has_scores = asset.endswith("_patches") and asset != "toon_patches"
        assert set(made) == {dg.AssetKey(asset)} | ({dg.AssetKey("patch_scores")} if has_scores else set())
    together, _ = finished
    assert pictures(world.root) == pictures(together.root) != {}
    ours, theirs = tables(world.root), tables(together.root)
    for rows in (ours, theirs):
        for row in rows["metadata/videos/video=film/part-0.parquet"]:
            row.pop("path")
            row.pop("fingerprint")  # holds the time of the copy
    assert ours == theirs


def test_patches_without_windows_fail_with_the_way_to_make_them(world: World) -> None:
    result = world.materialize("general_patches", may_fail=True)
    sentence = failure(result)
    assert str(world.film) in sentence
    assert "its windows are missing" in sentence
    assert "materialise scene_windows too" in sentence
    assert pictures(world.root) == {}


def test_an_absent_film_fails_with_one_sentence(world: World) -> None:
    world.film.unlink()
    result = world.materialize(*ALL, may_fail=True)
    sentence = failure(result)
    assert sentence.startswith(f"film ({world.film}): ")
    assert "\n" not in sentence
    assert result.get_asset_materialization_events() == []


def test_a_partition_that_left_the_configuration_fails_with_one_sentence(world: World) -> None:
    text = world.config.read_text(encoding="utf-8").replace('"Film"', '"Other"')
    world.config.write_text(text, encoding="utf-8")
    assert "no video has the key 'film'" in failure(world.materialize("source_video", may_fail=True))


@pytest.mark.slow
def test_only_the_force_tag_rebuilds_what_is_up_to_date(world: World) -> None:
    first = metadata(world.materialize("scene_windows", "general_patches"), "general_patches")
    made = first["patches_made_now"].value
    before = pictures(world.root)
    moments = {path: path.stat().st_mtime_ns for path in world.root.rglob("*.png")}
    again = metadata(world.materialize("scene_windows", "general_patches"), "general_patches")
    assert again["patches_made_now"].value == 0
    assert {path: path.stat().st_mtime_ns for path in world.root.rglob("*.png")} == moments
    forced = world.materialize("scene_windows", "general_patches", tags={FORCE_TAG: "true"})
    assert metadata(forced, "general_patches")["patches_made_now"].value == made
    assert pictures(world.root) == before
    assert all(path.stat().st_mtime_ns > moment for path, moment in moments.items())


def test_a_slip_in_the_configuration_fails_before_it_replaces_patches(world: World) -> None:
    world.materialize("source_video", "scene_windows", "general_patches")
    before = pictures(world.root)
    text = world.config.read_text(encoding="utf-8")
    slip = text.replace('"allow_replacing": true', '"allow_replacing": false, "lr_kernel": "area"')
    assert slip != text
    world.config.write_text(slip, encoding="utf-8")
    sentence = failure(world.materialize("scene_windows", "general_patches", may_fail=True))
    assert "finished patches" in sentence
    tagged = world.instance.get_runs(dg.RunsFilter(tags={WINDOWS_TAG: "6"}))
    assert len(tagged) == 1  # not the run that came to no window
    assert "set base_settings.allow_replacing to true" in sentence
    assert pictures(world.root) == before
    made = world.materialize("scene_windows", "general_patches", tags={REPLACE_TAG: "true"})
    assert metadata(made, "general_patches")["patches_made_now"].value == len(before) / 3
    assert pictures(world.root) != before


def test_where_many_machines_make_the_data_set_each_asset_names_its_own(world: World) -> None:
    text = world.config.read_text(encoding="utf-8")
    many = text.replace('"base_settings": {', '"base_settings": {"machines": "many", ')
    assert many != text
    world.config.write_text(many, encoding="utf-8")
    made = world.materialize("source_video", "scene_windows", "general_patches")
    for asset in ("source_video", "scene_windows", "general_patches"):
        assert metadata(made, asset)["host"].value == socket.gethostname()
    (record,) = (world.root / "metadata/.hosts").iterdir()
    assert record.name.startswith(f"{socket.gethostname()}.")


def test_a_triplet_that_was_damaged_fails_its_check(world: World) -> None:
    world.materialize("scene_windows", "general_patches")
    damaged = sorted(world.root.rglob("LR_7frames/*.png"))[0]
    damaged.write_bytes(damaged.read_bytes()[:-10])
    check = checks(world.materialize("general_patches"))["general_patches", "triplets_whole"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert damaged.stem in (check.description or "")
    assert check.metadata["broken_triplets"].value == 1


def test_a_file_without_a_row_fails_its_check(world: World) -> None:
    world.materialize("scene_windows", "general_patches")
    (made,) = [name for name in tables(world.root) if "patches/category=general" in name]
    first = tables(world.root)[made][0]
    # A format of before.
    stray = world.root / "Universal/Mastermodell/Learn/Former/GT" / Path(first["gt_path"]).name
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"")
    check = checks(world.materialize("general_patches"))["general_patches", "files_match_table"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert stray.name in (check.description or "")


def test_the_source_partition_carries_the_films_fingerprint_as_its_version(finished: Finished) -> None:
    world, _ = finished
    record = world.instance.get_latest_data_version_record(dg.AssetKey("source_video"), partition_key="film")
    assert record is not None
    assert record.asset_materialization is not None
    tags = record.asset_materialization.tags or {}
    (row,) = tables(world.root)["metadata/videos/video=film/part-0.parquet"]
    assert tags["dagster/data_version"] == row["fingerprint"]
    assert Path(row["path"]) == world.film
