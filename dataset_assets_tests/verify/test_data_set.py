"""What is verified, what is left out, and what is left to people."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, Progress, ProgressFile
from dataset_assets.errors import VideoError
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.verify import keys_of, verify
from dataset_assets_tests.generate.samples import KEY, pictures, small_settings
from dataset_assets_tests.machines import holder_of, lease
from dataset_assets_tests.sounds import write_sound
from dataset_assets_tests.verify import damages
from dataset_assets_tests.verify.cycle import make, only


def without_videos(settings: Settings) -> Settings:
    return settings.model_copy(update={"videos": ()})


def test_a_video_that_a_run_works_on_is_left_out(settings: Settings) -> None:
    root = settings.base.output_base_dir
    damages.truncate(root)
    ProgressFile(root / "metadata/.progress", Progress(KEY)).update()
    before = pictures(root)
    found = only(settings, repair=True)
    assert (found.findings, found.left_out) == ([], "a run works on it")
    assert pictures(root) == before


def test_a_video_that_another_machine_works_on_is_left_out_and_says_which(settings: Settings) -> None:
    root = settings.base.output_base_dir
    damages.truncate(root)
    many = settings.model_copy(update={"base": settings.base.model_copy(update={"machines": "many"})})
    lease(root, KEY, holder_of("w1"))
    before = pictures(root)
    found = only(many, repair=True)
    assert (found.findings, found.left_out) == ([], "a run of w1 works on it")
    assert pictures(root) == before
    lease(root, KEY, holder_of("w1"), silent_s=many.base.lease_s + 1)
    assert only(many).findings != []
    (root / f"metadata/.leases/{KEY}/1").write_bytes(b"free")
    assert only(many, repair=True).repaired


def test_nothing_is_repaired_while_another_process_holds_the_lock(settings: Settings) -> None:
    root = settings.base.output_base_dir
    damages.truncate(root)
    before = pictures(root)
    with DataSet(root).hold(KEY):
        found = only(settings, repair=True)
    assert len(found.findings) == 1
    assert found.left_out == "not repaired: a run works on it"
    assert pictures(root) == before


def test_a_video_that_is_not_configured_any_more_is_verified_and_never_deleted(settings: Settings) -> None:
    root = settings.base.output_base_dir
    left = without_videos(settings)
    assert keys_of(left) == [KEY]
    assert only(left).findings == []
    damages.truncate(root)
    before = pictures(root)
    found = only(left, repair=True)
    assert [finding.kind.value for finding in found.findings] == ["file"]
    assert "not in the configuration" in found.left_out
    assert pictures(root) == before


def test_a_film_that_is_absent_keeps_what_was_made_of_it(settings: Settings, tmp_path: Path) -> None:
    root = settings.base.output_base_dir
    entry = settings.videos[0].model_copy(update={"path": tmp_path / "absent.mp4"})
    damages.truncate(root)
    before = pictures(root)
    found = only(settings.model_copy(update={"videos": (entry,)}), repair=True)
    assert "is absent" in found.left_out
    assert pictures(root) == before


def test_the_rows_of_a_category_whose_drive_is_away_are_kept(settings: Settings) -> None:
    root = settings.base.output_base_dir
    rows = damages.general(root)
    shutil.rmtree(root / "Universal/Learn")
    for is_there in (False, True):
        if is_there:
            (root / "Universal/Learn").mkdir()  # the mount point
        found = only(settings, repair=True)
        assert len(found.findings) >= 3 * len(rows)
        assert "Universal/Learn is empty" in found.left_out
        assert damages.general(root) == rows


def test_files_of_people_are_reported_and_left(settings: Settings) -> None:
    root = settings.base.output_base_dir
    folder = (root / damages.general(root)[0].gt_path).parent
    (folder / "notes.txt").write_text("mine")
    (folder / "another-film_000001.png").write_bytes(b"mine")
    (root / "Universal/Learn/Val/GT/mine.png").write_bytes(b"mine")
    of_the_video, of_none = verify(settings, repair=True)
    assert (of_the_video.key, of_the_video.findings) == (KEY, [])
    assert of_none.key == ""
    assert [Path(finding.place).name for finding in of_none.findings] == [
        "another-film_000001.png",
        "notes.txt",
    ]
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "another-film_000001.png").exists()
    assert [found.key for found in verify(settings, [KEY])] == [KEY]


def test_unfinished_and_stale_tables_are_notes(settings: Settings) -> None:
    changed = settings.model_copy(update={"base": settings.base.model_copy(update={"seed": 9})})
    found = only(changed)
    assert found.findings == []
    assert "windows is stale: its settings changed" in found.notes
    damages.truncate(settings.base.output_base_dir)
    assert only(settings, repair=True).repaired
    assert only(settings).notes == ["general is partial: a run was interrupted"]


class Stopped(Exception):
    pass


def stop_after(windows: int) -> Callable[[Progress], None]:
    def on_progress(progress: Progress) -> None:
        if progress.windows_worked == windows:
            raise Stopped

    return on_progress


CHANGES: dict[str, dict[str, Any]] = {
    "more windows": {"base_frame_limit": 6},
    "fewer windows": {"base_frame_limit": 2},
    "another kernel": {"lr_kernel": "area"},
    "another limit": {"max_mean_abs_diff": 20.0},
    "another mix": {},
}


@pytest.mark.parametrize("windows", [1, 3])
@pytest.mark.parametrize("change", CHANGES)
def test_a_run_that_was_stopped_after_a_change_leaves_nothing_to_find(
    settings: Settings, change: str, windows: int
) -> None:
    base = settings.base.model_copy(update=CHANGES[change])
    categories = settings.categories
    if change == "another mix":
        general = categories["general"].model_copy(update={"mix": {"square": 0.2, "large": 0.8}})
        categories = {**categories, "general": general}
    changed = settings.model_copy(update={"base": base, "categories": categories})
    with suppress(Stopped):
        generate_video(changed, KEY, on_progress=stop_after(windows))
    assert only(changed, deep_share=1.0).findings == []
    make(changed)
    found = only(changed, deep_share=1.0)
    assert (found.findings, found.notes) == ([], [])


def test_every_triplet_is_counted_when_it_is_read(whole: Settings) -> None:
    counts: list[int] = []
    (found,) = verify(whole, on_triplets=counts.append)
    assert sum(counts) == found.triplets


def test_a_reader_who_stops_is_not_waited_for(whole: Settings) -> None:
    going = verify(whole)
    next(going)
    going.close()
    assert list(going) == []


def test_a_refused_film_and_a_category_of_no_weight_are_not_missing(tmp_path: Path) -> None:
    film = write_sound(tmp_path / "sound.mkv")
    settings = small_settings(tmp_path / "out", film, weights={"toon": 1.0})
    missing = [f"{name} is missing: never made" for name in ("source", "windows", "toon")]
    assert only(settings).notes == missing
    with pytest.raises(VideoError) as refused:
        probe_video(settings, KEY)
    assert only(settings).notes == [f"refused: {refused.value}"]
