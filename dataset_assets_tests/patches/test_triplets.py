"""Triplets as trainers read them: what is in the files, and that a name means a whole file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from dataset_assets.dataset import patch_id, triplet_paths
from dataset_assets.dataset.publishing import TripletWriter
from dataset_assets.frames import DEFAULT_KINDS, FileKind
from dataset_assets.patches.kernels import downscale
from dataset_assets.patches.triplets import encode_triplet, stack_triplet

Picture = npt.NDArray[np.uint8]
CROPS: Picture = np.random.default_rng(0).integers(0, 256, (7, 54, 96, 3), np.uint8)
TRIPLET = stack_triplet(CROPS, DEFAULT_KINDS, "bicubic", 3)
FILES = encode_triplet(TRIPLET)
PATHS = triplet_paths("Toon/ToonModel/Learn", "Patches_Medium169", patch_id("a-film", 12), DEFAULT_KINDS)


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_a_triplet_is_named_by_video_and_window() -> None:
    assert [path.as_posix() for path in PATHS] == [
        "Toon/ToonModel/Learn/Patches_Medium169/GT/a-film_000012.png",
        "Toon/ToonModel/Learn/Patches_Medium169/LR_5frames/a-film_000012.png",
        "Toon/ToonModel/Learn/Patches_Medium169/LR_7frames/a-film_000012.png",
    ]


def test_gt_is_the_middle_frame() -> None:
    assert np.array_equal(TRIPLET[FileKind.GT], CROPS[3])


def test_the_stacks_hold_the_frames_in_order_from_top_to_bottom() -> None:
    _, lr5, lr7 = TRIPLET.values()
    assert lr5.shape == (5 * 18, 32, 3)
    assert lr7.shape == (7 * 18, 32, 3)
    small = downscale(CROPS, "bicubic", 3)
    assert np.array_equal(lr5.reshape(5, 18, 32, 3), small[1:6])
    assert np.array_equal(lr7.reshape(7, 18, 32, 3), small)


def triplet_writer(root: Path) -> TripletWriter:
    return TripletWriter(root, lambda: None, 0)


@pytest.mark.parametrize("kinds", [(FileKind.GT, FileKind.LR5), (FileKind.GT, FileKind.LR7)])
def test_a_stack_is_the_same_whichever_others_are_made(kinds: tuple[FileKind, ...]) -> None:
    found = stack_triplet(CROPS, kinds, "bicubic", 3)
    assert tuple(found) == kinds
    assert all(np.array_equal(picture, TRIPLET[kind]) for kind, picture in found.items())


def test_files_that_are_not_written_are_left_as_they_are(tmp_path: Path) -> None:
    writer = triplet_writer(tmp_path)
    writer.write(PATHS, FILES)
    writer.commit([PATHS])
    before = (tmp_path / PATHS.gt).stat()
    writer.write(PATHS, {FileKind.LR5: FILES[FileKind.LR5]})
    writer.commit([[PATHS.by_kind[FileKind.LR5]]])
    after = (tmp_path / PATHS.gt).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_frame_3_of_the_seven_is_frame_2_of_the_five_and_the_downscaled_gt() -> None:
    gt, lr5, lr7 = TRIPLET.values()
    middle = lr7[3 * 18 : 4 * 18]
    assert np.array_equal(middle, lr5[2 * 18 : 3 * 18])
    assert np.array_equal(middle, downscale(gt[None], "bicubic", 3)[0])


def test_the_files_hold_the_pictures_in_red_green_blue(tmp_path: Path) -> None:
    writer = triplet_writer(tmp_path)
    writer.write(PATHS, FILES)
    writer.commit([PATHS])
    for path, picture, content in zip(PATHS, TRIPLET.values(), FILES.values(), strict=True):
        with Image.open(tmp_path / path) as image:
            assert (image.format, image.mode) == ("PNG", "RGB")
            assert np.array_equal(np.asarray(image), picture[..., ::-1])
        assert (tmp_path / path).read_bytes() == content


def test_pictures_that_were_turned_or_mirrored_in_memory_are_written_as_they_look(tmp_path: Path) -> None:
    turned = stack_triplet(CROPS.swapaxes(1, 2)[:, ::-1], DEFAULT_KINDS, "area", 3)
    writer = triplet_writer(tmp_path)
    writer.write(PATHS, encode_triplet(turned))
    writer.commit([PATHS])
    gt = np.asarray(Image.open(tmp_path / PATHS.gt))
    assert np.array_equal(gt, np.rot90(CROPS[3])[..., ::-1])


def test_no_name_appears_before_the_commit(tmp_path: Path) -> None:
    writer = triplet_writer(tmp_path)
    writer.write(PATHS, FILES)
    assert all(Path(name).name.startswith(".") for name in files(tmp_path))
    writer.commit([PATHS])
    assert files(tmp_path) == {path.as_posix() for path in PATHS}


def test_only_what_is_committed_gets_its_name_and_the_rest_is_discarded(tmp_path: Path) -> None:
    other = triplet_paths("Toon/ToonModel/Learn", "Patches", patch_id("a-film", 13), DEFAULT_KINDS)
    writer = triplet_writer(tmp_path)
    writer.write(PATHS, FILES)
    writer.write(other, FILES)
    writer.commit([other])
    assert not any(path.endswith("000012.png") and "/." not in path for path in files(tmp_path))
    writer.discard()
    assert files(tmp_path) == {path.as_posix() for path in other}


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_triplet_that_could_not_be_written_whole_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    calls = 0
    write_bytes = Path.write_bytes

    def interrupted(path: Path, content: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    writer = triplet_writer(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        writer.write(PATHS, FILES)
    assert not any(Path(name).name.startswith("a-film") for name in files(tmp_path))
    writer.discard()
    assert files(tmp_path) == set()


def test_files_that_cannot_be_flushed_get_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = triplet_writer(tmp_path)
    writer.write(PATHS, FILES)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        writer.commit([PATHS])
    assert not any(Path(name).name.startswith("a-film") for name in files(tmp_path))


def test_a_new_triplet_replaces_an_old_one_of_the_same_name(tmp_path: Path) -> None:
    writer = triplet_writer(tmp_path)
    for kernel in ("bicubic", "area"):
        writer.write(PATHS, encode_triplet(stack_triplet(CROPS, DEFAULT_KINDS, kernel, 3)))
        writer.commit([PATHS])
    assert files(tmp_path) == {path.as_posix() for path in PATHS}
    lr7 = np.asarray(Image.open(tmp_path / PATHS.by_kind[FileKind.LR7]))
    assert np.array_equal(lr7[:18], downscale(CROPS, "area", 3)[0][..., ::-1])


def test_a_folder_that_another_run_removed_is_made_again(tmp_path: Path) -> None:
    writer = triplet_writer(tmp_path)
    writer.write(PATHS, FILES)
    writer.commit([PATHS])
    for path in PATHS:
        (tmp_path / path).unlink()
        (tmp_path / path).parent.rmdir()
    again = triplet_paths("Toon", "Patches", patch_id("a-film", 99), DEFAULT_KINDS)
    writer.write(again, FILES)
    writer.commit([again])
    assert files(tmp_path) == {path.as_posix() for path in again}
