"""A data set in an object store: the same bytes as without, on whatever machine it is made."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import Settings
from dataset_assets.curation import degrade_video, find_duplicates, score_video
from dataset_assets.dataset import DataSet
from dataset_assets.dataset.mirror import Mirror
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.object_store import StoreError
from dataset_assets_tests.configurations import tables
from dataset_assets_tests.curation.degrading import STEPS, degraded_settings, named, stack_files, stacks
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import CATEGORIES, KEY, pictures, small_settings
from dataset_assets_tests.mirror.victims import Kill, run
from dataset_assets_tests.object_stores import URL, Bucket, bucket

__all__ = ["bucket"]


def stored_settings(folder: Path, film: Film, url: str = URL, **changes: Any) -> Settings:
    return small_settings(folder, film.path, machines="many", output_url=url, **changes)


def assert_equal(bucket: Bucket, folder: Path) -> None:
    """Holds what is in the store against a data set that was made without one."""
    bucket.hold()
    assert bucket.noted() == set()
    assert bucket.pictures() == pictures(folder)
    assert bucket.tables() == tables(folder)


def make(settings: Settings) -> None:
    probe_video(settings, KEY)
    generate_video(settings, KEY)


@pytest.fixture(scope="module")
def whole(tiny_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set in a folder."""
    folder = tmp_path_factory.mktemp("whole")
    make(small_settings(folder, tiny_film.path))
    return folder


@pytest.fixture(scope="module")
def changed(tiny_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set of other settings in a folder."""
    folder = tmp_path_factory.mktemp("changed")
    make(small_settings(folder, tiny_film.path, categories=OTHER, weights=OTHER_WEIGHTS))
    return folder


def test_the_store_holds_what_the_folder_of_one_machine_does(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, whole: Path
) -> None:
    make(stored_settings(tmp_path / "a", tiny_film))
    assert bucket.pictures() == pictures(whole) == pictures(tmp_path / "a") != {}
    assert bucket.tables() == tables(whole) == tables(tmp_path / "a")
    for name in bucket.tables():
        assert bucket.read(name) == (tmp_path / "a" / name).read_bytes()
    others = {name for name in bucket.names() if not name.endswith((".png", ".parquet"))}
    assert others == {"metadata/.machines", f"metadata/.leases/{KEY}/1", f"metadata/.leases/{KEY}/2"}


def test_scores_are_in_the_store_and_measured_on_files_that_another_machine_made(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(stored_settings(tmp_path / "a", tiny_film))
    for module in ("generate.score_ledger", "dataset.scores"):
        monkeypatch.setattr(f"dataset_assets.{module}.SCORES_VERSION", 1_000_000)
    assert score_video(stored_settings(tmp_path / "b", tiny_film), KEY).made
    alone = tmp_path / "alone"
    shutil.copytree(whole, alone)
    score_video(small_settings(alone, tiny_film.path), KEY)
    assert_equal(bucket, alone)
    settings = stored_settings(tmp_path / "a", tiny_film)
    DataSet.of(settings).copy.refresh()
    assert tables(tmp_path / "a") == tables(alone)
    assert score_video(settings, KEY).made == 0
    DataSet.of(settings).remove_video(KEY)
    assert bucket.tables() == {}


def test_near_duplicates_are_in_the_store_and_the_next_machine_goes_on_there(
    bucket: Bucket, tiny_film: Film, tmp_path: Path
) -> None:
    make(stored_settings(tmp_path / "a", tiny_film))
    one, other = (stored_settings(tmp_path / name, tiny_film) for name in "ab")
    DataSet.of(other).copy.begin()
    assert find_duplicates(other).made == 1
    name = "metadata/duplicates/part-0.parquet"
    assert bucket.read(name) == (tmp_path / "b" / name).read_bytes()
    DataSet.of(one).copy.refresh()
    assert (tmp_path / "a" / name).read_bytes() == bucket.read(name)
    (tmp_path / "a" / name).unlink()
    assert find_duplicates(one).made == 0
    DataSet.of(one).remove_video(KEY)
    assert find_duplicates(one).removed == 1
    DataSet.of(other).copy.refresh()
    assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "a" / name).read_bytes()


def test_degraded_stacks_are_in_the_store_and_go_with_their_patches(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, whole: Path
) -> None:
    make(stored_settings(tmp_path / "a", tiny_film))
    other = degraded_settings(stored_settings(tmp_path / "b", tiny_film), *STEPS)
    degrade_video(other, KEY)
    alone = tmp_path / "alone"
    shutil.copytree(whole, alone)
    degrade_video(degraded_settings(small_settings(alone, tiny_film.path), *STEPS), KEY)
    assert_equal(bucket, alone)
    settings = degraded_settings(stored_settings(tmp_path / "a", tiny_film), *STEPS)
    DataSet.of(settings).copy.pull([KEY])
    assert tables(tmp_path / "a") == tables(alone)
    assert stack_files(tmp_path / "a") == stack_files(alone) == named(stacks(alone)) != set()
    assert degrade_video(settings, KEY).made == 0
    make(degraded_settings(stored_settings(tmp_path / "a", tiny_film, base_frame_limit=3), *STEPS))
    left = {name for name in bucket.names() if "LR_7frames_degraded" in name}
    assert left == stack_files(tmp_path / "a") == named(stacks(tmp_path / "a"))
    assert len(left) < 11
    DataSet.of(settings).remove_video(KEY)
    assert (bucket.tables(), bucket.pictures()) == ({}, {})


def test_a_data_set_that_was_copied_to_the_store_goes_on_there(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, whole: Path
) -> None:
    make(small_settings(tmp_path / "own", tiny_film.path, base_frame_limit=3))
    for path in (tmp_path / "own").rglob("*"):
        name = path.relative_to(tmp_path / "own").as_posix()
        if path.is_file() and not name.startswith("metadata/."):
            bucket.write(name, path.read_bytes())
    copied = bucket.moments()
    make(stored_settings(tmp_path / "copy", tiny_film))
    assert_equal(bucket, whole)
    assert all(bucket.moments()[name] == copied[name] for name in copied if name.endswith(".png"))


def test_what_another_machine_has_replaced_is_not_overwritten(bucket: Bucket, tmp_path: Path) -> None:
    name = f"metadata/windows/video={KEY}/part-0.parquet"
    first, second = (Mirror(tmp_path / each, URL) for each in ("first", "second"))
    paths = [tmp_path / each / name for each in ("first", "second")]
    for path in paths:
        path.parent.mkdir(parents=True)
    paths[0].write_bytes(b"begun")
    first.put_small(paths[0])
    second.pull_small(paths[1])
    assert paths[1].read_bytes() == b"begun"
    paths[1].write_bytes(b"taken over")
    second.put_small(paths[1])
    paths[0].write_bytes(b"of one that slept")
    with pytest.raises(StoreError, match="was written by another machine at the same time"):
        first.put_small(paths[0])
    assert bucket.read(name) == b"taken over"
    first.pull_small(paths[0])
    assert paths[0].read_bytes() == b"taken over"


# Other bytes under the same names, other formats of the same windows, and a category that goes.
OTHER = {
    "general": CATEGORIES["space"].model_copy(update={"folder": CATEGORIES["general"].folder}),
    "space": CATEGORIES["space"],
}
OTHER_WEIGHTS = {"general": 1.0, "space": 0.5}
NEW = [
    Kill("journal", is_done=True),
    Kill("file", 7, is_done=True),
    Kill("windows", 2),
    Kill("patches", 2, is_done=True),
    Kill("removal of a journal"),
]
CHANGED = [
    Kill("patches", is_done=True),
    Kill("file", 3, is_done=True),
    Kill("removal of a file", is_done=True),
]


@pytest.mark.slow
@pytest.mark.parametrize("kill", NEW, ids=str)
def test_a_run_that_is_killed_is_finished_on_another_machine(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, whole: Path, kill: Kill
) -> None:
    assert run(stored_settings(tmp_path / "a", tiny_film), kill) == -signal.SIGKILL
    bucket.hold()
    committed = {name: moment for name, moment in bucket.moments().items() if name in bucket.named()}
    assert run(stored_settings(tmp_path / "b", tiny_film)) == 0
    assert_equal(bucket, whole)
    assert {name: bucket.moments()[name] for name in committed} == committed  # not made again
    assert pictures(tmp_path / "b") == bucket.pictures()
    # The first machine is as good as any other to go on with.
    assert run(stored_settings(tmp_path / "a", tiny_film)) == 0
    assert_equal(bucket, whole)
    assert pictures(tmp_path / "a") == bucket.pictures()


@pytest.mark.parametrize("kill", CHANGED, ids=str)
def test_a_run_with_other_settings_that_is_killed_leaves_nothing_of_the_first(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, changed: Path, kill: Kill
) -> None:
    assert run(stored_settings(tmp_path / "a", tiny_film)) == 0
    other = stored_settings(tmp_path / "b", tiny_film, categories=OTHER, weights=OTHER_WEIGHTS)
    assert run(other, kill) == -signal.SIGKILL
    bucket.hold()
    third = other.base.model_copy(update={"output_base_dir": tmp_path / "c"})
    assert run(other.model_copy(update={"base": third})) == 0
    assert_equal(bucket, changed)
    assert pictures(tmp_path / "c") == bucket.pictures()
