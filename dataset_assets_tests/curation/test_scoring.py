"""Scoring a data set: what is measured, what is not measured again, and what a run that ends early leaves."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import cv2
import duckdb
import numpy as np
import pytest

from dataset_assets.config import Settings
from dataset_assets.curation import SCORES, Summary, score_video, scoring
from dataset_assets.dataset import DataSet, Triplet
from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.frames import FileKind
from dataset_assets.scores import CropPlace, score_patch
from dataset_assets.tables import PATCHES as PATCHES_TABLE
from dataset_assets.tables import SCORES as SCORES_TABLE
from dataset_assets.tables import Provenance
from dataset_assets_tests.curation.samples import Rows, marks, score_killed_at, scores
from dataset_assets_tests.exports.samples import drop_patch, replace_patch, triplets
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.interrupting import at_disk_call, interrupt
from dataset_assets_tests.generate.samples import KEY, copied, files, pictures, small_settings
from dataset_assets_tests.verify.cycle import make, only

PATCHES = {"general": 6, "space": 3, "toon": 2}


def root(settings: Settings) -> Path:
    return settings.base.output_base_dir


def made(settings: Settings, **options: object) -> dict[str, int]:
    """Scores the film; how many patches were measured in each category."""
    report = score_video(settings, KEY, **options)  # type: ignore[arg-type]
    return {name: each.made for name, each in report.categories.items()}


@pytest.fixture(scope="module")
def scored(whole: Settings, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """The scores that a single run measures."""
    settings = copied(whole, tmp_path_factory.mktemp("scored") / "out")
    score_video(settings, KEY)
    return scores(root(settings))


def by_patch(rows: Rows) -> dict[tuple[str, str], dict[str, object]]:
    return {(category, row["patch_id"]): row for category, each in rows.items() for row in each}


def test_making_patches_measures_what_scoring_their_files_does(
    scored: Rows, tiny_film: Film, tmp_path: Path
) -> None:
    made_now = small_settings(tmp_path / "made", tiny_film.path)
    make(made_now)
    assert scores(root(made_now)) == scored
    assert made(made_now) == dict.fromkeys(PATCHES, 0)


def test_every_patch_has_a_row_in_the_order_of_the_patches_table(settings: Settings) -> None:
    assert made(settings, workers=3) == PATCHES
    found = scores(root(settings))
    for category, rows in found.items():
        expected = [each.row for each in triplets(settings, category)]
        assert [row["patch_id"] for row in rows] == [row.patch_id for row in expected]
        assert [row["window"] for row in rows] == [row.window for row in expected]
        assert [row["gt_hash"] for row in rows] == [row.gt_hash for row in expected]
        assert [row["lr_hash"] for row in rows] == [row.lr7_hash for row in expected]


def test_scores_are_those_of_the_files_read_by_another_way(settings: Settings) -> None:
    score_video(settings, KEY)
    film = DataSet.of(settings).tables.read_video(KEY)
    assert film is not None
    found = by_patch(scores(root(settings)))
    for each in triplets(settings):
        gt, stack = (
            cv2.imread(str(root(settings) / str(path))) for path in (each.row.gt_path, each.row.lr7_path)
        )
        assert gt is not None
        assert stack is not None
        place = CropPlace(
            each.row.y / film.working_height,
            each.row.width / film.working_width,
            each.row.height / film.working_height,
        )
        expected = score_patch(gt.astype(np.uint8), np.stack(np.split(stack.astype(np.uint8), 7)), place)
        row = found[each.category, each.row.patch_id]
        assert {name: row[name] for name in SCORES} == {name: getattr(expected, name) for name in SCORES}


def test_duckdb_joins_them_with_the_patches_in_one_line(settings: Settings) -> None:
    score_video(settings, KEY)
    query = """
        select category, count(*), min(detail_db), count(*) filter (gt_hash != measured)
        from read_parquet('{0}/patches/*/*/*.parquet', hive_partitioning = true)
        join (select * rename (gt_hash as measured)
              from read_parquet('{0}/scores/*/*/*.parquet', hive_partitioning = true))
        using (category, video, patch_id) group by all order by all
    """
    found = duckdb.execute(query.format(root(settings) / "metadata")).fetchall()
    assert [(name, count) for name, count, *_ in found] == sorted(PATCHES.items())
    assert all(0 < detail < 79 and not stale for *_, detail, stale in found)


def test_a_second_run_measures_nothing_and_writes_no_file(settings: Settings) -> None:
    score_video(settings, KEY)
    before = files(root(settings))
    assert made(settings) == dict.fromkeys(PATCHES, 0)
    assert files(root(settings)) == before


def test_the_number_of_threads_changes_no_byte(settings: Settings, scored: Rows) -> None:
    score_video(settings, KEY, workers=4)
    assert scores(root(settings)) == scored


def test_it_needs_no_film_and_changes_no_patch(settings: Settings) -> None:
    before = pictures(root(settings))
    videos = tuple(video.model_copy(update={"path": Path("/gone.mkv")}) for video in settings.videos)
    assert made(settings.model_copy(update={"videos": videos})) == PATCHES
    assert pictures(root(settings)) == before
    assert all(
        status.is_done for status in DataSet.of(settings).statuses(settings, settings.videos[0]).values()
    )


def test_a_patch_that_was_made_again_is_measured_again_and_no_other(settings: Settings) -> None:
    score_video(settings, KEY)
    before = by_patch(scores(root(settings)))
    changed, *_ = triplets(settings, "general")
    replace_patch(settings, changed)
    report = score_video(settings, KEY)
    assert (report.made, report.removed) == (1, 1)
    after = by_patch(scores(root(settings)))
    assert {name for name in after if after[name] != before[name]} == {("general", changed.row.patch_id)}
    assert made(settings) == dict.fromkeys(PATCHES, 0)


def other_lr(settings: Settings, triplet: Triplet) -> None:
    """Gives a patch other LR of the same GT, as another kernel does."""
    gt_path, gt_hash = triplet.row.gt_path, triplet.row.gt_hash
    content = (root(settings) / gt_path).read_bytes()
    replace_patch(settings, triplet)
    (root(settings) / gt_path).write_bytes(content)
    tables = DataSet.of(settings).tables
    path = tables.patches_path(triplet.category, KEY)
    rows = [
        replace(row, gt_hash=gt_hash, gt_bytes=len(content)) if row.patch_id == triplet.row.patch_id else row
        for row in tables.read_patches(triplet.category, KEY)
    ]
    provenance = tables.read_provenance(path)
    assert provenance is not None
    tables.write(path, PATCHES_TABLE, rows, provenance)


def test_other_lr_of_the_same_ground_truth_is_measured_again(settings: Settings) -> None:
    score_video(settings, KEY)
    other_lr(settings, triplets(settings, "toon")[0])
    assert made(settings) == dict.fromkeys(PATCHES, 0) | {"toon": 1}


def test_rows_of_deleted_patches_go(settings: Settings) -> None:
    score_video(settings, KEY)
    dropped = triplets(settings, "general")[2]
    drop_patch(settings, dropped)
    report = score_video(settings, KEY)
    assert (report.made, report.removed) == (0, 1)
    assert len(scores(root(settings))["general"]) == PATCHES["general"] - 1
    assert dropped.row.patch_id not in {row["patch_id"] for row in scores(root(settings))["general"]}


def test_another_version_measures_all_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    score_video(settings, KEY)
    for module in ("generate.score_ledger", "dataset.scores"):
        monkeypatch.setattr(f"dataset_assets.{module}.SCORES_VERSION", 1_000_000)
    assert made(settings) == PATCHES
    assert {row["scores_version"] for rows in scores(root(settings)).values() for row in rows} == {1_000_000}
    # Scores are no part of what a patch is made from.
    make(settings)
    assert all(
        status.is_done for status in DataSet.of(settings).statuses(settings, settings.videos[0]).values()
    )


def test_only_the_categories_asked_for_are_scored(settings: Settings) -> None:
    assert made(settings, categories=["space"]) == {"space": 3}
    assert list(scores(root(settings))) == ["space"]


def test_without_the_films_row_there_is_no_score_of_subtitles(settings: Settings) -> None:
    tables = DataSet.of(settings).tables
    tables.remove(tables.video_path(KEY))
    score_video(settings, KEY)
    assert {row["subtitle"] for row in scores(root(settings))["general"]} == {None}
    assert "subtitle" not in Summary.of(tables.read_scores("general", KEY)).medians


def test_stacks_of_five_frames_are_scored_where_there_is_no_other(settings: Settings) -> None:
    base = settings.base.model_copy(update={"lr_stacks": (5,)})
    five = settings.model_copy(update={"base": base})
    score_video(settings, KEY)
    make(five)
    assert {each.row.largest_stack.kind for each in triplets(five) if each.row.largest_stack} == {
        FileKind.LR5
    }
    assert made(five) == PATCHES
    assert all(row["still_pairs"] <= 4 for rows in scores(root(five)).values() for row in rows)


@pytest.mark.parametrize("kind", ["gt_path", "lr7_path"])
@pytest.mark.parametrize("is_missing", [True, False])
def test_a_damaged_file_is_named_after_all_others_were_scored(
    settings: Settings, kind: str, is_missing: bool
) -> None:
    broken = triplets(settings, "general")[1]
    path = root(settings) / getattr(broken.row, kind)
    if is_missing:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DatasetAssetsError) as raised:
        score_video(settings, KEY)
    gt = root(settings) / broken.row.gt_path
    assert str(raised.value) == (
        f"{KEY}: the files of 1 patch are missing, or not what their rows describe, first {gt}; all others "
        "are scored; `dataset-assets verify --repair` and then `dataset-assets generate` rebuild them; score "
        "again."
    )
    assert {name: len(rows) for name, rows in scores(root(settings)).items()} == PATCHES | {"general": 5}
    only(settings, repair=True)
    make(settings)
    assert {name: len(rows) for name, rows in scores(root(settings)).items()} == PATCHES
    assert made(settings) == dict.fromkeys(PATCHES, 0)


def provenance(settings: Settings, category: str) -> Provenance:
    tables = DataSet.of(settings).tables
    found = tables.read_provenance(tables.scores_path(category, KEY))
    assert found is not None
    return found


def test_a_damaged_table_is_replaced_and_verify_names_it_meanwhile(settings: Settings, scored: Rows) -> None:
    score_video(settings, KEY)
    path = DataSet.of(settings).tables.scores_path("general", KEY)
    path.write_bytes(path.read_bytes()[:-20])
    (finding,) = only(settings).findings
    assert finding.place == path.relative_to(root(settings)).as_posix()
    assert finding.what.endswith("run score again, which replaces it.")
    assert made(settings) == dict.fromkeys(PATCHES, 0) | {"general": 6}
    assert scores(root(settings)) == scored
    assert only(settings).findings == []
    assert provenance(settings, "general").complete


def test_verify_deletes_a_damaged_table_and_no_patch(settings: Settings, scored: Rows) -> None:
    score_video(settings, KEY)
    path = DataSet.of(settings).tables.scores_path("toon", KEY)
    path.write_bytes(b"PAR1")
    before = pictures(root(settings))
    assert only(settings, repair=True).repaired
    assert not path.exists()
    assert pictures(root(settings)) == before
    score_video(settings, KEY)
    assert scores(root(settings)) == scored


def test_verify_takes_scores_for_no_strays_and_stale_ones_for_no_damage(settings: Settings) -> None:
    score_video(settings, KEY)
    replace_patch(settings, triplets(settings, "toon")[0])
    assert [each for each in only(settings).findings if "scores" in each.place] == []


def test_scores_go_with_their_category_and_with_their_video(settings: Settings) -> None:
    score_video(settings, KEY)
    data_set = DataSet.of(settings)
    categories = {name: each for name, each in settings.categories.items() if name != "toon"}
    data_set.remove_left_categories(settings.model_copy(update={"categories": categories}))
    assert list(scores(root(settings))) == ["general", "space"]
    data_set.remove_video(KEY)
    assert list((root(settings) / "metadata").rglob("*.parquet")) == []


def test_scores_of_a_category_without_patches_are_removed(settings: Settings) -> None:
    score_video(settings, KEY)
    tables = DataSet.of(settings).tables
    tables.remove(tables.patches_path("space", KEY))
    score_video(settings, KEY)
    assert list(scores(root(settings))) == ["general", "toon"]


def test_while_another_run_works_on_the_video_it_is_refused(settings: Settings) -> None:
    with DataSet.of(settings).hold(KEY), pytest.raises(BusyError, match="another run works on this video"):
        score_video(settings, KEY)
    assert marks(root(settings)) == {}


@pytest.mark.parametrize("number", [1, 4, 7, 11])
def test_a_killed_run_loses_nothing_that_was_committed(settings: Settings, scored: Rows, number: int) -> None:
    assert score_killed_at(settings, number) == -signal.SIGKILL
    kept = sum(map(len, scores(root(settings)).values()))
    # Of a category that was done, all; of the one in work, what had been measured.
    assert (PATCHES["general"] if number > PATCHES["general"] else 0) <= kept <= number - 1
    report = score_video(settings, KEY)
    assert report.made == sum(PATCHES.values()) - kept
    assert scores(root(settings)) == scored
    assert only(settings).findings == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_stopped_at_any_call_of_the_disk_leaves_whole_tables(
    settings: Settings, scored: Rows, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "COMMIT_EVERY", 2)
    for number in range(1, 200, 3):
        try:
            with at_disk_call(number, interrupt, when):  # type: ignore[arg-type]
                score_video(settings, KEY)
        except KeyboardInterrupt:
            assert not [each for each in only(settings).findings if each.kind != "leftover"]
            continue
        break
    assert scores(root(settings)) == scored
    assert only(settings).findings == []


def test_a_full_disk_is_one_sentence_and_what_was_written_stays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "part-0.parquet")

    with monkeypatch.context() as patched:
        patched.setattr("dataset_assets.dataset.table_store.write_table", full)
        with pytest.raises(DatasetAssetsError) as raised:
            score_video(settings, KEY)
    assert str(raised.value) == (
        f"{KEY}: the disk is full (part-0.parquet: No space left on device); free some space and score "
        "again: what is written stays."
    )
    assert made(settings) == PATCHES


def test_the_summary_is_the_median_of_each_score(settings: Settings) -> None:
    score_video(settings, KEY)
    rows = [row for each in scores(root(settings)).values() for row in each]
    tables = DataSet.of(settings).tables
    summary = Summary()
    for category in PATCHES:
        summary.add(tables.read_scores(category, KEY))
    assert summary.patches == len(rows) == 11
    assert summary.medians == pytest.approx({name: np.median([row[name] for row in rows]) for name in SCORES})
    assert summary.nothing_to_learn == pytest.approx(np.mean([row["detail_db"] > 50 for row in rows]))
    assert Summary().medians == {}


def test_the_table_has_a_column_for_each_score() -> None:
    assert [name for name in SCORES_TABLE.names if name in SCORES] == list(SCORES)
