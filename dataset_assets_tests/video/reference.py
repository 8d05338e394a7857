"""What the tests of `video` are held against: the bundled ffmpeg, a plain decoding loop, and PSNR."""

from __future__ import annotations

import hashlib
import subprocess
from itertools import islice
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from dataset_assets.addresses import FilmPath
from dataset_assets.video.colour import ColourOrder
from dataset_assets.video.decode import FrameReader
from dataset_assets.video.geometry import Rect
from dataset_assets.video.planes import plane_samples
from dataset_assets.video.probing import VideoInfo
from dataset_assets.video.render import CropRenderer

Luma = npt.NDArray[np.float64]


def hdr_chain(info: VideoInfo, peak: str | None = None) -> str:
    """DESIGN.md's reference chain; `peak` replaces what libavfilter's tonemap would find."""
    width, height = info.geometry.scaled_size
    tonemap = "tonemap=tonemap=mobius" + (f":peak={peak}" if peak else "")
    return (
        f"zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,{tonemap},"
        f"zscale=t=bt709:m=bt709,format=yuv420p,scale={width}:{height}:flags=lanczos"
    )


def sdr_chain(info: VideoInfo) -> str:
    """Lanczos and BT.709's matrix by zimg, BT.2020's and P3's primaries too; not upright yet."""
    width, height = info.geometry.scaled_size
    primaries = "p=bt709:" if info.colour.primaries in ("bt2020", "smpte432") else ""
    return f"zscale=w={width}:h={height}:filter=lanczos:{primaries}m=bt709:r=limited,format=yuv444p"


def ffmpeg_luma(
    film: FilmPath, which: int | str, chain: str, size: tuple[int, int], *, autorotate: bool = False
) -> Luma:
    """The luma of one frame, run through a filter chain by the bundled ffmpeg.

    Args:
        film: The film.
        which: The frame's PTS, or an expression of the filter `select`.
        chain: The filters.
        size: Width and height of what comes out.
        autorotate: Whether ffmpeg turns the frame upright before.

    Returns:
        Shape (height, width), 16..235: what lies outside is clipped, as in any RGB picture made of it.
    """
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-copyts"]
    command += [] if autorotate else ["-noautorotate"]
    expression = f"eq(pts,{which})" if isinstance(which, int) else which
    command += ["-i", str(film), "-map", "0:v:0", "-vf", f"select='{expression}',{chain}"]
    command += ["-fps_mode", "passthrough", "-frames:v", "1", "-f", "rawvideo", "pipe:1"]
    done = subprocess.run(command, capture_output=True, check=False)
    width, height = size
    assert len(done.stdout) >= width * height, done.stderr.decode()
    samples = np.frombuffer(done.stdout, np.uint8, width * height).reshape(height, width)
    return np.clip(samples.astype(np.float64), 16, 235)


def luma_of(picture: npt.NDArray[np.uint8]) -> Luma:
    """BT.709 luma of a blue, green, red picture in studio range."""
    weighted: Luma = picture.astype(np.float64) @ np.array([0.0722, 0.7152, 0.2126])
    return 16 + 219 / 255 * weighted


def psnr(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> float:
    """In dB, of 255."""
    mean_square = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / np.maximum(mean_square, 1e-10)))


def read(info: VideoInfo, count: int = 7) -> list[av.VideoFrame]:
    """The first frames of a film."""
    with FrameReader(info.path) as reader:
        keyframe = reader.keyframe_at(info.start_pts)
        assert keyframe is not None
        return list(islice(reader.frames(keyframe, keyframe), count))


def crop(
    info: VideoInfo, frame: av.VideoFrame, rect: Rect | None = None, colour_order: ColourOrder = "exact"
) -> npt.NDArray[np.uint8]:
    """A crop of one frame, the whole working frame by default."""
    renderer = CropRenderer(info.colour, info.geometry, colour_order)
    picture: npt.NDArray[np.uint8] = renderer.crop([frame], rect or info.geometry.working_rect)[0]
    return picture


def digest(frame: av.VideoFrame) -> str:
    """Tells a frame by its samples."""
    samples = b"".join(plane_samples(frame, plane).tobytes() for plane in frame.planes)
    return hashlib.md5(samples, usedforsecurity=False).hexdigest()


def plain_frames(film: Path, count: int | None = None) -> list[tuple[int, str]]:
    """PTS and digest of all frames, or the first ones, decoded from the start without any seeking."""
    with av.open(film) as container:
        stream = container.streams.best("video")
        assert isinstance(stream, av.VideoStream)
        frames = islice(container.decode(stream), count)
        return [(frame.pts, digest(frame)) for frame in frames if frame.pts is not None]
