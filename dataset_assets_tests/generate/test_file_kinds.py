"""Which files a patch has, by `lr_stacks` and `gt_frames`: what a change makes, deletes, and leaves alone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from dataset_assets.checks import inspect_triplets
from dataset_assets.config import Settings
from dataset_assets.curation import score_video
from dataset_assets.dataset import WINDOWS, AssetStatus, DataSet, content_hash
from dataset_assets.errors import ReplacingError, VideoError
from dataset_assets.gallery.sheets import sample_triplet
from dataset_assets.generate import Changes, generate_video, planned_changes, probe_video
from dataset_assets.patches import downscale, encode_png
from dataset_assets.tables import PATCHES
from dataset_assets.verify import verify
from dataset_assets.windows import WindowFinder
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.interrupting import at_disk_call, interrupt
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    KEY,
    files_named_by_rows,
    patch_rows,
    pictures,
    small_settings,
    tables,
)

FOLDERS = {5: "LR_5frames", 7: "LR_7frames"}


# The settings of data sets, by the LR stacks of their patches; with + they have GT of all frames.
FILES: dict[str, dict[str, Any]] = {
    "5": {"lr_stacks": [5]},
    "7": {"lr_stacks": [7]},
    "57": {},
    "57+": {"gt_frames": "all"},
    "5+": {"lr_stacks": [5], "gt_frames": "all"},
}


@pytest.fixture(scope="module")
def made(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets of one film, by their names in `FILES`."""
    folder = tmp_path_factory.mktemp("files")
    for name, base in FILES.items():
        settings = small_settings(folder / name, sdr_film.path, **base)
        probe_video(settings, KEY)
        generate_video(settings, KEY)
    return folder


def changed(made: Path, tmp_path: Path, film: Path, before: str, after: str, **base: Any) -> Settings:
    """The settings of a copy of a data set, with the files of another one asked for."""
    shutil.copytree(made / before, tmp_path / "out", copy_function=shutil.copy2)
    return small_settings(tmp_path / "out", film, **FILES[after], **base)


def inodes(output: Path) -> dict[str, tuple[int, int]]:
    stats = {path.relative_to(output).as_posix(): path.stat() for path in output.rglob("*.png")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def statuses(settings: Settings) -> dict[str, AssetStatus]:
    return DataSet.of(settings).statuses(settings, settings.videos[0])


def changes(settings: Settings) -> Changes:
    planned = planned_changes(settings, DataSet.of(settings), settings.videos[0])
    return sum(planned.values(), Changes())


def assert_sound(settings: Settings) -> None:
    for found in verify(settings, deep_share=1.0):
        assert (found.findings, found.notes, found.left_out) == ([], [], "")
        assert found.windows_compared


def picture(path: Path) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(path))


@pytest.mark.parametrize("stack", [5, 7])
def test_only_the_stacks_that_are_asked_for_are_made(made: Path, sdr_film: Film, stack: int) -> None:
    output, other = made / str(stack), 12 - stack
    both = pictures(made / "57")
    assert pictures(output) == {name: hash_ for name, hash_ in both.items() if FOLDERS[other] not in name}
    assert files_named_by_rows(output) == set(pictures(output))
    for category in CATEGORIES:
        for row in patch_rows(output, category):
            columns = [row[f"lr{other}_{column}"] for column in ("path", "bytes", "hash")]
            assert columns == [None] * 3
            assert row[f"lr{stack}_path"]
    settings = small_settings(output, sdr_film.path, lr_stacks=[stack])
    data_set = DataSet.of(settings)
    assert_sound(settings)
    assert data_set.overview(settings).stats.totals.size_bytes == sum(
        path.stat().st_size for path in output.rglob("*.png")
    )
    rows = data_set.tables.read_patches("general", KEY)
    found = inspect_triplets(data_set, rows)
    assert (found.broken, found.over_a_cut, found.barred) == ((), (), ())
    report = generate_video(settings, KEY).categories["general"]
    assert sample_triplet(data_set, report) is not None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("57", "7"),
        ("57", "5"),
        ("7", "57"),
        ("7", "5"),
        ("5", "57"),
        ("5", "7"),
        ("57", "57+"),
        ("57+", "57"),
        ("5+", "7"),
        ("7", "5+"),
    ],
)
def test_a_change_ends_in_the_same_files_as_a_fresh_run_and_touches_no_file_that_stays(
    made: Path, sdr_film: Film, tmp_path: Path, before: str, after: str
) -> None:
    settings = changed(made, tmp_path, sdr_film.path, before, after)
    output, there = tmp_path / "out", inodes(tmp_path / "out")
    stale = {name for name, status in statuses(settings).items() if not status.is_done}
    assert stale == set(CATEGORIES)
    generate_video(settings, KEY)
    now = inodes(output)
    assert pictures(output) == pictures(made / after)
    # Where another stack is the largest one now, scores of it are measured when they are asked for.
    score_video(settings, KEY)
    assert tables(output) == tables(made / after)
    assert {name: state for name, state in now.items() if name in there} == {
        name: state for name, state in there.items() if name in now
    }
    assert all(status.is_done for status in statuses(settings).values())
    assert_sound(settings)
    before_again = inodes(output)
    assert generate_video(settings, KEY).made == 0
    assert inodes(output) == before_again


def test_a_pass_over_the_film_drops_files_too(made: Path, sdr_film: Film, tmp_path: Path) -> None:
    settings = changed(made, tmp_path, sdr_film.path, "57", "7")
    there = inodes(tmp_path / "out")
    # Without a row of the film nothing is done before it is read.
    DataSet.of(settings).tables.video_path(KEY).unlink()
    generate_video(settings, KEY)
    assert pictures(tmp_path / "out") == pictures(made / "7")
    assert inodes(tmp_path / "out").items() <= there.items()
    assert all(status.is_done for name, status in statuses(settings).items() if name in CATEGORIES)
    probe_video(settings, KEY)
    assert_sound(settings)


@pytest.mark.parametrize(
    ("before", "after"), [("57", "7"), ("57", "5"), ("7", "57"), ("7", "5"), ("57+", "7"), ("5+", "7")]
)
def test_what_needs_no_film_is_done_while_it_is_away(
    made: Path, sdr_film: Film, tmp_path: Path, before: str, after: str
) -> None:
    settings = changed(made, tmp_path, tmp_path / "away.mp4", before, after)
    of_path = settings.videos[0].model_copy(update={"path": sdr_film.path})
    assert all(statuses(settings)[name].only_files for name in CATEGORIES)
    found = DataSet.of(settings).completions(settings, settings.videos[0], statuses(settings))
    assert all(found[name].to_do == 0 for name in (WINDOWS, *CATEGORIES))
    with pytest.raises(VideoError, match="does not exist"):
        generate_video(settings, KEY)
    assert pictures(tmp_path / "out") == pictures(made / after)
    there = settings.model_copy(update={"videos": (of_path,)})
    assert all(status.is_done for status in statuses(there).values())
    assert_sound(there)


def test_a_damaged_stack_is_not_copied_from(made: Path, sdr_film: Film, tmp_path: Path) -> None:
    settings = changed(made, tmp_path, sdr_film.path, "7", "57")
    damaged = sorted((tmp_path / "out").rglob("LR_7frames/*.png"))[0]
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    generate_video(settings, KEY)
    found = {name: hash_ for name, hash_ in pictures(tmp_path / "out").items() if "LR_5" in name}
    assert found == {name: hash_ for name, hash_ in pictures(made / "57").items() if "LR_5" in name}


@pytest.mark.parametrize(("before", "after"), [("57", "7"), ("7", "5"), ("5", "7"), ("7", "57+")])
def test_interrupted_changes_end_in_the_same_bytes(
    made: Path, sdr_film: Film, tmp_path: Path, before: str, after: str
) -> None:
    settings = changed(made, tmp_path, sdr_film.path, before, after)
    interrupted = 0
    for run in range(1, 200):
        try:
            with at_disk_call(run * 3, interrupt):
                generate_video(settings, KEY)
            break
        except KeyboardInterrupt:
            interrupted += 1
            named = files_named_by_rows(tmp_path / "out")
            assert {name for name in pictures(tmp_path / "out") if "/GT/" in name} <= named
    assert interrupted > 2
    assert pictures(tmp_path / "out") == pictures(made / after)
    score_video(settings, KEY)
    assert tables(tmp_path / "out") == tables(made / after)


@pytest.mark.parametrize(("before", "after"), [("57", "7"), ("5", "7")])
def test_deleting_files_of_many_patches_is_stopped(
    made: Path, sdr_film: Film, tmp_path: Path, before: str, after: str
) -> None:
    settings = changed(made, tmp_path, sdr_film.path, before, after, allow_replacing=False)
    there = inodes(tmp_path / "out")
    with pytest.raises(ReplacingError, match="would lose a file") as stopped:
        generate_video(settings, KEY)
    assert "LR_5frames is not wanted" in stopped.value.what
    assert inodes(tmp_path / "out") == there
    generate_video(settings, KEY, may_replace=True)
    assert pictures(tmp_path / "out") == pictures(made / after)


def test_adding_a_stack_is_said_with_its_size_and_is_not_stopped(
    made: Path, sdr_film: Film, tmp_path: Path
) -> None:
    settings = changed(made, tmp_path, sdr_film.path, "5", "57", allow_replacing=False)
    patches = sum(len(patch_rows(tmp_path / "out", name)) for name in CATEGORIES)
    said = changes(settings)
    assert (said.kept, said.extended, said.reduced, said.replaced) == (patches, patches, 0, 0)
    assert str(said) == f"keeps {patches} patches, adds 0, remakes 0, deletes 0, adds a file to {patches}"
    written = sum(path.stat().st_size for path in (made / "7").rglob("LR_7frames/*.png"))
    assert 0.3 * written < said.extended_bytes < 3 * written
    assert statuses(settings)["general"].reason == "LR_7frames is wanted"
    generate_video(settings, KEY)
    assert pictures(tmp_path / "out") == pictures(made / "57")


def test_gt_of_all_frames_has_frame_3_in_gt_and_its_downscale_in_the_stacks(made: Path) -> None:
    rows = [row for name in CATEGORIES for row in patch_rows(made / "57+", name)]
    assert len(rows) == 9
    for row in rows:
        gt, lr5, lr7, gt7 = (
            picture(made / "57+" / row[f"{kind}_path"]) for kind in ("gt", "lr5", "lr7", "gt7")
        )
        frames = gt7.reshape(7, *gt.shape)
        assert row["gt7_path"] == row["gt_path"].replace("/GT/", "/GT_7frames/")
        assert np.array_equal(frames[3], gt)
        small = downscale(frames, "bicubic", 3)
        assert np.array_equal(small.reshape(lr7.shape), lr7)
        assert np.array_equal(small[1:6].reshape(lr5.shape), lr5)
    assert {row["gt7_path"] for row in patch_rows(made / "57", "general")} == {None}


def test_gt_of_all_frames_is_added_without_a_window_being_tried(
    made: Path, sdr_film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = changed(made, tmp_path, sdr_film.path, "57", "57+", allow_replacing=False)
    windows = DataSet.of(settings).tables.windows_path(KEY)
    before = windows.stat()

    def try_out(*_: object) -> None:
        raise AssertionError("a candidate was tried")

    monkeypatch.setattr(WindowFinder, "try_out", try_out)
    said = changes(settings)
    assert (said.extended, said.replaced) == (9, 0)
    written = sum(path.stat().st_size for path in (made / "57+").rglob("GT_7frames/*.png"))
    assert 0.3 * written < said.extended_bytes < 3 * written
    assert generate_video(settings, KEY).made == 9
    assert (windows.stat().st_ino, windows.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_frame_of_gt_7frames_that_is_another_one_is_found(
    made: Path, sdr_film: Film, tmp_path: Path
) -> None:
    settings = changed(made, tmp_path, sdr_film.path, "57+", "57+")
    store, path = DataSet.of(settings).tables, DataSet.of(settings).tables.patches_path("general", KEY)
    first, *others = store.read_patches("general", KEY)
    provenance = store.read_provenance(path)
    assert provenance is not None
    assert first.gt7_path is not None
    stack = picture(tmp_path / "out" / first.gt7_path)[..., ::-1].copy()
    frames = stack.reshape(7, -1, *stack.shape[1:])
    frames[[3, 5]] = frames[[5, 3]]
    content = encode_png(stack)
    (tmp_path / "out" / first.gt7_path).write_bytes(content)
    changed_row = replace(first, gt7_bytes=len(content), gt7_hash=content_hash(content))
    store.write(path, PATCHES, [changed_row, *others], provenance)
    (found,) = verify(settings, repair=True)
    assert {each.place for each in found.findings} == {first.gt7_path}
    assert [each.what for each in found.findings] == [
        "has a middle frame that is not its GT",
        "has frames of which LR_5frames is not the bicubic downscale",
        "has frames of which LR_7frames is not the bicubic downscale",
    ]
    generate_video(settings, KEY)
    assert pictures(tmp_path / "out") == pictures(made / "57+")


def test_a_stray_file_of_a_stack_that_a_patch_does_not_have_is_found(
    made: Path, sdr_film: Film, tmp_path: Path
) -> None:
    settings = changed(made, tmp_path, sdr_film.path, "7", "7")
    row = patch_rows(tmp_path / "out", "general")[0]
    stray = tmp_path / "out" / row["lr7_path"].replace("LR_7frames", "LR_5frames")
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"anything")
    (found,) = verify(settings)
    assert [(each.place, each.what) for each in found.findings] == [
        (stray.relative_to(tmp_path / "out").as_posix(), "has no row")
    ]
    (found,) = verify(settings, repair=True)
    assert found.repaired
    assert pictures(tmp_path / "out") == pictures(made / "7")


def test_a_row_without_a_stack_that_its_table_has_is_found(
    made: Path, sdr_film: Film, tmp_path: Path
) -> None:
    settings = changed(made, tmp_path, sdr_film.path, "57", "57")
    tables_, path = DataSet.of(settings).tables, DataSet.of(settings).tables.patches_path("general", KEY)
    first, *others = tables_.read_patches("general", KEY)
    provenance = tables_.read_provenance(path)
    assert provenance is not None
    lost = first.with_files(file for file in first.files if file.kind != "LR_5frames")
    tables_.write(path, PATCHES, [lost, *others], provenance)
    (found,) = verify(settings, repair=True)
    assert any("has files of other kinds than its table" in each.what for each in found.findings)
    assert found.repaired
    generate_video(settings, KEY)
    assert pictures(tmp_path / "out") == pictures(made / "57")
