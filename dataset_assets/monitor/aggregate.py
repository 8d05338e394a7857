"""Sums and estimates over videos: totals, progress of categories, disk usage, time left.

Plain arithmetic on `VideoSummary` records: no file, no clock. The records are made in `collector`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dataset_assets.config import Settings
from dataset_assets.dataset import Completion, Progress, eta_s, windows_per_s
from dataset_assets.generate import TRIPLET_BYTES_PER_PIXEL
from dataset_assets.monitor.snapshot import Activity, CategoryState, Disk, Overall

VideoState = Literal["done", "too_small", "running", "failed", "interrupted", "waiting"]


@dataclass(frozen=True, slots=True)
class VideoSummary:
    """How far one video has come.

    Attributes:
        key: The video's key.
        state: Where it stands.
        windows_target: Windows wanted.
        accepted: Windows accepted.
        candidates: Candidates tried.
        patches: How far each category has come.
        size_bytes: Bytes of the patches, by category.
        progress: Progress of its running pass; None where there is none.
    """

    key: str
    state: VideoState
    windows_target: int
    accepted: int
    candidates: int
    patches: Mapping[str, Completion]
    size_bytes: Mapping[str, int]
    progress: Progress | None

    @property
    def total(self) -> Completion:
        """How far all categories have come together."""
        return sum(self.patches.values(), Completion())

    @property
    def weight(self) -> int:
        """Weight in the overall share: one for each patch that the film can give, and one for the probe."""
        return 1 + self.total.target - self.total.short

    @property
    def share(self) -> float:
        """Share that is done, 0..1."""
        if self.state in ("done", "too_small"):
            return 1.0
        if self.progress is not None:
            return ratio(self.progress.windows_done, self.progress.windows_target) or 0.0
        wanted = self.weight - 1
        return 1 - self.total.to_do / wanted if wanted else 0.0

    @property
    def windows_remaining(self) -> float:
        """Windows yet to work on."""
        if self.progress is not None:
            return self.progress.windows_pending
        return (1 - self.share) * self.windows_target


def ratio(part: float, total: float) -> float | None:
    """Return part / total; None where the total is 0."""
    return part / total if total else None


def overall(
    videos: Sequence[VideoSummary], activity: Activity, waiting: Collection[str], now_s: float
) -> Overall:
    """Add up all videos.

    Args:
        videos: The videos.
        activity: The runs that go on.
        waiting: Keys of the videos that are to be worked on after those that run.
        now_s: Unix time.
    """
    states = [video.state for video in videos]
    total = sum((video.total for video in videos), Completion())
    rates = [
        rate
        for video in videos
        if video.progress is not None and (rate := windows_per_s(video.progress, now_s)) is not None
    ]
    return Overall(
        videos=len(videos),
        videos_done=states.count("done"),
        videos_too_small=states.count("too_small"),
        videos_running=states.count("running"),
        videos_failed=states.count("failed"),
        videos_interrupted=states.count("interrupted"),
        videos_waiting=states.count("waiting"),
        runs_queued=activity.queued,
        backfills=activity.backfills,
        share=sum(video.weight * video.share for video in videos)
        / max(1, sum(video.weight for video in videos)),
        eta_s=_overall_eta_s(videos, waiting, rates, now_s),
        patches=total.done,
        patches_target=total.target,
        patches_short=total.short,
        patches_to_do=total.to_do,
        windows_per_minute=60 * sum(rates) if rates else None,
    )


def _overall_eta_s(
    videos: Sequence[VideoSummary], waiting: Collection[str], rates: Sequence[float], now_s: float
) -> float | None:
    """Return seconds left at the mean rate of the passes whose rate is known, with as many runs as go on."""
    running = [video for video in videos if video.state == "running"]
    if not rates:
        return None
    rate = sum(rates) / len(rates) * len(running)
    to_come = [video for video in videos if video.key in waiting and video.state != "running"]
    remaining = sum(video.windows_remaining for video in [*running, *to_come])
    # The slowest video may well outlast the rest.
    etas = [eta for video in running if video.progress and (eta := eta_s(video.progress, now_s)) is not None]
    return max([remaining / rate, *etas])


def category_states(videos: Sequence[VideoSummary], categories: Iterable[str]) -> tuple[CategoryState, ...]:
    """Add up each category; candidates are those of the videos that it was asked of, or made from."""
    return tuple(_category_state(videos, name) for name in categories)


def _category_state(videos: Sequence[VideoSummary], category: str) -> CategoryState:
    patches = sum((video.patches[category] for video in videos), Completion())
    asked = [video for video in videos if video.patches[category] != Completion()]
    candidates, accepted = sum(video.candidates for video in asked), sum(video.accepted for video in asked)
    return CategoryState(
        category=category,
        patches=patches.done,
        patches_stale=patches.stale,
        patches_target=patches.target,
        patches_short=patches.short,
        patches_to_do=patches.to_do,
        candidates=candidates,
        accepted=accepted,
        acceptance_rate=ratio(accepted, candidates),
        size_bytes=sum(video.size_bytes.get(category, 0) for video in videos),
    )


def disk(videos: Sequence[VideoSummary], settings: Settings, other_bytes: int, free_bytes: int) -> Disk:
    """Estimate the bytes of the finished data set from the mean size of the patches that are there.

    Args:
        videos: The videos.
        settings: The configuration.
        other_bytes: Bytes of patches that are counted in none of the videos.
        free_bytes: Free bytes of the disk.
    """
    used = other_bytes + sum(sum(video.size_bytes.values()) for video in videos)
    to_come = 0.0
    for category in settings.categories:
        patches = sum((each for video in videos if (each := video.patches.get(category))), Completion())
        size_bytes = sum(video.size_bytes.get(category, 0) for video in videos)
        made = patches.done + patches.stale
        to_come += patches.to_do * patch_bytes(settings, category, made, size_bytes)
    return Disk(
        used_bytes=used,
        projected_bytes=used + round(to_come),
        free_bytes=free_bytes,
        free_after_bytes=free_bytes - round(to_come),
        min_free_bytes=round(settings.base.min_free_gb * 1e9),
    )


def patch_bytes(settings: Settings, category: str, made: int, size_bytes: int) -> float:
    """Return the estimated bytes of a patch: the mean of those that are there, else from the category's mix.

    Args:
        settings: The configuration.
        category: Name of the category.
        made: Patches that are there.
        size_bytes: Their bytes.
    """
    if made:
        return size_bytes / made
    mix = settings.categories[category].mix
    pixels = sum(
        share * settings.formats[name].width * settings.formats[name].height for name, share in mix.items()
    )
    return pixels * TRIPLET_BYTES_PER_PIXEL
