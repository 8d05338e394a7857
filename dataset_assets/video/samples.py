"""Frames spread over a film: which parameters most of them have, their bars, their flags, and lines of them.

Not here: which places are sampled (`survey`), and what follows for the film (`probing`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import av
import numpy as np
import numpy.typing as npt

from dataset_assets.errors import VideoError
from dataset_assets.video.active_area import Bars, find_bars
from dataset_assets.video.decode import CorruptFrameError, FrameReader
from dataset_assets.video.parameters import FrameParameters, frame_parameters
from dataset_assets.video.planes import luma_8bit, plane_samples
from dataset_assets.video.stereo import refuse_both_eyes
from dataset_assets.video.true_resolution import FrameLines

# A film with fewer keyframes is looked at inside its GOPs too: its one keyframe may be black.
MIN_SAMPLES = 4
IN_GOP_SAMPLES, IN_GOP_STEP = 3, 12
# Of sampled frames larger than HD one is asked, beside the film's first, whether it is flagged as 3D.
MAX_HELD_PIXELS, FLAGGED_SAMPLE = 1920 * 1088, 5


@dataclass(frozen=True, slots=True)
class Samples:
    """What the sampled frames of a film show.

    Attributes:
        first: The first frame with the film's parameters.
        parameters: The parameters that most frames have.
        bars: The black bars of these frames, inside of hidden lines; None where all of them are black.
        is_flagged_interlaced: Whether most of these frames are flagged as interlaced.
        lines: Some rows and columns of each of these frames.
        warnings: How much of the film has other parameters.
    """

    first: av.VideoFrame
    parameters: FrameParameters
    bars: Bars | None
    is_flagged_interlaced: bool
    lines: tuple[FrameLines, ...]
    warnings: tuple[str, ...]


def look_at_samples(
    reader: FrameReader, head: av.VideoFrame, keyframes: Sequence[int], hidden: Bars
) -> Samples:
    """Look at frames spread over a film.

    If its start differs from the rest, they are decoded a second time: few films do so, and keeping 13 frames
    of UHD would take 325 MB.

    Args:
        reader: The film.
        head: Its first sound frame.
        keyframes: Keyframes to look at.
        hidden: Lines that the container hides.

    Raises:
        VideoError: A frame holds both eyes, or the first one's colours cannot be converted.
    """
    look = _Look(reader, head, hidden)
    bars = look.find_bars(_sampled_frames(reader, keyframes))
    most = look.most_common()
    if most is not head:
        look = _Look(reader, most, hidden)
        bars = look.find_bars(_sampled_frames(reader, keyframes))
    return Samples(
        look.first, look.parameters, bars, look.is_flagged_interlaced, tuple(look.lines), look.warnings()
    )


class _Look:
    """Looks at frames on their way to the search for bars, so that none has to be kept."""

    def __init__(self, reader: FrameReader, first: av.VideoFrame, hidden: Bars) -> None:
        self.first = first
        self.parameters = frame_parameters(first, reader.sar_at(first.pts), reader.container_codes)
        self._reader = reader
        self._rows = slice(hidden.top, first.height - hidden.bottom)
        self._columns = slice(hidden.left, first.width - hidden.right)
        self.lines: list[FrameLines] = []
        self._count = self._interlaced = 0
        self._others: dict[FrameParameters, av.VideoFrame] = {}
        self._counts: Counter[FrameParameters] = Counter()

    @property
    def is_flagged_interlaced(self) -> bool:
        return self._interlaced * 2 > self._count

    def find_bars(self, frames: Iterable[av.VideoFrame]) -> Bars | None:
        return find_bars(self._lumas(frames), full_range=self.parameters.colour.full_range)

    def most_common(self) -> av.VideoFrame:
        """Return the first frame with the parameters that most frames have."""
        most = max(self._counts, key=lambda each: self._counts[each], default=self.parameters)
        is_more = self._counts[most] > self._counts[self.parameters]
        return self._others[most] if is_more else self.first

    def warnings(self) -> tuple[str, ...]:
        others = {each: count for each, count in self._counts.items() if each != self.parameters}
        return tuple(
            f"about {count / self._counts.total():.0%} of it has other parameters and is not used: "
            f"{self.parameters.differences(each)}"
            for each, count in others.items()
        )

    def _lumas(self, frames: Iterable[av.VideoFrame]) -> Iterator[npt.NDArray[np.uint8]]:
        """Yield the luma of the first frame and of all others that have its parameters."""
        yield self._taken(self.first)
        for frame in frames:
            # Asked for its side data, a frame is held until Python looks for cycles, 25 MB of UHD.
            if frame.width * frame.height <= MAX_HELD_PIXELS or self._counts.total() == FLAGGED_SAMPLE:
                refuse_both_eyes(self._reader.stream, frame)
            try:
                sar = self._reader.sar_at(frame.pts)
                parameters = frame_parameters(frame, sar, self._reader.container_codes)
            except VideoError:
                continue  # a part of the film that cannot be converted: its windows are rejected
            self._counts[parameters] += 1
            if parameters != self.parameters:
                self._others.setdefault(parameters, frame)
            elif frame.pts != self.first.pts:
                # Counted twice, three of thirteen frames of an intro would outvote the rest of the film.
                yield self._taken(frame)

    def _taken(self, frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
        self._count += 1
        self._interlaced += frame.interlaced_frame
        luma = plane_samples(frame, frame.planes[0])
        self.lines.append(FrameLines.of(luma, frame.format.components[0].bits))
        return luma_8bit(frame)[self._rows, self._columns]


def _sampled_frames(reader: FrameReader, keyframes: Sequence[int]) -> Iterator[av.VideoFrame]:
    """Yield frames spread over the film, few to decode."""
    count = 1 if len(keyframes) >= MIN_SAMPLES else IN_GOP_SAMPLES
    for keyframe in keyframes:
        if count == 1 and (picture := reader.keyframe_picture(keyframe)) is not None:
            yield picture
            continue
        # A damaged GOP gives the frames that it has.
        with suppress(CorruptFrameError):
            frames = islice(reader.frames(keyframe, keyframe), (count - 1) * IN_GOP_STEP + 1)
            yield from islice(frames, None, None, IN_GOP_STEP)
