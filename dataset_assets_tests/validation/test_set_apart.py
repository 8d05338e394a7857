"""What is for validation, and its neighbours in time, is never trained on: exports and `TripletDataset`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, Triplet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports import ExportOptions, LayoutName, check_export, finished_exports, plan_export
from dataset_assets.tables import WINDOWS, DuplicateRow, write_duplicates
from dataset_assets.training import TripletDataset
from dataset_assets_tests.exports.samples import export, replace_patch
from dataset_assets_tests.validation.samples import accepted, queried, root, triplets

SPAN_S = 0.6
# Training triplets of an export that begin no further than `span_s` from an accepted patch of their film.
LEAKED = """
    with windows as (select video, "window", time_s
                     from read_parquet('{metadata}/windows/*/*.parquet', hive_partitioning = true)),
    accepted as (select * from read_parquet('{metadata}/validation/*/*/*.parquet', hive_partitioning = true)
                 where state = 'accepted')
    select split.category, split.patch_id
    from read_parquet('{export}/split.parquet') split join windows using (video, "window")
    join accepted on accepted.video = split.video
    where split.split = 'train'
      and (accepted.span_s is null or abs(windows.time_s - accepted.time_s) <= accepted.span_s)
"""
SPLIT = (
    "select category || '/' || patch_id from read_parquet('{export}/split.parquet') where split = '{split}'"
)


def of_split(settings: Settings, folder: Path, split: str) -> set[str]:
    return {name for (name,) in queried(SPLIT, settings, export=folder, split=split)}


def names(found: list[Triplet]) -> set[str]:
    return {f"{each.category}/{each.row.patch_id}" for each in found}


@pytest.mark.parametrize("layout", ["redux", "packed", "webdataset"])
def test_an_export_trains_on_nothing_near_a_validation_patch(
    settings: Settings, tmp_path: Path, layout: LayoutName
) -> None:
    found = accepted(settings, [triplets(settings)[2], triplets(settings)[-3]], SPAN_S)
    found += accepted(settings, triplets(settings, "toon")[5:6], SPAN_S)
    report = export(settings, layout, tmp_path / "x")
    assert queried(LEAKED, settings, export=report.folder) == []
    assert of_split(settings, report.folder, "val") == {each.name for each in found}
    left = len(triplets(settings)) + len(triplets(settings, "toon")) - len(found)
    trained = of_split(settings, report.folder, "train")
    assert 0 < len(trained) < left
    plan = plan_export(settings, ExportOptions(layout), tmp_path / "x")
    assert len(trained) + plan.selected.set_apart == left
    assert check_export(plan).counts == check_export(plan).opens == []


def test_one_category_leaves_out_the_neighbours_of_another(settings: Settings, tmp_path: Path) -> None:
    accepted(settings, triplets(settings, "toon")[:1], SPAN_S)
    report = export(settings, "redux", tmp_path / "x", categories=("general",))
    assert queried(LEAKED, settings, export=report.folder) == []
    assert of_split(settings, report.folder, "val") == set()
    assert plan_export(settings, ExportOptions("redux", categories=("general",))).selected.set_apart > 0


def test_a_whole_film_can_be_set_apart(settings: Settings, tmp_path: Path) -> None:
    (each,) = accepted(settings, triplets(settings)[:1], None)
    report = export(settings, "redux", tmp_path / "x")
    assert queried(LEAKED, settings, export=report.folder) == []
    assert not [name for name in of_split(settings, report.folder, "train") if each.video in name]


def test_films_that_are_named_for_validation_are_it_whole(settings: Settings, tmp_path: Path) -> None:
    of_two = [each for each in triplets(settings) if each.video == "two"]
    accepted(settings, [triplets(settings)[0], of_two[3]], SPAN_S)
    report = export(settings, "redux", tmp_path / "x", val_videos=("two",))
    assert queried(LEAKED, settings, export=report.folder) == []
    two = [each for name in ("general", "toon") for each in triplets(settings, name) if each.video == "two"]
    assert of_split(settings, report.folder, "val") == names(two)


@pytest.mark.parametrize("layout", ["redux", "packed"])
def test_an_export_made_before_is_made_anew_after_accepting(settings: Settings, layout: LayoutName) -> None:
    before = export(settings, layout)
    assert export(settings, layout).is_unchanged
    (each,) = accepted(settings, triplets(settings)[3:4], 0.0)
    ((folder, options),) = finished_exports(settings).items()
    report = export(settings, options.layout, folder)
    assert not report.is_unchanged
    assert report.folder == before.folder
    assert of_split(settings, folder, "val") == {each.name}
    assert queried(LEAKED, settings, export=folder) == []
    assert export(settings, layout).is_unchanged


def test_a_patch_that_is_made_again_keeps_its_place(settings: Settings, tmp_path: Path) -> None:
    chosen = triplets(settings)[2]
    (each,) = accepted(settings, [chosen], SPAN_S)
    replace_patch(settings, chosen)
    report = export(settings, "redux", tmp_path / "x")
    assert queried(LEAKED, settings, export=report.folder) == []
    assert of_split(settings, report.folder, "val") == {each.name}


def test_a_window_that_lies_elsewhere_now_is_no_validation_patch_any_more(
    settings: Settings, tmp_path: Path
) -> None:
    """Its picture in Val is of the former place, whose neighbours stay out of training."""
    chosen = triplets(settings)[2]
    accepted(settings, [chosen], SPAN_S)
    tables = DataSet.of(settings).tables
    path, rows = tables.windows_path(chosen.video), tables.read_windows(chosen.video)
    made_from = tables.read_provenance(path)
    assert made_from is not None
    moved = [replace(row, time_s=row.time_s + 100 * (row.window == chosen.row.window)) for row in rows]
    tables.write(path, WINDOWS, moved, made_from)
    report = export(settings, "redux", tmp_path / "x")
    assert of_split(settings, report.folder, "val") == set()
    assert queried(LEAKED, settings, export=report.folder) == []
    assert f"general/{chosen.row.patch_id}" not in of_split(settings, report.folder, "train")


def test_training_reads_the_same_splits_as_exports(settings: Settings, tmp_path: Path) -> None:
    accepted(settings, triplets(settings)[::7], SPAN_S)
    report = export(settings, "packed", tmp_path / "x")
    for packed in (False, report.folder):
        for split in ("train", "val"):
            dataset = TripletDataset(root(settings), crop=None, augment=False, packed=packed, split=split)
            read = {f"{each['category']}/{each['patch_id']}" for each in dataset}
            assert read == of_split(settings, report.folder, split)
    default = TripletDataset(root(settings), crop=48)
    assert len(default) == len(of_split(settings, report.folder, "train"))
    everything = TripletDataset(root(settings), crop=48, split="all")
    assert len(everything) == len(triplets(settings)) + len(triplets(settings, "toon"))


def test_the_options_to_paste_of_packed_arrays_open_both_splits(settings: Settings, tmp_path: Path) -> None:
    found = accepted(settings, triplets(settings)[::7], SPAN_S)
    report = export(settings, "packed", tmp_path / "x", categories=("general",))
    text = (report.folder / "README.md").read_text()
    code = text.split("```python\n")[1].split("```")[0].replace("crop=192", "crop=48")
    opened: dict[str, TripletDataset] = {}
    exec(code, opened)
    assert len(opened["validation"]) == len(found)
    assert len(opened["dataset"]) == len(of_split(settings, report.folder, "train"))
    assert "- Validation, the accepted patches and in the same arrays: " in text
    assert "- Left out: " in text


@pytest.mark.parametrize(
    ("split", "sentence"),
    [("val", "none is accepted for validation; select others"), ("test", "split is 'test'; choose")],
)
def test_a_split_that_is_not_there_is_one_sentence(settings: Settings, split: str, sentence: str) -> None:
    with pytest.raises(DatasetAssetsError, match=sentence):
        TripletDataset(root(settings), crop=48, split=split)  # type: ignore[arg-type]


def test_a_data_set_that_is_all_set_apart_is_refused_with_the_remedy(
    settings: Settings, tmp_path: Path
) -> None:
    first = {each.video: each for each in triplets(settings)}
    accepted(settings, list(first.values()), None)
    with pytest.raises(DatasetAssetsError, match=r"none is for training; select more, or decline some"):
        export(settings, "redux", tmp_path / "x")
    with pytest.raises(DatasetAssetsError, match="none is for training: all are set apart"):
        TripletDataset(root(settings), crop=48)


@pytest.mark.parametrize("is_later", [False, True])
def test_what_another_film_shows_of_a_film_held_out_is_set_apart(
    settings: Settings, tmp_path: Path, is_later: bool
) -> None:
    chosen = next(each for each in triplets(settings) if each.video == "one")
    times = {row.window: row.time_s for row in DataSet.of(settings).tables.read_windows("two")}
    copy = next(each for each in triplets(settings) if each.video == "two")
    places = [("one", chosen.row.window, 0.0), ("two", copy.row.window, times[copy.row.window])]
    here, there = reversed(places) if is_later else places
    path = DataSet.of(settings).tables.duplicates_path
    path.parent.mkdir(parents=True, exist_ok=True)
    write_duplicates(
        path, [DuplicateRow(*there[:2], *here[:2], there[2], here[2], 0.1, None, None, "a", "b")], {}
    )
    report = export(settings, "redux", tmp_path / "x", val_videos=("one",))
    trained = of_split(settings, report.folder, "train")
    assert trained
    assert f"general/{copy.row.patch_id}" not in trained
    assert any("one_" in name for name in of_split(settings, report.folder, "val"))
    assert f"general/{copy.row.patch_id}" in of_split(
        settings, export(settings, "redux", tmp_path / "y").folder, "train"
    )


def test_an_accepted_patch_that_is_not_selected_is_counted(settings: Settings) -> None:
    accepted(settings, triplets(settings)[:2], SPAN_S)
    name = triplets(settings)[0].row.patch_id
    whole = plan_export(settings, ExportOptions("redux"))
    assert (len(whole.selected.of("val")), whole.selected.missing_val) == (2, 0)
    part = plan_export(settings, ExportOptions("redux", where=f"patch_id <> '{name}'"))
    assert (len(part.selected.of("val")), part.selected.missing_val) == (1, 1)
    assert plan_export(settings, ExportOptions("redux", categories=("toon",))).selected.missing_val == 0


@pytest.mark.parametrize("span_s", [SPAN_S, None])
@pytest.mark.parametrize("is_later", [False, True])
def test_what_another_film_shows_of_it_is_set_apart_too(
    settings: Settings, tmp_path: Path, span_s: float | None, is_later: bool
) -> None:
    """The accepted patch is of `one`; `two` shows the same half a second later."""
    offset_s = 0.5
    chosen = next(each for each in triplets(settings) if each.video == "one")
    (each,) = accepted(settings, [chosen], span_s)
    moment_s = each.row.time_s
    places = [("one", chosen.row.window, moment_s), ("two", 0, moment_s + offset_s)]
    here, there = reversed(places) if is_later else places
    row = DuplicateRow(*there[:2], *here[:2], there[2], here[2], 0.1, None, None, "a", "b")
    path = DataSet.of(settings).tables.duplicates_path
    path.parent.mkdir(parents=True)
    write_duplicates(path, [row], {})
    report = export(settings, "redux", tmp_path / "x")
    found = queried(
        """
        select abs(time_s - {moment_s}) <= {span_s}, split.split is null
        from read_parquet('{metadata}/patches/*/*/*.parquet', hive_partitioning = true) patch
        join read_parquet('{metadata}/windows/*/*.parquet', hive_partitioning = true) film
        using (video, "window")
        left join read_parquet('{export}/split.parquet') split using (category, patch_id)
        where patch.video = 'two'
        """,
        settings,
        export=report.folder,
        moment_s=moment_s + offset_s,
        span_s=10 if span_s is None else span_s,
    )
    assert any(is_copy for is_copy, _ in found)
    assert all(is_copy == is_left_out for is_copy, is_left_out in found)
    assert any("three_" in name for name in of_split(settings, report.folder, "train"))
