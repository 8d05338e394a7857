"""Degrading a data set: what is made, what is not made again, and what a run that ends early leaves."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import duckdb
import numpy as np
import pytest

from dataset_assets.config import DegradationStep, Settings
from dataset_assets.curation import degrade_video, degrading
from dataset_assets.dataset import DataSet, content_hash
from dataset_assets.degradation import degrade, draw_steps, psnr
from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.patches import encode_png
from dataset_assets.tables import DEGRADATIONS
from dataset_assets_tests.curation.degrading import (
    STEPS,
    Rows,
    degrade_killed_at,
    degraded_settings,
    named,
    stack_files,
    stacks,
)
from dataset_assets_tests.exports.samples import lr_frames, replace_patch, triplets
from dataset_assets_tests.generate.interrupting import at_disk_call, interrupt
from dataset_assets_tests.generate.samples import KEY, copied, files, pictures
from dataset_assets_tests.verify.cycle import make, only

PATCHES = {"general": 6, "space": 3, "toon": 2}


def root(settings: Settings) -> Path:
    return settings.base.output_base_dir


@pytest.fixture
def clean(whole: Settings, tmp_path: Path) -> Settings:
    """A copy without degraded stacks, and steps to make them."""
    return degraded_settings(copied(whole, tmp_path / "out"), *STEPS)


@pytest.fixture(scope="module")
def once(whole: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A data set with degraded stacks that a single run made; it is only looked at."""
    settings = degraded_settings(copied(whole, tmp_path_factory.mktemp("degraded") / "out"), *STEPS)
    degrade_video(settings, KEY)
    return settings


@pytest.fixture
def settings(once: Settings, tmp_path: Path) -> Settings:
    """A copy of it to be changed."""
    return copied(once, tmp_path / "out")


@pytest.fixture(scope="module")
def expected(once: Settings) -> Rows:
    return stacks(root(once))


def made(settings: Settings, **options: Any) -> dict[str, int]:
    """Degrades the film; how many stacks were made in each category."""
    return {name: each.made for name, each in degrade_video(settings, KEY, **options).categories.items()}


def assert_whole(settings: Settings) -> None:
    """Each file of the folders has a row, and each row its file."""
    assert stack_files(root(settings)) == named(stacks(root(settings)))
    assert [each for each in only(settings).findings if each.kind != "leftover"] == []


def test_every_patch_has_a_stack_and_a_row_in_the_order_of_the_patches_table(once: Settings) -> None:
    found = stacks(root(once))
    assert {name: len(rows) for name, rows in found.items()} == PATCHES
    for category, rows in found.items():
        patches = [each.row for each in triplets(once, category)]
        for column in ("patch_id", "window", "lr7_hash"):
            assert [row[column] for row in rows] == [getattr(patch, column) for patch in patches]
        for row, patch in zip(rows, patches, strict=True):
            assert patch.lr7_path is not None
            assert row["lr7d_path"] == patch.lr7_path.replace("LR_7frames", "LR_7frames_degraded")
    assert_whole(once)


def test_a_stack_is_what_was_drawn_for_its_window(once: Settings) -> None:
    steps = [DegradationStep.model_validate(step) for step in STEPS]
    for each in triplets(once):
        (row,) = [row for row in stacks(root(once))[each.category] if row["patch_id"] == each.row.patch_id]
        frames = np.stack(lr_frames(once, each))
        drawn = draw_steps(steps, seed=0, key=KEY, window=each.row.window, category=each.category)
        wanted = degrade(frames, drawn)
        stack = cv2.imread(str(root(once) / row["lr7d_path"]))
        assert stack is not None
        found = np.stack(np.split(stack.astype(np.uint8), 7))
        assert np.array_equal(found, wanted.frames)
        assert row["db"] == pytest.approx(psnr(frames, found), abs=1e-4)
        recorded = json.loads(row["degradation"])
        assert [step["step"] for step in recorded] == [each.step for each in drawn]
        codecs = [step for step in recorded if step["step"] == "codec"]
        if codecs:
            assert (codecs[0]["codec"], codecs[0]["quality"]) == (row["codec"], row["quality"])
            assert "libavcodec" in codecs[0]["encoder"]
            assert codecs[0]["options"]
            assert row["coded_bytes"] > 0
        else:
            assert (row["codec"], row["quality"], row["coded_bytes"]) == (None, None, None)


def test_duckdb_reads_the_drawn_values_in_one_line(once: Settings) -> None:
    query = """
        select category, count(*), count(codec), min(db)
        from read_parquet('{0}/patches/*/*/*.parquet', hive_partitioning = true)
        join read_parquet('{0}/degradations/*/*/*.parquet', hive_partitioning = true) degraded
        using (category, video, patch_id, lr7_hash)
        where json_array_length(degradation) >= 0 group by all order by all
    """
    found = duckdb.execute(query.format(root(once) / "metadata")).fetchall()
    assert [(name, count) for name, count, *_ in found] == sorted(PATCHES.items())
    assert all(coded <= count and db > 20 for _, count, coded, db in found)


def test_a_second_run_makes_nothing_and_writes_no_file(settings: Settings) -> None:
    before = files(root(settings))
    assert made(settings) == dict.fromkeys(PATCHES, 0)
    assert files(root(settings)) == before


@pytest.mark.parametrize("order", [("toon", "general", "space"), ("space", "toon", "general")])
def test_neither_threads_nor_the_order_of_work_change_a_byte(
    clean: Settings, expected: Rows, order: tuple[str, ...]
) -> None:
    for category in order:
        assert made(clean, categories=[category], workers=3) == {category: PATCHES[category]}
    assert stacks(root(clean)) == expected


def test_it_needs_no_film_and_changes_no_patch(clean: Settings, expected: Rows) -> None:
    before = pictures(root(clean))
    videos = tuple(video.model_copy(update={"path": Path("/gone.mkv")}) for video in clean.videos)
    assert made(clean.model_copy(update={"videos": videos})) == PATCHES
    after = pictures(root(clean))
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == named(expected)
    make(clean)
    assert pictures(root(clean)) == after
    assert all(each.is_done for each in DataSet.of(clean).statuses(clean, clean.videos[0]).values())


def test_without_steps_nothing_is_made_and_nothing_written(clean: Settings) -> None:
    before = files(root(clean))
    assert made(degraded_settings(clean)) == {}
    assert {name: each for name, each in files(root(clean)).items() if ".journals" not in name} == before


def test_other_steps_make_every_stack_again_and_no_patch(settings: Settings, expected: Rows) -> None:
    before = pictures(root(settings))
    other = degraded_settings(settings, {"codec": {"h264": {"crf": [40, 40]}}})
    make(other)
    assert pictures(root(settings)) == before
    assert "6 degraded stacks stale; run degrade" in " ".join(only(other).notes)
    assert made(other) == PATCHES
    after = pictures(root(settings))
    assert {name for name in after if after[name] != before[name]} == named(expected)
    assert {row["quality"] for rows in stacks(root(settings)).values() for row in rows} == {40}
    assert only(other).notes == []


def test_a_category_may_have_steps_of_its_own(clean: Settings) -> None:
    crf = [DegradationStep.model_validate({"codec": {"hevc": {"crf": [30, 30]}}})]
    own = {"space": crf, "toon": []}
    categories = {
        name: each.model_copy(update={"degradations": own.get(name)})
        for name, each in clean.categories.items()
    }
    degrade_video(clean.model_copy(update={"categories": categories}), KEY)
    found = stacks(root(clean))
    assert {name: len(rows) for name, rows in found.items()} == {"general": 6, "space": 3}
    assert {row["codec"] for row in found["space"]} == {"hevc"}
    assert "hevc" not in {row["codec"] for row in found["general"]}


def test_stacks_of_a_category_without_steps_are_removed(settings: Settings) -> None:
    before = pictures(root(settings))
    report = degrade_video(degraded_settings(settings), KEY)
    assert (report.made, report.removed) == (0, sum(PATCHES.values()))
    assert stack_files(root(settings)) == set()
    assert not (root(settings) / "metadata/degradations").exists()
    assert pictures(root(settings)).items() <= before.items()


def test_a_patch_that_was_made_again_gets_a_new_stack_and_no_other_does(settings: Settings) -> None:
    before = pictures(root(settings))
    changed, *_ = triplets(settings, "general")
    replace_patch(settings, changed)
    assert made(settings) == dict.fromkeys(PATCHES, 0) | {"general": 1}
    after = pictures(root(settings))
    changes = {name for name in after if after[name] != before[name] and "degraded" in name}
    assert changes == {str(changed.row.lr7_path).replace("LR_7frames", "LR_7frames_degraded")}
    assert_whole(settings)


def fewer(settings: Settings) -> Settings:
    return settings.model_copy(update={"base": settings.base.model_copy(update={"base_frame_limit": 3})})


def other_kernel(settings: Settings) -> Settings:
    return settings.model_copy(update={"base": settings.base.model_copy(update={"lr_kernel": "area"})})


def five_frames(settings: Settings) -> Settings:
    base = settings.base.model_copy(update={"lr_stacks": [5], "degradations": []})
    return settings.model_copy(update={"base": base})


@pytest.mark.parametrize(
    ("change", "kept"),
    [(fewer, {"general": 3, "space": 2, "toon": 1}), (other_kernel, {}), (five_frames, {})],
)
def test_patches_that_go_or_are_made_again_take_their_stacks_with_them(
    settings: Settings, change: Callable[[Settings], Settings], kept: dict[str, int]
) -> None:
    changed = change(settings)
    make(changed)
    assert_whole(changed)
    assert {name: len(rows) for name, rows in stacks(root(settings)).items() if rows} == kept
    if changed.base.degradations:
        degrade_video(changed, KEY)
        assert {name: len(rows) for name, rows in stacks(root(settings)).items()} == {
            name: len(triplets(changed, name)) for name in PATCHES
        }
        assert_whole(changed)


def test_stacks_go_with_their_category_and_with_their_video(settings: Settings) -> None:
    data_set = DataSet.of(settings)
    categories = {name: each for name, each in settings.categories.items() if name != "toon"}
    data_set.remove_left_categories(settings.model_copy(update={"categories": categories}))
    assert list(stacks(root(settings))) == ["general", "space"]
    assert stack_files(root(settings)) == named(stacks(root(settings)))
    data_set.remove_video(KEY)
    assert list((root(settings) / "metadata").rglob("*.parquet")) == []
    assert pictures(root(settings)) == {}


@pytest.mark.parametrize("is_missing", [True, False])
def test_damaged_lr_is_named_after_all_others_were_degraded(clean: Settings, is_missing: bool) -> None:
    broken = triplets(clean, "general")[1]
    path = root(clean) / str(broken.row.lr7_path)
    if is_missing:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DatasetAssetsError) as raised:
        degrade_video(clean, KEY)
    assert str(raised.value) == (
        f"{KEY}: the LR of 1 patch is missing, or not what its row describes, first {path}; all others are "
        "degraded; `dataset-assets verify --repair` and then `dataset-assets generate` rebuild it; degrade "
        "again."
    )
    assert {name: len(rows) for name, rows in stacks(root(clean)).items()} == PATCHES | {"general": 5}
    only(clean, repair=True)
    make(clean)
    assert made(clean) == dict.fromkeys(PATCHES, 0) | {"general": 1}


def test_patches_without_lr_of_seven_frames_are_named(whole: Settings, tmp_path: Path) -> None:
    settings = copied(whole, tmp_path / "out")
    make(five_frames(settings))
    asked = degraded_settings(settings, *STEPS)
    with pytest.raises(DatasetAssetsError) as raised:
        degrade_video(asked, KEY)
    first = root(settings) / triplets(settings, "general")[0].row.gt_path
    assert str(raised.value) == (
        f"{KEY}: 11 patches have no LR stack of 7 frames to degrade, first {first}; all others are degraded; "
        "add 7 to base_settings.lr_stacks and run generate; degrade again."
    )


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_stack_that_is_missing_or_cut_short_is_made_again(
    settings: Settings, expected: Rows, is_missing: bool
) -> None:
    path = root(settings) / expected["space"][1]["lr7d_path"]
    if is_missing:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9])
    (finding,) = only(settings).findings
    assert (finding.kind, finding.place) == ("file", expected["space"][1]["lr7d_path"])
    assert made(settings) == dict.fromkeys(PATCHES, 0) | {"space": 1}
    assert stacks(root(settings)) == expected
    assert_whole(settings)


def test_verify_finds_a_changed_stack_and_its_repair_deletes_that_alone(
    settings: Settings, expected: Rows
) -> None:
    path = root(settings) / expected["general"][2]["lr7d_path"]
    path.write_bytes(bytes([*path.read_bytes()[:-1], 0]))
    before = pictures(root(settings))
    found = only(settings, repair=True)
    assert [(each.kind, each.place) for each in found.findings] == [
        ("file", expected["general"][2]["lr7d_path"])
    ]
    assert found.repaired
    assert before.keys() - pictures(root(settings)).keys() == {expected["general"][2]["lr7d_path"]}
    assert made(settings) == dict.fromkeys(PATCHES, 0) | {"general": 1}
    assert stacks(root(settings)) == expected


def test_a_stack_that_no_row_names_is_a_stray(settings: Settings, expected: Rows) -> None:
    first = root(settings) / expected["toon"][0]["lr7d_path"]
    stray = first.with_name(f"{KEY}_000099.png")
    stray.write_bytes(first.read_bytes())
    found = only(settings, repair=True)
    assert [(each.kind, each.place) for each in found.findings] == [
        ("extra", stray.relative_to(root(settings)).as_posix())
    ]
    assert_whole(settings)
    assert stacks(root(settings)) == expected


def test_verify_degrades_a_share_again(settings: Settings, expected: Rows) -> None:
    """A stack whose bytes and row agree, but which other frames were made of, is found only this way."""
    store = DataSet.of(settings).tables
    path = store.degradations_path("general", KEY)
    rows, made_from = store.read_degradations("general", KEY), store.read_provenance(path)
    assert made_from is not None
    for number, row in enumerate(rows):
        picture = cv2.imread(str(root(settings) / row.lr7d_path))
        assert picture is not None
        other = encode_png(np.asarray(255 - picture, np.uint8))
        (root(settings) / row.lr7d_path).write_bytes(other)
        rows[number] = replace(row, lr7d_bytes=len(other), lr7d_hash=content_hash(other))
    store.write(path, DEGRADATIONS, rows, made_from)
    assert only(settings).findings == []
    few = only(settings, deep_share=0.01)
    assert len(few.findings) <= 1
    found = only(settings, deep_share=1.0, repair=True)
    assert {(each.kind, each.place) for each in found.findings} == {
        ("stack", row["lr7d_path"]) for row in expected["general"]
    }
    assert {each.what for each in found.findings} == {"is not what degrading its LR gives"}
    assert made(settings) == {"general": len(rows), "space": 0, "toon": 0}
    assert stacks(root(settings)) == expected
    assert only(settings, deep_share=1.0).findings == []


def test_stacks_of_another_build_of_the_encoder_are_only_noted(
    settings: Settings, expected: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded = [row for rows in expected.values() for row in rows if row["codec"]]

    def other_build(*args: Any) -> Any:
        found = degrade(*args)
        if found.coding is None:
            return found
        frames = 255 - found.frames
        return replace(found, frames=frames, coding=replace(found.coding, encoder="of tomorrow"))

    monkeypatch.setattr("dataset_assets.curation.degrading.degrade", other_build)
    found = only(settings, deep_share=1.0)
    assert found.findings == []
    assert f"{len(coded)} degraded stacks of another build of the encoder not degraded again" in found.notes


def test_a_damaged_table_is_replaced_and_verify_names_it(settings: Settings, expected: Rows) -> None:
    path = DataSet.of(settings).tables.degradations_path("general", KEY)
    path.write_bytes(path.read_bytes()[:-20])
    (finding,) = [each for each in only(settings).findings if each.kind == "table"]
    assert finding.place == path.relative_to(root(settings)).as_posix()
    assert finding.what.endswith("run degrade again, which replaces it.")
    assert made(settings) == dict.fromkeys(PATCHES, 0) | {"general": 6}
    assert stacks(root(settings)) == expected
    assert_whole(settings)


def test_generate_goes_on_beside_a_damaged_table(settings: Settings) -> None:
    path = DataSet.of(settings).tables.degradations_path("general", KEY)
    path.write_bytes(b"PAR1")
    make(fewer(settings))
    assert not any("Universal" in name for name in stack_files(root(settings)))
    assert_whole(fewer(settings))


def test_a_repair_of_a_patch_takes_its_stack_too(settings: Settings) -> None:
    broken = triplets(settings, "general")[1]
    path = root(settings) / broken.row.gt_path
    path.write_bytes(path.read_bytes()[:-9])
    only(settings, repair=True)
    assert len(stacks(root(settings))["general"]) == 5
    assert_whole(settings)
    make(settings)
    assert made(settings) == dict.fromkeys(PATCHES, 0) | {"general": 1}


def test_a_stack_too_near_or_too_far_is_noted(clean: Settings) -> None:
    far = degraded_settings(clean, {"noise": {"p": 1.0, "sigma": [50.0, 50.0]}})
    report = degrade_video(far, KEY)
    assert sum(each.out_of_range for each in report.categories.values()) > 0
    assert "not within 20 to 60 dB of LR, such as " in " ".join(only(far).notes)


def test_while_another_run_works_on_the_video_it_is_refused(clean: Settings) -> None:
    with DataSet.of(clean).hold(KEY), pytest.raises(BusyError, match="another run works on this video"):
        degrade_video(clean, KEY)
    assert stack_files(root(clean)) == set()


def test_a_codec_that_pyav_lacks_is_one_sentence(clean: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(degrading, "missing_encoders", lambda names: list(names)[-1:])
    with pytest.raises(DatasetAssetsError) as raised:
        degrade_video(clean, KEY)
    assert str(raised.value) == (
        "This machine's PyAV has no encoder or decoder of mpeg2; install PyAV as a wheel (`pip install "
        "--only-binary av av`), or name other codecs in the degradations."
    )


@pytest.mark.parametrize("number", [1, 4, 7, 11])
def test_a_killed_run_loses_nothing_that_was_committed(clean: Settings, expected: Rows, number: int) -> None:
    assert degrade_killed_at(clean, number) == -signal.SIGKILL
    kept = sum(map(len, stacks(root(clean)).values()))
    assert (PATCHES["general"] if number > PATCHES["general"] else 0) <= kept <= number - 1
    report = degrade_video(clean, KEY)
    assert report.made == sum(PATCHES.values()) - kept
    assert stacks(root(clean)) == expected
    assert only(clean).findings == []
    assert_whole(clean)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_stopped_at_any_call_of_the_disk_leaves_whole_stacks(
    settings: Settings, when: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of a data set whose stacks are all stale: each is replaced, and never half."""
    other = degraded_settings(settings, {"codec": {"mpeg2": {"quantizer": [8, 8]}}})
    alone = copied(other, tmp_path / "alone")
    degrade_video(alone, KEY)
    monkeypatch.setattr(degrading, "COMMIT_EVERY", 2)
    stopped = 0
    for number in range(1, 400, 5):
        try:
            with at_disk_call(number, interrupt, when):  # type: ignore[arg-type]
                degrade_video(other, KEY)
        except KeyboardInterrupt:
            stopped += 1
            rows = stacks(root(settings))  # each row's file is whole
            assert stack_files(root(settings)) >= named(rows)
            continue
        break
    assert stopped > 3
    assert stacks(root(settings)) == stacks(root(alone))
    assert only(other).findings == []
    assert_whole(other)


def test_a_full_disk_is_one_sentence_and_what_was_written_stays(
    clean: Settings, expected: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "part-0.parquet")

    with monkeypatch.context() as patched:
        patched.setattr("dataset_assets.dataset.table_store.write_table", full)
        with pytest.raises(DatasetAssetsError) as raised:
            degrade_video(clean, KEY)
    assert str(raised.value) == (
        f"{KEY}: the disk is full (part-0.parquet: No space left on device); free some space and degrade "
        "again: what is written stays."
    )
    assert made(clean) == PATCHES
    assert stacks(root(clean)) == expected
    assert_whole(clean)


def test_space_that_is_to_stay_free_is_not_used(clean: Settings) -> None:
    base = clean.base.model_copy(update={"min_free_gb": 1e9})
    with pytest.raises(DatasetAssetsError) as raised:
        degrade_video(clean.model_copy(update={"base": base}), KEY)
    assert "base_settings.min_free_gb keeps 1000000000.0 GB; free some space" in str(raised.value)
    assert stack_files(root(clean)) == set()


def test_the_file_is_the_projects_own_png(once: Settings, expected: Rows) -> None:
    row = expected["toon"][0]
    picture = cv2.imread(str(root(once) / row["lr7d_path"]))
    assert picture is not None
    assert (root(once) / row["lr7d_path"]).read_bytes() == encode_png(picture.astype(np.uint8))
