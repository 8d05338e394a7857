from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dataset_assets.config import BaseSettings, Settings
from dataset_assets.dataset import Completion, Progress, eta_s
from dataset_assets.monitor.aggregate import VideoSummary, category_states, disk, overall, patch_bytes
from dataset_assets.monitor.snapshot import Activity

NOW_S = 1000.0
# GT, and 12 frames of a ninth of its pixels, at 1.16 bytes a pixel.
GT_PIXEL_BYTES = 1.16 * (1 + 12 / 9)
DONE = VideoSummary(
    key="done",
    state="done",
    windows_to_do=0,
    accepted=9,
    candidates=12,
    patches={"general": Completion(10, 9, 1), "toon": Completion()},
    size_bytes={"general": 900, "toon": 0},
    wanted_bytes={"general": 900, "toon": 0},
    progress=None,
)
WAITING = replace(
    DONE,
    key="waiting",
    state="waiting",
    accepted=0,
    candidates=0,
    patches={"general": Completion(10), "toon": Completion(30)},
    size_bytes={"general": 0, "toon": 0},
    wanted_bytes={"general": 0, "toon": 0},
    windows_to_do=30,
)


def running(worked: int, pending: int, started_s: float) -> VideoSummary:
    """A video with so many windows worked on, and so many to come."""
    target = worked + pending
    progress = Progress(
        "running",
        windows_target=target,
        windows_done=worked,
        windows_worked=worked,
        windows_pending=pending,
        started_s=started_s,
    )
    return replace(
        WAITING,
        key="running",
        state="running",
        windows_to_do=pending,
        progress=progress,
        patches={"toon": Completion(target)},
    )


@pytest.mark.parametrize("worked", [0, 1, 2])
def test_the_eta_is_unknown_at_the_start(worked: int) -> None:
    work = running(worked, 10, NOW_S - 60)
    assert work.progress is not None
    assert eta_s(work.progress, NOW_S) is None
    whole = overall([work, WAITING], Activity(), {"waiting"}, NOW_S)
    assert (whole.eta_s, whole.windows_per_minute) == (None, None)


def test_the_eta_comes_from_the_rate_of_this_run_only() -> None:
    # Gone on with: 90 of 100 windows were there already, 5 were worked on in 10 s.
    progress = Progress(
        "a", windows_target=100, windows_done=95, windows_worked=5, windows_pending=5, started_s=NOW_S - 10
    )
    assert eta_s(progress, NOW_S) == 10.0


def test_the_whole_lasts_as_long_as_all_that_waits_at_the_present_rate() -> None:
    work = running(10, 20, NOW_S - 10)  # one window a second
    whole = overall([DONE, work, WAITING], Activity(), {"waiting"}, NOW_S)
    assert whole.eta_s == 20 + 30
    assert whole.windows_per_minute == 60
    assert overall([DONE, work, WAITING], Activity(), set(), NOW_S).eta_s == 20
    # A second one whose rate is not known yet is taken to be as fast; what waits follows it.
    begun = replace(running(1, 9, NOW_S), key="begun")
    assert overall([work, begun, WAITING], Activity(), {"waiting"}, NOW_S).eta_s == 9 + 30


def test_the_slowest_video_outlasts_the_rest() -> None:
    slow = running(3, 100, NOW_S - 300)
    fast = replace(running(100, 1, NOW_S - 10), key="fast")
    assert overall([slow, fast], Activity(), set(), NOW_S).eta_s == 10000


def test_a_video_that_is_done_counts_whole_though_it_gave_less_than_was_asked() -> None:
    whole = overall([DONE], Activity(), set(), NOW_S)
    assert (whole.share, whole.patches, whole.patches_target) == (1.0, 9, 10)
    assert (whole.patches_short, whole.patches_to_do) == (1, 0)
    assert overall([WAITING], Activity(), set(), NOW_S).share == 0.0
    assert overall([], Activity(), set(), NOW_S).share == 0.0
    half = replace(WAITING, patches={"general": Completion(10, 5), "toon": Completion(30, 11, 8)})
    assert overall([half], Activity(), set(), NOW_S).share == 0.5  # 16 of the 32 that the film can give


def test_the_share_is_that_of_the_numbers_beside_it() -> None:
    work = replace(running(1, 19, NOW_S - 10), patches={"toon": Completion(340, 182, 80)})
    whole = overall([work], Activity(), set(), NOW_S)
    assert whole.share == 182 / 260
    (toon,) = category_states([work], ["toon"])
    assert toon.share == 182 / 260
    end = replace(work, state="done", progress=None, patches={"toon": Completion(340, 260, 80)})
    assert (overall([end], Activity(), set(), NOW_S).share, category_states([end], ["toon"])[0].share) == (
        1,
        1,
    )
    # Of a film that no format fits nothing can be made.
    small = replace(DONE, state="too_small", patches={"toon": Completion()})
    assert overall([small], Activity(), set(), NOW_S).share == 1.0
    assert category_states([small], ["toon"])[0].share is None


def test_a_category_is_judged_by_the_videos_that_it_was_asked_of() -> None:
    other = replace(WAITING, accepted=1, candidates=8)
    general, toon = category_states([DONE, other], ["general", "toon"])
    assert (general.candidates, general.accepted, general.acceptance_rate) == (20, 10, 0.5)
    assert (toon.candidates, toon.accepted) == (8, 1)
    assert (general.patches, general.patches_target, general.size_bytes) == (9, 20, 900)
    assert category_states([], ["general"])[0].acceptance_rate is None


def test_the_projection_takes_the_mean_of_what_is_there_and_else_the_formats() -> None:
    settings = Settings(base=BaseSettings(output_base_dir=Path("/x"), min_free_gb=2.0), videos=())
    found = disk([DONE, WAITING], settings, other_bytes=50, free_bytes=10**9)
    toon = 30 * GT_PIXEL_BYTES * (0.65 * 540 * 540 + 0.35 * 720 * 405)
    assert found.used_bytes == 950
    assert found.projected_bytes == 950 + 10 * 100 + round(toon)
    assert found.free_after_bytes == 10**9 - 10 * 100 - round(toon)
    assert found.min_free_bytes == 2_000_000_000


def test_of_a_film_whose_picture_is_known_the_formats_count_that_fit() -> None:
    settings = Settings(base=BaseSettings(output_base_dir=Path("/x")), videos=())
    small = GT_PIXEL_BYTES * 540 * 540
    assert patch_bytes(settings, "space", 0, 0, (1280, 720)) == pytest.approx(small)
    assert patch_bytes(settings, "space", 0, 0, (3840, 2160)) == patch_bytes(settings, "space", 0, 0) > small
    assert patch_bytes(settings, "space", 10, 50, (1280, 720)) == 5


@pytest.mark.parametrize(
    ("patches", "projected"),
    [
        (Completion(10, stale=9), 1000),  # made again
        (Completion(10, 4, stale=5), 1000),
        (Completion(4, 4, stale=5), 400),  # deleted
        (Completion(10, 6, 4, stale=3), 600),
    ],
)
def test_what_is_replaced_or_deleted_counts_once_in_the_projection(
    patches: Completion, projected: int
) -> None:
    settings = Settings(base=BaseSettings(output_base_dir=Path("/x")), videos=())
    stale = replace(DONE, state="waiting", patches={"general": patches})
    found = disk([stale], settings, other_bytes=50, free_bytes=10**9)
    assert (found.used_bytes, found.projected_bytes) == (950, 50 + projected)
    assert found.free_after_bytes == 10**9 + found.used_bytes - found.projected_bytes
    # With other files than they have, patches that are wanted take what theirs would.
    larger = replace(stale, wanted_bytes={"general": 2700, "toon": 0})
    wanted = patches.done + patches.to_do
    assert disk([larger], settings, 50, 10**9).projected_bytes == 50 + 300 * wanted
