"""In which format a category takes a window, and where it crops it.

All pure functions of the settings, of names and of the window's number: order, worker count, other categories
and how many windows there are change nothing. Pixels do not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Final

from dataset_assets.config import Format
from dataset_assets.draws import draw_int
from dataset_assets.video import Rect

CIRCLE: Final = 1 << 64
# 2**64 times the square root of 3, modulo 2**64. By the golden ratio, which places windows, the format would
# be a function of the place; by the root of 5 it would be the golden ratio again.
FORMAT_STEP: Final = isqrt(3 << 128) % CIRCLE


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
        target: Windows that the category takes: the first so many accepted ones.
        formats: The formats that fit, by name.
        mix: Share of each format that fits, the largest first; sums to 1, empty where none fits.
        left_out: Formats of the category's mix that do not fit.
        misfit: Why none fits; empty where one does.
        area: The active area that crops lie in.
    """

    seed: int
    key: str
    category: str
    target: int
    formats: Mapping[str, Format]
    mix: Mapping[str, float]
    left_out: tuple[str, ...]
    misfit: str
    area: Rect

    def patch(self, window: int) -> PlannedPatch | None:
        """Return the patch that the category makes of a window that it takes; None where no format fits."""
        if not self.mix:
            return None
        name = self._format(window)
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

    def _format(self, window: int) -> str:
        """Return the format of a window's patch.

        Even steps through the shares, in an order that no change of a share alters: a prefix of the sequence,
        and any part of the film, has the mix within 2 patches before windows are rejected.
        """
        phase = draw_int(1 << 53, self.seed, self.key, "format", self.category) << 11
        left = (phase + window * FORMAT_STEP) % CIRCLE / CIRCLE
        for name, share in sorted(self.mix.items()):
            left -= share
            if left < 0:
                return name
        return max(self.mix)


def fitting_mix(formats: Mapping[str, Format], mix: Mapping[str, float], area: Rect) -> dict[str, float]:
    """Return the mix of a category in one video: formats that do not fit leave their share to the others.

    Args:
        formats: Formats by name.
        mix: The category's share of each format.
        area: The video's active area in working-frame pixels.

    Returns:
        Share of each format that fits, the largest first; sums to 1, empty where none fits.
    """
    fitting = {name: share for name, share in _by_share(mix).items() if _fits(formats[name], area)}
    total = sum(fitting.values())
    return {name: share / total for name, share in fitting.items()}


def misfit(formats: Mapping[str, Format], mixes: Iterable[Mapping[str, float]], area: Rect) -> str:
    """Return why no format of some mixes fits a video; empty where one does, or where there is none.

    Named are the formats that contain no other one, the one first that lacks the least: a video that any
    format fits, one of these fits.

    Args:
        formats: Formats by name.
        mixes: Shares of formats, of one category or several.
        area: The video's active area in working-frame pixels.
    """
    wanted = {name for mix in mixes for name in _by_share(mix)}
    if not wanted or any(_fits(formats[name], area) for name in wanted):
        return ""
    least: list[str] = []
    for name in sorted(wanted, key=lambda name: (formats[name].width * formats[name].height, name)):
        around = Rect(0, 0, formats[name].width, formats[name].height)
        if not any(_fits(formats[smaller], around) for smaller in least):
            least.append(name)
    least.sort(key=lambda name: max(formats[name].width * area.height, formats[name].height * area.width))
    needed = " or ".join(f"{formats[name].width}x{formats[name].height} ({name})" for name in least)
    return (
        f"no format fits: the largest crop would be {area.width}x{area.height}, at least {needed} is needed"
    )


def _fits(format_: Format, area: Rect) -> bool:
    return format_.width <= area.width and format_.height <= area.height


def plan_patches(
    *,
    seed: int,
    key: str,
    category: str,
    target: int,
    formats: Mapping[str, Format],
    mix: Mapping[str, float],
    area: Rect,
) -> PatchPlan:
    """Leave out the formats that do not fit the active area and renormalise the mix.

    Args:
        seed: The configuration's seed.
        key: The video's key.
        category: Name of the category.
        target: Windows wanted.
        formats: Formats by name.
        mix: The category's share of each format.
        area: The video's active area in working-frame pixels.
    """
    fitting = fitting_mix(formats, mix, area)
    return PatchPlan(
        seed=seed,
        key=key,
        category=category,
        target=target,
        formats={name: formats[name] for name in fitting},
        mix=fitting,
        left_out=tuple(name for name in _by_share(mix) if name not in fitting),
        misfit=misfit(formats, [mix], area),
        area=area,
    )


def _by_share(mix: Mapping[str, float]) -> dict[str, float]:
    # In an order of its own: a configuration that lists the same mix in another order makes the same patches.
    return {name: share for name, share in sorted(mix.items(), key=lambda m: (-m[1], m[0])) if share > 0}
