"""Every kind of damage is found, and a repaired data set becomes what it was."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import TableStore
from dataset_assets.tables import SCHEMA_VERSION
from dataset_assets.verify import VideoFindings
from dataset_assets_tests.generate.samples import KEY, pictures
from dataset_assets_tests.verify import damages
from dataset_assets_tests.verify.cycle import assert_same, make, only
from dataset_assets_tests.verify.damages import Damage

WINDOWS_TABLE = f"metadata/windows/video={KEY}/part-0.parquet"
FILE, STACK, BAR, ROW, TABLE, WINDOW, EXTRA, LEFTOVER = (
    "file",
    "stack",
    "bar",
    "row",
    "table",
    "window",
    "extra",
    "leftover",
)

PLANTED: dict[str, tuple[Damage, set[str]]] = {
    "truncated picture": (damages.truncate, {FILE}),
    "flipped bit in GT": (damages.flip_bit("gt"), {FILE}),
    "flipped bit in LR_5frames": (damages.flip_bit("lr5"), {FILE}),
    "flipped bit in LR_7frames": (damages.flip_bit("lr7"), {FILE}),
    "empty file": (damages.empty, {FILE}),
    "stacks swapped": (damages.swap_stacks, {FILE}),
    "picture of another size": (damages.other_size, {FILE}),
    "no picture": (damages.no_picture, {FILE}),
    "GT of another patch, with its hash": (damages.gt_of_another, {STACK}),
    "GT of another patch": (damages.copied_over, {FILE}),
    "LR_5frames in another order": (damages.frames_in_another_order, {STACK}),
    "black bars in the patches": (damages.black_bars, {BAR}),
    "LR by another kernel": (damages.another_kernel, {STACK}),
    "missing file": (damages.missing_file, {FILE}),
    "extra file": (damages.extra_file, {EXTRA}),
    "row doubled": (damages.doubled_row, {ROW}),
    "row out of the plan, without files": (damages.row_without_files, {ROW}),
    "row lost": (damages.lost_row, {ROW, EXTRA}),
    "wrong bytes in row": (lambda root: damages.change_row(root, lr7_bytes=1), {FILE}),
    "wrong hash in row": (lambda root: damages.change_row(root, gt_hash="0" * 16), {FILE}),
    "wrong format in row": (lambda root: damages.change_row(root, format="fullhd_1920"), {ROW}),
    "wrong crop in row": (lambda root: damages.change_row(root, x=damages.general(root)[0].x + 1), {ROW}),
    "wrong kernel in row": (lambda root: damages.change_row(root, kernel="area"), {ROW}),
    "unknown kernel in row": (lambda root: damages.change_row(root, kernel="nearest"), {ROW}),
    "wrong settings in row": (lambda root: damages.change_row(root, settings_hash="0" * 16), {ROW}),
    "row of a file elsewhere": (damages.row_of_a_file_elsewhere, {ROW, EXTRA}),
    "damaged footer": (damages.damaged_footer, {TABLE, EXTRA}),
    "damaged page": (damages.damaged_page, {TABLE, EXTRA}),
    "wrong counts in footer": (damages.wrong_counts, {TABLE}),
    "truncated windows table": (damages.truncated_table, {TABLE}),
    "damaged videos table": (damages.damaged_video_table, {TABLE}),
    "patches table missing": (damages.missing_patches_table, {EXTRA}),
    "windows table missing": (damages.missing_windows_table, {TABLE}),
    "temporary picture left": (damages.left_picture, {LEFTOVER}),
    "temporary table left": (damages.left_table, {LEFTOVER}),
    "journal left": (damages.left_journal, {LEFTOVER, EXTRA}),
    "progress left": (damages.left_progress, {LEFTOVER}),
    "window without a row": (damages.window_without_row, {WINDOW, ROW}),
    "last candidate lost": (damages.last_candidate_lost, {WINDOW, ROW}),
    "candidate doubled": (damages.doubled_candidate, {WINDOW}),
    "candidates in another order": (damages.candidates_in_another_order, {WINDOW}),
    "windows overlap": (damages.overlapping_windows, {WINDOW}),
    "the same picture twice": (damages.the_same_picture_twice, {WINDOW}),
    "candidate passed over, but accepted": (damages.passed_over_but_accepted, {WINDOW}),
    "candidate passed over, with scores": (
        damages.change_candidate(damages.first_passed_over, sharpness=lambda _: 1.0),
        {WINDOW},
    ),
    "candidate passed over, called a cut": (
        damages.change_candidate(damages.first_passed_over, reason=lambda _: "cut"),
        {WINDOW},
    ),
    "windows beyond the target": (damages.windows_beyond_the_target, {WINDOW}),
    "start behind the first frame": (
        damages.change_accepted(start_pts=lambda row: row.pts[0] + 1),
        {WINDOW},
    ),
    "start before its keyframe": (
        damages.change_accepted(start_pts=lambda row: row.pts[0] - 1),
        {WINDOW},
    ),
    "no start": (damages.change_accepted(start_pts=lambda _: None), {WINDOW}),
    "times do not ascend": (
        damages.change_accepted(pts=lambda row: (*row.pts[:5], *row.pts[:4:-1])),
        {WINDOW},
    ),
    "six frames": (damages.change_accepted(pts=lambda row: row.pts[:6]), {WINDOW}),
    "no signature": (damages.change_accepted(signature=lambda _: None), {WINDOW}),
    "no scores": (damages.change_accepted(cut_score=lambda _: None), {WINDOW}),
    "accepted window with a cut": (damages.change_accepted(cut_score=lambda _: 9.0), {WINDOW}),
    "accepted window called a cut": (
        damages.change_accepted(accepted=lambda _: False, reason=lambda _: "cut"),
        {WINDOW},
    ),
    "accepted window called a duplicate": (
        damages.change_accepted(accepted=lambda _: False, reason=lambda _: "duplicate"),
        {WINDOW},
    ),
    "accepted window called blurred": (
        damages.change_accepted(accepted=lambda _: False, reason=lambda _: "blurred"),
        {WINDOW, ROW},
    ),
}


def test_nothing_is_found_where_nothing_is_wrong(whole: Settings) -> None:
    found = only(whole)
    assert (found.findings, found.notes, found.left_out) == ([], [], "")
    root = whole.base.output_base_dir
    assert found.triplets == len(list(root.rglob("GT/*.png"))) > 6


@pytest.mark.parametrize("name", PLANTED)
def test_damage_is_found_and_repaired(settings: Settings, whole: Settings, name: str) -> None:
    damage, kinds = PLANTED[name]
    damage(settings.base.output_base_dir)
    found = only(settings)
    assert {finding.kind.value for finding in found.findings} == kinds, found.findings
    assert not found.repaired
    repaired = only(settings, repair=True)
    assert repaired.findings == found.findings
    assert repaired.repaired, repaired.left_out
    make(settings)
    assert_same(settings, whole)
    assert only(settings).findings == []


def test_what_lies_outside_of_the_data_set_is_neither_read_nor_removed(settings: Settings) -> None:
    root = settings.base.output_base_dir
    damages.row_of_a_file_elsewhere(root)
    (outside,) = (root.parent / "outside/GT").iterdir()
    outside.chmod(0)
    assert only(settings, repair=True).repaired
    outside.chmod(0o600)
    assert outside.read_bytes() == b"mine"


def places(found: VideoFindings) -> Sequence[str]:
    return [finding.place for finding in found.findings]


def test_a_finding_names_the_file(settings: Settings) -> None:
    root = settings.base.output_base_dir
    row = damages.general(root)[0]
    damages.flip_bit("lr5")(root)
    assert places(only(settings)) == [row.lr5_path]


def test_a_finding_names_the_table_and_the_window(settings: Settings) -> None:
    damages.doubled_candidate(settings.base.output_base_dir)
    (finding,) = only(settings).findings
    assert finding.place == WINDOWS_TABLE
    assert finding.what.startswith("window 0 ")


def test_a_finding_names_both_windows_that_overlap(settings: Settings) -> None:
    root = settings.base.output_base_dir
    numbers = [row.window for row in TableStore(root).read_windows(KEY) if row.accepted]
    damages.overlapping_windows(root)
    (finding,) = only(settings).findings
    assert finding.what == f"window {numbers[1]} overlaps window {numbers[0]}"


def test_candidates_of_an_interrupted_run_may_be_missing(settings: Settings) -> None:
    """And windows of it may show the same: the next run goes on and settles them."""
    damages.interrupted(settings.base.output_base_dir)
    damages.the_same_picture_twice(settings.base.output_base_dir)
    assert only(settings).findings == []


def test_a_repair_takes_away_nothing_that_is_sound(settings: Settings, whole: Settings) -> None:
    root = settings.base.output_base_dir
    row = damages.general(root)[2]
    (root / row.gt_path).write_bytes(b"")
    assert only(settings, repair=True).repaired
    kept = pictures(whole.base.output_base_dir)
    for name in (row.gt_path, row.lr5_path or "", row.lr7_path or ""):
        del kept[name]
    assert pictures(root) == kept
    assert damages.general(root) == [
        each for each in damages.general(whole.base.output_base_dir) if each != row
    ]


def test_a_table_of_a_newer_release_is_reported_and_left(settings: Settings) -> None:
    path = TableStore(settings.base.output_base_dir).patches_path("space", KEY)
    version = f'"schema_version": {SCHEMA_VERSION}'.encode()
    content = path.read_bytes().replace(version, b'"schema_version": 9')
    path.write_bytes(content)
    found = only(settings, repair=True)
    assert any("newer" in finding.what for finding in found.findings)
    assert not found.repaired
    assert path.read_bytes() == content
    assert len(list((settings.base.output_base_dir / "Space").rglob("GT/*.png"))) > 0
