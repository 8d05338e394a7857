"""In which format a category takes a window, and where it crops it, once or several times.

All pure functions of the settings, of names, of the window's number and of its map of detail: order, worker
count, other categories and how many windows there are change nothing. Pixels do not belong here, and which
places are free neither (`free_places`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final, TypeVar

from dataset_assets.config import Format
from dataset_assets.detail_map import DetailMap, quantile
from dataset_assets.draws import draw_int
from dataset_assets.patches.free_places import free_places
from dataset_assets.video import Rect

_Name = TypeVar("_Name", str, int)

CIRCLE: Final = 1 << 64
# 2**64 times the square root of 3, modulo 2**64. By the golden ratio, which places windows, the format would
# be a function of the place; by the root of 5 it would be the golden ratio again.
FORMAT_STEP: Final = isqrt(3 << 128) % CIRCLE
# By the root of 2, which has nothing to do with either.
SIZE_STEP: Final = isqrt(2 << 128) % CIRCLE
# Of the rank by which a window gets its format, the part that its detail decides. In 300 simulated films of
# 1,000 windows, of which 64 are known, a format's share is off by 0.033 on average and by 0.07 in one of 20,
# and rank and detail correlate by 0.68; with 0.4: 0.025, 0.055 and 0.52, with 0.6: 0.046, 0.097 and 0.81.
DETAIL_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class PlannedPatch:
    """A patch to make.

    Attributes:
        window: Number of the window.
        crop: Its number among the patches of the window, 0 for the first.
        format: Name of the format.
        rect: The crop in working-frame pixels.
    """

    window: int
    crop: int
    format: str
    rect: Rect


Plan = Callable[[int, DetailMap | None, Sequence[float]], tuple[PlannedPatch, ...]]
"""Gives the patches to make of a window, as `PatchPlan.patches` does."""


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
        candidates: Places that are drawn for a crop, of which the one with the most detail is taken. With 1
            detail decides nothing, neither the place nor the format.
        crops: Patches of a window at most; there are fewer where its format leaves no free place.
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
    candidates: int
    crops: int = 1

    def patches(
        self,
        window: int,
        detail: DetailMap | None = None,
        fills: Sequence[float] = (),
        first: PlannedPatch | None = None,
    ) -> tuple[PlannedPatch, ...]:
        """Return the patches that the category makes of a window that it takes; none where no format fits.

        All have the format of the first one, and none overlaps another. Each depends on those before it
        alone, so that a larger number of crops changes none that is there.

        Args:
            window: Number of the window.
            detail: Where it holds detail; None where that was not measured, so that it decides nothing.
            fills: `DetailMap.fill` of windows spread over the film, ascending; empty where they are not
                known, so that detail does not decide the format.
            first: The first patch, where another one than planned is kept.
        """
        if first is None:
            if not self.mix:
                return ()
            name = self._format(window, detail, fills)
            first = PlannedPatch(window, 0, name, self.crop(window, name, detail))
        elif first.format not in self.formats:
            return (first,)
        found = [first]
        while len(found) < self.crops:
            rect = self._further_crop(window, [patch.rect for patch in found], detail)
            if rect is None:
                break
            found.append(PlannedPatch(window, len(found), first.format, rect))
        return tuple(found)

    def most_crops(self, name: str) -> int:
        """Return how many patches a window of a format has at most."""
        format_ = self.formats[name]
        room = (self.area.width // format_.width) * (self.area.height // format_.height)
        return min(self.crops, room)

    @property
    def most_patches(self) -> int:
        """Patches of a window at most, of whatever format; 1 where none fits."""
        return max(map(self.most_crops, self.mix), default=1)

    def crop(self, window: int, name: str, detail: DetailMap | None = None) -> Rect:
        """Return the first crop of a window in a given format.

        Args:
            window: Number of the window.
            name: One of `formats`.
            detail: As in `patches`.
        """
        first = self._place(name, window)
        if detail is None or self.candidates == 1 or (first.width, first.height) == self._area_size:
            return first
        places = [first, *(self._place(name, window, number) for number in range(1, self.candidates))]
        return max(places, key=lambda place: self._detail_in(place, detail))

    def _further_crop(self, window: int, taken: Sequence[Rect], detail: DetailMap | None) -> Rect | None:
        """Return a crop that overlaps none of those that are taken, all of one size; None without room."""
        places = free_places(self.area, taken)
        if not places.count:
            return None
        drawn = 1 if detail is None else self.candidates
        crop = len(taken)
        found = [
            places.at(
                draw_int(places.count, self.seed, self.key, "crop", self.category, window, crop, number)
            )
            for number in range(drawn)
        ]
        return found[0] if detail is None else max(found, key=lambda place: self._detail_in(place, detail))

    def _place(self, name: str, *drawn_for: int) -> Rect:
        """Return a place for a crop, which is a function of the numbers it is drawn for."""
        width, height = self.formats[name].width, self.formats[name].height
        x, y = (
            draw_int(room + 1, self.seed, self.key, axis, self.category, *drawn_for)
            for axis, room in (("x", self.area.width - width), ("y", self.area.height - height))
        )
        return Rect(self.area.x + x, self.area.y + y, width, height)

    @property
    def _area_size(self) -> tuple[int, int]:
        return self.area.width, self.area.height

    def _detail_in(self, place: Rect, detail: DetailMap) -> float:
        left, top = place.x - self.area.x, place.y - self.area.y
        width, height = self._area_size
        return detail.mean_square(
            left / width, top / height, (left + place.width) / width, (top + place.height) / height
        )

    def _format(self, window: int, detail: DetailMap | None, fills: Sequence[float]) -> str:
        """Return the format of a window's patch.

        Even steps through the shares, in an order that no change of a share alters: a prefix of the sequence,
        and any part of the film, has the mix within 2 patches before windows are rejected. Where detail
        decides too, the step and the quantile of the window's detail in its film make a rank together, and
        the shares are in the order of their sizes: the larger ones go to windows with detail all over. Which
        of formats of one size (540x540 and 720x405) is no matter of detail: other steps choose.
        """
        step = self._step(window, "format", FORMAT_STEP)
        if detail is None or not fills or self.candidates == 1:
            return _at(step, sorted(self.mix.items()))
        rank = _rank(quantile(detail.fill, fills), step)
        sizes: dict[int, dict[str, float]] = {}
        for name, share in sorted(self.mix.items()):
            pixels = self.formats[name].width * self.formats[name].height
            sizes.setdefault(pixels, {})[name] = share
        size = _at(rank, [(pixels, sum(sizes[pixels].values())) for pixels in sorted(sizes)])
        alike, total = sizes[size], sum(sizes[size].values())
        among = self._step(window, "format of a size", SIZE_STEP)
        return _at(among, [(name, share / total) for name, share in alike.items()])

    def _step(self, window: int, purpose: str, step: int) -> float:
        """Return a window's place in even steps around a circle, 0..1, whose start is drawn."""
        phase = draw_int(1 << 53, self.seed, self.key, purpose, self.category) << 11
        return (phase + window * step) % CIRCLE / CIRCLE


def _at(place: float, shares: Sequence[tuple[_Name, float]]) -> _Name:
    """Return the name in whose share a place lies, 0..1; the shares sum to 1."""
    for name, share in shares:
        place -= share
        if place < 0:
            return name
    return shares[-1][0]


def _rank(detail: float, step: float) -> float:
    """Return the rank of a window by its detail and its step, both uniform in 0..1, uniform in 0..1 itself.

    The quantile of their weighted sum, whose density is a trapezium.
    """
    wide, narrow = max(DETAIL_SHARE, 1 - DETAIL_SHARE), min(DETAIL_SHARE, 1 - DETAIL_SHARE)
    total = DETAIL_SHARE * detail + (1 - DETAIL_SHARE) * step
    if total < narrow:
        return total**2 / (2 * wide * narrow)
    if total > wide:
        return 1 - (1 - total) ** 2 / (2 * wide * narrow)
    return (total - narrow / 2) / wide


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
    candidates: int,
    crops: int = 1,
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
        candidates: Places that are drawn for a crop.
        crops: Patches of a window at most.
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
        candidates=candidates,
        crops=crops,
    )


def _by_share(mix: Mapping[str, float]) -> dict[str, float]:
    # In an order of its own: a configuration that lists the same mix in another order makes the same patches.
    return {name: share for name, share in sorted(mix.items(), key=lambda m: (-m[1], m[0])) if share > 0}
