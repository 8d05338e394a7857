"""The plan of one video: how many windows it gives, and what each category makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.patches import PatchPlan, misfit, plan_patches
from dataset_assets.video import Extent, Rect, VideoInfo
from dataset_assets.windows import Exclusions

# Of a GT pixel: the stacks add 12/9 of the GT's pixels. Seven real films gave 0.7 (flat animation) to 3.8
# (grain, foliage) bytes, so that a run that is estimated to fit does.
TRIPLET_BYTES_PER_PIXEL = 4.0


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """What is to be made of one video.

    Attributes:
        entry: The video in the configuration.
        info: What probing found.
        windows: Windows that are wanted; 0 where no category has a format that fits the film.
        room: Windows that the film is long enough for, at most `windows`.
        patches: The plan of each category.
        misfit: Why no format of any category fits the film; empty where one does, or where none wants any.
    """

    entry: VideoEntry
    info: VideoInfo
    windows: int
    room: int
    patches: Mapping[str, PatchPlan]
    misfit: str

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


def plan_video(settings: Settings, entry: VideoEntry, info: VideoInfo) -> VideoPlan:
    """Plan a video's windows and every category's patches."""
    patches = plan_categories(settings, entry, info.active)
    mixes = [settings.categories[name].mix for name in settings.wanting(entry)]
    why = misfit(settings.formats, mixes, info.active)
    windows = 0 if why else settings.window_target(entry)
    excluded = Exclusions.of(info.extent, info.time_base, entry.excluded_ranges, ()).length
    return VideoPlan(entry, info, windows, room_for(windows, info.extent, excluded), patches, why)


def room_for(windows: int, extent: Extent, excluded: int = 0) -> int:
    """Return how many of so many windows a film is long enough for, of which so many ticks are excluded."""
    length = extent.timeline.length - excluded
    return min(windows, max(1, length // (FRAMES_PER_WINDOW * extent.frame_ticks)))


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
