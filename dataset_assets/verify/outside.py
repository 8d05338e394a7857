"""Compare patches with the reference conversion, to detect mistakes of the code that makes them.

Decoding a window again detects what has changed since it was made, but not systematic errors: colours by
other tags than the frame's, another pixel shape, lines that should be hidden, another stream. Not here: the
reference conversion itself (`reference`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, assert_never

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.addresses import Address
from dataset_assets.config import Settings
from dataset_assets.tables import PatchRow
from dataset_assets.verify.findings import Finding, Kind, VideoFindings
from dataset_assets.verify.reference import DecodedFrame, NoReferenceError, Picture, convert_frame, decodings
from dataset_assets.video import FrameReader, VideoInfo, plane_samples, scales_last

# Two frames of each of 65 sample films have at least 40 dB in luma (45 of film), 38 in colour (50 of film).
# BT.2020 or P3 taken for BT.709 has 19 to 36 in colour, HDR taken for SDR 13 to 19, another shape 14 to 28.
MIN_LUMA_DB: Final = 30.0
MIN_COLOUR_DB: Final = 37.0
# Colours are compared as means over so many pixels a side: how chroma is interpolated (27 dB at the hard
# edges of a test picture) does not count then.
COLOUR_BLOCK: Final = 24
# Of a working frame's width and height: the reference may round another way.
MAX_SIZE_ERROR: Final = 1
# Of the samples of two frames that are the same.
MAX_OTHER_SAMPLES: Final = 0.01
REMEDY: Final = "correct the film's tags and rebuild the video by generate --force, or remove the film"
LUMA_WEIGHTS: Final = np.array([[0.0722, 0.7152, 0.2126]], np.float32)


def compare_with_reference(
    settings: Settings,
    info: VideoInfo,
    root: Path,
    pts: int,
    rows: Sequence[PatchRow],
    found: VideoFindings,
) -> None:
    """Compare the GT of a window's patches with the reference conversion of its middle frame.

    Args:
        settings: The configuration.
        info: The film, as probing finds it.
        root: The data set's folder.
        pts: PTS of the window's middle frame.
        rows: Patches of the window that are what decoding it again gives.
        found: Differences are added to it; a missing reference is noted once.
    """
    if not rows:
        return
    try:
        found.findings += _findings(settings, info, root, pts, rows)
    except NoReferenceError as error:
        note = f"not everything was compared with the reference conversion: {error}"
        if note not in found.notes:
            found.notes.append(note)


def _findings(
    settings: Settings, info: VideoInfo, root: Path, pts: int, rows: Sequence[PatchRow]
) -> list[Finding]:
    """Return what differs; raise `NoReferenceError` if no reference is the window's own frame."""
    min_luma_db = _min_luma_db(settings.base.interlaced)
    if isinstance(info.path, Address):
        raise NoReferenceError("the reference reads no film at an address")
    if info.parts:
        raise NoReferenceError("ffmpeg finds no frames by their time in a film whose clock is set back")
    size = info.geometry.working_size
    why, is_scaled_down = "finds no frame", info.geometry.held is not None
    for frame in decodings(info.path, pts, info.time_base, info.start_pts):
        picture = convert_frame(frame, size, scale_first=not scales_last(settings.base.colour_order))
        findings = []
        for row in rows:
            expected = size if is_scaled_down else frame.working_size
            path = root / row.gt_path
            if difference := _difference(frame, picture, expected, path, row, min_luma_db):
                findings.append(Finding(Kind.COLOUR, row.gt_path, f"{difference}; {REMEDY}"))
        if not findings or not _is_another_frame(info, pts, frame):
            return findings
        why = "shows another frame"
    raise NoReferenceError(f"ffmpeg {why} at a window's time stamp")


def _min_luma_db(interlaced: Literal["refuse", "deinterlace"]) -> float:
    match interlaced:
        case "refuse":
            return MIN_LUMA_DB
        case "deinterlace":
            return 0.0  # the reference is not deinterlaced: lines differ there, colours do not
        case _:
            assert_never(interlaced)


def _is_another_frame(info: VideoInfo, pts: int, frame: DecodedFrame) -> bool:
    """Return whether a decoded frame of this PTS is not the window's frame, judged by its untouched luma."""
    with FrameReader(info.path) as reader:
        keyframe = reader.keyframe_at(pts)
        own = next(reader.frames(keyframe, pts), None) if keyframe is not None else None
    if own is None or sorted((own.width, own.height)) != sorted((frame.width, frame.height)):
        return False
    luma = plane_samples(own, own.planes[0])
    samples = np.frombuffer(frame.samples, luma.dtype, luma.size)
    # Counts of values, since ffmpeg's frame is upright; few of them differ where decoders round otherwise.
    counts = [np.bincount(each.ravel(), minlength=1 << 16) for each in (luma, samples)]
    return bool(np.abs(counts[0] - counts[1]).sum() > MAX_OTHER_SAMPLES * 2 * luma.size)


def _difference(
    frame: DecodedFrame,
    picture: Picture,
    expected: tuple[int, int],
    path: Path,
    row: PatchRow,
    min_luma_db: float,
) -> str:
    """Describe how a GT differs from the reference; empty if it does not, or cannot be read."""
    size = picture.shape[1::-1]
    if max(abs(one - other) for one, other in zip(size, expected, strict=True)) > MAX_SIZE_ERROR:
        return (
            f"is cut from a picture of {size[0]}x{size[1]}, while the reference conversion (stream "
            f"{frame.stream} of the film) gives {expected[0]}x{expected[1]}"
        )
    gt = cv2.imread(str(path), cv2.IMREAD_COLOR)
    reference = picture[row.y : row.y + row.height, row.x : row.x + row.width]
    if gt is None or gt.shape != reference.shape:
        return ""
    luma_db = psnr(*(cv2.transform(each, LUMA_WEIGHTS) for each in (gt, reference)))
    colour_db = psnr(_colours(gt), _colours(reference))
    if luma_db >= min_luma_db and colour_db >= MIN_COLOUR_DB:
        return ""
    tags = frame.tags
    return (
        f"differs from the reference conversion: {luma_db:.0f} dB in luma (at least {min_luma_db:.0f}), "
        f"{colour_db:.0f} dB in colour (at least {MIN_COLOUR_DB:.0f}), with the tags {tags.matrix}/"
        f"{tags.primaries}/{tags.transfer} {tags.range}"
    )


def _colours(picture: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    height, width = picture.shape[:2]
    size = (max(1, width // COLOUR_BLOCK), max(1, height // COLOUR_BLOCK))
    return cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA)


def psnr(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> float:
    """Return the peak signal-to-noise ratio in dB, for a peak of 255; 100 at most."""
    mean_square = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / np.maximum(mean_square, 255**2 / 1e10)))
