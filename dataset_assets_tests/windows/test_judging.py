"""The verdict on windows of a film whose every window has one known fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.video.decode import FrameReader
from dataset_assets.video.probing import VideoInfo, probe
from dataset_assets.windows.candidate import Candidate, FilmPictures
from dataset_assets.windows.duplicates import AcceptedSignatures
from dataset_assets.windows.judging import Judgement, Measured, judge
from dataset_assets.windows.measures import is_duplicate
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import X264_OPTIONS, Shot, interlaced, sdr_frames, telecined

WIDTH, HEIGHT = 640, 360
Frame = npt.NDArray[np.uint8]
CutRule = Literal["both", "blocks", "legacy"]
KINDS = (
    *("good", "cut", "dark_cut", "black", "grey", "blurred", "pillars", "again", "other"),
    *("letterboxed", "bar_below", "two_black_lines", "fields", "pulldown"),
)


@dataclass(frozen=True)
class LimitsSample:
    cut_rule: CutRule = "both"
    max_mean_abs_diff: float = 45.0
    max_cut_score: float = 0.65


def shot(seed: int, frames: int = 7, exposure: float = 1.0) -> list[Frame]:
    return list(sdr_frames([Shot(seed, frames, exposure=exposure)], WIDTH, HEIGHT))


def pillars(frame: Frame) -> Frame:
    framed = np.zeros_like(frame)
    framed[:, 80:-80] = frame[:, 80:-80]
    return framed


def letterboxed(frame: Frame) -> Frame:
    """With a subtitle in the bar, and noise over all."""
    framed = np.zeros_like(frame)
    framed[40:-40] = frame[40:-40]
    cv2.putText(framed, "We have to leave this valley", (120, 346), cv2.FONT_HERSHEY_DUPLEX, 0.8, (235,) * 3)
    noise = np.random.default_rng(1).normal(0, 3, (HEIGHT, WIDTH, 1))
    return np.clip(np.rint(framed + noise), 0, 255).astype(np.uint8)


def with_black_rows(frame: Frame, rows: int) -> Frame:
    framed = frame.copy()
    framed[-rows:] = 0
    return framed


def all_frames() -> Iterator[Frame]:
    yield from shot(21)
    yield from [*shot(22, 4), *(255 - frame for frame in shot(23, 3))]
    yield from [*shot(24, 3, 0.03), *shot(25, 4, 0.03)]
    yield from [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 7
    yield from [np.full((HEIGHT, WIDTH, 3), 120, np.uint8)] * 7
    yield from (cv2.GaussianBlur(frame, (0, 0), 9).astype(np.uint8) for frame in shot(26))
    yield from map(pillars, shot(27))
    yield from shot(21)
    yield from shot(28)
    yield from map(letterboxed, shot(29))
    yield from (with_black_rows(frame, 50) for frame in shot(30))
    yield from (with_black_rows(frame, 2) for frame in shot(31))
    yield from interlaced(iter(shot(32, 14)))
    yield from islice(telecined(iter(shot(33, 6))), 7)


@dataclass(frozen=True)
class Sample:
    info: VideoInfo
    windows: dict[str, list[av.VideoFrame]]

    def candidate(self, kind: str, accepted: AcceptedSignatures | None = None, **read: bool) -> Candidate:
        frames = self.windows[kind]
        return Candidate(FilmPictures(self.info), frames, accepted or AcceptedSignatures(), **read)

    def judge(self, kind: str, accepted: AcceptedSignatures | None = None, **limits: object) -> Judgement:
        return judge(self.candidate(kind, accepted), LimitsSample(**limits))  # type: ignore[arg-type]

    def measure(self, kind: str) -> Measured:
        measured = self.judge(kind).measured
        assert measured is not None
        return measured


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    path: Path = tmp_path_factory.mktemp("judging") / "faults.mkv"
    write_video(path, all_frames(), keyint=7, options=X264_OPTIONS)
    info = probe(path)
    with FrameReader(path) as reader:
        frames = reader.frames(info.start_pts, info.start_pts)
        return Sample(info, {kind: list(islice(frames, 7)) for kind in KINDS})


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("good", None),
        ("other", None),
        ("cut", "cut"),
        ("dark_cut", "cut"),
        ("black", "near_black"),
        ("grey", "flat"),
        ("blurred", "blurred"),
        ("pillars", "black_bars"),
        ("letterboxed", "black_bars"),
        ("bar_below", "black_bars"),
        ("two_black_lines", "black_bars"),
        ("fields", "combed"),
        ("pulldown", "combed"),
    ],
)
def test_each_fault_is_rejected_by_its_name(sample: Sample, kind: str, reason: str | None) -> None:
    assert sample.judge(kind).reason == reason


def test_a_window_that_shows_an_accepted_one_again_is_a_duplicate(sample: Sample) -> None:
    accepted = AcceptedSignatures()
    accepted.add(sample.measure("good").signature)
    assert sample.judge("again", accepted).reason == "duplicate"
    assert sample.judge("other", accepted).reason is None


@pytest.mark.parametrize(("rule", "reason"), [("legacy", None), ("blocks", "cut"), ("both", "cut")])
def test_only_the_block_test_sees_cuts_in_the_dark(sample: Sample, rule: CutRule, reason: str | None) -> None:
    assert sample.measure("dark_cut").mean_abs_diff < 45
    assert sample.judge("dark_cut", cut_rule=rule).reason == reason


def test_the_v2_rule_rejects_from_its_limit_on(sample: Sample) -> None:
    measured = sample.measure("cut").mean_abs_diff
    at_limit = sample.judge("cut", cut_rule="legacy", max_mean_abs_diff=measured)
    above = sample.judge("cut", cut_rule="legacy", max_mean_abs_diff=np.nextafter(measured, 256))
    assert (at_limit.reason, above.reason) == ("cut", None)


def test_the_block_test_rejects_beyond_its_limit(sample: Sample) -> None:
    measured = sample.measure("cut").cut_score
    at_limit = sample.judge("cut", cut_rule="blocks", max_cut_score=measured)
    below = sample.judge("cut", cut_rule="blocks", max_cut_score=np.nextafter(measured, 0))
    assert (at_limit.reason, below.reason) == (None, "cut")


def test_the_measures_of_an_accepted_window_are_what_its_pictures_show(sample: Sample) -> None:
    middle = shot(21)[3].astype(np.float64) @ [0.2126, 0.7152, 0.0722]
    measured = sample.measure("good")
    assert measured.brightness == pytest.approx(np.quantile(middle, 0.995), abs=4)
    assert measured.contrast == pytest.approx(middle.std(), rel=0.05)
    assert measured.signature.shape == (18, 32)
    assert measured.cut_score < 0.3
    assert measured.sharpness > 0.6


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        ({"is_corrupt": True, "has_film_parameters": False, "is_complete": False}, "corrupt"),
        ({"has_film_parameters": False, "is_complete": False}, "other_parameters"),
        ({"is_complete": False}, "too_few_frames"),
    ],
)
def test_what_cannot_be_measured_is_rejected_before(
    sample: Sample, read: dict[str, bool], reason: str
) -> None:
    judged = judge(sample.candidate("cut", None, **read), LimitsSample())
    assert (judged.reason, judged.measured) == (reason, None)


def test_people_see_both_sides_of_a_cut_and_else_the_middle_frame(sample: Sample) -> None:
    one, two = sample.measure("good").preview.shape, sample.measure("cut").preview.shape
    assert two == (one[0], 2 * one[1], one[2])


signatures = st.tuples(st.integers(0, 250), st.integers(0, 5), st.integers(0, 3)).map(
    lambda parts: (
        np.full((18, 32), parts[0], np.uint8)
        + np.random.default_rng(parts[2]).integers(0, parts[1] + 1, (18, 32), np.uint8)
    )
)


@given(st.lists(signatures, max_size=150), signatures)
def test_looking_up_a_signature_finds_what_comparing_with_each_would(
    known: list[npt.NDArray[np.uint8]], wanted: npt.NDArray[np.uint8]
) -> None:
    accepted = AcceptedSignatures()
    for each in known:
        accepted.add(each)
    assert accepted.contains_like(wanted) == any(is_duplicate(each, wanted) for each in known)
