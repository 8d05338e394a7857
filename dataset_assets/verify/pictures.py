"""Read the files of a row and compare them with the row and with one another.

Not here: whether the row itself is right (`tables`), and whether the film shows this (`deep`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.dataset import TripletFile, TripletPaths, content_hash, triplet_files
from dataset_assets.frames import FileKind
from dataset_assets.patches import Kernel, downscale
from dataset_assets.tables import PatchRow
from dataset_assets.verify.findings import Finding, Kind
from dataset_assets.video import has_crop_bar

Picture = npt.NDArray[np.uint8]


def check_triplet(root: Path, row: PatchRow) -> list[Finding]:
    """Read a triplet back and check bytes, decoding, sizes, its LR stacks against its GT, and black bars.

    Args:
        root: The data set's folder.
        row: A row whose paths, kernel and size are valid.

    Returns:
        What is wrong; empty if nothing is.
    """
    files = triplet_files(row)
    found = [read_picture(root, file) for file in files]
    problems = [
        Finding(Kind.FILE, file.path.as_posix(), each)
        for file, each in zip(files, found, strict=True)
        if isinstance(each, str)
    ]
    if problems:
        return problems
    return _check_stacks(
        row, {file.kind: cast("Picture", each) for file, each in zip(files, found, strict=True)}
    )


def read_picture(root: Path, file: TripletFile) -> Picture | str:
    """Return a file's picture, (height, width, 3), or what is wrong with it."""
    path = root / file.path
    try:
        # First, since whatever has been put in the file's place may be larger than the memory.
        length = path.stat().st_size
        if length != file.size_bytes:
            return f"has {length} bytes instead of the {file.size_bytes} of its row"
        content = path.read_bytes()
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if content_hash(content) != file.content_hash:
        return "has other bytes than were written, or its row has another hash"
    # libpng checks every chunk's checksum; cv2 gives None then.
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    if picture is None:
        return "is not a complete PNG file"
    if picture.shape != (file.height, file.width, 3) or picture.dtype != np.uint8:
        return f"is a picture of {picture.shape[1]}x{picture.shape[0]}, not of {file.width}x{file.height}"
    return cast("Picture", picture)


def _check_stacks(row: PatchRow, pictures: Mapping[FileKind, Picture]) -> list[Finding]:
    gt, paths = pictures[FileKind.GT], TripletPaths.of(row).by_kind
    small = downscale(gt[np.newaxis], cast("Kernel", row.kernel), row.scale)[0]
    frames = {
        kind: picture.reshape(len(kind.frames), *small.shape)
        for kind, picture in pictures.items()
        if kind.is_lr
    }
    problems = [
        Finding(
            Kind.STACK,
            paths[kind].as_posix(),
            f"has a middle frame that is not the {row.kernel} downscale of its GT",
        )
        for kind, stack in frames.items()
        if not np.array_equal(stack[kind.middle], small)
    ]
    if row.lr5_path is not None and FileKind.LR7 in frames:
        shown = FileKind.LR5.frames
        if not np.array_equal(frames[FileKind.LR5], frames[FileKind.LR7][shown.start : shown.stop]):
            problems.append(Finding(Kind.STACK, row.lr5_path, "is not frames 1 to 5 of its LR_7frames"))
    if row.gt7_path is not None:
        problems += _check_gt_frames(row, row.gt7_path, pictures, frames)
    luma = cv2.cvtColor(gt, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    if has_crop_bar([luma], full_range=True):
        problems.append(Finding(Kind.BAR, row.gt_path, "has a black bar along an edge"))
    return problems


def _check_gt_frames(
    row: PatchRow, path: str, pictures: Mapping[FileKind, Picture], lr: Mapping[FileKind, Picture]
) -> list[Finding]:
    """Compare the ground truth of all frames with that of the middle one, and with the LR stacks."""
    kind = FileKind.GT7
    frames = pictures[kind].reshape(len(kind.frames), *pictures[FileKind.GT].shape)
    problems = []
    if not np.array_equal(frames[kind.middle], pictures[FileKind.GT]):
        problems.append(Finding(Kind.STACK, path, "has a middle frame that is not its GT"))
    small = downscale(frames, cast("Kernel", row.kernel), row.scale)
    for of_lr, stack in lr.items():
        if not np.array_equal(small[of_lr.frames.start : of_lr.frames.stop], stack):
            what = f"has frames of which {of_lr} is not the {row.kernel} downscale"
            problems.append(Finding(Kind.STACK, path, what))
    return problems
