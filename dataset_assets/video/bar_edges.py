"""Where black bars end: straight edges between black lines and lit ones, in samples of each line.

Works on a few samples of every line (a row, or a column) of several pictures, outermost line first. A bar may
contain noise, and text or a logo. Not here: which pictures are used, and what bars mean (`active_area`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

# Samples taken of a line, evenly spread: their median is known within half a code at a noise of sigma 6.
LINE_SAMPLES = 256
# A line's samples are judged by neighbouring ones together: straightness is a share of so many blocks.
BLOCKS = 32
# Limited-range black is 16; encoders leave a few codes of noise on bars (Sintel's reach 18, a phone's 20).
BAR_LUMA = 22
FULL_RANGE_BAR_LUMA = 7
# Codes above the limit between noise and light: a gradient that crosses the limit is not an edge.
MIN_STEP = 6
# Lines over which scaling smears an edge, at least; and the part of all lines that it may take.
MIN_SOFT_LINES, SOFT_SHARE = 3, 1 / 200
# Part of a line at either end that subtitles leave free.
END_SHARE = 1 / 16
# Height of a line of letters without ascenders, in a crop of a few hundred lines.
MAX_TEXT_HEIGHT = 0.08
# Lines that are lit in at most this share of the pictures in which others are belong to a bar: of 13 pictures
# two may be a studio's logo in another aspect ratio. In a film that changes its aspect more of them fill it.
MAX_ODD_SHARE = 0.2
# Blocks of an edge, among those where it shows, that must step from black to light at the same line.
MIN_STRAIGHT = 0.85
# An edge that alone makes a bar runs over the full width.
MIN_FULL_STRAIGHT = 0.9
# A few black lines at a side of so many of the pictures are left out of all: 2 % of the lines cost less than
# a quarter of the windows.
MAX_THIN_BAR, MIN_THIN_SHARE = 0.02, 0.25
# With fewer lit lines than this a film is a dark one.
MIN_LIT_LINES = 0.3
# In a dark film a bar's blocks must be black, but for text, where the picture's share of lit blocks would
# have lit each of them several times.
MIN_CLEAN_SHARE = 0.15
MIN_MISSED_LIGHTS = 5
MAX_LIGHT_OUTSIDE = 0.25
# Its edge is lit in so many of the blocks that are lit somewhere: of a planet before black sky in a third.
MIN_DARK_EDGE_SHARE = 0.75
# A picture narrower than this is a lamp in a dark room.
MIN_PICTURE_SHARE = 0.5
# Spread of noise beyond which no sample of a bar lies, in standard deviations, for a sample and for a block.
NOISE_SPREADS = 5.0
MAX_NOISE_LUMA = 54

Samples = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Lines:
    """What lines of several pictures look like, outermost first.

    Attributes:
        is_lit: Shape (pictures, lines): whether a line's median is above black, as text does not make it, and
            an end of the line too, as a box behind text does not.
        share_over: Shape (pictures, lines, blocks): share of a block of a line that is above black.
        is_light: The same shape: whether the block's mean is clearly above black.
        is_dark: The same shape: whether it holds black and noise alone.
        is_bright: The same shape: whether it holds any light that is clearly more than that.
    """

    is_lit: Flags
    share_over: npt.NDArray[np.float32]
    is_light: Flags
    is_dark: Flags
    is_bright: Flags

    def reversed(self) -> Lines:
        """Return the same lines from the opposite side."""
        return self._each(np.s_[:, ::-1])

    def of(self, chosen: Flags) -> Lines:
        """Return the lines of some of the pictures, chosen by a flag for each."""
        return self._each(chosen)

    @property
    def soft(self) -> int:
        """Number of lines over which an edge may be smeared."""
        return max(MIN_SOFT_LINES, int(self.is_lit.shape[1] * SOFT_SHARE))

    def _each(self, key: Any) -> Lines:
        parts = (self.is_lit, self.share_over, self.is_light, self.is_dark, self.is_bright)
        return Lines(*(part[key] for part in parts))


def sample_places(length: int) -> npt.NDArray[np.intp]:
    """Return the places at which a line of this length is sampled, evenly spread."""
    count = min(LINE_SAMPLES, length)
    return ((np.arange(count) + 0.5) * length / count).astype(np.intp)


def noise_limits(strips: list[Samples], black: int) -> tuple[int, int]:
    """Return the luma up to which samples, and means of blocks of samples, are black with noise.

    The noise is measured on the outermost lines, where those are black: the least of what the sides show.

    Args:
        strips: Samples of the outermost lines of each side of a picture, (lines, samples).
        black: The luma up to which black without noise reaches.

    Returns:
        Limits for samples and for means of blocks.
    """
    limits = [
        (_noise_limit(strip, black), _noise_limit(_blocks(strip).mean(-1), black))
        for strip in strips
        if strip.size and np.median(strip) <= black
    ]
    return min(limits, default=(black, black))


def _noise_limit(values: Samples | npt.NDArray[np.float64], black: int) -> int:
    # From above the median alone: noise on black is cut off below it. 97.7 % lie below two sigma.
    middle, two_sigma = np.percentile(values.astype(np.float64), (50, 97.7))
    limit = middle + NOISE_SPREADS / 2 * (two_sigma - middle)
    return int(np.clip(np.ceil(limit), black, black + MAX_NOISE_LUMA))


def describe_lines(samples: Samples, limits: npt.NDArray[np.int_]) -> Lines:
    """Reduce samples to the features that edges are found by.

    Args:
        samples: Shape (pictures, lines, samples).
        limits: Shape (pictures, 2): `noise_limits` of each picture.
    """
    blocks = _blocks(samples)
    brightest, mean = blocks.max(-1), blocks.mean(-1, dtype=np.float32)
    for_samples, for_means = limits.T[..., None, None]
    is_over = samples > for_means
    end = max(1, int(samples.shape[-1] * END_SHARE))
    is_lit = np.logical_or(*(is_over[..., part].mean(-1) > 0.5 for part in (np.s_[:end], np.s_[-end:])))
    is_lit &= is_over.mean(-1) > 0.5
    is_light = mean > for_means + MIN_STEP
    is_dark = (brightest <= for_samples) & (mean <= for_means)
    is_bright = (brightest > for_samples + MIN_STEP) | is_light
    return Lines(is_lit, _blocks(is_over).mean(-1, dtype=np.float32), is_light, is_dark, is_bright)


def bars(lines: Lines) -> tuple[int, int]:
    """Return the lines of the bars on both sides; none if no picture would be left between them."""
    first, last = _bar(lines), _bar(lines.reversed())
    return (first, last) if first + last < lines.is_lit.shape[1] else (0, 0)


def is_full_edge(lines: Lines, first: int) -> bool:
    """Return whether a bar's edge is straight and lit over the full width, in all pictures together."""
    return min(_straightness(lines, first)) >= MIN_FULL_STRAIGHT


def _bar(lines: Lines) -> int:
    """Return the lines of the bar at the outer side; 0 if there is none, or its end is unknown.

    Looks for the first line whose median is lit; in dark films, where most lines have none, for the line from
    which on parts of it are lit in any picture.
    """
    counts = lines.is_lit.sum(axis=0)
    if np.count_nonzero(counts) >= MIN_LIT_LINES * len(counts):
        first = _start(counts > MAX_ODD_SHARE * np.median(counts[counts > 0]), lines.soft)
        if first == 0:
            return _thin_bar(lines)
        is_shown: Flags = np.logical_or.reduce(lines.is_lit[:, first : first + lines.soft], axis=1)
        if _straightness(lines.of(is_shown), first)[0] >= MIN_STRAIGHT:
            return first
    return _dark_bar(lines)


def _start(is_lit: Flags, soft: int) -> int:
    """Return the first lit line of the picture: behind dense text, whose lines can be lit over half or more.

    Args:
        is_lit: Shape (lines,); at least one is lit.
        soft: Dark lines that end a text.
    """
    first = int(np.argmax(is_lit))
    while first:
        ahead = is_lit[first : first + int(MAX_TEXT_HEIGHT * len(is_lit)) + soft]
        dark_runs = np.convolve(~ahead, np.ones(soft), "valid") == soft
        if not dark_runs.any():
            break
        gap = first + int(np.argmax(dark_runs))
        if not is_lit[gap:].any():
            break
        first = gap + int(np.argmax(is_lit[gap:]))
    return first


def _thin_bar(lines: Lines) -> int:
    """Return the few black lines at the side of some pictures, which cost less to lose than pictures."""
    length = lines.is_lit.shape[1]
    found, seen = [], 0
    for index in range(len(lines.is_lit)):
        lit = lines.is_lit[index]
        if np.count_nonzero(lit) < MIN_LIT_LINES * length:
            continue
        seen += 1
        first = int(np.argmax(lit))
        one = lines.of(np.arange(len(lines.is_lit)) == index)
        if 0 < first <= max(1, MAX_THIN_BAR * length) and is_full_edge(one, first):
            found.append(first)
    return int(np.median(found)) if len(found) >= max(2, MIN_THIN_SHARE * seen) else 0


def _straightness(lines: Lines, first: int) -> tuple[float, float]:
    """Measure how straight the edge is between the lines before the given one and those from it on.

    Returns:
        Of the blocks that are light behind the edge, the share that is mostly black before it, as a block
        with text is too; and the share of all blocks that is light behind it.
    """
    shown = lines.is_light[:, first : first + lines.soft].any(axis=1)
    dark = lines.share_over[:, _outside(lines, first)].mean(axis=1) <= 0.5
    steps, crossings = (shown & dark).sum(axis=0), (shown & ~dark).sum(axis=0)
    seen = steps + crossings > 0
    if not seen.any():
        return 0.0, 0.0
    return float((steps >= crossings)[seen].mean()), float(seen.mean())


def _outside(lines: Lines, first: int) -> slice:
    """Return the lines before an edge and what is smeared across it."""
    return slice(max(0, first - 2 * lines.soft), max(1, first - lines.soft))


def _dark_bar(lines: Lines) -> int:
    """Return the bar of a film in which few lines are lit over half of it, from what any picture shows."""
    dark: Flags = np.logical_and.reduce(lines.is_dark, axis=0)
    bright: Flags = np.logical_or.reduce(lines.is_bright, axis=0)
    shares = bright.mean(axis=1)
    first = _commonest_start(dark, bright, lines.soft)
    if not first or shares[:first].sum() > MAX_LIGHT_OUTSIDE * shares.sum():
        return 0
    clean = dark[: max(1, first - lines.soft)].all(axis=0).mean()
    if clean < MIN_CLEAN_SHARE or first * shares[first:].mean() < MIN_MISSED_LIGHTS:
        return 0
    shown: Flags = np.logical_or.reduce(bright[first : first + lines.soft], axis=0)
    black: Flags = np.logical_and.reduce(dark[_outside(lines, first)], axis=0)
    straight = black[shown].mean()
    least = max(MIN_PICTURE_SHARE, MIN_DARK_EDGE_SHARE * bright[first:].any(axis=0).mean())
    return first if straight >= MIN_STRAIGHT and shown.mean() >= least else 0


def _commonest_start(dark: Flags, bright: Flags, soft: int) -> int:
    """Return the line at which light starts after black in more blocks than at any other; 0 for none."""
    since_light = np.zeros(bright.shape[1], np.intp)
    starts = np.zeros(len(bright))
    for index in range(len(bright)):
        starts[index] = (bright[index] & (since_light >= soft)).sum()
        since_light = np.where(dark[index], since_light + 1, 0)
    in_reach = np.convolve(starts, np.ones(soft))[soft - 1 :]
    place = int(np.argmax(in_reach))
    return place + int(np.argmax(starts[place : place + soft])) if in_reach[place] else 0


def _blocks(samples: npt.NDArray[_Value]) -> npt.NDArray[_Value]:
    count = min(BLOCKS, samples.shape[-1])
    each = samples.shape[-1] // count
    return samples[..., : count * each].reshape(*samples.shape[:-1], count, each)
