"""How a film was scanned, measured where it moves: progressive, interlaced or telecined.

Measures take precedence over flags: there is progressive film in interlaced carriage, and interlaced film in
streams without flags. Here: the verdict on a film from a few of its frames, and what is refused. Not here:
the measure itself (`combs`), and the combs of single windows (`windows`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Literal, assert_never

import av

from dataset_assets.counting import are, counted
from dataset_assets.errors import LEAVE_OUT, VideoError
from dataset_assets.video.combs import (
    CombVotes,
    FieldOrder,
    Lines,
    comb_votes,
    first_field,
    is_telecined,
    sample_lines,
    total,
)
from dataset_assets.video.decode import CorruptFrameError, FrameReader

ScanKind = Literal["progressive", "tff", "bff", "telecine"]

# As many frames as a window: of 5 that have two neighbours telecine combs 2.
RUN_FRAMES = 7
TELECINE_FRAMES = 5
# A film with few keyframes is looked at for longer behind each.
FEW_KEYFRAMES, LONG_RUN_FRAMES = 4, 25
# Places that agree are enough; a film where some disagree, or that is flagged, is looked at everywhere.
AGREEING_PLACES, MAX_PLACES = 3, 6
# Interlaced formats end at 1080 lines (coded as 1088). Of a larger film that is not flagged only the first
# frames are looked at, which are decoded anyway: a place more costs 0.5 CPU s. Its windows are all tested.
MAX_INTERLACED_LINES = 1152
MIN_PROGRESSIVE_BLOCKS = 5
# Their decoders hand out a field that is coded as a picture as a frame of half the height.
FIELD_PICTURE_CODECS = ("hevc", "vvc")


@dataclass(frozen=True, slots=True)
class Scan:
    """What a film is treated as.

    Attributes:
        interlaced: Whether it is deinterlaced.
        field_order: Which field is the earlier one, as measured; None where nothing moved.
        warnings: What differs from place to place, one message each.
    """

    interlaced: bool
    field_order: FieldOrder | None
    warnings: tuple[str, ...] = ()


class ScanSurvey:
    """Collects the votes of frames of a film, place by place."""

    def __init__(self) -> None:
        """Start without evidence."""
        self._places: list[list[CombVotes]] = []
        self._first: list[Lines] = []

    def watch(self, frames: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Yield consecutive frames of one place unchanged, and measure them at the end."""
        lines: list[Lines] = []
        try:
            for frame in frames:
                lines.append(sample_lines(frame))
                yield frame
        finally:
            if len(lines) > 1:
                self._first = self._first or lines[:2]
            if len(lines) > 2 and len({each.shape for each in lines}) == 1:
                self._places.append(comb_votes(lines))

    def look_around(
        self, reader: FrameReader, keyframes: Sequence[int], lines: int, *, is_flagged: bool
    ) -> None:
        """Decode a few frames at keyframes spread over the film.

        Args:
            reader: The open film.
            keyframes: The places, forward in time.
            lines: Lines of a coded frame.
            is_flagged: Whether the stream says that it is interlaced.
        """
        if lines > MAX_INTERLACED_LINES and not is_flagged:
            return
        count = RUN_FRAMES if len(keyframes) >= FEW_KEYFRAMES else LONG_RUN_FRAMES
        # From the end on, since the start is known: a film may change on the way.
        spread = [*keyframes[::-4], *keyframes[-3::-4], *keyframes[-2::-4], *keyframes[-4::-4]]
        for place, keyframe in enumerate(spread):
            kinds = Counter(self.kinds)
            agree = len(kinds) == 1 and kinds.total() >= AGREEING_PLACES
            if agree or (place >= MAX_PLACES and not is_flagged and len(kinds) < 2):
                return
            # A damaged place gives what it has.
            with suppress(CorruptFrameError):
                for _ in self.watch(islice(reader.frames(keyframe, keyframe), count)):
                    pass

    @property
    def kinds(self) -> list[ScanKind]:
        """What the places are at which something moves."""
        found = map(_kind, self._places)
        return [kind for kind in found if kind is not None]

    def verdict(self, setting: Literal["refuse", "deinterlace"], *, is_flagged: bool) -> Scan:
        """Return whether the film is interlaced.

        Args:
            setting: What is done with interlaced films.
            is_flagged: Whether the stream says that it is interlaced: decides where nothing moves.

        Raises:
            VideoError: It is telecined, or interlaced and not to be deinterlaced.
        """
        kinds, whole = self.kinds, total([total(votes) for votes in self._places])
        combed = [kind for kind in kinds if kind != "progressive"]
        places = f"{counted(len(kinds), 'place')} looked at {are(len(kinds))}"
        some = f"{min(len(combed), len(kinds) - len(combed))} of {places}"
        if len(combed) * 2 <= len(kinds) and (kinds or not is_flagged):
            warning = f"{some} interlaced or telecined: windows with combs are rejected"
            return Scan(False, None, (warning,) if combed else ())
        order: FieldOrder = "tff" if whole.tff >= whole.bff else "bff"
        if combed.count("telecine") * 2 > len(combed):
            raise VideoError(
                "it is telecined, which would put combs into patches, and deinterlacing would soften it",
                "use what this makes of it: "
                f"`ffmpeg -i FILE -vf fieldmatch=order={order},decimate -c:v ffv1 -c:a copy film.mkv`",
            )
        match setting:
            case "refuse":
                raise VideoError(
                    "it is interlaced, which would put combs into patches",
                    f'set base_settings.interlaced to "deinterlace" or {LEAVE_OUT}',
                )
            case "deinterlace":
                return Scan(True, order if combed else None, _deinterlacing_warnings(kinds, combed, some))
            case _:
                assert_never(setting)

    def refuse_field_pictures(self, codec: str, frame: av.VideoFrame) -> None:
        """Refuse a film whose fields are coded as separate pictures.

        Args:
            codec: FFmpeg's name of the codec.
            frame: The film's first frame, after a look at it and the next.

        Raises:
            VideoError: The decoder gives frames of half the height.
        """
        # For these codecs FFmpeg flags field pictures alone: an interlaced frame is coded like any other.
        if codec in FIELD_PICTURE_CODECS and frame.interlaced_frame:
            first = "top" if first_field(self._first) == "tff" else "bottom"
            raise VideoError(
                "each field is coded as a picture of its own, which gives frames of half the height",
                f"weave them with `ffmpeg -i FILE -vf weave=first_field={first} -c:v ffv1 -c:a copy film.mkv`"
                ' and use that, with base_settings.interlaced as "deinterlace"',
            )


def _deinterlacing_warnings(
    kinds: Sequence[ScanKind], combed: Sequence[ScanKind], some: str
) -> tuple[str, ...]:
    warnings = []
    if len(combed) < len(kinds):
        warnings.append(f"{some} progressive, and are deinterlaced like the rest")
    if {"tff", "bff"} <= set(combed):
        warnings.append(
            "the field order changes on the way: where it is the other one than in most of the film, "
            "deinterlaced frames show another moment"
        )
    return tuple(warnings)


def _kind(votes: Sequence[CombVotes]) -> ScanKind | None:
    whole = total(votes)
    if whole.combed is not None:
        return "telecine" if len(votes) >= TELECINE_FRAMES and is_telecined(votes) else whole.combed
    return "progressive" if whole.progressive >= MIN_PROGRESSIVE_BLOCKS else None
