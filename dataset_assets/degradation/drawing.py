"""What is drawn for a window: which steps it gets, and their values.

Each draw is a function of the seed, the window, and the place of the step in the list alone. Not here: what
the values do to pixels (the modules beside this one).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeAlias, TypeVar

from dataset_assets.config import (
    BlurStep,
    ChromaStep,
    CodecName,
    CodecStep,
    DegradationStep,
    Mpeg2Codec,
    NoiseStep,
    ResizeStep,
)
from dataset_assets.draws import draw, draw_int

# Drawn values are recorded as they are used.
DECIMALS: Final = 4
# Frames that are coded before the window and dropped. The number is drawn, since encoders give each place in
# their groups of frames another quality: with 7 for all windows, frame 0 is 1 to 2 dB below frame 3 in VP9.
LEAST_WARM_UP, MOST_WARM_UP = 4, 11

Filter: TypeAlias = Literal["area", "bilinear", "bicubic"]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Blurring:
    """Blur.

    Attributes:
        sigma_x: Standard deviation along the drawn direction, in LR pixels.
        sigma_y: The one across it; the same for `iso`.
        angle_deg: The direction, from the horizontal; 0 for `iso`.
    """

    step: ClassVar = "blur"

    sigma_x: float
    sigma_y: float
    angle_deg: float


@dataclass(frozen=True, slots=True)
class Scaling:
    """Scaling down and up.

    Attributes:
        factor: Size in between, as a share.
        down: Filter downwards.
        up: Filter upwards.
    """

    step: ClassVar = "resize"

    factor: float
    down: Filter
    up: Filter


@dataclass(frozen=True, slots=True)
class Noising:
    """Noise.

    Attributes:
        kind: `gauss` or `poisson`.
        sigma: Standard deviation in levels of 255; of `poisson` at white.
        is_grey: Whether it is the same in all channels.
        seed: Of the generator that makes it.
    """

    step: ClassVar = "noise"

    kind: Literal["gauss", "poisson"]
    sigma: float
    is_grey: bool
    seed: int


@dataclass(frozen=True, slots=True)
class ChromaLoss:
    """Colour at a lower resolution.

    Attributes:
        kind: 422, 420 or 411.
    """

    step: ClassVar = "chroma"

    kind: Literal[422, 420, 411]


@dataclass(frozen=True, slots=True)
class Encoding:
    """Coding of the whole window.

    Attributes:
        codec: The codec.
        quality: Its constant rate factor; of `mpeg2` its quantizer.
        warm_up: Frames that are coded before the window and dropped.
    """

    step: ClassVar = "codec"

    codec: CodecName
    quality: int
    warm_up: int


Drawn: TypeAlias = Blurring | Scaling | Noising | ChromaLoss | Encoding
"""What a window gets of one step."""


def draw_steps(
    steps: Sequence[DegradationStep], *, seed: int, key: str, window: int, category: str, crop: int = 0
) -> list[Drawn]:
    """Draw which steps a patch of a window gets, and their values.

    Args:
        steps: The steps of the configuration, in their order.
        seed: The configuration's seed.
        key: The video's key.
        window: Number of the window.
        category: Name of the category.
        crop: Number of the patch among those of the window, each of which has draws of its own.

    Returns:
        What is to be applied, in the order of the steps; those that the patch does not get are left out.
    """
    found = []
    for index, step in enumerate(steps):
        draws = _Draws(seed, key, window, crop, category, index)
        kind = step.kind
        if draws.share("p") < kind.p:
            found.append(_values(kind, draws))
    return found


def _values(kind: BlurStep | ResizeStep | NoiseStep | ChromaStep | CodecStep, draws: _Draws) -> Drawn:
    match kind:
        case BlurStep():
            return _blurring(kind, draws)
        case ResizeStep():
            filters = draws.one_of("down", kind.kinds), draws.one_of("up", kind.kinds)
            return Scaling(draws.between("factor", kind.factor), *filters)
        case NoiseStep():
            return Noising(
                kind=draws.one_of("kind", kind.kinds),
                sigma=draws.between("sigma", kind.sigma),
                is_grey=draws.share("grey") < kind.grey,
                seed=draws.whole("noise", [0, 2**32 - 1]),
            )
        case ChromaStep():
            return ChromaLoss(draws.one_of("kind", kind.kinds))
        case CodecStep():
            return _encoding(kind, draws)


def _blurring(step: BlurStep, draws: _Draws) -> Blurring:
    sigma = draws.between("sigma", step.sigma)
    if draws.one_of("kind", step.kinds) == "iso":
        return Blurring(sigma, sigma, 0.0)
    return Blurring(sigma, draws.between("across", step.sigma), draws.between("angle", [0.0, 180.0]))


def _encoding(step: CodecStep, draws: _Draws) -> Encoding:
    choices = step.choices
    place = draws.share("codec") * math.fsum(each.weight for each in choices.values())
    for name, chosen in choices.items():  # noqa: B007 (the last one stands for what rounding leaves)
        place -= chosen.weight
        if place < 0:
            break
    ends = chosen.quantizer if isinstance(chosen, Mpeg2Codec) else chosen.crf
    return Encoding(name, draws.whole("quality", ends), draws.whole("warm-up", [LEAST_WARM_UP, MOST_WARM_UP]))


class _Draws:
    """The draws of one step for one patch."""

    def __init__(self, seed: int, key: str, window: int, crop: int, category: str, index: int) -> None:
        self._seed = seed
        # The first patch has the draws of when a window had no other.
        further = (f"crop {crop}",) if crop else ()
        self._name = ("degrade", key, window, category, index, *further)

    def share(self, what: str) -> float:
        """Return a number in [0, 1)."""
        return draw(self._seed, *self._name, what)

    def between(self, what: str, ends: Sequence[float]) -> float:
        """Return a number between two, rounded."""
        low, high = ends
        return round(low + (high - low) * self.share(what), DECIMALS)

    def whole(self, what: str, ends: Sequence[int]) -> int:
        """Return a whole number from the one to the other."""
        low, high = ends
        return low + draw_int(high - low + 1, self._seed, *self._name, what)

    def one_of(self, what: str, choices: Sequence[_T]) -> _T:
        """Return one of some."""
        return choices[draw_int(len(choices), self._seed, *self._name, what)]
