"""Planning: which windows, which formats, which places, as properties of any settings."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.config import DEFAULT_CATEGORIES, DEFAULT_FORMATS, Format
from dataset_assets.patches.planning import PatchPlan, plan_patches
from dataset_assets.video.geometry import Rect

FULL_HD = Rect(0, 0, 1920, 1080)
FORMATS = {
    "small": Format(width=48, height=48, folder="S"),
    "wide": Format(width=96, height=54, folder="W"),
    "tall": Format(width=54, height=96, folder="T"),
    "large": Format(width=192, height=192, folder="L"),
}

seeds = st.integers(0, 2**31)
areas = st.builds(Rect, st.integers(0, 200), st.integers(0, 200), st.integers(48, 300), st.integers(48, 300))
counts = st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
mixes = (
    st.lists(st.integers(0, 9), min_size=4, max_size=4)
    .filter(any)
    .map(lambda parts: {name: part / sum(parts) for name, part in zip(FORMATS, parts, strict=True)})
)


def plan(
    windows: int,
    target: int,
    mix: dict[str, float],
    area: Rect = FULL_HD,
    seed: int = 0,
    category: str = "general",
    formats: dict[str, Format] | None = None,
) -> PatchPlan:
    return plan_patches(
        seed=seed,
        key="a-film",
        category=category,
        windows=windows,
        target=target,
        formats=formats or FORMATS,
        mix=mix,
        area=area,
    )


def names(plan: PatchPlan) -> list[str]:
    patches = (plan.patch(window) for window in range(plan.windows))
    return [patch.format for patch in patches if patch is not None]


@given(counts, mixes, areas, seeds)
def test_crops_have_their_formats_size_and_lie_in_the_active_area(
    count: tuple[int, int], mix: dict[str, float], area: Rect, seed: int
) -> None:
    planned = plan(*count, mix, area, seed)
    for window in range(count[0]):
        patch = planned.patch(window)
        if patch is not None:
            assert patch.window == window
            assert area.contains(patch.rect)
            wanted = FORMATS[patch.format]
            assert (patch.rect.width, patch.rect.height) == (wanted.width, wanted.height)


@given(counts, seeds)
def test_a_category_takes_exactly_its_target_of_the_windows_and_spreads_it_evenly(
    count: tuple[int, int], seed: int
) -> None:
    windows, target = count
    planned = plan(windows, target, {"small": 1.0}, seed=seed)
    taken = [window for window in range(windows) if planned.patch(window) is not None]
    assert len(taken) == target
    for position, window in enumerate(taken):
        # Between the start of the film and any window, the share so far is off by less than one.
        assert abs(position - window * target / windows) <= 1


def test_a_film_shorter_than_its_target_gives_all_its_windows() -> None:
    planned = plan(5, 40, {"small": 1.0})
    assert planned.target == 5
    assert len(names(planned)) == 5


def test_a_target_of_none_takes_no_window() -> None:
    assert names(plan(10, 0, {"small": 1.0})) == []
    assert names(plan(0, 0, {"small": 1.0})) == []


@given(mixes, seeds, st.integers(1, 300))
def test_the_mix_is_kept_within_a_patch_or_two_however_few_there_are(
    mix: dict[str, float], seed: int, target: int
) -> None:
    made = Counter(names(plan(target, target, mix, seed=seed)))
    shares = sorted(mix.items(), key=lambda item: (-item[1], item[0]))
    for rank, (name, share) in enumerate(shares):
        assert abs(made[name] - share * target) < 1 + rank


@pytest.mark.parametrize("category", DEFAULT_CATEGORIES)
@pytest.mark.parametrize("target", [5, 10, 50, 1000])
def test_the_default_mixes_are_kept_within_two_patches(category: str, target: int) -> None:
    mix = dict(DEFAULT_CATEGORIES[category].mix)
    for seed in range(20):
        made = Counter(names(plan(target, target, mix, seed=seed, formats=dict(DEFAULT_FORMATS))))
        assert all(abs(made[name] - share * target) < 2 for name, share in mix.items())


def test_over_many_videos_of_one_patch_each_the_mix_comes_out_too() -> None:
    mix = {"small": 0.45, "wide": 0.35, "large": 0.2}
    made = Counter(name for seed in range(2000) for name in names(plan(1, 1, mix, seed=seed)))
    for name, share in mix.items():
        assert made[name] / 2000 == pytest.approx(share, abs=0.05)


def test_a_format_that_does_not_fit_is_left_out_and_the_mix_renormalised() -> None:
    letterboxed = Rect(0, 138, 1920, 804)
    mix = dict(DEFAULT_CATEGORIES["space"].mix)
    planned = plan(100, 100, mix, letterboxed, formats=dict(DEFAULT_FORMATS))
    assert set(planned.left_out) == {"xlarge_1440", "fullhd_1920"}
    assert planned.mix == {"small_540": 1.0}
    assert set(names(planned)) == {"small_540"}
    part = plan(100, 100, {"small": 0.25, "wide": 0.25, "large": 0.5}, Rect(0, 0, 100, 100))
    assert part.mix == {"small": 0.5, "wide": 0.5}
    assert part.left_out == ("large",)


def test_a_format_that_fits_to_the_pixel_is_kept() -> None:
    planned = plan(3, 3, {"large": 1.0}, Rect(7, 9, 192, 192))
    assert [patch.rect for window in range(3) if (patch := planned.patch(window))] == [
        Rect(7, 9, 192, 192)
    ] * 3


def test_where_no_format_fits_nothing_is_planned() -> None:
    planned = plan(10, 10, {"large": 1.0}, Rect(0, 0, 191, 500))
    assert names(planned) == []
    assert planned.left_out == ("large",)


def test_a_share_of_nought_is_never_made_nor_reported_as_left_out() -> None:
    planned = plan(200, 200, {"small": 1.0, "large": 0.0}, Rect(0, 0, 100, 100))
    assert set(names(planned)) == {"small"}
    assert planned.left_out == ()


@given(counts, mixes, seeds)
def test_the_order_of_the_mix_in_the_configuration_changes_nothing(
    count: tuple[int, int], mix: dict[str, float], seed: int
) -> None:
    one, other = plan(*count, mix, seed=seed), plan(*count, dict(reversed(mix.items())), seed=seed)
    windows = range(count[0])
    assert [one.patch(window) for window in windows] == [other.patch(window) for window in reversed(windows)][
        ::-1
    ]


def test_categories_draw_different_crops_of_the_same_window() -> None:
    mix = {"small": 1.0}
    one, other = plan(50, 50, mix, category="general"), plan(50, 50, mix, category="space")
    same = sum(one.patch(window) == other.patch(window) for window in range(50))
    assert same <= 1


def test_crops_reach_every_side_of_the_area() -> None:
    area = Rect(10, 20, 52, 50)
    planned = plan(300, 300, {"small": 1.0}, area)
    rects = [patch.rect for window in range(300) if (patch := planned.patch(window))]
    assert {rect.x for rect in rects} == set(range(10, 15))
    assert {rect.y for rect in rects} == set(range(20, 23))
