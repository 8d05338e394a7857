"""Draws are a function of the window alone, and lie in the ranges that are asked for."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from dataset_assets.config import DegradationStep
from dataset_assets.degradation import Blurring, ChromaLoss, Drawn, Encoding, Noising, Scaling, draw_steps

STEPS = [
    {"blur": {"p": 0.5, "sigma": [0.5, 2.0]}},
    {"resize": {"p": 0.5, "factor": [0.5, 0.75]}},
    {"noise": {"p": 0.5, "sigma": [1.0, 5.0], "grey": 0.25}},
    {"chroma": {"p": 0.5, "kinds": [420, 411]}},
    {"codec": {"p": 0.9, "h264": {"weight": 3, "crf": [18, 33]}, "mpeg2": {"quantizer": [2, 4]}}},
]
WINDOWS = 2000


def steps(*written: dict[str, Any]) -> list[DegradationStep]:
    return [DegradationStep.model_validate(each) for each in written]


def drawn(window: int, **changed: Any) -> list[Drawn]:
    arguments: dict[str, Any] = {"seed": 0, "key": "alpha", "category": "general", **changed}
    return draw_steps(steps(*STEPS), window=window, **arguments)


def test_the_order_of_windows_and_of_calls_changes_nothing() -> None:
    in_order = [drawn(window) for window in range(100)]
    numbers = list(range(100))
    random.Random(1).shuffle(numbers)
    shuffled = {window: drawn(window) for window in numbers}
    assert [shuffled[window] for window in range(100)] == in_order


@pytest.mark.parametrize("changed", [{"seed": 1}, {"key": "beta"}, {"category": "space"}])
def test_another_seed_video_or_category_draws_anew(changed: dict[str, Any]) -> None:
    same = sum(drawn(window) == drawn(window, **changed) for window in range(200))
    assert same < 10


def test_a_further_step_at_the_end_changes_none_before_it() -> None:
    for window in range(50):
        first = draw_steps(steps(*STEPS[:2]), seed=0, key="alpha", window=window, category="general")
        assert drawn(window)[: len(first)] == first


def test_shares_and_ranges_are_those_of_the_steps() -> None:
    found = [each for window in range(WINDOWS) for each in drawn(window)]
    counts = Counter(type(each) for each in found)
    for kind, share in ((Blurring, 0.5), (Scaling, 0.5), (Noising, 0.5), (ChromaLoss, 0.5), (Encoding, 0.9)):
        assert counts[kind] / WINDOWS == pytest.approx(share, abs=0.04)
    for each in found:
        match each:
            case Blurring():
                assert 0.5 <= min(each.sigma_x, each.sigma_y) <= max(each.sigma_x, each.sigma_y) <= 2
                assert (each.angle_deg == 0) == (each.sigma_x == each.sigma_y)
            case Scaling():
                assert 0.5 <= each.factor <= 0.75
            case Noising():
                assert 1 <= each.sigma <= 5
            case ChromaLoss():
                assert each.kind in (420, 411)
            case Encoding():
                low, high = (18, 33) if each.codec == "h264" else (2, 4)
                assert low <= each.quality <= high
                assert 4 <= each.warm_up <= 11
    codings = [each for each in found if isinstance(each, Encoding)]
    assert {each.quality for each in codings if each.codec == "mpeg2"} == {2, 3, 4}
    assert sum(each.codec == "h264" for each in codings) / len(codings) == pytest.approx(0.75, abs=0.04)
    grey = [each.is_grey for each in found if isinstance(each, Noising)]
    assert sum(grey) / len(grey) == pytest.approx(0.25, abs=0.04)


def test_steps_that_are_sure_are_drawn_for_every_window_and_others_for_none() -> None:
    sure, never = {"blur": {"p": 1.0}}, {"noise": {"p": 0.0}}
    for window in range(100):
        (only,) = draw_steps(steps(sure, never), seed=0, key="alpha", window=window, category="general")
        assert isinstance(only, Blurring)


def test_a_range_of_one_value_gives_that_value() -> None:
    (only,) = draw_steps(
        steps({"codec": {"hevc": {"crf": [30, 30]}}}), seed=0, key="alpha", window=0, category="general"
    )
    assert isinstance(only, Encoding)
    assert (only.codec, only.quality) == ("hevc", 30)
