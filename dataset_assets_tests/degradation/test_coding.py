"""Each codec: the same bytes again, worse at a higher quantizer, and one encoder for the whole window."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from dataset_assets.config import CodecName
from dataset_assets.degradation import ENCODERS, Encoding, code, degrade, missing_encoders, psnr
from dataset_assets.degradation.coding import with_warm_up
from dataset_assets.degradation.planes import from_planes, to_planes
from dataset_assets_tests.films import Shot, sdr_frames
from dataset_assets_tests.scores.samples import Picture, noisy, panned, smooth

ROOT = Path(__file__).parents[2]
QUALITIES: dict[CodecName, tuple[int, ...]] = {
    "h264": (18, 28, 38),
    "hevc": (18, 28, 38),
    "vp9": (20, 40, 60),
    "av1": (20, 40, 60),
    "mpeg2": (2, 8, 24),
}
CODECS = list(ENCODERS)


def window(seed: int, side: int = 96) -> Picture:
    """A pan of its own speed, with grain: (7, side, side, 3)."""
    shot = Shot(seed, 7, 2 * (seed % 4), 2 * (seed % 3))
    return np.stack([noisy(each, 2, seed) for each in sdr_frames([shot], side, side)])


def digest(frames: Picture, size_bytes: int) -> str:
    return hashlib.blake2b(frames.tobytes() + str(size_bytes).encode(), digest_size=8).hexdigest()


def coded(codec: CodecName, seed: int) -> str:
    low, *_, high = QUALITIES[codec]
    drawn = Encoding(codec, low + seed % (high - low + 1), 4 + seed % 8)
    frames, coding = code(window(seed), drawn)
    return digest(frames, coding.coded_bytes)


def test_the_wheel_has_every_encoder() -> None:
    assert missing_encoders(CODECS) == []


@pytest.mark.slow
@pytest.mark.parametrize("codec", CODECS)
def test_20_windows_coded_5_times_are_the_same(codec: CodecName) -> None:
    first = [coded(codec, seed) for seed in range(20)]
    assert len(set(first)) == 20
    for _ in range(4):
        assert [coded(codec, seed) for seed in range(20)] == first


@pytest.mark.parametrize("codec", CODECS)
def test_another_process_codes_the_same(codec: CodecName) -> None:
    program = (
        "from dataset_assets_tests.degradation.test_coding import coded\n"
        f"print(*(coded({codec!r}, seed) for seed in (3, 5)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [coded(codec, seed) for seed in (3, 5)]
    assert done.stderr == ""


@pytest.mark.parametrize("codec", CODECS)
def test_a_higher_quantizer_loses_more_and_takes_fewer_bytes(codec: CodecName) -> None:
    frames = panned()
    found = [degrade(frames, [Encoding(codec, quality, 5)]) for quality in QUALITIES[codec]]
    dbs = [each.db for each in found]
    sizes = [each.coding.coded_bytes for each in found if each.coding is not None]
    assert dbs == sorted(dbs, reverse=True)
    assert sizes == sorted(sizes, reverse=True)
    assert 20 <= dbs[-1] < dbs[0] - 2 <= 60


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "colour", [(60, 60, 60), (200, 200, 200), (30, 60, 120), (120, 60, 30), (40, 160, 80)], ids=str
)
def test_flat_colours_stay_what_they_are(codec: CodecName, colour: tuple[int, int, int]) -> None:
    """FFmpeg's own conversion takes 1 to 4 levels from them, most from red."""
    frames = np.broadcast_to(np.array(colour, np.uint8), (7, 64, 64, 3)).copy()
    found, _ = code(frames, Encoding(codec, QUALITIES[codec][0], 4))
    assert found.mean(axis=(0, 1, 2)) == pytest.approx(colour, abs=1.01)


def test_the_planes_are_those_of_ffmpeg() -> None:
    """Another implementation of the same conversion, whose rounding is asked for."""
    picture = panned(width=64, height=64)[0]
    flags = "area+accurate_rnd+full_chroma_inp"
    scaler = f"scale=out_color_matrix=bt709:out_range=tv:flags={flags},format=yuv420p"
    read = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "64x64", "-i", "-"]
    done = subprocess.run(
        [get_ffmpeg_exe(), "-v", "error", *read, "-vf", scaler, "-f", "rawvideo", "-"],
        input=picture.tobytes(),
        capture_output=True,
        check=True,
    )
    other = np.frombuffer(done.stdout, np.uint8).reshape(96, 64)
    assert np.abs(to_planes(picture).astype(int) - other).mean() < 0.5
    assert psnr(smooth(64), from_planes(to_planes(smooth(64)))) > 45


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (135, 240), (30, 200)])
def test_sides_that_are_no_blocks_are_coded_too(codec: CodecName, size: tuple[int, int]) -> None:
    frames = panned(width=240, height=136)[:, : size[0], : size[1]]
    found, _ = code(frames, Encoding(codec, QUALITIES[codec][0], 4))
    assert found.shape == frames.shape
    assert psnr(frames, found) > 25


@pytest.mark.parametrize("codec", CODECS)
def test_frames_come_back_in_their_places(codec: CodecName) -> None:
    """Each decoded frame is most like the one that was sent, and not shifted."""
    frames = window(7)
    found, _ = code(frames, Encoding(codec, QUALITIES[codec][0], 6))
    for place, frame in enumerate(found):
        likeness = [psnr(frame, other) for other in frames]
        assert int(np.argmax(likeness)) == place
    inner = frames[:, 2:-2, 2:-2]
    shifts = {
        (x, y): psnr(found[:, 2 + y : y - 2 or None, 2 + x : x - 2 or None], inner)
        for x in (-1, 0, 1)
        for y in (-1, 0, 1)
    }
    assert max(shifts, key=lambda shift: shifts[shift]) == (0, 0)


def test_one_encoder_for_the_window_flickers_less_than_one_for_each_frame() -> None:
    """A window that stands still: one encoder repeats its error, others make another in each frame."""
    still = [noisy(panned()[0], 1, seed) for seed in range(7)]
    frames = np.stack(still)
    drawn = Encoding("h264", 30, 5)
    whole, _ = code(frames, drawn)
    alone = np.concatenate([code(frame[np.newaxis], drawn)[0] for frame in frames])

    def flicker(found: Picture) -> float:
        return float(np.abs(np.diff(found.astype(int) - frames, axis=0)).mean())

    assert flicker(whole) < 0.8 * flicker(alone)


def test_warm_up_runs_back_and_forth_through_the_window() -> None:
    frames = np.arange(7).reshape(7, 1, 1, 1).astype(np.uint8)
    found = with_warm_up(frames, 11).ravel().tolist()
    assert found == [1, 0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6][-18:]
    assert with_warm_up(frames, 0).ravel().tolist() == list(range(7))
    assert with_warm_up(frames[:1], 3).ravel().tolist() == [0] * 4


@pytest.mark.parametrize("codec", CODECS)
def test_the_build_names_encoder_and_library(codec: CodecName) -> None:
    _, coding = code(window(1), Encoding(codec, QUALITIES[codec][1], 4))
    assert coding.encoder.startswith(ENCODERS[codec].name)
    assert "libavcodec" in coding.encoder
    if codec in ("h264", "hevc"):
        assert "x264 - core" in coding.encoder or "x265 (build" in coding.encoder
    assert str(QUALITIES[codec][1]) in " ".join(coding.options.values())
