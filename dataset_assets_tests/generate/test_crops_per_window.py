"""Several patches of a window: a larger number adds patches, a smaller one deletes, nothing is remade."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, groupby
from pathlib import Path

import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import Completion, DataSet
from dataset_assets.generate import VideoReport, generate_video, planned_changes, probe_video
from dataset_assets.generate.ledgers import recorded_film, window_ledger
from dataset_assets.tables import PATCHES
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.interrupting import at_disk_call, interrupt
from dataset_assets_tests.generate.samples import (
    KEY,
    assert_same,
    files,
    files_named_by_rows,
    patch_rows,
    small_settings,
)
from dataset_assets_tests.verify.cycle import only

CATEGORIES = ("general", "space", "toon")


def configured(output: Path, film: Film, crops: int) -> Settings:
    return small_settings(output, film.path, crops_per_window=crops)


def made(settings: Settings) -> VideoReport:
    probe_video(settings, KEY)
    return generate_video(settings, KEY)


@pytest.fixture(scope="module")
def fresh(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The data sets of one run each, by number of crops; nobody changes them."""
    found = {crops: tmp_path_factory.mktemp("fresh") for crops in (1, 2, 4)}
    for crops, output in found.items():
        made(configured(output, sdr_film, crops))
    return found


def test_crops_of_a_window_do_not_overlap(fresh: dict[int, Path]) -> None:
    rows = [row for category in CATEGORIES for row in patch_rows(fresh[4], category)]
    assert any(row["crop"] == 3 for row in rows)
    for category in CATEGORIES:
        for _, of_window in groupby(patch_rows(fresh[4], category), key=lambda row: row["window"]):
            crops = list(of_window)
            assert [row["crop"] for row in crops] == list(range(len(crops)))
            assert all(row["patch_id"].endswith(f"_c{row['crop']}") for row in crops[1:])
            for one, other in combinations(crops, 2):
                beside = abs(one["x"] - other["x"]) >= one["width"]
                assert beside or abs(one["y"] - other["y"]) >= one["height"]


def test_another_number_adds_and_deletes_and_remakes_nothing(
    sdr_film: Film, fresh: dict[int, Path], tmp_path: Path
) -> None:
    before: dict[str, tuple[str, int]] = {}
    for crops in (1, 2, 4, 1):
        settings = configured(tmp_path, sdr_film, crops)
        changes = planned_changes(settings, DataSet.of(settings), settings.videos[0])
        assert sum(each.remade for each in changes.values()) == 0
        report = made(settings)
        assert_same(tmp_path, fresh[crops])
        after = files(tmp_path)
        kept = [name for name in before if name in after and not name.startswith("metadata/")]
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
        assert not before or kept
        if before:
            for name, each in changes.items():
                assert each.kept + each.added == len(report.categories[name].rows)
                assert each.added == report.categories[name].made
        before = after
        assert generate_video(settings, KEY).made == 0


@pytest.mark.parametrize("crops", [2, 4])
def test_what_is_made_is_sound_and_complete(sdr_film: Film, fresh: dict[int, Path], crops: int) -> None:
    settings = configured(fresh[crops], sdr_film, crops)
    found = only(settings, deep_share=1.0)
    assert (found.findings, found.notes) == ([], [])
    data_set, entry = DataSet.of(settings), settings.videos[0]
    statuses = data_set.statuses(settings, entry)
    assert all(status.is_done for status in statuses.values())
    for category in CATEGORIES:
        completion = data_set.completions(settings, entry, statuses)[category]
        rows = len(patch_rows(fresh[crops], category))
        assert (completion.done, completion.to_do) == (rows, 0)


def test_a_table_with_another_number_is_stale_and_its_patches_are_not(
    sdr_film: Film, fresh: dict[int, Path]
) -> None:
    settings = configured(fresh[1], sdr_film, 2)
    data_set, entry = DataSet.of(settings), settings.videos[0]
    statuses = data_set.statuses(settings, entry)
    assert statuses["general"].reason == "2 crops of a window wanted instead of 1"
    found = data_set.completions(settings, entry, statuses)["general"]
    rows = len(patch_rows(fresh[1], "general"))
    wanted = 2 * settings.target(entry, "general")
    assert found == Completion(wanted, rows, wanted - 2 * rows)
    assert only(settings).findings == []


@pytest.mark.parametrize("step", [11, 17])
def test_interrupted_runs_end_in_the_same_bytes(
    sdr_film: Film, fresh: dict[int, Path], tmp_path: Path, step: int
) -> None:
    made(configured(tmp_path, sdr_film, 1))
    settings = configured(tmp_path, sdr_film, 4)
    for run in range(1, 100):
        try:
            with at_disk_call(run * step, interrupt, "before"):
                generate_video(settings, KEY)
            break
        except KeyboardInterrupt:
            files_named_by_rows(tmp_path)
    assert run > 2
    assert_same(tmp_path, fresh[4])


def test_a_missing_crop_is_found_and_made_alone(
    sdr_film: Film, fresh: dict[int, Path], tmp_path: Path
) -> None:
    settings = configured(tmp_path, sdr_film, 2)
    made(settings)
    further = next(row for row in patch_rows(tmp_path, "general") if row["crop"])
    (tmp_path / further["gt_path"]).write_bytes(b"")
    before = files(tmp_path)
    assert only(settings, repair=True).repaired
    assert generate_video(settings, KEY).made == 1
    assert_same(tmp_path, fresh[2])
    after = files(tmp_path)
    first = further["gt_path"].replace(f"_c{further['crop']}", "")
    assert after[first] == before[first]


def test_a_plan_of_a_window_that_is_not_found_again_yet_fixes_no_formats(
    sdr_film: Film, tmp_path: Path
) -> None:
    settings = configured(tmp_path, sdr_film, 2)
    probe_video(settings, KEY)
    data_set, entry = DataSet.of(settings), settings.videos[0]
    recorded = recorded_film(settings, data_set, entry)
    assert recorded is not None
    film, plans = recorded
    ledger = window_ledger(settings, data_set, entry, film, rebuilds=False)
    assert len(ledger.planned(plans["general"].patches, 100)) == 2
    sampled = ledger.finished.sampled
    assert sampled is not None
    assert sampled.fills is None


def test_statistics_of_a_table_that_has_lost_a_first_crop(
    sdr_film: Film, fresh: dict[int, Path], tmp_path: Path
) -> None:
    settings = configured(tmp_path, sdr_film, 2)
    made(settings)
    data_set = DataSet.of(settings)
    path = data_set.tables.patches_path("general", KEY)
    provenance = data_set.tables.read_provenance(path)
    assert provenance is not None
    further = [row for row in data_set.tables.read_patches("general", KEY) if row.crop][:1]
    data_set.tables.write(path, PATCHES, further, replace(provenance, complete=False))
    stats = data_set.overview(settings).stats.formats.set_index(["category", "format"])
    assert stats.loc[("general", further[0].format), "patches"] == 1
    made(settings)
    assert_same(tmp_path, fresh[2])
