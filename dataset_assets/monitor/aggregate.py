"""Sums and estimates over videos: totals, progress of categories, disk usage, time left.

Plain arithmetic on `VideoSummary` records: no file, no clock. The records are made in `collector`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dataset_assets.config import Settings
from dataset_assets.dataset import Completion, Progress, windows_per_s
from dataset_assets.generate import bytes_per_pixel
from dataset_assets.monitor.pace import RunningWork, time_left_s
from dataset_assets.monitor.snapshot import Activity, CategoryState, Disk, Overall
from dataset_assets.patches import fitting_mix
from dataset_assets.video import MAX_LONGER_SIDE, Rect

VideoState = Literal["done", "too_small", "running", "failed", "interrupted", "waiting"]


@dataclass(frozen=True, slots=True)
class VideoSummary:
    """How far one video has come.

    Attributes:
        key: The video's key.
        state: Where it stands.
        windows_to_do: Windows to work on, as the tables show.
        accepted: Windows accepted.
        candidates: Candidates tried.
        patches: How far each category has come.
        size_bytes: Bytes of the patches, by category.
        wanted_bytes: Bytes that they would have with the files and the scale that are wanted, by category.
        progress: Progress of its running pass; None where there is none.
    """

    key: str
    state: VideoState
    windows_to_do: int
    accepted: int
    candidates: int
    patches: Mapping[str, Completion]
    size_bytes: Mapping[str, int]
    wanted_bytes: Mapping[str, int]
    progress: Progress | None

    @property
    def total(self) -> Completion:
        """How far all categories have come together."""
        return sum(self.patches.values(), Completion())


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
        share=total.share if total.share is not None else float(bool(videos)),
        eta_s=_overall_eta_s(videos, activity, waiting, now_s),
        patches=total.done,
        patches_target=total.target,
        patches_short=total.short,
        patches_to_do=total.to_do,
        windows_per_minute=60 * sum(rates) if rates else None,
    )


def _overall_eta_s(
    videos: Sequence[VideoSummary], activity: Activity, waiting: Collection[str], now_s: float
) -> float | None:
    """Return the seconds until the videos that run and wait are done; None where that is not known."""
    runs = {run.key: run for run in activity.runs}
    running = []
    for video in videos:
        if video.state != "running":
            continue
        run, pass_ = runs.get(video.key), video.progress
        started_s = run.started_s if run else pass_.started_s if pass_ else now_s
        windows = video.windows_to_do if pass_ is None else pass_.windows_worked + pass_.windows_pending
        if run is not None and run.windows is not None:
            windows = run.windows
        running.append(RunningWork(started_s, windows, pass_))
    to_come = [video.windows_to_do for video in videos if video.key in waiting and video.state != "running"]
    return time_left_s(activity.ended, running, to_come, now_s)


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
        share=patches.share,
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
    projected = float(other_bytes)
    for category in settings.categories:
        patches = sum((each for video in videos if (each := video.patches.get(category))), Completion())
        wanted_bytes = sum(video.wanted_bytes.get(category, 0) for video in videos)
        made = patches.done + patches.stale
        # What is stale is replaced, kept as one of those to do, or deleted.
        wanted = patches.done + patches.to_do
        projected += wanted * patch_bytes(settings, category, made, wanted_bytes)
    return Disk(
        used_bytes=used,
        projected_bytes=round(projected),
        free_bytes=free_bytes,
        free_after_bytes=free_bytes - round(projected) + used,
        min_free_bytes=round(settings.base.min_free_gb * 1e9),
    )


def patch_bytes(
    settings: Settings, category: str, made: int, wanted_bytes: int, film: tuple[int, int] | None = None
) -> float:
    """Return the estimated bytes of a patch: the mean of those that are there, else from the category's mix.

    Args:
        settings: The configuration.
        category: Name of the category.
        made: Patches that are there.
        wanted_bytes: Bytes that they would have with the files and the scale that are wanted.
        film: Width and height of the film's coded frame, where they are known, pixels.
    """
    if made:
        return wanted_bytes / made
    mix, crops = settings.categories[category].mix, settings.base.crops_per_window
    area = None if film is None else _working_area(*film)
    if area is not None:
        # Formats that do not fit leave their share to the others.
        mix = fitting_mix(settings.formats, mix, area) or mix
    pixels = 0.0
    for name, share in mix.items():
        width, height = settings.formats[name].width, settings.formats[name].height
        room = crops if area is None else max(1, (area.width // width) * (area.height // height))
        # All crops of a window count as patches, also those for which there is no room.
        pixels += share * width * height * min(crops, room) / crops
    return pixels * bytes_per_pixel(settings.base.file_kinds, settings.base.scale)


def _working_area(width: int, height: int) -> Rect:
    """Return the working frame of a film with this coded frame, as if it had square pixels and no bars."""
    scale = min(1.0, MAX_LONGER_SIDE / max(width, height))
    return Rect(0, 0, round(width * scale), round(height * scale))
