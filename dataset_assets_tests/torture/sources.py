"""Small whole films in many codecs and containers, and what their frames are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

from dataset_assets.video.planes import plane_samples
from dataset_assets_tests.encode import ordinary_priority
from dataset_assets_tests.films import scene

WIDTH, HEIGHT, FRAMES, KEYINT, RATE = 320, 180, 84, 12, 24
X265 = "log-level=error:scenecut=0:pools=1:frame-threads=1"


@dataclass(frozen=True)
class Source:
    """How a film is encoded.

    Attributes:
        name: File name; its suffix is the container.
        codec: FFmpeg's name of the encoder.
        options: The encoder's options.
        pix_fmt: Pixel format.
        b_frames: B-frames in a row, where the codec's own options do not tell.
        keyint: Frames from one keyframe to the next.
    """

    name: str
    codec: str
    options: Mapping[str, str] = field(default_factory=dict)
    pix_fmt: str = "yuv420p"
    b_frames: int | None = None
    keyint: int = KEYINT


X264_B = {"preset": "fast", "crf": "20", "x264-params": "scenecut=0:bframes=3:threads=1"}
X264_CAVLC = {"preset": "fast", "crf": "20", "x264-params": "scenecut=0:bframes=0:cabac=0:threads=1"}
X265_B = {"preset": "superfast", "crf": "20", "x265-params": f"{X265}:bframes=4"}
X265_OPEN = {"preset": "superfast", "crf": "20", "x265-params": f"{X265}:bframes=4:open-gop=1"}
X265_TEN = {"preset": "superfast", "crf": "20", "x265-params": f"{X265}:bframes=4:wpp=1"}
VP9 = {"cpu-used": "5", "crf": "24", "b": "0", "auto-alt-ref": "1", "lag-in-frames": "12"}
AV1 = {"preset": "12", "crf": "28"}

SOURCES = (
    Source("h264.mkv", "libx264", X264_B),
    Source("h264.mp4", "libx264", X264_B),
    Source("h264.ts", "libx264", X264_B),
    Source("h264.avi", "libx264", X264_CAVLC),
    Source("hevc.mkv", "libx265", X265_B),
    Source("hevc.mp4", "libx265", X265_OPEN),
    Source("hevc.ts", "libx265", X265_B),
    Source("hevc10.mkv", "libx265", X265_TEN, "yuv420p10le"),
    Source("hevc10.mp4", "libx265", X265_TEN, "yuv420p10le"),
    Source("av1.mkv", "libsvtav1", AV1),
    Source("av1.mp4", "libsvtav1", AV1, "yuv420p10le"),
    Source("vp9.mkv", "libvpx-vp9", VP9),
    Source("vp9.mp4", "libvpx-vp9", VP9),
    Source("mpeg2.ts", "mpeg2video", {"b": "3M"}, b_frames=2),
    Source("mpeg2.avi", "mpeg2video", {"b": "3M"}),
    Source("prores.mov", "prores_ks", {"profile": "2"}, "yuv422p10le", keyint=1),
    Source("prores.mkv", "prores_ks", {"profile": "2"}, "yuv422p10le", keyint=1),
    Source("mpeg4.avi", "mpeg4", {"b": "3M"}),
)


def source_named(name: str) -> Source:
    """The source with this file name."""
    return next(source for source in SOURCES if source.name == name)


def source_film(source: Source, folder: Path, *, is_donor: bool = False) -> Path:
    """The film, encoded on first use; the donor shows other pictures."""
    path = folder / f"{'donor' if is_donor else 'film'}-{source.name}"
    if not path.exists():
        part = folder / f"part-{os.getpid()}-{path.name}"
        _write(part, source, seed=2 if is_donor else 1)
        part.replace(path)
    return path


def frame_digests(film: Path) -> list[tuple[int, str]]:
    """PTS and content of every frame of a whole film, read in one go."""
    with av.open(film) as container:
        frames = container.decode(container.streams.video[0])
        return [(frame.pts, digest(frame)) for frame in frames if frame.pts is not None]


def digest(frame: av.VideoFrame) -> str:
    """Tells a frame's samples."""
    hashed = hashlib.blake2b(digest_size=8)
    for plane in frame.planes:
        hashed.update(plane_samples(frame, plane).tobytes())
    return hashed.hexdigest()


def _write(path: Path, source: Source, seed: int) -> None:
    with ordinary_priority(), av.open(path, "w") as container:
        stream = cast(
            "av.VideoStream", container.add_stream(source.codec, rate=RATE, options=dict(source.options))
        )
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, source.pix_fmt
        context.gop_size, context.time_base, context.thread_count = source.keyint, Fraction(1, RATE), 1
        if source.b_frames is not None:
            context.max_b_frames = source.b_frames
        for index, picture in enumerate(_pictures(seed)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=source.pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _pictures(seed: int) -> Iterator[NDArray[np.uint8]]:
    """A picture that pans while another passes before it, as motion that no encoder gets for nothing."""
    back = _canvas(seed * 10 + 1, HEIGHT + FRAMES, WIDTH + 4 * FRAMES)
    front = _canvas(seed * 10 + 2, 80, 100)
    for index in range(FRAMES):
        picture = back[index : index + HEIGHT, 4 * index : 4 * index + WIDTH].copy()
        x, y = (7 * index) % (WIDTH - 100), (3 * index) % (HEIGHT - 80)
        picture[y : y + 80, x : x + 100] = front
        yield picture


def _canvas(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    light = np.clip(scene(height, width, seed), 0, 1) ** (1 / 2.4)
    canvas: NDArray[np.uint8] = np.rint(255 * light).astype(np.uint8)
    return canvas
