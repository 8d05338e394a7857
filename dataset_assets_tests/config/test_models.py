from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.config import BaseSettings, Settings, VideoEntry
from dataset_assets.errors import ConfigError

ROOT = Path("/films")


def settings_with(limit: int, *videos: VideoEntry) -> Settings:
    return Settings(base=BaseSettings(output_base_dir=ROOT, base_frame_limit=limit), videos=videos)


def video(name: str, **weights: float) -> VideoEntry:
    return VideoEntry(name=name, path=ROOT / "a.mkv", categories=weights)


@pytest.mark.parametrize(
    ("limit", "weight", "expected"),
    [(1000, 1.0, 1000), (1000, 0.0, 0), (1000, 0.0005, 1), (1000, 0.00049, 0), (100, 0.145, 15), (5, 0.5, 3)],
)
def test_a_target_is_rounded_half_up_in_decimals(limit: int, weight: float, expected: int) -> None:
    entry = video("A", general=weight)
    assert settings_with(limit, entry).target(entry, "general") == expected


@given(st.integers(1, 10**6), st.decimals(0, 1, places=4))
def test_a_target_is_the_decimal_product_rounded(limit: int, weight: Decimal) -> None:
    entry = video("A", general=float(weight))
    expected = int((limit * weight).quantize(Decimal(1), ROUND_HALF_UP))
    assert settings_with(limit, entry).target(entry, "general") == expected


def test_the_windows_of_a_video_are_the_largest_of_its_targets() -> None:
    entry, idle = video("A", general=0.25, space=0.5), video("B")
    settings = settings_with(1000, entry, idle)
    assert settings.window_target(entry) == 500
    assert settings.target(entry, "toon") == 0
    assert settings.window_target(idle) == 0


def test_a_video_is_found_by_its_key_and_a_near_key_is_proposed() -> None:
    settings = settings_with(10, video("Dune: Part Two"), video("Arrival"))
    assert settings.video("dune-part-two").name == "Dune: Part Two"
    with pytest.raises(
        ConfigError, match=r"no video has the key 'dune-part-2'; did you mean dune-part-two\?"
    ):
        settings.video("dune-part-2")
    with pytest.raises(ConfigError, match="`dataset-assets videos list` shows the keys"):
        settings.video("xyz")


def test_settings_cannot_be_changed() -> None:
    settings = settings_with(10, video("A"))
    with pytest.raises(ValueError, match="frozen"):
        settings.base.seed = 1
