"""Small films with known shots, cuts and colours, made from noise that encoders and filters take for film.

Belongs here: pictures, and how they are put into a film. The films themselves are fixtures in conftest.py.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from dataset_assets_tests.encode import (
    bt2020_ycbcr,
    hlg_signal,
    pq_signal,
    write_video,
    yuv420p10,
)

SHARED = Path(os.environ.get("DATASET_ASSETS_SHARED") or Path(__file__).resolve().parents[2] / "shared")

X264_OPTIONS = {"preset": "ultrafast", "crf": "14"}
X265_OPTIONS = {"preset": "ultrafast", "qp": "20"}

_Sample = TypeVar("_Sample", bound=np.generic)


@dataclass(frozen=True)
class Shot:
    """A picture that a camera pans over.

    Attributes:
        seed: Tells the picture from others.
        frames: Its length.
        step_x: Pixels that the picture moves to the left from frame to frame; even.
        step_y: Pixels that it moves up; even.
        exposure: Factor on the light.
    """

    seed: int
    frames: int
    step_x: int = 4
    step_y: int = 2
    exposure: float = 1.0


@dataclass(frozen=True)
class Film:
    """A film file and what is in it.

    Attributes:
        path: The file.
        width: Width of the coded picture.
        height: Height of the coded picture.
        frames: How many there are.
        rate: Frames per second; the mean for a variable frame rate.
        keyint: Frames from one keyframe to the next.
        cuts: Number of the first frame of each shot but the first.
        bars: Black lines above and below the picture.
    """

    path: Path
    width: int
    height: int
    frames: int
    rate: int
    keyint: int
    cuts: tuple[int, ...]
    bars: int = 0


def fractal(height: int, width: int, rng: np.random.Generator, slope: float) -> NDArray[np.float32]:
    """Noise whose amplitude falls with the `slope`-th power of the frequency: (height, width), -1..1."""
    spectrum = np.fft.rfft2(rng.standard_normal((height, width), np.float32))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(spectrum / frequency**slope, (height, width)).astype(np.float32)
    scaled: NDArray[np.float32] = np.clip(noise / (2.5 * noise.std()), -1, 1)
    return scaled


def scene(height: int, width: int, seed: int) -> NDArray[np.float32]:
    """Linear light of a picture: (height, width, 3), red, green, blue; 1 is diffuse white, lamps reach 8.

    Two materials with fine texture meet at sharp edges, in soft uneven light of a warm or a cold tint.
    """
    rng = np.random.default_rng(seed)
    light, texture, outline = (fractal(height, width, rng, slope) for slope in (1.8, 1.1, 1.6))
    material = (cv2.GaussianBlur((outline > 0).astype(np.float32), (0, 0), 0.8))[..., None]
    greys, tints = rng.uniform(0.05, 0.7, (2, 1)), rng.uniform(0.6, 1.4, (2, 3))
    albedos = (greys * tints).astype(np.float32)
    albedo = albedos[0] * material + albedos[1] * (1 - material)
    shade = np.exp2(1.3 * light + 0.9 * texture - 1)[..., None]
    lamps = np.zeros((height, width, 3), np.float32)
    for _ in range(12):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(lamps, centre, int(rng.integers(3, 14)), rng.uniform(2, 8, 3).tolist(), -1)
    picture: NDArray[np.float32] = albedo * shade + cv2.GaussianBlur(lamps, (0, 0), 1.2)
    return np.minimum(picture, 8)


def cuts_of(shots: Sequence[Shot]) -> tuple[int, ...]:
    """The number of the first frame of each shot but the first."""
    return tuple(accumulate(shot.frames for shot in shots))[:-1]


def sdr_frames(shots: Sequence[Shot], width: int, height: int, bars: int = 0) -> Iterator[NDArray[np.uint8]]:
    """Frames for `write_video`: (height, width, 3), uint8 RGB, with black lines above and below."""
    for shot in shots:
        light = scene(*_canvas(shot, width, height - 2 * bars), shot.seed) * shot.exposure
        canvas = np.rint(255 * np.clip(light, 0, 1) ** (1 / 2.4)).astype(np.uint8)
        for index in range(shot.frames):
            frame = np.zeros((height, width, 3), np.uint8)
            frame[bars : height - bars] = _view(canvas, shot, index, width, height - 2 * bars)
            yield frame


def pq_frames(shots: Sequence[Shot], width: int, height: int) -> Iterator[NDArray[np.uint16]]:
    """Frames for `write_video`: planes of yuv420p10le, PQ, diffuse white at 100 nits, lamps to 800."""
    for shot in shots:
        nits = 100 * shot.exposure * scene(*_canvas(shot, width, height), shot.seed)
        yield from _planes(yuv420p10(bt2020_ycbcr(pq_signal(nits))), shot, width, height)


def hlg_frames(shots: Sequence[Shot], width: int, height: int) -> Iterator[NDArray[np.uint16]]:
    """Frames for `write_video`: planes of yuv420p10le, HLG, diffuse white at the signal 0.75."""
    for shot in shots:
        light = 0.265 * shot.exposure * scene(*_canvas(shot, width, height), shot.seed)
        yield from _planes(yuv420p10(bt2020_ycbcr(hlg_signal(light))), shot, width, height)


def interlaced(
    pictures: Iterator[NDArray[np.uint8]], *, top_first: bool = True
) -> Iterator[NDArray[np.uint8]]:
    """Frames of which each holds the lines of two pictures that follow one another."""
    for first, second in zip(pictures, pictures, strict=False):
        frame = first.copy()
        frame[top_first::2] = second[top_first::2]
        yield frame


def telecined(pictures: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Frames of fields of which two show one picture and three the next, top field first."""
    fields = (picture for index, picture in enumerate(pictures) for _ in range(2 + index % 2))
    return interlaced(fields)


def make_film(
    path: Path,
    frames: Iterator[NDArray[np.uint8]] | Iterator[NDArray[np.uint16]],
    shots: Sequence[Shot],
    *,
    size: tuple[int, int],
    rate: int = 24,
    keyint: int = 12,
    bars: int = 0,
    **settings: Any,
) -> Film:
    """Writes a film unless it is there, and tells what is in it.

    Args:
        path: The film.
        frames: Its frames.
        shots: What they were made from.
        size: Width and height.
        rate: Frames per second.
        keyint: Frames from one keyframe to the next.
        bars: Black lines above and below the picture.
        settings: Further arguments of `write_video`.
    """
    # Worker processes of a test session share the folder: one of them writes, the others wait for it.
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            write_video(path, frames, rate=rate, keyint=keyint, **settings)
    total = sum(shot.frames for shot in shots)
    return Film(path, *size, total, rate, keyint, cuts_of(shots), bars)


def _canvas(shot: Shot, width: int, height: int) -> tuple[int, int]:
    """(height, width) of the picture that the camera pans over."""
    steps = shot.frames - 1
    return height + steps * abs(shot.step_y), width + steps * abs(shot.step_x)


def _view(
    canvas: NDArray[_Sample], shot: Shot, index: int, width: int, height: int, divisor: int = 1
) -> NDArray[_Sample]:
    x = shot.step_x * (index if shot.step_x > 0 else index - shot.frames + 1) // divisor
    y = shot.step_y * (index if shot.step_y > 0 else index - shot.frames + 1) // divisor
    return canvas[y : y + height // divisor, x : x + width // divisor]


def _planes(planes: NDArray[np.uint16], shot: Shot, width: int, height: int) -> Iterator[NDArray[np.uint16]]:
    rows, _ = _canvas(shot, width, height)
    luma, chroma = planes[:rows], planes[rows:].reshape(2, rows // 2, -1)
    for index in range(shot.frames):
        views = [_view(luma, shot, index, width, height)]
        views += [_view(plane, shot, index, width, height, 2) for plane in chroma]
        yield np.concatenate([view.reshape(-1, width) for view in views])
