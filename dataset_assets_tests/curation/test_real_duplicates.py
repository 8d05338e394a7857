"""Near-duplicates of a real trailer, a part of it that was coded again, and other real films."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dataset_assets.config import load_settings
from dataset_assets.curation import find_duplicates, video_pairs
from dataset_assets.dataset import DataSet
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.curation.same_films import GENERAL, SECTIONS, generate
from dataset_assets_tests.encode import write_video

FIRST, LAST, RATE = 240, 720, 24
OTHERS = ("film__assets-for-api-docs__bee.mp4", "film__learning-area__frog.mp4", "film__samples__chrome.mp4")


def part(path: Path, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Some frames of a film, scaled."""
    with av.open(str(path)) as film:
        for index, frame in enumerate(film.decode(video=0)):
            if index >= LAST:
                return
            if index >= FIRST:
                picture = frame.to_ndarray(format="rgb24")
                yield cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


@pytest.mark.slow
def test_a_part_of_a_trailer_smaller_and_worse_is_found_at_its_offset(
    shared_media: Path, tmp_path: Path
) -> None:
    trailer = shared_media / "film__libopenshot__sintel_trailer-720p.mp4"
    excerpt = tmp_path / "excerpt.mp4"
    write_video(
        excerpt, part(trailer, (960, 540)), rate=RATE, keyint=48, options={"crf": "30", "preset": "veryfast"}
    )
    films = {"Part": excerpt, "Trailer": trailer} | {
        f"Other {number}": shared_media / name for number, name in enumerate(OTHERS)
    }
    config = write_config(
        tmp_path,
        {name: (path, GENERAL) for name, path in films.items()},
        base_settings={"base_frame_limit": 40, "sampling": "uniform"},
        **SECTIONS,
    )
    settings = generate(load_settings(config))
    (pair,) = video_pairs(DataSet.of(settings), find_duplicates(settings).rows)
    assert (pair.video, pair.of_video) == ("trailer", "part")
    assert pair.offset_s == pytest.approx(FIRST / RATE, abs=0.3)
    # Windows of the trailer that have one of the part within two frames, as far as both tables say.
    tables = DataSet.of(settings).tables
    of_part, of_trailer = (
        tables.read_accepted(key).times_s + shift_s
        for key, shift_s in (("part", FIRST / RATE), ("trailer", 0.0))
    )
    close = np.abs(of_trailer[:, None] - of_part[None]).min(axis=1) < 2.5 / RATE
    found = {row.time_s for row in pair.rows}
    there = of_trailer[close]
    assert len(there) >= 5
    assert sum(time_s in found for time_s in there) >= 0.75 * len(there)
