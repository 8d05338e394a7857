"""Films that share shots, in other sizes and qualities, and the data set that is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dataset_assets.config import Settings, load_settings
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import X264_OPTIONS, Shot, make_film, sdr_frames

SIZE, SMALL = (640, 360), (480, 270)
# The keyframes of a shot, where windows start: three, at different pictures of it.
FRAMES, KEYINT = 36, 12
POOR: Final = {"preset": "ultrafast", "crf": "30"}
GENERAL: Final = {"general": 1.0}
SECTIONS: Final[Mapping[str, Any]] = {
    "formats": {"tiny": {"width": 192, "height": 192, "folder": "Tiny"}},
    "categories": {"general": {"mix": {"tiny": 1.0}}, "toon": {"mix": {"tiny": 1.0}}, "space": None},
}


def shots(*seeds: int, exposure: float = 1.0) -> list[Shot]:
    """Shots of other pictures, one for each seed."""
    return [Shot(seed, FRAMES, step_x=2, step_y=0, exposure=exposure) for seed in seeds]


def film(folder: Path, name: str, of: Sequence[Shot], *, small: bool = False) -> Path:
    """Writes a film of shots, or the same film smaller and worse."""
    width, height = SMALL if small else SIZE
    frames: Iterable[NDArray[np.uint8]] = sdr_frames(of, *SIZE)
    made = make_film(
        folder / f"{name}.mp4",
        _resized(frames, SMALL) if small else iter(frames),
        of,
        size=(width, height),
        keyint=KEYINT,
        options=POOR if small else X264_OPTIONS,
    )
    return made.path


def configured(folder: Path, films: Mapping[str, Path], **weights: Mapping[str, float]) -> Settings:
    """The settings of a data set of films, by their names; other weights than general alone by key."""
    videos = {name: (path, weights.get(name.lower(), GENERAL)) for name, path in films.items()}
    return load_settings(write_config(folder, videos, base_settings={"base_frame_limit": 12}, **SECTIONS))


def generate(settings: Settings) -> Settings:
    """Makes the windows and patches of all videos."""
    for entry in settings.videos:
        probe_video(settings, entry.key)
        generate_video(settings, entry.key)
    return settings


def path_of(settings: Settings) -> Path:
    """The table of near-duplicates."""
    return settings.base.output_base_dir / "metadata/duplicates/part-0.parquet"


def rows(settings: Settings) -> list[dict[str, Any]]:
    """The rows of the table, read without the project's own reader."""
    found: list[dict[str, Any]] = pq.ParquetFile(path_of(settings)).read().to_pylist()
    return found


def pairs(settings: Settings) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """The times of the windows that show the same, by their videos: the later one, and the earlier one."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows(settings):
        found.setdefault((row["video"], row["of_video"]), []).append((row["time_s"], row["of_time_s"]))
    return found


def _resized(frames: Iterable[NDArray[np.uint8]], size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    for frame in frames:
        yield cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
