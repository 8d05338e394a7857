"""The promises put to the test: kept by what is made, and seen to be broken where it was tampered with."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dataset_assets.checks import Inspection, inspect_triplets
from dataset_assets.checks import inspection as inspection_module
from dataset_assets.checks.verdicts import (
    Verdict,
    enough_accepted,
    enough_patches,
    enough_windows,
    every_video_done,
    files_match_table,
    format_mix_kept,
    free_of_black_bars,
    free_of_combs,
    source_unchanged,
    sources_unchanged,
    triplets_whole,
    true_resolution,
    videos_ok,
    windows_uncut,
)
from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, Failure, patch_id
from dataset_assets.dataset import strays as strays_module
from dataset_assets.generate import CategoryReport, VideoReport, WindowsReport, generate_video, probe_video
from dataset_assets.tables import PatchRow
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, small_settings
from dataset_assets_tests.tables.samples import VIDEO


@pytest.fixture(scope="module")
def made_once(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, VideoReport]:
    output = tmp_path_factory.mktemp("made")
    return output, generate_video(small_settings(output, sdr_film.path), KEY, categories=["general"])


@pytest.fixture
def made(made_once: tuple[Path, VideoReport], sdr_film: Film, tmp_path: Path) -> tuple[Settings, VideoReport]:
    """A data set that a test may tamper with, and the report of how it was made."""
    output, report = made_once
    shutil.copytree(output, tmp_path, dirs_exist_ok=True)
    return small_settings(tmp_path, sdr_film.path), report


def inspected(settings: Settings, report: CategoryReport) -> Inspection:
    return inspect_triplets(DataSet.of(settings), report.rows)


def matched(settings: Settings, report: VideoReport) -> Verdict:
    general, data_set = report.categories["general"], DataSet.of(settings)
    return files_match_table(settings, data_set, KEY, "general", general, report.windows.rows)


def test_what_is_made_keeps_its_promises(made: tuple[Settings, VideoReport]) -> None:
    settings, report = made
    general = report.categories["general"]
    assert general.rows
    inspection = inspected(settings, general)
    assert inspection.sampled == len(general.rows)
    verdicts = [
        check(inspection) for check in (triplets_whole, windows_uncut, free_of_black_bars, free_of_combs)
    ]
    verdicts += [
        format_mix_kept(general, report.windows.acceptance_rate),
        matched(settings, report),
    ]
    assert [verdict.passed for verdict in verdicts] == [True] * 6
    assert [verdict.number for verdict in verdicts if verdict.measure != "patches_off"] == [0] * 5


@pytest.mark.parametrize(("accepted", "passed"), [(9, True), (8, False), (10, True)])
def test_nine_tenths_of_the_windows_are_enough(accepted: int, passed: bool) -> None:
    verdict = enough_windows(WindowsReport(10, 10, accepted, 0, 20, {}, "", 20))
    assert (verdict.passed, verdict.number) == (passed, accepted / 10)


def test_a_film_that_stays_short_says_why() -> None:
    why = "only 4 of 10 windows found: the film has no place left for another one"
    verdict = enough_windows(WindowsReport(10, 4, 4, 0, 4, {}, why, 9))
    assert (verdict.passed, verdict.description) == (False, why)


@pytest.mark.parametrize(("accepted", "passed"), [(2, True), (1, False), (0, False)])
def test_a_fifth_of_the_places_tried_must_be_accepted(accepted: int, passed: bool) -> None:
    rejected = {"cut": 6, "flat": 10 - 6 - accepted}
    verdict = enough_accepted(WindowsReport(5, 5, accepted, 0, 10, rejected, "", 10))
    assert (verdict.passed, verdict.number) == (passed, accepted / 10)
    assert verdict.description.endswith("most rejected as cut (6)")


def test_one_of_a_kind_is_described_in_the_singular() -> None:
    few = WindowsReport(1, 1, 1, 0, 1, {}, "", 1)
    assert enough_windows(few).description == "1 of 1 window found"
    assert enough_accepted(few).description == "1 of 1 candidate accepted (100%)"
    assert enough_patches(CategoryReport(1, 0, 0, (), {}, (), "")).description == "0 of 1 patch made"
    assert triplets_whole(Inspection(1, ("a.png",), 1, (), (), ())).description == (
        "1 of 1 sampled triplet incomplete or damaged, first a.png"
    )
    assert free_of_combs(Inspection(1, (), 1, (), (), ())).description == "0 of 1 sampled triplet with combs"


def test_of_no_windows_wanted_none_is_enough() -> None:
    assert enough_windows(WindowsReport(0, 0, 0, 0, 0, {}, "", 0)).passed
    assert enough_accepted(WindowsReport(0, 0, 0, 0, 0, {}, "", 0)).passed
    assert enough_patches(CategoryReport(0, 0, 0, (), {}, (), "")).passed


def test_too_few_patches_name_the_formats_without_room(made: tuple[Settings, VideoReport]) -> None:
    _, report = made
    few = replace(report.categories["general"], rows=(), left_out=("large",))
    verdict = enough_patches(few)
    assert not verdict.passed
    assert "too large for the film: large" in verdict.description


def test_a_mix_far_off_its_shares_is_detected(made: tuple[Settings, VideoReport]) -> None:
    _, report = made
    general = report.categories["general"]
    row = replace(general.rows[0], format="large")
    verdict = format_mix_kept(replace(general, rows=(row,) * 20), 1.0)
    assert not verdict.passed
    assert verdict.number == pytest.approx(20 * 0.8)
    assert verdict.description == "large is 16.0 of 20 patches off its share, up to 2.0 are expected"


@pytest.mark.parametrize(
    ("off", "acceptance_rate", "passed"), [(2, 1.0, True), (3, 1.0, False), (8, 0.8, True), (9, 0.8, False)]
)
def test_a_mix_may_be_off_by_what_rejected_candidates_take_along(
    made: tuple[Settings, VideoReport], off: int, acceptance_rate: float, passed: bool
) -> None:
    _, report = made
    row = report.categories["general"].rows[0]
    rows = [replace(row, format="square")] * (30 + off) + [replace(row, format="wide")] * (30 - off)
    general = replace(report.categories["general"], rows=tuple(rows), mix={"square": 0.5, "wide": 0.5})
    assert format_mix_kept(general, acceptance_rate).passed is passed


@pytest.mark.parametrize(("off", "passed"), [(11, True), (12, False)])
def test_beyond_the_first_64_patches_a_mix_may_be_off_by_what_detail_decides(
    made: tuple[Settings, VideoReport], off: int, passed: bool
) -> None:
    _, report = made
    row = report.categories["general"].rows[0]
    rows = [replace(row, format="square")] * (100 + off) + [replace(row, format="wide")] * (100 - off)
    general = replace(report.categories["general"], rows=tuple(rows), mix={"square": 0.5, "wide": 0.5})
    assert format_mix_kept(general, 1.0).passed is passed


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def replaced_by_another_size(path: Path) -> None:
    size_bytes = path.stat().st_size
    Image.fromarray(np.zeros((3, 3, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes().ljust(size_bytes, b"\0"))


def overwritten(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def with_one_byte_changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["gt", "lr5", "lr7"])
@pytest.mark.parametrize(
    "tamper", [Path.unlink, shortened, replaced_by_another_size, overwritten, with_one_byte_changed]
)
def test_a_file_that_is_not_as_its_row_describes_is_detected(
    made: tuple[Settings, VideoReport], tmp_path: Path, kind: str, tamper: Callable[[Path], None]
) -> None:
    settings, report = made
    general = report.categories["general"]
    row = general.rows[-1]
    tamper(tmp_path / getattr(row, f"{kind}_path"))
    verdict = triplets_whole(inspected(settings, general))
    assert (verdict.passed, verdict.number) == (False, 1)
    assert row.patch_id in verdict.description


def frames_of(root: Path, row: PatchRow) -> NDArray[np.uint8]:
    stack = np.asarray(Image.open(root / (row.lr7_path or "")))
    return stack.reshape(7, -1, *stack.shape[1:])


def with_frames(root: Path, row: PatchRow, frames: NDArray[np.uint8]) -> PatchRow:
    """Writes other LR frames; the row that fits them."""
    Image.fromarray(frames.reshape(-1, *frames.shape[2:])).save(root / (row.lr7_path or ""))
    return replace(row, lr7_bytes=(root / (row.lr7_path or "")).stat().st_size)


def apart(rows: Sequence[PatchRow]) -> tuple[PatchRow, PatchRow]:
    """Two rows of the same format, whose windows are far apart."""
    by_format: dict[str, list[PatchRow]] = {}
    for row in rows:
        by_format.setdefault(row.format, []).append(row)
    most = max(by_format.values(), key=len)
    return most[0], most[-1]


@pytest.mark.parametrize("brightness", [1.0, 0.35])
@pytest.mark.parametrize("cut", [1, 3, 6])
def test_frames_of_two_shots_in_a_file_are_detected(
    made: tuple[Settings, VideoReport], tmp_path: Path, cut: int, brightness: float
) -> None:
    settings, report = made
    general = report.categories["general"]
    one, other = apart(general.rows)
    assert one != other
    joined = np.concatenate([frames_of(tmp_path, one)[:cut], frames_of(tmp_path, other)[cut:]])
    row = with_frames(tmp_path, one, (joined * brightness).astype(np.uint8))
    rows = tuple(row if each == one else each for each in general.rows)
    verdict = windows_uncut(inspected(settings, replace(general, rows=rows)))
    assert (verdict.passed, verdict.number) == (False, 1)
    assert one.patch_id in verdict.description
    assert triplets_whole(inspected(settings, replace(general, rows=rows))).passed


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
def test_a_black_bar_along_any_edge_is_detected(
    made: tuple[Settings, VideoReport], tmp_path: Path, side: str
) -> None:
    settings, report = made
    general = report.categories["general"]
    row = general.rows[0]
    frames = frames_of(tmp_path, row).copy()
    turned = frames if side in ("top", "bottom") else frames.swapaxes(1, 2)
    turned[:, slice(0, 4) if side in ("top", "left") else slice(-4, None)] = 0
    barred = replace(general, rows=(with_frames(tmp_path, row, frames), *general.rows[1:]))
    verdict = free_of_black_bars(inspected(settings, barred))
    assert (verdict.passed, verdict.number) == (False, 1)
    assert row.patch_id in verdict.description


def test_a_bar_with_a_subtitle_in_the_gt_file_is_detected(
    made: tuple[Settings, VideoReport], tmp_path: Path
) -> None:
    settings, report = made
    general = report.categories["general"]
    row = max(general.rows, key=lambda row: row.width)
    picture = np.asarray(Image.open(tmp_path / row.gt_path)).copy()
    noise = np.random.default_rng(1).normal(0, 4, (30, row.width, 1))
    picture[-30:] = np.clip(noise, 0, 255)
    cv2.putText(
        picture, "He was here yesterday", (4, row.height - 9), cv2.FONT_HERSHEY_DUPLEX, 0.5, (235,) * 3
    )
    Image.fromarray(picture).save(tmp_path / row.gt_path)
    barred = replace(row, gt_bytes=(tmp_path / row.gt_path).stat().st_size)
    rows = tuple(barred if each == row else each for each in general.rows)
    verdict = free_of_black_bars(inspected(settings, replace(general, rows=rows)))
    assert (verdict.passed, verdict.number) == (False, 1)
    assert row.patch_id in verdict.description


def test_ground_truth_of_two_moments_is_detected(made: tuple[Settings, VideoReport], tmp_path: Path) -> None:
    settings, report = made
    general = report.categories["general"]
    row = general.rows[0]
    picture = np.array(Image.open(tmp_path / row.gt_path))
    picture[1::2] = np.roll(picture, 6, axis=1)[1::2]
    Image.fromarray(picture).save(tmp_path / row.gt_path)
    combed = replace(row, gt_bytes=(tmp_path / row.gt_path).stat().st_size)
    verdict = free_of_combs(inspected(settings, replace(general, rows=(combed, *general.rows[1:]))))
    assert (verdict.passed, verdict.number) == (False, 1)
    assert row.patch_id in verdict.description


def test_a_false_alarm_among_many_is_none() -> None:
    found = Inspection(1000, (), 50, ("a",), ("a", "b"), ("a", "b"))
    assert windows_uncut(found).passed
    assert free_of_black_bars(found).passed
    assert free_of_combs(found).passed
    assert not free_of_combs(replace(found, combed=("a", "b", "c"))).passed
    assert not windows_uncut(replace(found, over_a_cut=("a", "b"))).passed
    assert not free_of_black_bars(replace(found, barred=("a", "b", "c"))).passed


def without_row(report: VideoReport) -> str:
    """The name of a patch of a candidate that was rejected."""
    with_row = {row.window for row in report.categories["general"].rows}
    return patch_id(KEY, next(number for number in range(report.windows.rows) if number not in with_row))


@pytest.mark.parametrize(
    "name",
    [
        "Universal/Learn/Square/GT/{}.png",
        "Universal/Learn/Square/LR_7frames/.{}.png.tmp",
        "Universal/Learn/GoneFormat/LR_5frames/{}.png",
    ],
)
def test_a_file_of_the_video_that_no_row_names_is_reported(
    made: tuple[Settings, VideoReport], tmp_path: Path, name: str
) -> None:
    settings, report = made
    name = name.format(without_row(report))
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(b"")
    verdict = matched(settings, report)
    assert (verdict.passed, verdict.number) == (False, 1)
    assert name in verdict.description


def test_files_of_others_are_no_matter_of_the_video(
    made: tuple[Settings, VideoReport], tmp_path: Path
) -> None:
    settings, report = made
    for name in ("Square/GT/another_000000.png", f"Square/GT/{KEY}-2_000000.png", f"Val/GT/{KEY}_000099.png"):
        (tmp_path / "Universal/Learn" / name).write_bytes(b"")
    assert matched(settings, report).passed


def test_of_many_only_a_sample_is_read_back_and_that_is_said(
    made: tuple[Settings, VideoReport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, report = made
    general = report.categories["general"]
    assert len(general.rows) > 3
    monkeypatch.setattr(inspection_module, "SAMPLE", 2)
    monkeypatch.setattr(strays_module, "FILES_SAMPLE", 2)
    read: list[Path] = []
    read_bytes = Path.read_bytes

    def counted_read(path: Path) -> bytes:
        read.append(path)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", counted_read)
    found = inspected(settings, general)
    assert found.sampled == 2
    assert len(read) == 2 * 3
    verdict = triplets_whole(found)
    assert (verdict.sampled, verdict.description) == (2, "0 of 2 sampled triplets incomplete or damaged")
    unread = next(row for row in general.rows[1:] if tmp_path / row.gt_path not in read)
    (tmp_path / unread.gt_path).write_bytes(b"damaged")
    assert triplets_whole(inspected(settings, general)).passed
    verdict = matched(settings, report)
    assert (verdict.passed, verdict.sampled) == (True, 2)
    assert "of 2 sampled candidates" in verdict.description
    # The first is always looked at.
    (tmp_path / general.rows[0].gt_path).write_bytes(b"damaged")
    assert not triplets_whole(inspected(settings, general)).passed


def test_a_file_that_is_gone_does_not_match_the_table(
    made: tuple[Settings, VideoReport], tmp_path: Path
) -> None:
    settings, report = made
    general = report.categories["general"]
    (tmp_path / (general.rows[0].lr5_path or "")).unlink()
    verdict = matched(settings, report)
    assert (verdict.passed, verdict.number) == (False, 1)
    assert (general.rows[0].lr5_path or "-") in verdict.description


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


@pytest.mark.parametrize(
    ("tamper", "words"),
    [(Path.touch, "unchanged"), (grown, "changed while it was read"), (Path.unlink, "disappeared")],
)
def test_a_film_that_changes_or_disappears_while_it_is_read_is_detected(
    tamper: Callable[[Path], None], words: str, sdr_film: Film, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    shutil.copyfile(sdr_film.path, film)
    settings = small_settings(tmp_path / "output", film)
    fingerprint = probe_video(settings, KEY).source_fingerprint
    data_set = DataSet.of(settings)
    assert source_unchanged(fingerprint, film).passed
    assert sources_unchanged(settings, data_set).passed
    tamper(film)
    now, later = source_unchanged(fingerprint, film), sources_unchanged(settings, data_set)
    assert words in now.description
    assert now.passed == later.passed == (tamper == Path.touch)
    assert now.number == later.number == (tamper != Path.touch)
    assert later.passed or KEY in later.description


def test_the_headline_counts_every_video_once() -> None:
    failed, unfinished = (
        {"b": Failure("b", "b.mkv", "b (b.mkv): it is broken")},
        {"b": "never made", "c": "never made"},
    )
    verdict = videos_ok(4, failed, unfinished)
    assert (verdict.passed, verdict.number) == (False, 1)
    assert verdict.description == (
        "2 of 4 videos are done, 1 failed, 1 to come; first b (b.mkv): it is broken"
    )
    assert videos_ok(4, {}, unfinished).passed
    assert not every_video_done(4, unfinished).passed
    assert every_video_done(4, unfinished).number == 2
    assert every_video_done(4, {}).passed


@pytest.mark.parametrize(
    ("native", "working", "passed", "words"),
    [
        ((None, None, None), (1920, 1080), True, "measure"),
        ((1920, 1080, 3.2), (1920, 1080), True, "no trace"),
        ((1280, 720, 23.4), (1920, 1080), False, "1920x1080, holds 1280x720 (z 23.4), and"),
        ((1280, 720, 23.4), (1280, 720), True, "its working frame is 1280x720"),
        ((1280, 720, 5.5), (1920, 1080), True, "perhaps holds 1280x720"),
        ((1860, 1080, 9.0), (1920, 1080), True, "holds 1860x1080"),
    ],
)
def test_a_film_that_was_enlarged_is_reported_while_its_working_frame_is_larger_than_what_it_holds(
    native: tuple[int | None, int | None, float | None],
    working: tuple[int, int],
    passed: bool,
    words: str,
) -> None:
    width, height, z = native
    row = replace(
        VIDEO,
        width=1920,
        height=1080,
        sar="1:1",
        rotation=0,
        working_width=working[0],
        working_height=working[1],
        native_width=width,
        native_height=height,
        native_z=z,
    )
    verdict = true_resolution(row)
    assert verdict.passed == passed
    assert words in verdict.description


def test_an_enlargement_to_uhd_that_the_working_frame_undoes_is_no_fault() -> None:
    uhd = replace(VIDEO, width=3840, height=2160, sar="1:1", rotation=0)
    harmless = replace(uhd, native_width=1920, native_height=1080, native_z=30.0)
    harmful = replace(uhd, native_width=1280, native_height=720, native_z=30.0)
    assert true_resolution(harmless).passed
    assert not true_resolution(harmful).passed
