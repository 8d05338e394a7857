"""What of each video is made and what is to come, and sums and estimates over all of them.

Plain arithmetic on `Work` records; reading the files that they come from is `watching`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dataset_assets.config import Settings
from dataset_assets.dataset import Progress, eta_s, windows_per_s
from dataset_assets.generate.plan import TRIPLET_BYTES_PER_PIXEL
from dataset_assets.monitor.snapshot import Activity, CategoryState, Disk, Overall

WorkState = Literal["done", "running", "failed", "interrupted", "waiting"]


@dataclass(frozen=True, slots=True)
class Work:
    """One video, as far as it has come.

    Attributes:
        key: The video's key.
        state: Where it stands.
        windows_target: Windows wanted.
        accepted: Windows accepted.
        attempts: Attempts made.
        targets: Patches wanted, by category.
        made: Patches made, by category.
        stale: Patches that are there but will be replaced, by category.
        size_bytes: Bytes of both, by category.
        remaining: Patches yet to make, by category.
        progress: What its running pass tells; None where there is none.
    """

    key: str
    state: WorkState
    windows_target: int
    accepted: int
    attempts: int
    targets: Mapping[str, int]
    made: Mapping[str, int]
    stale: Mapping[str, int]
    size_bytes: Mapping[str, int]
    remaining: Mapping[str, int]
    progress: Progress | None

    @property
    def weight(self) -> int:
        """What it counts for in the whole: its patches, and one for being probed."""
        return 1 + sum(self.targets.values())

    @property
    def share(self) -> float:
        """Part of it that is done, 0..1."""
        if self.state == "done":
            return 1.0
        if self.progress is not None:
            return ratio(self.progress.windows_done, self.progress.windows_target) or 0.0
        wanted = sum(self.targets.values())
        return 1 - sum(self.remaining.values()) / wanted if wanted else 0.0

    @property
    def windows_remaining(self) -> float:
        """Windows yet to work on."""
        if self.progress is not None:
            return self.progress.windows_pending
        return (1 - self.share) * self.windows_target


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole; None where there is no whole."""
    return part / whole if whole else None


def overall(works: Sequence[Work], activity: Activity, waiting: Collection[str], now_s: float) -> Overall:
    """Add up all videos.

    Args:
        works: The videos.
        activity: What goes on.
        waiting: Keys of the videos that are to be worked on after those that run.
        now_s: Unix time.
    """
    states = [work.state for work in works]
    rates = [
        rate
        for work in works
        if work.progress is not None and (rate := windows_per_s(work.progress, now_s)) is not None
    ]
    return Overall(
        videos=len(works),
        videos_done=states.count("done"),
        videos_running=states.count("running"),
        videos_failed=states.count("failed"),
        videos_interrupted=states.count("interrupted"),
        videos_waiting=states.count("waiting"),
        runs_queued=activity.queued,
        backfills=activity.backfills,
        share=sum(work.weight * work.share for work in works) / max(1, sum(work.weight for work in works)),
        eta_s=_overall_eta_s(works, waiting, rates, now_s),
        patches=sum(sum(work.made.values()) for work in works),
        patches_target=sum(sum(work.targets.values()) for work in works),
        windows_per_minute=60 * sum(rates) if rates else None,
    )


def _overall_eta_s(
    works: Sequence[Work], waiting: Collection[str], rates: Sequence[float], now_s: float
) -> float | None:
    """At the mean rate of the passes that can tell theirs, for as many videos at a time as run now."""
    running = [work for work in works if work.state == "running"]
    if not rates:
        return None
    rate = sum(rates) / len(rates) * len(running)
    to_come = [work for work in works if work.key in waiting and work.state != "running"]
    remaining = sum(work.windows_remaining for work in [*running, *to_come])
    # The slowest video may well outlast the rest.
    etas = [eta for work in running if work.progress and (eta := eta_s(work.progress, now_s)) is not None]
    return max([remaining / rate, *etas])


def category_states(works: Sequence[Work], categories: Iterable[str]) -> tuple[CategoryState, ...]:
    """Add up each category; attempts are those of the videos that it was asked of, or made from."""
    return tuple(_category_state(works, name) for name in categories)


def _category_state(works: Sequence[Work], category: str) -> CategoryState:
    patches = sum(work.made.get(category, 0) for work in works)
    asked = [
        work
        for work in works
        if work.targets.get(category) or work.made.get(category) or work.stale.get(category)
    ]
    attempts, accepted = sum(work.attempts for work in asked), sum(work.accepted for work in asked)
    return CategoryState(
        category=category,
        patches=patches,
        patches_stale=sum(work.stale.get(category, 0) for work in works),
        patches_target=sum(work.targets.get(category, 0) for work in works),
        attempts=attempts,
        accepted=accepted,
        acceptance_rate=ratio(accepted, attempts),
        size_bytes=sum(work.size_bytes.get(category, 0) for work in works),
    )


def disk(works: Sequence[Work], settings: Settings, other_bytes: int, free_bytes: int) -> Disk:
    """Estimates what the data set will take, from the patches that are there.

    Args:
        works: The videos.
        settings: The configuration.
        other_bytes: Bytes of patches that belong to none of the works' categories.
        free_bytes: Free bytes of the disk.
    """
    used = other_bytes + sum(sum(work.size_bytes.values()) for work in works)
    to_come = 0.0
    for category in settings.categories:
        remaining = sum(work.remaining.get(category, 0) for work in works)
        made = sum(work.made.get(category, 0) + work.stale.get(category, 0) for work in works)
        size_bytes = sum(work.size_bytes.get(category, 0) for work in works)
        to_come += remaining * (size_bytes / made if made else _triplet_bytes(settings, category))
    return Disk(
        used_bytes=used,
        projected_bytes=used + round(to_come),
        free_bytes=free_bytes,
        free_after_bytes=free_bytes - round(to_come),
        min_free_bytes=round(settings.base.min_free_gb * 1e9),
    )


def _triplet_bytes(settings: Settings, category: str) -> float:
    """Estimated bytes of a triplet, from the category's mix."""
    mix = settings.categories[category].mix
    pixels = sum(
        share * settings.formats[name].width * settings.formats[name].height for name, share in mix.items()
    )
    return pixels * TRIPLET_BYTES_PER_PIXEL
