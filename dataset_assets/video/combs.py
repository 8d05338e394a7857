"""Combs: lines of two moments in one picture, measured on pictures, independent of the stream's flags.

The fields of neighbouring frames are woven again and compared with the frames as they are. In a moving part
of a progressive film any two fields of different frames give combs and the frame's own give none. In an
interlaced one a frame's own fields are as far apart in time as one of the two new weaves, and the other weave
is three times as far; telecine combs 2 frames of 5. Still lines, text and grain look alike in all weaves and
decide nothing. Here: the measure and the verdict on a run of frames. Not here: which films are refused
(`scan`), and deinterlacing (`decode`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from typing import Any, Literal

import av
import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.video.geometry import Rect
from dataset_assets.video.planes import plane_samples

FieldOrder = Literal["tff", "bff"]
Lines = npt.NDArray[np.uint8]
Values = npt.NDArray[np.floating]
Blocks = npt.NDArray[np.bool_]

# A block of whole lines; a moving thing fills some. Of each only a few columns are looked at: 2 to 6 CPU ms
# for the 7 frames of a window, whatever their size.
BLOCK_ROWS, BLOCK_COLUMNS = 32, 8
MAX_BLOCKS = 2200
# Levels of 255, mean over a block: grain of sigma 16 differs by less from one frame to the next.
MIN_COMBS, MIN_CHANGE = 0.4, 0.5
# In a pan at constant speed the further weave has 3 times the combs of the nearer one, with detail and grain
# in both 1.3 to 2 times.
MIN_RATIO = 1.3
# The nearer weave is about as combed as an interlaced frame itself (1.0 to 1.2), and more than a progressive.
MAX_NEAR = 1.4
MIN_PROGRESSIVE_RATIO = 1.6
# Votes for combs that make a run of frames combed: more than chance, nearly all for one field order, and no
# speck in a moving picture. Grain gives 0 to 6 for either order, hardly ever twice in one place: there a vote
# counts twice.
MIN_VOTES = 8
MIN_LEAD = 4
MIN_SHARE = 0.05
# Levels of 255. Where telecine was undone after it had been coded as progressive, faint remains of combs show
# in a fifth of what moves: combs below this must be most of it.
STRONG_COMBS = 2.0
MIN_FAINT_SHARE = 0.5
# Small text that scrolls by two lines a frame has the combs of an interlaced scroll of one line a field:
# where moving a block by two lines explains most of its change, it says nothing.
SCROLL_LINES = 2
# Grain and fine detail stick out of their lines as far as out of their columns, combs out of lines alone.
MIN_OVER_COLUMNS = 1.5
MAX_UNEXPLAINED = 0.5
# Flashes and fades of still lines look like fields of two moments until exposures are made alike. Where that
# explains most of the change of the blocks' means; else a thing that comes in would change the rest.
MEANS_STEP = 4
MIN_STD = 0.1
# For a picture alone: of 1,410 crops of progressive films only those of two test charts with lines or dots
# one pixel high have as many such blocks; of 180 of interlaced films two thirds have, and those that move
# slowly have not.
MIN_VISIBLE_COMBS, MIN_VISIBLE_OVER_COLUMNS = 3.0, 3.0
MIN_VISIBLE_BLOCKS, MIN_VISIBLE_SHARE = 3, 0.01


@dataclass(frozen=True, slots=True)
class CombVotes:
    """The votes of blocks, over one or more frames.

    Attributes:
        tff: Combed, the top field being the earlier one.
        bff: Combed, the bottom field being the earlier one.
        strong_tff: Of `tff` those whose combs are no remains.
        strong_bff: The same of `bff`.
        again: Combed as the same block of the frame before is.
        progressive: Moving without combs.
    """

    tff: int = 0
    bff: int = 0
    strong_tff: int = 0
    strong_bff: int = 0
    again: int = 0
    progressive: int = 0

    def __add__(self, other: CombVotes) -> CombVotes:
        """Return the sum, kind by kind."""
        return CombVotes(*map(int.__add__, astuple(self), astuple(other)))

    @property
    def combed(self) -> FieldOrder | None:
        """The field order of the combs; None where there are none but by chance, or faint remains."""
        strong = self._leading(self.strong_tff, self.strong_bff, MIN_SHARE)
        return strong or self._leading(self.tff, self.bff, MIN_FAINT_SHARE)

    @property
    def share(self) -> float:
        """Share of the moving blocks with combs of the leading field order, 0..1; 0 where that is chance."""
        most = max(self.tff, self.bff)
        if not self._is_more_than_chance(self.tff, self.bff):
            return 0.0
        return most / (most + self.progressive)

    def _leading(self, tff: int, bff: int, min_share: float) -> FieldOrder | None:
        most = max(tff, bff)
        if not self._is_more_than_chance(tff, bff) or most < min_share * self.progressive:
            return None
        return "tff" if tff == most else "bff"

    def _is_more_than_chance(self, tff: int, bff: int) -> bool:
        most, least = max(tff, bff), min(tff, bff)
        return most > 0 and most + self.again >= MIN_VOTES + MIN_LEAD * least


def sample_lines(frame: av.VideoFrame, area: Rect | None = None) -> Lines:
    """Return the part of a frame's luma that combs are measured on: blocks spread over it, of whole lines.

    Args:
        frame: A decoded frame.
        area: The part of the coded frame that counts; all of it by default.

    Returns:
        Shape (BLOCK_ROWS, blocks * BLOCK_COLUMNS), uint8; the first line is one of the top field. No blocks
        of a frame with fewer lines or columns than one.
    """
    area = area or Rect(0, 0, frame.width, frame.height)
    samples = plane_samples(frame, frame.planes[0])
    return _blocks(
        samples[area.y + area.y % 2 : area.bottom, area.x : area.right], frame.format.components[0].bits
    )


def comb_votes(lines: Sequence[Lines]) -> list[CombVotes]:
    """Return the votes of the blocks of each frame except the first and the last.

    Args:
        lines: What `sample_lines` gives of consecutive frames, at least 3, of one size.
    """
    if not lines[0].size:
        return [CombVotes()] * (len(lines) - 2)
    frames = _alike(lines)
    own = [_combs(frame) for frame in frames[1:-1]]
    # Two neighbouring frames woven again: the later one's top field comes next to the earlier one's bottom
    # field where top fields are the earlier ones, else the other way round.
    pairs = list(pairwise(frames))
    woven = {
        "tff": [_combs(_weave(top=after, bottom=before)) for before, after in pairs],
        "bff": [_combs(_weave(top=before, bottom=after)) for before, after in pairs],
    }
    votes = []
    known = np.zeros((2, len(own[0])), np.bool_)
    for index, combs in enumerate(own):
        near, far = (woven[order][index : index + 2] for order in ("tff", "bff"))
        tff, bff = _leans(combs, near, far), _leans(combs, far, near)
        if np.any(tff | bff):
            is_telling = ~_scrolls(frames[index : index + 3])
            is_telling &= combs >= MIN_OVER_COLUMNS * _column_combs(frames[index + 1])
            tff, bff = tff & is_telling, bff & is_telling
        is_strong = combs >= STRONG_COMBS
        is_whole = _is_progressive(combs, [*near, *far])
        again, known = known & (tff, bff), np.array((tff, bff))
        kinds = (tff, bff, tff & is_strong, bff & is_strong, again, is_whole)
        votes.append(CombVotes(*(int(np.count_nonzero(kind)) for kind in kinds)))
    return votes


def first_field(fields: Sequence[Lines]) -> FieldOrder:
    """Return which field is the earlier one, of two that are coded as separate pictures.

    Woven in the wrong order, even still parts are combed.

    Args:
        fields: What `sample_lines` gives of them, in presentation order.
    """
    if not fields[0].size:
        return "tff"
    one, other = (_interleave(top, bottom) for top, bottom in (fields[:2], fields[1::-1]))
    return "tff" if _combs(one).sum() <= _combs(other).sum() else "bff"


def total(votes: Sequence[CombVotes]) -> CombVotes:
    """Return the votes of several frames together."""
    return sum(votes, CombVotes())


def is_telecined(votes: Sequence[CombVotes]) -> bool:
    """Return whether combed frames are as in 3:2 telecine: 2 in a row of each 5.

    Args:
        votes: Those of each frame, at least 5, in presentation order.
    """
    combed = np.array([each.tff + each.bff for each in votes])
    return any(_mean(combed, phase) >= MIN_LEAD * _mean(combed, phase + 2, 3) for phase in range(5))


def has_combs(lines: Sequence[Lines]) -> bool:
    """Return whether any frame of a window is combed, even in a small part of the picture.

    Args:
        lines: What `sample_lines` gives of its frames, presentation order.
    """
    return total(comb_votes(lines)).combed is not None


def looks_combed(picture: npt.NDArray[np.uint8]) -> bool:
    """Return whether a picture by itself has combs: coarser than `has_combs`, which knows its neighbours.

    Args:
        picture: Luma, shape (height, width).
    """
    return combed_share(picture) >= MIN_VISIBLE_SHARE


def combed_share(picture: npt.NDArray[np.uint8]) -> float:
    """Return the share of a picture's blocks with visible combs, whatever its neighbours show.

    Blocks of 32 lines, of which lines stick out and columns do not. At 0.01 and above are none of 1,410 crops
    of progressive films but those of two test charts with lines or dots one pixel high, 97 % of 342
    crops in which two frames were woven where they move (`benchmarks.score_trials`), and two thirds of 180 of
    interlaced films: those that move slowly lie below. Nothing is found in a picture that was scaled
    after its lines were woven.

    Args:
        picture: Luma, shape (height, width), uint8.

    Returns:
        0..1; 0 where fewer than 3 blocks have combs, which is chance.
    """
    lines = _blocks(picture, 8)
    if not lines.size:
        return 0.0
    combs = _combs(lines)
    found = (combs >= MIN_VISIBLE_COMBS) & (combs >= MIN_VISIBLE_OVER_COLUMNS * _column_combs(lines))
    count = int(np.count_nonzero(found))
    return count / found.size if count >= MIN_VISIBLE_BLOCKS else 0.0


def _blocks(samples: npt.NDArray[Any], bits: int) -> Lines:
    height, width = samples.shape
    rows, down, pitch = height // BLOCK_ROWS, 1, BLOCK_COLUMNS
    if not rows or width < pitch:
        return np.empty((BLOCK_ROWS, 0), np.uint8)
    while -(-rows // down) * (width // pitch) > MAX_BLOCKS:
        if pitch < 2 * BLOCK_ROWS * down:
            pitch *= 2
        else:
            down += 1
    across = pitch // BLOCK_COLUMNS
    # The columns of a block as one item of an array: copying them is then what takes the time.
    items = samples[: rows * BLOCK_ROWS, : width // pitch * pitch].view(
        f"V{BLOCK_COLUMNS * samples.itemsize}"
    )
    grid = items[:, across // 2 :: across].reshape(rows, BLOCK_ROWS, -1)[::down].swapaxes(0, 1)
    lines = np.ascontiguousarray(grid).reshape(BLOCK_ROWS, -1).view(samples.dtype)
    return lines if bits == 8 else (lines >> (bits - 8)).astype(np.uint8)


def _alike(lines: Sequence[Lines]) -> Sequence[Lines]:
    """Bring frames to the exposure of the one with the least contrast, if exposure is what changes."""
    measured = [cv2.meanStdDev(frame) for frame in lines]
    means = [float(mean[0, 0]) for mean, _ in measured]
    stds = [max(MIN_STD, float(std[0, 0])) for _, std in measured]
    gains = [min(stds) / std for std in stds]
    to_mean = means[stds.index(min(stds))]
    offsets = [to_mean - mean * gain for mean, gain in zip(means, gains, strict=True)]
    before = [_block_means(frame[::MEANS_STEP]) for frame in lines]
    after = [each * gain + offset for each, gain, offset in zip(before, gains, offsets, strict=True)]
    if _changes(after) > MAX_UNEXPLAINED * _changes(before):
        return lines
    return [
        np.asarray(cv2.convertScaleAbs(frame, alpha=gain, beta=offset), np.uint8)
        for frame, gain, offset in zip(lines, gains, offsets, strict=True)
    ]


def _changes(means: Sequence[Values]) -> float:
    return sum(float(np.abs(after - before).sum()) for before, after in pairwise(means))


def _interleave(top: Lines, bottom: Lines) -> Lines:
    woven = np.empty((2 * top.shape[0], top.shape[1]), np.uint8)
    woven[0::2], woven[1::2] = top, bottom
    return woven


def _weave(top: Lines, bottom: Lines) -> Lines:
    woven = top.copy()
    woven[1::2] = bottom[1::2]
    return woven


def _combs(frame: Lines) -> Values:
    """Measure in each block how far lines differ from both neighbours, if the next line does so too.

    A thin line on an even ground sticks out alone and is no comb, nor are edges.
    """
    line, above, below = frame[1:-1], frame[:-2], frame[2:]
    over = cv2.subtract(line, cv2.max(above, below))  # saturates: 0 where it does not stick out
    out = cv2.add(over, cv2.subtract(cv2.min(above, below), line))
    return _block_means(cv2.min(out[1:], out[:-1]))


def _mean(values: npt.NDArray[Any], phase: int, frames: int = 2) -> float:
    """Return the mean over so many consecutive frames of each 5, from a phase on."""
    return float(values[(np.arange(len(values)) - phase) % 5 < frames].mean())


def _column_combs(frame: Lines) -> Values:
    """Return the same of columns as `_combs` of lines."""
    column, left, right = frame[:, 1:-1], frame[:, :-2], frame[:, 2:]
    over = cv2.subtract(column, cv2.max(left, right))
    out = cv2.add(over, cv2.subtract(cv2.min(left, right), column))
    both = np.zeros(frame.shape, np.uint8)
    both[:, :-3] = cv2.min(out[:, 1:], out[:, :-1])
    within = both.reshape(BLOCK_ROWS, -1, BLOCK_COLUMNS)[:, :, : BLOCK_COLUMNS - 3]
    means: Values = within.mean(axis=(0, 2), dtype=np.float32)
    return means


def _block_means(values: npt.NDArray[Any]) -> Values:
    sums = cv2.reduce(values, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F).reshape(-1, BLOCK_COLUMNS).sum(axis=1)
    means: Values = sums / (values.shape[0] * BLOCK_COLUMNS)
    return means


def _leans(own: Values, near: Sequence[Values], far: Sequence[Values]) -> Blocks:
    """Return the blocks whose combs are of two moments, by the frames before and after."""
    found = own >= MIN_COMBS
    for one, other in zip(near, far, strict=True):
        found &= (other >= MIN_RATIO * one) & (other - one >= MIN_CHANGE) & (one <= MAX_NEAR * own)
    return found


def _is_progressive(own: Values, woven: Sequence[Values]) -> Blocks:
    least = np.minimum.reduce(woven)
    found: Blocks = (least >= MIN_PROGRESSIVE_RATIO * own) & (least - own >= MIN_CHANGE)
    return found


def _scrolls(frames: Sequence[Lines]) -> Blocks:
    """Return the blocks in which a vertical move by `SCROLL_LINES` a frame explains most of the change."""
    found = np.ones(frames[0].shape[1] // BLOCK_COLUMNS, np.bool_)
    for before, after in pairwise(frames):
        change = _block_means(cv2.absdiff(before, after))
        up = _block_means(cv2.absdiff(before[SCROLL_LINES:], after[:-SCROLL_LINES]))
        down = _block_means(cv2.absdiff(before[:-SCROLL_LINES], after[SCROLL_LINES:]))
        found &= np.minimum(up, down) < MAX_UNEXPLAINED * change
    return found
