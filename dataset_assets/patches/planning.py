"""Plan which windows of a video a category uses, in which format, and where they are cropped.

Pure functions of the settings and of names: order, worker count and other categories change nothing. Not
here: pixels (`triplets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor

from dataset_assets.config import Format
from dataset_assets.draws import draw, draw_int
from dataset_assets.video import Rect


@dataclass(frozen=True, slots=True)
class PlannedPatch:
    """A patch to make.

    Attributes:
        window: Number of the window.
        format: Name of the format.
        rect: The crop in working-frame pixels.
    """

    window: int
    format: str
    rect: Rect


@dataclass(frozen=True, slots=True)
class PatchPlan:
    """The patches that one category wants of one video.

    Attributes:
        seed: The configuration's seed.
        key: The video's key.
        category: Name of the category.
        windows: Windows of the video.
        target: Windows that the category uses.
        formats: The formats that fit, by name.
        mix: Share of each format that fits, the largest first; sums to 1, empty where none fits.
        left_out: Formats of the category's mix that do not fit.
        area: The active area that crops lie in.
    """

    seed: int
    key: str
    category: str
    windows: int
    target: int
    formats: Mapping[str, Format]
    mix: Mapping[str, float]
    left_out: tuple[str, ...]
    area: Rect

    def patch(self, window: int) -> PlannedPatch | None:
        """Return the patch that the category makes of a window, or None if it does not use the window."""
        rank = self._rank(window)
        if rank is None or not self.mix:
            return None
        name = self._format(rank)
        return PlannedPatch(window, name, self.crop(window, name))

    def crop(self, window: int, name: str) -> Rect:
        """Return the crop of a window in a given format.

        Args:
            window: Number of the window.
            name: One of `formats`.
        """
        width, height = self.formats[name].width, self.formats[name].height
        x = self.area.x + draw_int(
            self.area.width - width + 1, self.seed, self.key, "x", self.category, window
        )
        y = self.area.y + draw_int(
            self.area.height - height + 1, self.seed, self.key, "y", self.category, window
        )
        return Rect(x, y, width, height)

    def _rank(self, window: int) -> int | None:
        """Return how many windows the category uses before this one; None if it does not use this one."""
        if not self.target:
            return None
        # Integers, so that exactly `target` of the windows are used.
        phase = draw_int(self.windows, self.seed, self.key, "share", self.category)
        before, after = ((w * self.target + phase) // self.windows for w in (window, window + 1))
        return before if after > before else None

    def _format(self, rank: int) -> str:
        """Return the format of the patch with this rank.

        The first format takes its share of the ranks at even steps, each further one of what is left over.
        However few patches there are, the first keeps its share within one, each further one within one more.
        """
        left = 1.0
        for name, share in self.mix.items():
            phase = draw(self.seed, self.key, "format", self.category, name)
            before, after = (floor(r * share / left + phase) for r in (rank, rank + 1))
            if after > before:
                return name
            rank -= before
            left -= share
        return list(self.mix)[-1]


def fitting_mix(formats: Mapping[str, Format], mix: Mapping[str, float], area: Rect) -> dict[str, float]:
    """Return the mix of a category in one video: formats that do not fit leave their share to the others.

    Args:
        formats: Formats by name.
        mix: The category's share of each format.
        area: The video's active area in working-frame pixels.

    Returns:
        Share of each format that fits, the largest first; sums to 1, empty where none fits.
    """
    fitting = {
        name: share
        for name, share in _by_share(mix).items()
        if formats[name].width <= area.width and formats[name].height <= area.height
    }
    total = sum(fitting.values())
    return {name: share / total for name, share in fitting.items()}


def plan_patches(
    *,
    seed: int,
    key: str,
    category: str,
    windows: int,
    target: int,
    formats: Mapping[str, Format],
    mix: Mapping[str, float],
    area: Rect,
) -> PatchPlan:
    """Plan the patches of a category; formats that do not fit the active area leave the mix.

    Args:
        seed: The configuration's seed.
        key: The video's key.
        category: Name of the category.
        windows: Windows of the video.
        target: Windows wanted; the plan uses no more than there are.
        formats: Formats by name.
        mix: The category's share of each format.
        area: The video's active area in working-frame pixels.
    """
    fitting = fitting_mix(formats, mix, area)
    return PatchPlan(
        seed=seed,
        key=key,
        category=category,
        windows=windows,
        target=min(target, windows),
        formats={name: formats[name] for name in fitting},
        mix=fitting,
        left_out=tuple(name for name in _by_share(mix) if name not in fitting),
        area=area,
    )


def _by_share(mix: Mapping[str, float]) -> dict[str, float]:
    # In an order of its own: a configuration that lists the same mix in another order makes the same patches.
    return {name: share for name, share in sorted(mix.items(), key=lambda m: (-m[1], m[0])) if share > 0}
