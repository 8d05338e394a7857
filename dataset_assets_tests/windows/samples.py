"""Films for the tests of windows: made-up ones of which every frame is known, and places in real ones."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import Literal

from hypothesis import strategies as st

from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video import Extent, FrameReader, VideoInfo
from dataset_assets.windows import CandidateSequence, Placement

Sampling = Literal["keyframe", "uniform"]
SAMPLINGS: tuple[Sampling, ...] = ("keyframe", "uniform")
KEY = "a-film"


@dataclass(frozen=True)
class MadeUpFilm:
    """A film without a file.

    Attributes:
        frames: PTS of its frames, in order.
        keyframes: Which of them are keyframes; the first one is.
        spans: Its spans between gaps.
    """

    frames: Sequence[int]
    keyframes: Sequence[int]
    spans: tuple[tuple[int, int], ...]

    @property
    def extent(self) -> Extent:
        length = sum(end - start for start, end in self.spans)
        return Extent(self.spans, max(1, round(length / len(self.frames))))

    def keyframe_at(self, pts: int) -> int:
        return self.keyframes[max(0, bisect_right(self.keyframes, pts) - 1)]

    def window_at(self, start: int) -> tuple[int, ...]:
        """The frames that decoding gives from a PTS on: 7, or fewer at the end."""
        first = bisect_left(self.frames, start)
        return tuple(self.frames[first : first + FRAMES_PER_WINDOW])

    def end_of_span(self, pts: int) -> int:
        return self.extent.timeline.end_of_span(pts)

    def sequence(
        self,
        sampling: Sampling = "keyframe",
        *,
        seed: int = 0,
        known: Mapping[int, Placement] | None = None,
        taken: Sequence[int] = (),
        first: int = 0,
    ) -> CandidateSequence:
        return CandidateSequence(
            self.extent, self.keyframe_at, seed, KEY, sampling, known=known, taken=taken, first=first
        )


def film_of(
    steps: Sequence[int], gops: Sequence[int], gaps: Mapping[int, int] | None = None, start: int = 0
) -> MadeUpFilm:
    """A film of frames that last so many ticks.

    Args:
        steps: Ticks that each frame lasts.
        gops: Frames of each GOP in turn, over and over.
        gaps: Ticks without a frame before a frame, by its number.
        start: PTS of the first frame.
    """
    gaps = gaps or {}
    frames = list(accumulate((step + gaps.get(at + 1, 0) for at, step in enumerate(steps)), initial=start))
    ends = [frame + step for frame, step in zip(frames, steps, strict=False)]
    edges = [0, *sorted(each for each in gaps if 0 < each < len(steps)), len(steps)]
    spans = tuple((frames[first], ends[last - 1]) for first, last in pairwise(edges))
    places = accumulate((gops[at % len(gops)] for at in range(len(steps))), initial=0)
    keyframes = [frames[place] for place in places if place < len(steps)]
    return MadeUpFilm(frames[:-1], keyframes, spans)


def steady_film(frames: int, *gops: int, ticks: int = 40) -> MadeUpFilm:
    """A film of constant frame rate without gaps."""
    return film_of([ticks] * frames, gops or (24,))


@st.composite
def films(draw: st.DrawFn) -> MadeUpFilm:
    """Films of constant or variable frame rate, of any GOPs, with up to three gaps."""
    count = draw(st.integers(FRAMES_PER_WINDOW, 900))
    ticks = draw(st.integers(1, 100))
    rhythm = draw(st.just([ticks]) | st.lists(st.integers(1, 4 * ticks), min_size=2, max_size=9))
    steps = [rhythm[at % len(rhythm)] for at in range(count)]
    gops = draw(
        st.just([24])
        | st.just([count])
        | st.lists(st.integers(1, 60), min_size=1, max_size=5)
        | st.lists(st.integers(48, 240), min_size=2, max_size=5)
    )
    places = draw(st.lists(st.integers(1, count - 1), max_size=3, unique=True)) if count > 60 else []
    return film_of(steps, gops, dict.fromkeys(places, 10**6), draw(st.integers(-(10**5), 10**9)))


def placed(sequence: Iterator[Placement], count: int) -> list[Placement]:
    """The next so many candidates that are not passed over; fewer where the film is full."""
    return list(islice((each for each in sequence if each.start is not None), count))


def placements_of(info: VideoInfo, count: int, sampling: Sampling = "uniform") -> list[Placement]:
    """The first so many candidates of a real film that are not passed over; fewer where it is full."""
    with FrameReader(info.path, parts=info.parts, max_step=info.max_step) as reader:
        return placed(CandidateSequence(info.extent, reader.keyframe_at, 0, KEY, sampling), count)
