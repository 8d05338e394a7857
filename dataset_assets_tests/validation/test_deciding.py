"""Accepting and declining: what is in `Val/GT`, what is not touched there, what a killed process leaves."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, ValidationPatch
from dataset_assets.disk import create
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports import ExportOptions, plan_export
from dataset_assets_tests.exports.samples import drop_patch, replace_patch
from dataset_assets_tests.generate.interrupting import at_disk_call, kill
from dataset_assets_tests.validation.samples import accepted, proposed, root, states, triplets, val_files

FOLDER = "Universal/Learn/Val/GT"


def test_nothing_is_in_val_before_somebody_accepts(settings: Settings) -> None:
    chosen = triplets(settings)[:3]
    proposed(settings, chosen)
    assert val_files(settings) == {}
    assert states(settings) == {f"general/{each.row.patch_id}": "proposed" for each in chosen}
    assert plan_export(settings, ExportOptions("redux")).selected.set_apart == 0


def test_accepted_files_are_those_of_the_data_set_byte_for_byte(settings: Settings) -> None:
    chosen = triplets(settings)[::5]
    accepted(settings, chosen)
    expected = {
        f"{FOLDER}/{each.row.patch_id}.png": (root(settings) / each.row.gt_path).read_bytes()
        for each in chosen
    }
    assert val_files(settings) == expected
    assert set(states(settings).values()) == {"accepted"}
    for name in expected:
        with Image.open(root(settings) / name) as picture:
            picture.load()


def test_a_file_in_val_is_no_link_to_the_data_set(settings: Settings) -> None:
    (each,) = accepted(settings, triplets(settings)[:1])
    assert each.row.val_path is not None
    assert (root(settings) / each.row.val_path).stat().st_nlink == 1


def test_the_files_of_the_user_are_neither_replaced_nor_deleted(settings: Settings) -> None:
    one, two = triplets(settings)[:2]
    folder = root(settings) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    mine, same = folder / f"{one.row.patch_id}.png", folder / f"{two.row.patch_id}.png"
    mine.write_bytes(b"mine")
    same.write_bytes((root(settings) / two.row.gt_path).read_bytes())
    before = val_files(settings)
    found = accepted(settings, [one, two])
    assert [each.row.val_path for each in found] == [f"{FOLDER}/{one.row.patch_id}-2.png", None]
    assert val_files(settings).items() > before.items()
    DataSet.of(settings).validation.decline(found)
    assert val_files(settings) == before


def test_declining_deletes_the_file_and_gives_the_patch_back_to_training(settings: Settings) -> None:
    found = accepted(settings, triplets(settings)[:4])
    assert plan_export(settings, ExportOptions("redux")).selected.of("val")
    decided = DataSet.of(settings).validation.decline(found)
    assert len(decided.removed) == len(decided.changed) == 4
    assert val_files(settings) == {}
    assert set(states(settings).values()) == {"declined"}
    selected = plan_export(settings, ExportOptions("redux")).selected
    assert (selected.of("val"), selected.set_apart) == ([], 0)


def test_a_file_that_was_changed_in_val_stays(settings: Settings) -> None:
    (each,) = accepted(settings, triplets(settings)[:1])
    path = root(settings) / str(each.row.val_path)
    path.write_bytes(b"retouched")
    assert DataSet.of(settings).validation.file_state(each) == f"{each.row.val_path} was changed"
    decided = DataSet.of(settings).validation.decline([each])
    assert decided.kept == [f"{path} was changed since, so it stays"]
    assert path.read_bytes() == b"retouched"
    assert states(settings) == {each.name: "declined"}


def test_accepting_again_puts_a_missing_file_back_and_changes_nothing_else(settings: Settings) -> None:
    found = accepted(settings, triplets(settings)[:2])
    before = val_files(settings)
    table = next(root(settings).glob("metadata/validation/*/*/*.parquet"))
    content = table.read_bytes()
    (root(settings) / str(found[0].row.val_path)).unlink()
    decided = DataSet.of(settings).validation.accept(settings, found)
    assert (decided.changed, len(decided.written)) == ([], 1)
    assert val_files(settings) == before
    assert table.read_bytes() == content


@pytest.mark.parametrize(
    ("change", "sentence"), [(replace_patch, "was made again since"), (drop_patch, "is gone since")]
)
def test_what_is_another_picture_now_is_not_accepted(
    settings: Settings, change: object, sentence: str
) -> None:
    chosen = triplets(settings)[:3]
    found = proposed(settings, chosen)
    change(settings, chosen[2])  # type: ignore[operator]
    with pytest.raises(DatasetAssetsError, match=f"{chosen[2].row.patch_id} {sentence} .*; propose again"):
        DataSet.of(settings).validation.accept(settings, found)
    assert val_files(settings) == {}
    assert set(states(settings).values()) == {"proposed"}


def test_a_damaged_picture_is_not_accepted(settings: Settings) -> None:
    chosen = triplets(settings)[:2]
    found = proposed(settings, chosen)
    (root(settings) / chosen[1].row.gt_path).write_bytes(b"half")
    with pytest.raises(DatasetAssetsError, match=r"is missing or damaged; `dataset-assets verify --repair`"):
        DataSet.of(settings).validation.accept(settings, found)
    assert val_files(settings) == {}


def test_what_was_accepted_of_a_removed_film_stays(settings: Settings) -> None:
    chosen = triplets(settings)
    one = [each for each in chosen if each.video == "one"]
    (kept,) = accepted(settings, one[:1])
    proposed(settings, one[1:2])
    before = val_files(settings)
    DataSet.of(settings).remove_video("one")
    assert val_files(settings) == before
    assert states(settings) == {kept.name: "accepted"}
    DataSet.of(settings).validation.decline([kept])
    assert val_files(settings) == {}


def test_proposing_again_replaces_only_what_is_proposed(settings: Settings) -> None:
    one, two, three, four = triplets(settings)[:4]
    proposed(settings, [one, two, three])
    by_name = {each.row.patch_id: each for each in DataSet.of(settings).validation.read()}
    DataSet.of(settings).validation.accept(settings, [by_name[one.row.patch_id]])
    DataSet.of(settings).validation.decline([by_name[two.row.patch_id]])
    proposed(settings, [two, four])
    assert states(settings) == {
        f"general/{one.row.patch_id}": "accepted",
        f"general/{two.row.patch_id}": "declined",
        f"general/{four.row.patch_id}": "proposed",
    }


def test_two_that_accept_at_the_same_time_lose_nothing(settings: Settings) -> None:
    found = proposed(settings, triplets(settings)[:6])
    deciding = [
        threading.Thread(target=DataSet.of(settings).validation.accept, args=(settings, [each]))
        for each in found
    ]
    for each in deciding:
        each.start()
    for each in deciding:
        each.join()
    assert set(states(settings).values()) == {"accepted"}
    assert len(val_files(settings)) == 6


def accept_killed_at(settings: Settings, found: list[ValidationPatch], number: int) -> bool:
    """Accepts in a process that is killed at the so many-th call that touches a file; whether it was."""
    child = os.fork()
    if not child:
        with at_disk_call(number, kill):
            DataSet.of(settings).validation.accept(settings, found)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def test_a_killed_accept_leaves_no_half_file_and_the_next_one_completes_it(settings: Settings) -> None:
    chosen = triplets(settings)[:3]
    found = proposed(settings, chosen)
    whole_files = {
        f"{FOLDER}/{each.row.patch_id}.png": (root(settings) / each.row.gt_path).read_bytes()
        for each in chosen
    }
    number = 1
    while accept_killed_at(settings, found, number):
        there = {name: each for name, each in val_files(settings).items() if "/." not in name}
        assert there.items() <= whole_files.items()
        for name in there:
            assert states(settings)[f"general/{Path(name).stem}"] == "accepted"
        number += 1
    assert number > 10
    assert val_files(settings) == whole_files
    assert set(states(settings).values()) == {"accepted"}


def test_a_file_is_created_without_hard_links_too(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with patch.object(os, "link", side_effect=PermissionError(1, "no links here")):
        assert create(path, b"one")
        assert not create(path, b"two")
    assert not create(path, b"three")
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]
    assert path.read_bytes() == b"one"
