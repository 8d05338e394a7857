"""Every file of the sample media: it is read rightly, or refused with a clear sentence."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from dataset_assets.errors import VideoError
from dataset_assets.video.decode import CorruptFrameError, FrameReader
from dataset_assets.video.geometry import Rect
from dataset_assets.video.probing import VideoInfo, probe
from dataset_assets.video.render import CropRenderer
from dataset_assets_tests.films import SHARED
from dataset_assets_tests.video.reference import digest, plain_frames

MANIFEST = SHARED / "media" / "MANIFEST.tsv"
# Twice 0.1 CPU seconds a film.
MAX_DECODED_PIXELS = 10_000_000
WITHOUT_TIME_STAMPS = (".h264", ".h265", ".hevc")


def files() -> list[dict[str, str]]:
    if not MANIFEST.is_file():
        return []
    with MANIFEST.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def decodable_frames(row: dict[str, str]) -> int:
    """What the manifest says that another decoder got out of the file."""
    decoded = row["packets_decoded"].partition("/")[2].split()
    return int(decoded[0].rstrip("+")) if decoded else 0


@pytest.mark.skipif(not MANIFEST.is_file(), reason="the sample media (shared/media) are not on this machine")
@pytest.mark.parametrize("row", files(), ids=lambda row: row["file"])
def test_a_file_is_read_rightly_or_refused(row: dict[str, str], shared_media: Path) -> None:
    film = shared_media / row["file"]
    usable = decodable_frames(row) >= 7 and film.suffix not in WITHOUT_TIME_STAMPS
    if not usable:
        with pytest.raises(VideoError, match="; "):
            probe(film)
        return
    info = probe(film)
    assert info.geometry.working_rect.contains(info.active)
    assert 1 <= float(info.frame_rate) <= 61
    check_tags(row, info)
    with FrameReader(film, max_step=info.max_step) as reader:
        check_window(reader, info, (info.start_pts + info.end_pts) // 2)
        check_frames(row, reader, info)


def check_tags(row: dict[str, str], info: VideoInfo) -> None:
    """Where the manifest has a tag, so have we; `primaries/transfer/matrix range`."""
    names, _, range_name = row["colour"].partition(" ")
    primaries, transfer, matrix = names.split("/")
    if {primaries, transfer} & {"bt2020-12", "bt2020-10"} or primaries == "-" or transfer == "-":
        return
    colour = info.colour
    if matrix != "-":
        assert colour.matrix == matrix
    assert sorted((colour.primaries, colour.transfer)) == sorted((primaries, transfer))
    assert colour.full_range == (range_name == "pc")


def check_window(reader: FrameReader, info: VideoInfo, pts: int) -> None:
    keyframe = reader.keyframe_at(pts)
    assert keyframe is not None
    try:
        frames = list(islice(reader.frames(keyframe, pts), 7))
    except CorruptFrameError:
        assert info.path.name.startswith("broken")
        return
    if not frames:
        return
    rect = Rect(info.active.x, info.active.y, min(64, info.active.width), min(48, info.active.height))
    crops = CropRenderer(info.colour, info.geometry).crop(frames, rect)
    assert crops.shape == (len(frames), rect.height, rect.width, 3)
    assert crops.dtype == np.uint8


def check_frames(row: dict[str, str], reader: FrameReader, info: VideoInfo) -> None:
    """Frames come out as they do without our settings of the decoder, and none is missing."""
    assert isinstance(info.path, Path)
    if info.path.name.startswith("broken__decord"):
        return
    pixels = info.geometry.coded_width * info.geometry.coded_height
    count = max(5, MAX_DECODED_PIXELS // pixels)
    expected = plain_frames(info.path, count)
    keyframe = reader.keyframe_at(expected[0][0])
    assert keyframe is not None
    frames = [(frame.pts, digest(frame)) for frame in islice(reader.frames(keyframe, keyframe), count)]
    assert frames == expected
    # The manifest counts the first video stream, we read the best one.
    if len(frames) < count and info.path.name != "film__torchcodec__nasa_13013.mp4":
        assert len(frames) == decodable_frames(row)
