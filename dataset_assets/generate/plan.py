"""The plan of one video: how many windows it gives, and what each category makes of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.frames import FRAMES_PER_WINDOW, FileKind
from dataset_assets.patches import PatchPlan, misfit, plan_patches
from dataset_assets.video import Extent, Rect, VideoInfo
from dataset_assets.windows import Exclusions

# Of a pixel in a file. 54 films in the default formats gave 0.2 bytes (flat animation) to 1.7 (foliage),
# and 1.16 on average, by which a data set is estimated.
PNG_BYTES_PER_PIXEL = 1.16
# By which the space for one film is checked, so that a film that is estimated to fit does.
MOST_PNG_BYTES_PER_PIXEL = 1.71


def bytes_per_pixel(
    kinds: Collection[FileKind], scale: int, png_bytes_per_pixel: float | None = None
) -> float:
    """Return the estimated bytes of a patch's files for a pixel of its GT.

    Args:
        kinds: The kinds of its files.
        scale: How many times smaller an LR frame is.
        png_bytes_per_pixel: Of a pixel in a file; that of an average film by default.
    """
    frames = sum(len(kind.frames) / (scale**2 if kind.is_lr else 1) for kind in kinds)
    return frames * (PNG_BYTES_PER_PIXEL if png_bytes_per_pixel is None else png_bytes_per_pixel)


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """What is to be made of one video.

    Attributes:
        entry: The video in the configuration.
        info: What probing found.
        windows: Windows that are wanted; 0 where no category has a format that fits the film.
        room: Windows that the film is long enough for, at most `windows`.
        patches: The plan of each category.
        bytes_per_pixel: Bytes of a patch for a pixel of its GT at most, as far as known films show.
        misfit: Why no format of any category fits the film; empty where one does, or where none wants any.
    """

    entry: VideoEntry
    info: VideoInfo
    windows: int
    room: int
    patches: Mapping[str, PatchPlan]
    bytes_per_pixel: float
    misfit: str

    def size_bytes(self, category: str, made: int = 0) -> int:
        """Return the bytes that a category's triplets take at most, as far as known films show.

        Args:
            category: Name of the category.
            made: Windows whose triplets exist already and are not counted.
        """
        plan = self.patches[category]
        pixels = sum(
            share * plan.formats[name].width * plan.formats[name].height * plan.most_crops(name)
            for name, share in plan.mix.items()
        )
        return int(max(0, plan.target - made) * pixels * self.bytes_per_pixel)


def plan_video(settings: Settings, entry: VideoEntry, info: VideoInfo) -> VideoPlan:
    """Plan a video's windows and every category's patches."""
    patches = plan_categories(settings, entry, info.active)
    mixes = [settings.categories[name].mix for name in settings.wanting(entry)]
    why = misfit(settings.formats, mixes, info.active)
    windows = 0 if why else settings.window_target(entry)
    excluded = Exclusions.of(info.extent, info.time_base, entry.excluded_ranges, ()).length
    room = room_for(windows, info.extent, excluded)
    density = bytes_per_pixel(settings.base.file_kinds, settings.base.scale, MOST_PNG_BYTES_PER_PIXEL)
    return VideoPlan(entry, info, windows, room, patches, density, why)


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
            candidates=settings.base.crop_candidates,
            crops=settings.base.crops_per_window,
        )
        for name, category in settings.categories.items()
    }
