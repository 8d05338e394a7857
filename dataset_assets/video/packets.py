"""Packets by PTS: opening a film, finding its keyframes, its steps and its end without decoding.

All positions are PTS in the video stream's time base. Not here: decoding (`decode`).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias, cast

import av

from dataset_assets.addresses import FilmPath
from dataset_assets.errors import LEAVE_OUT, VideoError
from dataset_assets.video.colour import NO_CODES, ColourCodes
from dataset_assets.video.containers import Opener, Part, raise_if_lost
from dataset_assets.video.packed import has_packed_frames, unpacked
from dataset_assets.video.stream_choice import Choice, choose_video

# 8192x8192: a header that claims more is nonsense, and a frame of it would take all memory there is.
MAX_PIXELS = 1 << 26
DECODER_LIMITS = {"max_pixels": str(MAX_PIXELS)}
# Concealed damage would enter patches as grey or smeared blocks: let the decoder report it instead. Where a
# film has checksums of its pictures (HEVC's SEI), they are compared with what was decoded.
DECODER_OPTIONS = DECODER_LIMITS | {"err_detect": "explode+crccheck"}
# dav1d checks the end of each tile against its data only with the option `strict`.
STRICT_DECODER_OPTIONS = DECODER_OPTIONS | {"strict": "strict"}
STRICT_CODECS = ("libdav1d",)
# H.264's decoder would also report what is no damage: old frames that a film with open GOPs wants to forget,
# where decoding began behind them. It flags every frame that it conceals anyway.
FLAGGING_CODECS = ("h264",)
# FFmpeg's names of containers with colour tags of their own begin so.
CONTAINERS_WITH_COLOUR = ("mov", "matroska", "mxf", "nut")
# The demuxer's index of these contains only what was read so far.
UNINDEXED_CONTAINERS = ("mpegts", "mpeg")
# H.264 and HEVC hold back no more frames for reordering.
MAX_REORDERED_FRAMES = 16

Packet: TypeAlias = "av.Packet[av.VideoStream]"


class PacketReader:
    """One handle on a film that reads packets of its video stream and seeks by PTS.

    Attributes:
        stream: The video stream.
        container_codes: Colour tags of the container; none if it cannot store any (MPEG-TS).
        container_sar: Sample aspect ratio of the container; None where it says nothing else than the codec.
    """

    def __init__(self, path: FilmPath, part: Part | None = None) -> None:
        """Open the film.

        Args:
            path: The file, or the address of an object.
            part: What is read of it; None for all.

        Raises:
            VideoError: The file is missing, is not a film, or has no video stream.
        """
        self._opener = Opener(path, part)
        self._shift = part.shift if part else 0
        self._choice: Choice | None = None
        self._is_packed = False
        self._open()
        self._is_packed = has_packed_frames(self._container, self.stream)
        self._opener.raise_failure()
        # Keyframes that were looked up, in order, and up to where the next one was found to lie.
        self._keyframes: list[int] = []
        self._known_until: dict[int, int] = {}

    def _open(self) -> None:
        self._container = self._opener.open()
        if self._choice is None:
            self._choice = choose_video(self._container)
            self._opener.raise_failure()
            if self._choice is None:
                self._container.close()
                raise VideoError("it has no video stream", LEAVE_OUT)
            if len(self._container.streams.video) > 1:
                # Packets were read to choose.
                self._rewind()
                return
        self.stream = cast("av.VideoStream", self._container.streams[self._choice.index])
        codec = self.stream.codec_context
        if codec is None:
            self._container.close()
            raise VideoError("its video is in a format that no decoder here knows", "replace the file")
        # Before anything is decoded: a decoder puts the stream's own tags in their place, also where these
        # say nothing. Elsewhere these would be the first headers' tags, which are not those of later frames.
        has_tags = self._container.format.name.startswith(CONTAINERS_WITH_COLOUR)
        self.container_codes = ColourCodes.of(codec) if has_tags else NO_CODES
        said = self.stream.sample_aspect_ratio
        self.container_sar = None if said == codec.sample_aspect_ratio else said
        # The cheapest in CPU time: 0.33 s a UHD window; two frame threads 0.37, slice threads 0.46.
        codec.thread_count = 1
        codec.options = _decoder_options(codec.name)

    def close(self) -> None:
        """Close the handle."""
        self._container.close()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was chosen among several video streams."""
        return self._choice.warnings if self._choice else ()

    @property
    def format_name(self) -> str:
        """FFmpeg's name of the container."""
        return self._container.format.name

    @property
    def time_base(self) -> Fraction:
        """Seconds per PTS tick."""
        return cast("Fraction", self.stream.time_base)

    @property
    def start_pts(self) -> int:
        """The PTS at which the headers say that the film starts."""
        return (self.stream.start_time or 0) + self._shift

    @property
    def is_found_by_bytes(self) -> bool:
        """Whether the container has no index, so that its packets can be found by byte place."""
        return self.format_name in UNINDEXED_CONTAINERS

    @property
    def duration_pts(self) -> int | None:
        """The duration that the headers claim, in ticks."""
        if self.stream.duration:
            return self.stream.duration
        if self._container.duration and self.stream.time_base:
            return int(self._container.duration / (av.time_base * self.stream.time_base))
        return None

    def packets_from(self, keyframe: int) -> Iterator[Packet]:
        """Yield packets in decoding order from the packet of the keyframe on."""
        for _ in self._approach(keyframe):
            packets = self._demux()
            for packet in packets:
                if packet.is_keyframe and stamp(packet) == keyframe:
                    yield packet
                    yield from packets
                    return
                if packet.dts is not None and packet.dts > keyframe:
                    break

    def keyframe_at(self, pts: int) -> int | None:
        """Return the last keyframe at or before `pts`, else the film's first; None where there is none.

        The answer does not depend on what was asked before: containers without a full index learn keyframes
        as they are read, so the packets between a seek's landing place and `pts` are read for a nearer one.
        What was read once is remembered: a look-up in a transport stream takes 20 to 26 ms.
        """
        index = bisect_right(self._keyframes, pts)
        if index and self._known_until[self._keyframes[index - 1]] >= pts:
            return self._keyframes[index - 1]
        found = self._scan(pts)
        at_or_before = [keyframe for keyframe in found if keyframe <= pts]
        if not at_or_before:
            return min(found, default=None)
        for keyframe, later in pairwise([*at_or_before, pts + 1]):
            if keyframe not in self._known_until:
                insort(self._keyframes, keyframe)
            self._known_until[keyframe] = max(self._known_until.get(keyframe, keyframe), later - 1)
        return at_or_before[-1]

    def keyframe_after(self, keyframe: int, until: int) -> int | None:
        """Return the first keyframe after the keyframe given, if it lies before `until`."""
        self._seek(keyframe)
        for packet in self._demux():
            pts = stamp(packet)
            if packet.is_keyframe and pts is not None and keyframe < pts:
                return pts if pts < until else None
            if packet.dts is not None and packet.dts >= until:
                return None
        return None

    def stamps(self, keyframe: int, count: int) -> list[int]:
        """Return the PTS of `count` frames from a keyframe on, in order; fewer at the film's end."""
        found: list[int] = []
        for packet in self.packets_from(keyframe):
            pts = stamp(packet)
            if pts is not None and pts >= keyframe and not packet.is_discard:
                found.append(pts)
            # Of the last packets, earlier frames may still be missing.
            if len(found) == count + MAX_REORDERED_FRAMES:
                break
        return sorted(set(found))[:count]

    def step_at(self, pts: int) -> tuple[int, int] | None:
        """Return the last frame's PTS at or before `pts` and the next one's; None where one is missing."""
        keyframe = self.keyframe_at(pts)
        before: list[int] = []
        behind: list[int] = []
        for packet in self.packets_from(keyframe) if keyframe is not None else ():
            found = stamp(packet)
            if found is not None and not packet.is_discard:
                (before if found <= pts else behind).append(found)
            # Behind the first of them, earlier frames may still follow.
            if len(behind) > MAX_REORDERED_FRAMES:
                break
        return (max(before), min(behind)) if before and behind else None

    def indexed(self) -> list[int]:
        """Return the places in the container's index, in order; none if it has no complete index."""
        if self.is_found_by_bytes:
            return []
        # Matroska's demuxer reads its index when it first seeks.
        self._seek(self.start_pts)
        return sorted(entry.timestamp for entry in self.stream.index_entries)

    def clocks_from(self, byte: int) -> Iterator[tuple[int, int]]:
        """Yield (byte place, PTS) of the packets from a byte place on; for containers without an index."""
        self._container.seek(byte, unsupported_byte_offset=True)
        self._opener.raise_failure()
        for packet in self._demux():
            if packet.pts is not None and packet.pos is not None:
                yield packet.pos, packet.pts

    def leads_to(self, pts: int, later: int) -> bool:
        """Return whether reading on from the packets at `pts` comes to those at `later`."""
        return pts <= later

    def spans(self) -> list[tuple[int, int]]:
        """Return the first PTS and the one at which the last frame ends."""
        return [(self.start_pts, self.end())]

    def end(self) -> int:
        """Return the PTS at which the last frame ends."""
        start = self.start_pts
        durations: dict[int, int] = {}
        for _ in self._approach(start + (self.duration_pts or 0)):
            has_keyframe = False
            for packet in self._demux():
                pts = stamp(packet)
                if pts is not None and not packet.is_discard:
                    durations[pts] = packet.duration or 0
                    has_keyframe |= packet.is_keyframe
            # Where reading began inside the last GOP, the frame that is shown last may lie before.
            if has_keyframe:
                break
        if not durations:
            return start
        stamps = sorted(durations)
        # MPEG-TS stores no durations, FLV a wrong one: the step before stands in for the last one's.
        step = stamps[-1] - stamps[-2] if len(stamps) > 1 else 1
        return stamps[-1] + max(step, durations[stamps[-1]])

    def _scan(self, pts: int) -> list[int]:
        """Read the keyframes around `pts`: all from one before it on, in order, else the film's first."""
        keyframes: list[int] = []
        for _ in self._approach(pts):
            keyframes = []
            for packet in self._demux():
                packet_pts = stamp(packet)
                if packet_pts is None:
                    continue
                if packet_pts > pts and keyframes:
                    break
                if packet.is_keyframe:
                    keyframes.append(packet_pts)
            if keyframes and min(keyframes) <= pts:
                break
        return sorted(keyframes)

    def _approach(self, pts: int) -> Iterator[None]:
        """Seek before `pts`, then further and further back: MPEG-TS seeks may land behind their target."""
        start = self.start_pts
        step = round(1 / self.stream.time_base) if self.stream.time_base else 1
        target = pts
        while target > start:
            self._seek(target)
            yield
            target -= step
            step *= 2
        self._rewind()
        yield

    def _seek(self, pts: int) -> None:
        try:
            self._container.seek(pts - self._shift, stream=self.stream, backward=True)
        except av.FFmpegError as error:
            self._opener.raise_failure()
            raise_if_lost(error)
            # Containers without an index may refuse to seek.
            self._rewind()
        self._opener.raise_failure()

    def _rewind(self) -> None:
        """Open the film again: the only way to its first packet that works for every container."""
        self._container.close()
        self._open()

    def _demux(self) -> Iterator[Packet]:
        packets: Iterator[Packet] = (each for each in self._container.demux(self.stream) if each.size)
        try:
            for packet in unpacked(packets, self.stream) if self._is_packed else packets:
                self._opener.raise_failure()
                self._shift_stamps(packet)
                yield packet
        except av.FFmpegError as error:
            raise_if_lost(error)
            # A truncated file ends where it can no longer be read.
        self._opener.raise_failure()

    def _shift_stamps(self, packet: Packet) -> None:
        if not self._shift:
            return
        if packet.pts is not None:
            packet.pts += self._shift
        if packet.dts is not None:
            packet.dts += self._shift


def stamp(packet: Packet) -> int | None:
    """Return the packet's PTS; its DTS where the container (AVI) stores no PTS."""
    return packet.pts if packet.pts is not None else packet.dts


def _decoder_options(codec: str) -> dict[str, str]:
    if codec in FLAGGING_CODECS:
        return DECODER_LIMITS
    return STRICT_DECODER_OPTIONS if codec in STRICT_CODECS else DECODER_OPTIONS
