"""Films with packed B-frames give the frames that the same film gives with a packet for each."""

from __future__ import annotations

import random
import subprocess
from itertools import islice
from pathlib import Path

import imageio_ffmpeg
import pytest

from dataset_assets.video.decode import FrameReader
from dataset_assets.video.probing import VideoInfo, probe
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import Shot, sdr_frames


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments], check=True)


def frames_of(info: VideoInfo) -> list[tuple[int | None, bytes]]:
    with FrameReader(info.path, max_step=info.max_step) as reader:
        keyframe = reader.keyframe_at(info.start_pts)
        assert keyframe is not None
        return [(frame.pts, frame.to_ndarray().tobytes()) for frame in reader.frames(keyframe, keyframe)]


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_packed_frames_are_those_of_the_film_unpacked(suffix: str, tmp_path: Path) -> None:
    plain, packed, unpacked = (tmp_path / name for name in ("plain.mkv", f"packed{suffix}", "unpacked.avi"))
    write_video(
        plain, sdr_frames([Shot(1, 60, 2, 0)], 320, 180), options={"preset": "ultrafast", "crf": "10"}
    )
    options = ("-c:v", "libxvid", "-qscale:v", "3", "-bf", "2", "-g", "12")
    try:
        ffmpeg("-i", plain, *options, tmp_path / "packed.avi")
    except subprocess.CalledProcessError:
        pytest.skip("this ffmpeg has no XviD")
    if suffix == ".mp4":
        ffmpeg("-i", tmp_path / "packed.avi", "-c", "copy", packed)
    ffmpeg("-i", tmp_path / "packed.avi", "-c", "copy", "-bsf:v", "mpeg4_unpack_bframes", unpacked)
    info = probe(packed)
    truth, found = frames_of(probe(unpacked)), frames_of(info)
    assert len(found) > 50
    assert [picture for _, picture in found] == [picture for _, picture in truth]
    if suffix == ".avi":
        assert [pts for pts, _ in found] == [pts for pts, _ in truth]
    places = info.timeline.spread(6)
    random.Random(0).shuffle(places)
    with FrameReader(packed, max_step=info.max_step) as reader:
        for place in places:
            keyframe = reader.keyframe_at(place)
            assert keyframe is not None
            window = list(islice(reader.frames(keyframe, place), 7))
            first = [pts for pts, _ in found].index(window[0].pts)
            wanted = found[first : first + 7]
            assert [(frame.pts, frame.to_ndarray().tobytes()) for frame in window] == wanted
