"""Planning: which formats and which places, as properties of any settings."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.config import DEFAULT_CATEGORIES, DEFAULT_FORMATS, Format
from dataset_assets.detail_map import MAP_HEIGHT, MAP_WIDTH, DetailMap
from dataset_assets.patches import planning
from dataset_assets.patches.planning import PatchPlan, PlannedPatch, misfit, plan_patches
from dataset_assets.video.geometry import Rect
from dataset_assets_tests.windows.samples import placed, steady_film

FULL_HD = Rect(0, 0, 1920, 1080)
FORMATS = {
    "small": Format(width=48, height=48, folder="S"),
    "wide": Format(width=96, height=54, folder="W"),
    "tall": Format(width=54, height=96, folder="T"),
    "large": Format(width=192, height=192, folder="L"),
}

seeds = st.integers(0, 2**31)
areas = st.builds(Rect, st.integers(0, 200), st.integers(0, 200), st.integers(48, 300), st.integers(48, 300))
mixes = (
    st.lists(st.integers(0, 9), min_size=4, max_size=4)
    .filter(any)
    .map(lambda parts: {name: part / sum(parts) for name, part in zip(FORMATS, parts, strict=True)})
)


def plan(
    mix: dict[str, float],
    area: Rect = FULL_HD,
    seed: int = 0,
    category: str = "general",
    formats: dict[str, Format] | None = None,
    candidates: int = 3,
) -> PatchPlan:
    return plan_patches(
        seed=seed,
        key="a-film",
        category=category,
        target=1000,
        formats=formats or FORMATS,
        mix=mix,
        area=area,
        candidates=candidates,
    )


def first(
    plan: PatchPlan, window: int, detail: DetailMap | None = None, fills: Sequence[float] = ()
) -> PlannedPatch | None:
    return next(iter(plan.patches(window, detail, fills)), None)


def names(plan: PatchPlan, windows: Iterable[int]) -> list[str]:
    patches = (first(plan, window) for window in windows)
    return [patch.format for patch in patches if patch is not None]


@given(mixes, areas, seeds)
def test_crops_have_their_formats_size_and_lie_in_the_active_area(
    mix: dict[str, float], area: Rect, seed: int
) -> None:
    planned = plan(mix, area, seed)
    for window in range(50):
        patch = first(planned, window)
        if patch is not None:
            assert patch.window == window
            assert area.contains(patch.rect)
            wanted = FORMATS[patch.format]
            assert (patch.rect.width, patch.rect.height) == (wanted.width, wanted.height)


@given(mixes, seeds, st.integers(0, 10**6), st.integers(1, 300))
def test_the_mix_is_kept_within_three_patches_in_any_stretch_of_the_sequence(
    mix: dict[str, float], seed: int, first: int, count: int
) -> None:
    made = Counter(names(plan(mix, seed=seed), range(first, first + count)))
    assert all(abs(made[name] - share * count) < 3 for name, share in mix.items())


@pytest.mark.parametrize("category", DEFAULT_CATEGORIES)
@pytest.mark.parametrize(("target", "rejected"), [(20, 0.1), (100, 0.1), (100, 0.4), (1000, 0.1)])
def test_the_default_mixes_are_kept_nearer_than_by_chance_where_candidates_are_rejected(
    category: str, target: int, rejected: float
) -> None:
    mix = dict(DEFAULT_CATEGORIES[category].mix)
    for seed in range(20):
        rng = random.Random(seed)
        accepted = [window for window in range(3 * target) if rng.random() >= rejected][:target]
        made = Counter(names(plan(mix, seed=seed, formats=dict(DEFAULT_FORMATS)), accepted))
        allowed = 2 + 2 * sqrt(target * rejected)
        assert all(abs(made[name] - share * target) <= allowed for name, share in mix.items())


def test_the_mix_is_kept_in_each_part_of_a_film() -> None:
    """Places and formats are drawn by steps that have nothing to do with each other."""
    mix = {"small": 0.45, "wide": 0.35, "large": 0.2}
    film = steady_film(100_000, 24)
    for seed in range(10):
        planned = plan(mix, seed=seed)
        found = placed(film.sequence(seed=seed), 300)
        for third in range(3):
            windows = [each.number for each in found if (each.start or 0) * 3 // 4_000_000 == third]
            made = Counter(names(planned, windows))
            assert all(abs(made[name] - share * len(windows)) <= 4 for name, share in mix.items())


@given(mixes, seeds, st.sampled_from(list(FORMATS)), st.floats(0.01, 0.2))
def test_a_share_that_grows_takes_windows_from_others_and_gives_none_up(
    mix: dict[str, float], seed: int, name: str, more: float
) -> None:
    """A change of the mix changes few formats: about as many as the shares that are passed."""
    changed = {each: (share + more * (each == name)) / (1 + more) for each, share in mix.items()}
    before, after = (names(plan(each, seed=seed), range(300)) for each in (mix, changed))
    moved = sum(one != other for one, other in zip(before, after, strict=True))
    least = sum(max(0.0, changed[each] - mix[each]) for each in mix)
    assert moved <= 300 * least * len(mix) + 6


def test_over_many_videos_of_one_patch_each_the_mix_comes_out_too() -> None:
    mix = {"small": 0.45, "wide": 0.35, "large": 0.2}
    made = Counter(name for seed in range(2000) for name in names(plan(mix, seed=seed), [0]))
    for name, share in mix.items():
        assert made[name] / 2000 == pytest.approx(share, abs=0.05)


def test_a_format_that_does_not_fit_is_left_out_and_the_mix_renormalised() -> None:
    letterboxed = Rect(0, 138, 1920, 804)
    mix = dict(DEFAULT_CATEGORIES["space"].mix)
    planned = plan(mix, letterboxed, formats=dict(DEFAULT_FORMATS))
    assert set(planned.left_out) == {"xlarge_1440", "fullhd_1920"}
    assert planned.mix == {"small_540": 1.0}
    assert set(names(planned, range(100))) == {"small_540"}
    part = plan({"small": 0.25, "wide": 0.25, "large": 0.5}, Rect(0, 0, 100, 100))
    assert part.mix == {"small": 0.5, "wide": 0.5}
    assert part.left_out == ("large",)


def test_a_format_that_fits_to_the_pixel_is_kept() -> None:
    planned = plan({"large": 1.0}, Rect(7, 9, 192, 192))
    assert [patch.rect for window in range(3) if (patch := first(planned, window))] == [
        Rect(7, 9, 192, 192)
    ] * 3


def test_where_no_format_fits_nothing_is_planned() -> None:
    planned = plan({"large": 1.0}, Rect(0, 0, 191, 500))
    assert names(planned, range(10)) == []
    assert planned.left_out == ("large",)


def test_each_size_that_would_suffice_is_named_and_no_larger_one() -> None:
    formats = FORMATS | {"again": FORMATS["wide"]}
    mixes = [{"large": 0.5, "wide": 0.3, "again": 0.2}, {"tall": 1.0, "small": 0.0}]
    assert misfit(formats, mixes, Rect(3, 3, 53, 53)) == (
        "no format fits: the largest crop would be 53x53, at least 96x54 (again) or 54x96 (tall) is needed"
    )
    assert misfit(formats, mixes, Rect(0, 0, 53, 95)).endswith("54x96 (tall) or 96x54 (again) is needed")
    assert misfit(formats, mixes, Rect(3, 3, 54, 96)) == ""
    assert misfit(formats, [{"small": 0.0}], Rect(0, 0, 1, 1)) == ""


@given(mixes, areas)
def test_a_film_that_no_format_fits_is_below_each_size_that_is_named(
    mix: dict[str, float], area: Rect
) -> None:
    why = misfit(FORMATS, [mix], area)
    assert bool(why) == (not plan(mix, area).mix)
    for width, height in re.findall(r"(\d+)x(\d+) \(", why):
        assert int(width) > area.width or int(height) > area.height


def test_a_share_of_nought_is_never_made_nor_reported_as_left_out() -> None:
    planned = plan({"small": 1.0, "large": 0.0}, Rect(0, 0, 100, 100))
    assert set(names(planned, range(200))) == {"small"}
    assert planned.left_out == ()


@given(mixes, seeds)
def test_the_order_of_the_mix_in_the_configuration_changes_nothing(mix: dict[str, float], seed: int) -> None:
    one, other = plan(mix, seed=seed), plan(dict(reversed(mix.items())), seed=seed)
    assert [first(one, window) for window in range(50)] == [first(other, window) for window in range(50)]


@given(mixes, areas, seeds, st.integers(0, 10**6))
def test_a_patch_depends_on_its_number_and_not_on_how_many_are_wanted(
    mix: dict[str, float], area: Rect, seed: int, window: int
) -> None:
    planned = plan(mix, area, seed)
    assert first(replace(planned, target=7), window) == first(planned, window)


def test_categories_draw_different_crops_of_the_same_window() -> None:
    mix = {"small": 1.0}
    one, other = plan(mix, category="general"), plan(mix, category="space")
    same = sum(first(one, window) == first(other, window) for window in range(50))
    assert same <= 1


def test_crops_reach_every_side_of_the_area() -> None:
    area = Rect(10, 20, 52, 50)
    planned = plan({"small": 1.0}, area)
    rects = [patch.rect for window in range(300) if (patch := first(planned, window))]
    assert {rect.x for rect in rects} == set(range(10, 15))
    assert {rect.y for rect in rects} == set(range(20, 23))


maps = st.binary(min_size=MAP_WIDTH * MAP_HEIGHT, max_size=MAP_WIDTH * MAP_HEIGHT).map(DetailMap)
SIZES = {"small": 0.45, "wide": 0.35, "large": 0.2}


def map_of(mean_squares: float | np.ndarray) -> DetailMap:
    return DetailMap.of_mean_squares(np.full((MAP_HEIGHT, MAP_WIDTH), mean_squares, np.float32))


def filled(level: float) -> DetailMap:
    """A map with the same detail in every cell."""
    return map_of(10 ** (level / 10))


@given(mixes, areas, seeds, maps, st.integers(2, 8))
def test_the_crop_is_the_place_with_the_most_detail_of_those_drawn(
    mix: dict[str, float], area: Rect, seed: int, detail: DetailMap, candidates: int
) -> None:
    planned = plan(mix, area, seed, candidates=candidates)
    for name in planned.mix:
        taken = [replace(planned, candidates=count).crop(7, name, detail) for count in (1, candidates)]
        found = [
            detail.mean_square(
                (rect.x - area.x) / area.width,
                (rect.y - area.y) / area.height,
                (rect.right - area.x) / area.width,
                (rect.bottom - area.y) / area.height,
            )
            for rect in taken
        ]
        assert found[1] >= found[0]
        assert all(area.contains(rect) for rect in taken)


def test_a_crop_goes_where_the_detail_is_more_often_than_a_blind_one() -> None:
    corner = np.zeros((MAP_HEIGHT, MAP_WIDTH), np.float32)
    corner[:9, :16] = 100
    counts = []
    for candidates in (1, 3):
        planned = plan({"large": 1.0}, candidates=candidates)
        crops = [planned.crop(window, "large", map_of(corner)) for window in range(400)]
        counts.append(sum(crop.x < 960 and crop.y < 540 for crop in crops))
    # A crop that does not touch the corner is taken if none of three does.
    missed = 1 - counts[0] / 400
    assert counts[1] / 400 == pytest.approx(1 - missed**3, abs=0.06)


def test_one_candidate_and_a_window_without_a_map_are_what_v2_0_made() -> None:
    fills = (-5.0, 0.0, 5.0)
    blind, other = plan(SIZES, candidates=1), plan(SIZES, candidates=3)
    expected = [first(plan(SIZES), window) for window in range(100)]
    assert [first(blind, window, filled(window % 20 - 10), fills) for window in range(100)] == expected
    assert [first(other, window, None, fills) for window in range(100)] == expected


def test_large_formats_go_to_windows_with_detail_all_over_and_the_mix_stays() -> None:
    off = []
    for seed in range(20):
        rng = random.Random(seed)
        fills = sorted(rng.gauss(0, 6) for _ in range(64))
        levels = [rng.gauss(0, 6) for _ in range(1000)]
        formats = names_by_detail(plan(SIZES, seed=seed), levels, fills)
        made = Counter(formats)
        off.append(max(abs(made[name] / 1000 - share) for name, share in SIZES.items()))
        means = dict.fromkeys(SIZES, 0.0)
        for level, name in zip(levels, formats, strict=True):
            means[name] += level / made[name]
        assert means["small"] < means["wide"] - 2 < means["large"] - 4
    assert sum(off) / len(off) < 0.05
    assert max(off) < 0.12


def test_of_formats_of_one_size_none_has_more_detail_than_the_other() -> None:
    formats = {
        "square": Format(width=540, height=540, folder="S"),
        "wide": Format(width=720, height=405, folder="W"),
    }
    mix = {"square": 0.65, "wide": 0.35}
    rng = random.Random(1)
    levels = [rng.gauss(0, 6) for _ in range(1000)]
    fills = sorted(levels[:64])
    made = names_by_detail(plan(mix, formats=formats), levels, fills)
    assert Counter(made)["wide"] == pytest.approx(350, abs=4)
    of_wide = [level for level, name in zip(levels, made, strict=True) if name == "wide"]
    assert sum(of_wide) / len(of_wide) == pytest.approx(sum(levels) / 1000, abs=1)


def test_each_format_is_made_where_all_windows_of_a_film_look_alike() -> None:
    made = Counter(names_by_detail(plan(SIZES), [3.0] * 1000, [2.0, *[3.0] * 60, 4.0]))
    assert all(made[name] > 0 for name in SIZES)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_change_of_a_windows_detail_or_step_moves_its_rank_upwards(detail: float, step: float) -> None:
    rank = planning._rank(detail, step)
    assert 0 <= rank <= 1
    assert planning._rank(min(1, detail + 0.1), step) >= rank
    assert planning._rank(detail, min(1, step + 0.1)) >= rank


def test_ranks_of_uniform_numbers_are_uniform() -> None:
    rng = np.random.default_rng(0)
    ranks = [planning._rank(*pair) for pair in rng.random((20_000, 2))]
    assert np.histogram(ranks, 10, (0, 1))[0] == pytest.approx(2000, abs=200)


def names_by_detail(planned: PatchPlan, levels: Iterable[float], fills: Sequence[float]) -> list[str]:
    patches = (first(planned, window, filled(level), fills) for window, level in enumerate(levels))
    return [patch.format for patch in patches if patch is not None]


@given(mixes, areas, seeds)
def test_further_crops_leave_those_before_them_as_they_are(
    mix: dict[str, float], area: Rect, seed: int
) -> None:
    one = plan(mix, area, seed)
    many = {crops: replace(one, crops=crops) for crops in (1, 2, 4, 16)}
    for window in range(20):
        found = {crops: planned.patches(window) for crops, planned in many.items()}
        assert found[16] == many[16].patches(window)
        assert found[1] == one.patches(window)
        for crops, patches in found.items():
            assert patches == found[16][:crops]
            assert [patch.crop for patch in patches] == list(range(len(patches)))
            assert len({patch.format for patch in patches}) <= 1
            assert all(area.contains(patch.rect) for patch in patches)
            assert len(patches) <= (many[crops].most_patches if patches else 0)
            assert not any(
                overlap(first.rect, other.rect) for first in patches for other in patches if first != other
            )


def test_of_several_free_places_that_with_the_most_detail_is_taken() -> None:
    squares = np.ones((MAP_HEIGHT, MAP_WIDTH), np.float32)
    squares[:, MAP_WIDTH // 2 :] = 100
    planned = replace(plan({"small": 1.0}), crops=2)
    blind = [replace(planned, candidates=1).patches(window)[1].rect.x for window in range(200)]
    chosen = [planned.patches(window, map_of(squares))[1].rect.x for window in range(200)]
    assert np.mean(chosen) > np.mean(blind) + 100


def overlap(one: Rect, other: Rect) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )
