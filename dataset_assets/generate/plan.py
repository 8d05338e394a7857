"""The plan of one video: how many windows it gives, and what each category makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.patches import PatchPlan, fitting_mix, plan_patches
from dataset_assets.video import Extent, Rect, VideoInfo

# Of a GT pixel: the stacks add 12/9 of the GT's pixels. Seven real films gave 0.7 (flat animation) to 3.8
# (grain, foliage) bytes, so that a run that is estimated to fit does.
TRIPLET_BYTES_PER_PIXEL = 4.0


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """What is to be made of one video.

    Attributes:
        entry: The video in the configuration.
        info: What probing found.
        windows: Windows that are wanted.
        room: Windows that the film is long enough for, at most `windows`.
        patches: The plan of each category.
    """

    entry: VideoEntry
    info: VideoInfo
    windows: int
    room: int
    patches: Mapping[str, PatchPlan]

    def size_bytes(self, category: str, made: int = 0) -> int:
        """Estimated bytes of a category's triplets.

        Args:
            category: Name of the category.
            made: Triplets that exist already and are not counted.
        """
        plan = self.patches[category]
        pixels = sum(
            share * plan.formats[name].width * plan.formats[name].height for name, share in plan.mix.items()
        )
        return int(max(0, plan.target - made) * pixels * TRIPLET_BYTES_PER_PIXEL)


def format_targets(settings: Settings, data_set: DataSet) -> dict[str, Counter[str]]:
    """Return the patches expected of each format, by category, of the videos that were probed.

    As in a video's plan, formats that do not fit it leave their share to the others.
    """
    targets: dict[str, Counter[str]] = {name: Counter() for name in settings.categories}
    files = {name: data_set.tables.patches_files(name) for name in settings.categories}
    for entry in settings.videos:
        try:
            row = data_set.tables.read_video(entry.key)
        except DatasetAssetsError:
            continue  # damaged, which the statistics report
        if row is None:
            continue
        area = Rect(row.active_x, row.active_y, row.active_width, row.active_height)
        for name, category in settings.categories.items():
            if entry.key in files[name]:
                target = settings.target(entry, name)
                mix = fitting_mix(settings.formats, category.mix, area)
                targets[name].update({each: target * share for each, share in mix.items()})
    return {name: Counter({each: round(t) for each, t in found.items()}) for name, found in targets.items()}


def plan_video(settings: Settings, entry: VideoEntry, info: VideoInfo) -> VideoPlan:
    """Plan a video's windows and every category's patches."""
    windows = settings.window_target(entry)
    room = room_for(windows, info.extent)
    return VideoPlan(entry, info, windows, room, plan_categories(settings, entry, info.active))


def room_for(windows: int, extent: Extent) -> int:
    """Return how many of so many windows a film is long enough for."""
    return min(windows, max(1, extent.timeline.length // (FRAMES_PER_WINDOW * extent.frame_ticks)))


def plan_categories(settings: Settings, entry: VideoEntry, area: Rect) -> dict[str, PatchPlan]:
    """Plan every category's patches of a video with this active area."""
    return {
        name: plan_patches(
            seed=settings.base.seed,
            key=entry.key,
            category=name,
            target=settings.target(entry, name),
            formats=settings.formats,
            mix=category.mix,
            area=area,
        )
        for name, category in settings.categories.items()
    }
