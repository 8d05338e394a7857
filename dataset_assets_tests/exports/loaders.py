"""The rules by which trainers read a data set, retyped from their sources, without torch.

Each function opens an export as the class of its name does and returns its samples: LR frames in time order
and ground truth, (height, width, 3), channels blue, green, red. What the class would crash on is asserted.
"""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import lmdb
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Sample:
    lr: list[Picture]
    gt: list[Picture]


def listdir(folder: Path) -> list[str]:
    """os.listdir."""
    return [path.name for path in folder.iterdir()]


def imfrombytes(content: bytes) -> Picture:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return cast("Picture", picture)


def lmdb_value(path: Path, key: str) -> bytes:
    """BasicSR's LmdbBackend."""
    assert path.name.endswith(".lmdb")
    with lmdb.open(str(path), readonly=True, lock=False, readahead=False) as env, env.begin() as transaction:
        content: bytes | None = transaction.get(key.encode("ascii"))
    assert content is not None, key
    return content


def basicsr_vimeo90k(
    gt_root: Path, lq_root: Path, meta_info: Path, *, num_frame: int, scale: int, is_lmdb: bool = False
) -> dict[str, Sample]:
    """BasicSR 8d56e3a, Vimeo90KDataset; VideoTestVimeo90KDataset reads the same without a crop."""
    text = meta_info.read_text(encoding="utf-8")
    assert not text.endswith("\n")
    # KAIR and BasicSR iterate over the file; other readers split it at line feeds.
    keys = [line.split(" ")[0] for line in text.split("\n")]
    neighbors = [i + (9 - num_frame) // 2 for i in range(num_frame)]
    found = {}
    for line, key in zip(text.split("\n"), keys, strict=True):
        clip, seq = key.split("/")
        name, count, shape = line.split(" ")
        if is_lmdb:
            gt = imfrombytes(lmdb_value(gt_root, f"{key}/im4"))
            lqs = [imfrombytes(lmdb_value(lq_root, f"{clip}/{seq}/im{each}")) for each in neighbors]
        else:
            gt = imfrombytes((gt_root / clip / seq / "im4.png").read_bytes())
            lqs = [imfrombytes((lq_root / clip / seq / f"im{each}.png").read_bytes()) for each in neighbors]
        assert (name, count, shape) == (key, "7", f"({gt.shape[0]},{gt.shape[1]},3)")
        assert_scale(gt, lqs, scale)
        found[key] = Sample(lqs, [gt])
    return found


def recurrent_vimeo90k(
    gt_root: Path, lq_root: Path, meta_info: Path, *, scale: int, is_lmdb: bool = False
) -> dict[str, Sample]:
    """BasicSR's Vimeo90KRecurrentDataset and KAIR fc1732f, VideoRecurrentTrainVimeoDataset."""
    with meta_info.open() as fin:
        keys = [line.split(" ")[0] for line in fin]
    found = {}
    for key in keys:
        clip, seq = key.split("/")

        def read(root: Path, number: int, clip: str = clip, seq: str = seq) -> Picture:
            if is_lmdb:
                return imfrombytes(lmdb_value(root, f"{clip}/{seq}/im{number}"))
            return imfrombytes((root / clip / seq / f"im{number}.png").read_bytes())

        lqs = [read(lq_root, number) for number in range(1, 8)]
        gts = [read(gt_root, number) for number in range(1, 8)]
        for gt in gts:
            assert_scale(gt, lqs, scale)
        found[key] = Sample(lqs, gts)
    return found


def redux_video(gt_path: Path, lq_path: Path, *, clip_size: int, scale: int) -> dict[str, Sample]:
    """traiNNer-redux 6862931, PairedVideoDataset."""
    lr_files = sorted(f for f in listdir(lq_path) if f.lower().endswith((".png", ".jpg", ".jpeg")))
    hr_files = {f for f in listdir(gt_path) if f.lower().endswith((".png", ".jpg", ".jpeg"))}
    scenes: dict[str, list[str]] = {}
    for f in lr_files:
        scenes.setdefault(f.split("_")[0], []).append(f)
    found = {}
    for scene, files in scenes.items():
        for start in range(max(len(files) - clip_size + 1, 0)):
            middle = files[start + clip_size // 2]
            if middle in hr_files:
                lqs = [imfrombytes((lq_path / f).read_bytes()) for f in files[start : start + clip_size]]
                gt = imfrombytes((gt_path / middle).read_bytes())
                assert_scale(gt, lqs, scale)
                found[f"{scene}:{middle}"] = Sample(lqs, [gt])
    return found


def redux_image(gt_folder: Path, lq_folder: Path, *, scale: int) -> dict[str, Sample]:
    """traiNNer-redux 6862931, PairedImageDataset by folders."""
    gt_stems = {Path(f).stem: f for f in listdir(gt_folder)}
    lq_stems = {Path(f).stem: f for f in listdir(lq_folder)}
    assert gt_stems.keys() == lq_stems.keys()
    found = {}
    for stem in sorted(gt_stems):
        gt = imfrombytes((gt_folder / gt_stems[stem]).read_bytes())
        lq = imfrombytes((lq_folder / lq_stems[stem]).read_bytes())
        assert_scale(gt, [lq], scale)
        found[stem] = Sample([lq], [gt])
    return found


def neosr_paired(gt_folder: Path, lq_folder: Path, *, scale: int) -> dict[str, Sample]:
    """The class `paired` of neosr 31c7022, by folders or LMDB."""
    if not str(gt_folder).endswith("lmdb"):
        names = sorted(path.name for path in gt_folder.iterdir())
        assert names == sorted(path.name for path in lq_folder.iterdir())
        return redux_image(gt_folder, lq_folder, scale=scale)
    assert str(gt_folder).endswith(".lmdb")
    assert str(lq_folder).endswith(".lmdb")
    keys = []
    for folder in (lq_folder, gt_folder):
        with (folder / "meta_info.txt").open(encoding="utf-8") as fin:
            keys.append([line.split(".")[0] for line in fin])
    assert set(keys[0]) == set(keys[1])
    found = {}
    for key in sorted(keys[0]):
        gt, lq = imfrombytes(lmdb_value(gt_folder, key)), imfrombytes(lmdb_value(lq_folder, key))
        assert_scale(gt, [lq], scale)
        found[key] = Sample([lq], [gt])
    return found


def lmdb_meta(folder: Path) -> dict[str, tuple[int, int]]:
    """The shapes that an LMDB's list gives, by key: `000_00000000.png (720,1280,3) 1`."""
    found = {}
    for line in (folder / "meta_info.txt").read_text(encoding="utf-8").splitlines():
        name, shape, compression = line.split(" ")
        height, width, channels = map(int, shape.strip("()").split(","))
        assert (channels, compression) == (3, "1")
        assert name.endswith(".png")
        found[name.removesuffix(".png")] = (height, width)
    return found


def mmagic_frames(
    root: Path, ann_file: str, *, frames: dict[str, list[str]], scale: int
) -> dict[str, Sample]:
    """The class BasicFramesDataset of mmagic 0a560bb, depth 2, with `load_frames_list`."""
    found = {}
    for ann in (root / ann_file).read_text(encoding="utf-8").splitlines():
        if ann.isspace() or ann == "":
            continue
        path = ann.split(" ")[0]
        assert len(path.split("/")) == 2
        lr, gt = (
            [imfrombytes((root / prefix / path / name).read_bytes()) for name in sorted(frames[key])]
            for prefix, key in (("LQ", "img"), ("GT", "gt"))
        )
        sample = Sample(lr, gt)
        assert ann == f"{path} ({sample.gt[0].shape[0]}, {sample.gt[0].shape[1]}, 3)"
        assert_scale(sample.gt[0], sample.lr, scale)
        found[path] = sample
    return found


def webdataset_samples(shards: Sequence[Path]) -> dict[str, dict[str, bytes]]:
    """WebDataset's grouping: neighbours whose names agree up to the first point are one sample."""
    found: dict[str, dict[str, bytes]] = {}
    for shard in shards:
        last = ""
        with tarfile.open(shard) as tar:
            for member in tar:
                key, _, suffix = member.name.partition(".")
                assert key == last or key not in found, "the members of a sample are not neighbours"
                last = key
                file: Any = tar.extractfile(member)
                found.setdefault(key, {})[suffix] = file.read()
    return found


def assert_scale(gt: Picture, lqs: Sequence[Picture], scale: int) -> None:
    """The test of BasicSR's paired_random_crop, which the others share."""
    for lq in lqs:
        assert (gt.shape[0], gt.shape[1]) == (lq.shape[0] * scale, lq.shape[1] * scale)
