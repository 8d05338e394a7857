"""Every file of the sample media: patches, or one clear sentence; never a hang, a crash or a grey patch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from dataset_assets.config import Category, Format
from dataset_assets.errors import VideoError
from dataset_assets.generate import generate_video
from dataset_assets_tests.films import SHARED
from dataset_assets_tests.generate.samples import KEY, patch_rows, small_settings, window_rows

FORMATS = {
    "square": Format(width=48, height=48, folder="Square"),
    "wide": Format(width=96, height=54, folder="Wide"),
}
CATEGORIES = {"general": Category(folder="General", mix={"square": 0.5, "wide": 0.5})}
# Known to hold nothing to train on: every frame black, flat, damaged or cut, or the whole film too short.
WITHOUT_PATCHES = {
    "chroma__qtmultimedia__h264_gray10le.mp4",
    "chroma__qtmultimedia__h264_yuv422p10le.mp4",
    "container__moviepy__no_duration.webm",
    "dolby-vision__dovi-tool__regular.mkv",
    "edit-list-ts__media__edit_list_positive_shift.mp4",
    "hdr-hlg__media__sample_av1.mkv",
    "hdr-hlg__media__sample_with_av1c.mp4",
    "hdr-pq__hdr10plus-tool__regular.mkv",
    "odd-dims__videoio-jl__precisiontest_gray_truth.mp4",
    "static__media__silent-black-10s.mp4",
    "uhd__media__long_4k_av1.mp4",
}


def media_names() -> list[str]:
    manifest = SHARED / "media" / "MANIFEST.tsv"
    if not manifest.is_file():
        return []
    return sorted(line.split("\t")[0] for line in manifest.read_text().splitlines()[1:])


@pytest.mark.parametrize("name", media_names())
def test_a_file_yields_patches_or_ends_in_a_sentence(name: str, shared_media: Path, tmp_path: Path) -> None:
    settings = small_settings(
        tmp_path,
        shared_media / name,
        weights={"general": 1.0},
        formats=FORMATS,
        categories=CATEGORIES,
        base_frame_limit=3,
        max_attempts=4,
    )
    try:
        report = generate_video(settings, KEY)
    except VideoError as error:
        message = str(error)
        assert message.startswith(f"{KEY} ({shared_media / name}): it")
        remedies = ("replace", "remove", "use an", "re-encode", "set base_settings")
        assert any(remedy in message for remedy in remedies)
        assert "\n" not in message
        return
    assert (report.made == 0) == (name in WITHOUT_PATCHES)
    if report.windows.target and not report.made:
        assert all(row["reason"] for row in window_rows(tmp_path))
    for row in patch_rows(tmp_path, "general"):
        gt = np.asarray(Image.open(tmp_path / row["gt_path"]))
        lr7 = np.asarray(Image.open(tmp_path / row["lr7_path"]))
        assert not any(is_grey(picture) for picture in (gt, *lr7.reshape(7, -1, *lr7.shape[1:])))


def is_grey(picture: npt.NDArray[np.uint8]) -> bool:
    """Whether a picture is what a decoder makes of nothing: the middle of the range all over."""
    return bool(picture.std() < 0.5 and abs(picture.mean() - 128) < 3)


def test_the_manifest_lists_what_is_there(shared_media: Path) -> None:
    assert len(media_names()) >= 99
    assert all((shared_media / name).is_file() for name in media_names())
