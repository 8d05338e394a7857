"""Films whose clock is set back: transport streams and VOBs that were concatenated.

FFmpeg seeks by the clock, so it would find one part only, and frames of two parts would share a PTS. So each
part is read as a file of its own, its stamps shifted behind those of the part before. Where the clock is set
back is found by byte places; no film is read through for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import NamedTuple, Protocol

import av

from dataset_assets.addresses import FilmPath
from dataset_assets.errors import SourceChangedError, SourceLostError, VideoError
from dataset_assets.video.colour import NO_CODES, ColourCodes
from dataset_assets.video.containers import Part
from dataset_assets.video.film_files import FileState
from dataset_assets.video.packets import MAX_REORDERED_FRAMES, Packet, PacketReader
from dataset_assets.video.timeline import Span

# Places of a file whose clock is read: a seek and a frame's packets each, 2 ms of UHD.
PLACES = 24
# A clock that gains less than this share of what it usually does over as many bytes may have been set back in
# between and have caught up: halves are looked at, down to this depth.
SLOW, DEPTH = 0.5, 2
# Below so many bytes packets are read one by one, beginning as many before: 15 frames of 50 Mbit/s.
NEAR_BYTES = 1 << 22
# Bytes at a film's end whose last packet is its last clock.
TAIL_BYTES = 1 << 21
# Time stamps of both containers have 33 bits.
CLOCK_TICKS = 1 << 33
# Ticks of 1/90000 s between two parts: ten seconds, more than any window.
SEPARATION_TICKS = 900_000


class Clock(NamedTuple):
    """What a film's clock shows.

    Attributes:
        byte: Place of a packet in the file.
        ticks: Its PTS.
    """

    byte: int
    ticks: int

    def until(self, later: Clock) -> int:
        """Return the ticks to another reading, below 0 if the clock was set back; 33 bits wrap around."""
        half = CLOCK_TICKS // 2
        return (later.ticks - self.ticks + half) % CLOCK_TICKS - half


class ClockedFilm(Protocol):
    """What the search for parts needs of a film."""

    def clocks_from(self, byte: int) -> Iterator[tuple[int, int]]:
        """Yield (byte place, PTS) of the packets from a byte place on."""


def find_seams(film: ClockedFilm, size_bytes: int) -> list[Span]:
    """Find where a film's clock is set back.

    Args:
        film: The film.
        size_bytes: Its size.

    Returns:
        Byte places of the last packet before and the first one behind each seam, in order.
    """
    clocks = list(_spread_clocks(film, size_bytes))
    rates = [low.until(high) / (high.byte - low.byte) for low, high in pairwise(clocks)]
    rate = median(rates) if rates else 0.0
    return [seam for low, high in pairwise(clocks) for seam in _seams_between(film, low, high, rate, DEPTH)]


def _spread_clocks(film: ClockedFilm, size_bytes: int) -> Iterator[Clock]:
    """Yield readings at places spread over a film, and its last one; no byte is read for two of them."""
    last = -1
    for place in (size_bytes * index // PLACES for index in range(PLACES)):
        if place <= last:
            continue
        clock = _clock_at(film, place)
        if clock is None:
            break
        last = clock.byte
        yield clock
    tail = [*map(Clock._make, film.clocks_from(max(0, size_bytes - TAIL_BYTES)))]
    if tail and tail[-1].byte > last:
        yield tail[-1]


def _seams_between(film: ClockedFilm, low: Clock, high: Clock, rate: float, depth: int) -> Iterator[Span]:
    ticks, length = low.until(high), high.byte - low.byte
    if ticks >= 0 and (depth <= 0 or ticks >= SLOW * rate * length):
        return
    middle = _clock_at(film, (low.byte + high.byte) // 2) if length > NEAR_BYTES else None
    if middle is None or middle.byte >= high.byte:
        yield from _seams_among_packets(film, low.byte, high.byte)
        return
    yield from _seams_between(film, low, middle, rate, depth - 1)
    yield from _seams_between(film, middle, high, rate, depth - 1)


def _seams_among_packets(film: ClockedFilm, first: int, last: int) -> Iterator[Span]:
    recent: deque[Clock] = deque()
    settled: Clock | None = None
    for clock in map(Clock._make, film.clocks_from(max(0, first - NEAR_BYTES))):
        if settled is not None and settled.until(clock) < 0:
            if clock.byte > first:
                yield recent[-1].byte, clock.byte
            recent.clear()
            settled = None
        recent.append(clock)
        # No frame is stored behind one that is shown so many frames later.
        if len(recent) > MAX_REORDERED_FRAMES:
            oldest = recent.popleft()
            settled = oldest if settled is None or settled.until(oldest) > 0 else settled
        if clock.byte >= last:
            return


def _clock_at(film: ClockedFilm, byte: int) -> Clock | None:
    return next(map(Clock._make, film.clocks_from(byte)), None)


def find_parts(path: FilmPath, reader: PacketReader) -> tuple[tuple[Part, ...], list[str]]:
    """Find the parts of a film.

    Args:
        path: The film.
        reader: The entire film, opened for this use only: its demuxer learns wrong places here.

    Returns:
        Its parts in order, none where its clock runs through; and a warning for each that cannot be used.
    """
    size_bytes = FileState.of(path).size_bytes
    seams = find_seams(reader, size_bytes) if reader.is_found_by_bytes else []
    if not seams:
        return (), []
    # A part begins behind the last packet before it: what its container says about its streams lies there.
    edges = [0, *(before + 1 for before, _ in seams)], [*(behind for _, behind in seams), size_bytes]
    parts: list[Part] = []
    warnings: list[str] = []
    following = 0
    for first, end in zip(*edges, strict=True):
        part = Part(first, end, reader.format_name)
        span = _span(path, part)
        if span is None:
            share = 100 * (end - first) / size_bytes
            warnings.append(
                f"{share:.1f} % of its file, where its clock is set back, hold no film and are left out"
            )
            continue
        shift = following - span[0] if parts else 0
        parts.append(replace(part, shift=shift, first_pts=span[0] + shift, end_pts=span[1] + shift))
        following = parts[-1].end_pts + SEPARATION_TICKS
    return tuple(parts), warnings


def _span(path: FilmPath, part: Part) -> Span | None:
    """First keyframe and end of a part by its own clock; None where it has no film."""
    try:
        reader = PacketReader(path, part)
    except (SourceLostError, SourceChangedError):
        raise
    except VideoError:
        return None
    try:
        keyframe = reader.keyframe_at(reader.start_pts)
        return None if keyframe is None else (keyframe, reader.end())
    finally:
        reader.close()


class JoinedReader:
    """Reads the packets of a film's parts as those of one film."""

    def __init__(self, path: FilmPath, parts: Sequence[Part]) -> None:
        """Open the parts.

        Args:
            path: The film.
            parts: Its parts in order, at least one.

        Raises:
            VideoError: The file is missing, is not a film, or has no video stream.
        """
        self._path = path
        self._parts = parts
        self._starts = [part.first_pts for part in parts]
        self._readers: dict[int, PacketReader] = {}
        self._current = self._reader(0)

    @property
    def stream(self) -> av.VideoStream:
        """The stream of the part that packets were last read from."""
        return self._current.stream

    @property
    def container_codes(self) -> ColourCodes:
        """None: no container that is read by parts has colour tags."""
        return NO_CODES

    @property
    def container_sar(self) -> Fraction | None:
        """None: no container that is read by parts has a sample aspect ratio."""
        return None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was chosen among several video streams."""
        return self._reader(0).warnings

    def close(self) -> None:
        """Close the handles."""
        for reader in self._readers.values():
            reader.close()

    def spans(self) -> list[Span]:
        """First keyframe and end of each part."""
        return [(part.first_pts, part.end_pts) for part in self._parts]

    def leads_to(self, pts: int, later: int) -> bool:
        """Return whether reading on from the packets at `pts` comes to those at `later`."""
        return self._number_of(pts) == self._number_of(later)

    def packets_from(self, keyframe: int) -> Iterator[Packet]:
        """Yield packets in decoding order from the packet of the keyframe on, to the end of its part."""
        self._current = self._part_of(keyframe)
        return self._current.packets_from(keyframe)

    def keyframe_at(self, pts: int) -> int | None:
        """Return the last keyframe at or before `pts` in its part, else the first of the part."""
        return self._part_of(pts).keyframe_at(pts)

    def keyframe_after(self, keyframe: int, until: int) -> int | None:
        """Return the first keyframe after the keyframe given, if it lies before `until`."""
        found = self._part_of(keyframe).keyframe_after(keyframe, until)
        if found is not None:
            return found
        following = self._starts[self._number_of(keyframe) + 1 :]
        return following[0] if following and following[0] < until else None

    def stamps(self, keyframe: int, count: int) -> list[int]:
        """Return the PTS of `count` frames from a keyframe on, in order; fewer at the end of its part."""
        return self._part_of(keyframe).stamps(keyframe, count)

    def step_at(self, pts: int) -> Span | None:
        """Return the last frame's PTS at or before `pts` and the next one's; None where one is missing."""
        return self._part_of(pts).step_at(pts)

    def indexed(self) -> list[int]:
        """Return nothing: no container that is read by parts has an index."""
        return []

    def _part_of(self, pts: int) -> PacketReader:
        return self._reader(self._number_of(pts))

    def _reader(self, number: int) -> PacketReader:
        if number not in self._readers:
            self._readers[number] = PacketReader(self._path, self._parts[number])
        return self._readers[number]

    def _number_of(self, pts: int) -> int:
        return max(0, bisect_right(self._starts, pts) - 1)


def open_packets(path: FilmPath, parts: Sequence[Part]) -> PacketReader | JoinedReader:
    """Open a film whose parts are known; none is a film whose clock runs through.

    Raises:
        VideoError: The file is missing, is not a film, or has no video stream.
    """
    return JoinedReader(path, parts) if parts else PacketReader(path)
