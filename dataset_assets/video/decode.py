"""Frames by PTS: decoding forward from keyframes.

All positions are PTS in the video stream's time base. Not here: finding keyframes (`packets`), and what is
done with a frame.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from types import TracebackType
from typing import Self, cast

import av
from av.filter import Graph

from dataset_assets.addresses import FilmPath
from dataset_assets.video.colour import ColourCodes
from dataset_assets.video.combs import FieldOrder
from dataset_assets.video.containers import Part
from dataset_assets.video.packets import Packet, stamp
from dataset_assets.video.parts import open_packets
from dataset_assets.video.timeline import Span

# Their decoders can leave out non-reference frames for some packets only. Others (dav1d) take that setting
# once for all: windows would have holes.
SKIPPING_CODECS = ("h264", "hevc")
# Packets whose sizes are remembered: more than a decoder holds back and a window together.
KNOWN_SIZES = 256


class CorruptFrameError(Exception):
    """The decoder reported damage: the window that needs the frame is rejected. Never reaches the user."""


class FrameReader:
    """Reads a film's frames from keyframes on, each at most once while targets only move forward.

    Two handles are open: one decodes, the other (the scout) only reads packets to find keyframes, so that
    looking ahead never disturbs a decoder that could simply go on. Not safe to share between threads.
    """

    def __init__(
        self,
        path: FilmPath,
        *,
        parts: Sequence[Part] = (),
        deinterlace: bool = False,
        field_order: FieldOrder | None = None,
        max_step: int | None = None,
    ) -> None:
        """Open a film.

        Args:
            path: A file with at least one video stream.
            parts: Its parts, where its clock is set back.
            deinterlace: Whether frames pass through bwdif, one frame out for each frame in. The frame of a
                keyframe has no predecessor then and is interpolated from its own fields.
            field_order: Which field is the earlier one; as the frames are flagged by default.
            max_step: Ticks; between two frames further apart others are missing. None for a variable frame
                rate.

        Raises:
            VideoError: The file is missing, is not a film, or has no video stream.
        """
        self._decoding = open_packets(path, parts)
        self._scout = open_packets(path, parts)
        self._deinterlace = deinterlace
        self._field_order = field_order
        self._max_step = max_step
        self._deinterlacer: _Deinterlacer | None = None
        self._ready: deque[av.VideoFrame] = deque()
        self._packets: Iterator[Packet] | None = None
        self._fed_keyframe: int | None = None
        self._entry: int | None = None
        self._has_false_entries = False
        self._position: int | None = None
        self._sar_changes: list[tuple[int, Fraction]] = []
        self._sizes_bytes: dict[int, int] = {}

    def __enter__(self) -> Self:
        """Return the reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both handles."""
        self.close()

    def close(self) -> None:
        """Close both handles."""
        self._decoding.close()
        self._scout.close()

    @property
    def stream(self) -> av.VideoStream:
        """The stream that is decoded."""
        return self._decoding.stream

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was chosen among several video streams."""
        return self._scout.warnings

    @property
    def time_base(self) -> Fraction:
        """Seconds per PTS tick."""
        return cast("Fraction", self.stream.time_base)

    @property
    def container_codes(self) -> ColourCodes:
        """Colour tags of the container; none if it cannot store any."""
        return self._decoding.container_codes

    @property
    def container_sar(self) -> Fraction | None:
        """Sample aspect ratio of the container; None where it says nothing else than the codec."""
        return self._decoding.container_sar

    def sar_at(self, pts: int | None) -> Fraction:
        """Return the sample aspect ratio that the codec gives the frame at `pts`; 0 where it gives none.

        Frames do not carry it, and decoders show that of the newest packet, up to 16 frames ahead. It changes
        with a keyframe, so a frame has that of the last change at or before its own PTS.

        Args:
            pts: PTS of a frame that was decoded since the last restart.
        """
        changes = self._sar_changes
        place = bisect_right(changes, pts or 0, key=lambda change: change[0])
        return changes[max(0, place - 1)][1] if changes else Fraction(0)

    def size_bytes(self, pts: Sequence[int]) -> int | None:
        """Return the bytes of the packets of frames that were just decoded; None where one is not known.

        Args:
            pts: Their PTS. A container that stores none for its packets (AVI) does not say which is whose.
        """
        sizes_bytes = [self._sizes_bytes.get(each) for each in pts]
        return None if None in sizes_bytes else sum(size for size in sizes_bytes if size is not None)

    def keyframe_at(self, pts: int) -> int | None:
        """Return the last keyframe at or before `pts`, else the film's first; None where there is none."""
        return self._scout.keyframe_at(pts)

    def keyframe_after(self, keyframe: int, until: int) -> int | None:
        """Return the first keyframe after the keyframe given, if it lies before `until`."""
        return self._scout.keyframe_after(keyframe, until)

    def spans(self) -> list[Span]:
        """First keyframe and end of each part, read from its packets: headers lie."""
        return self._scout.spans()

    def stamps(self, keyframe: int, count: int) -> list[int]:
        """Return the PTS of `count` frames from a keyframe on, without decoding; fewer at the film's end."""
        return self._scout.stamps(keyframe, count)

    def step_at(self, pts: int) -> tuple[int, int] | None:
        """Return the last frame's PTS at or before `pts` and the next one's; None where one is missing."""
        return self._scout.step_at(pts)

    def indexed(self) -> list[int]:
        """Return the places in the container's index, in order; none if it has no complete index."""
        return self._scout.indexed()

    def frames(self, keyframe: int, pts: int) -> Iterator[av.VideoFrame]:
        """Decode frames in presentation order.

        A running decoder goes on where that leads to `pts` without decoding a frame twice; else it starts
        again at the keyframe. The frames are the same in both cases.

        Args:
            keyframe: The PTS of the keyframe at or before `pts`.
            pts: The first PTS that is wanted; earlier frames are decoded but not handed out.

        Yields:
            Frames with strictly growing PTS from `pts` on.

        Raises:
            CorruptFrameError: There is damage between the keyframe and the frame that is due.
        """
        wanted = max(pts, keyframe)
        if not self._leads_to(keyframe, wanted):
            self._restart(keyframe)
        previous: int | None = None
        try:
            while (frame := self._next(wanted)) is not None:
                if frame.pts is None:
                    raise CorruptFrameError("a frame has no time stamp")
                if (earlier := self._earlier_entry(frame.pts)) is not None:
                    keyframe = earlier
                    self._restart(keyframe)
                    continue
                if self._position is not None and frame.pts <= self._position:
                    raise CorruptFrameError(f"time stamps run backwards at PTS {frame.pts}")
                if frame.is_corrupt and frame.pts >= keyframe:
                    raise CorruptFrameError(f"the frame at PTS {frame.pts} is damaged")
                self._position = frame.pts
                if frame.pts < wanted:
                    continue
                if previous is not None and self._max_step and frame.pts - previous > self._max_step:
                    raise CorruptFrameError(f"frames are missing before PTS {frame.pts}")
                previous = frame.pts
                yield frame
        except av.FFmpegError as error:
            self._position = None
            raise CorruptFrameError(error.strerror) from error
        except CorruptFrameError:
            # What the decoder outputs for the rest would depend on where it was started.
            self._position = None
            raise

    def keyframe_picture(self, keyframe: int) -> av.VideoFrame | None:
        """Decode a keyframe alone, without the 4 or 5 packets that HEVC's decoder wants behind it.

        Args:
            keyframe: The PTS of a keyframe.

        Returns:
            Its frame; None where its own packet is not enough: a field, a recovery point, damage.
        """
        self._restart(keyframe)
        packet = next(self._packets, None) if self._packets is not None else None
        if packet is None or packet.is_corrupt:
            return None
        # After the signal for the end, this decoder cannot continue.
        self._packets = None
        codec = self.stream.codec_context
        codec.skip_frame = "DEFAULT"
        try:
            frames = [*codec.decode(packet), *codec.decode(None)]
            self._note_sar(keyframe)
        except av.FFmpegError:
            return None
        if len(frames) != 1 or frames[0].pts != keyframe:
            return None
        return None if frames[0].is_corrupt or frames[0].interlaced_frame else frames[0]

    def _leads_to(self, keyframe: int, pts: int) -> bool:
        """Return whether decoding on gives the frames from `pts` on, without reading useless packets."""
        if self._position is None or self._position >= pts:
            return False
        if not self._decoding.leads_to(self._position, pts):
            return False
        if self._has_false_entries:
            return True
        # bwdif looks one frame back: a keyframe that was not reached by itself comes out differently.
        is_at_keyframe = self._fed_keyframe == keyframe and not self._deinterlace
        return self._position >= keyframe or is_at_keyframe

    def _restart(self, keyframe: int) -> None:
        self._packets = self._decoding.packets_from(keyframe)
        self._ready.clear()
        self._position = None
        self._fed_keyframe = None
        self._entry = keyframe
        self._sar_changes.clear()
        self._sizes_bytes.clear()
        self._deinterlacer = _Deinterlacer(self.stream, self._field_order) if self._deinterlace else None

    def _earlier_entry(self, pts: int) -> int | None:
        """Return the keyframe to begin at instead where the one begun at gave no frame of its own.

        An example is a recovery point with intra refresh: the picture is complete only a second later.

        Args:
            pts: PTS of the first frame, and of those that follow.
        """
        entry = self._entry
        if entry is None or pts < entry:
            return None
        self._entry = None
        earlier = self._scout.keyframe_at(entry - 1) if pts > entry else None
        if earlier is None or earlier >= entry:
            return None
        self._has_false_entries = True
        return earlier

    def _next(self, wanted: int) -> av.VideoFrame | None:
        """Return the next decoded frame; frames that no other needs are not decoded before `wanted`."""
        while not self._ready:
            if self._packets is None:
                return None
            packet = next(self._packets, None)
            codec = self.stream.codec_context  # seeking may have reopened the film
            if packet is None:
                self._packets = None
                self._take(codec.decode(None), is_end=True)
                continue
            pts = stamp(packet)
            if packet.is_corrupt:
                raise CorruptFrameError(f"the packet at PTS {pts} is flagged as corrupt")
            if packet.is_keyframe:
                self._fed_keyframe = pts
                # An edit list hides it, or the container (AVI) stores no PTS: its frame cannot be waited for.
                if packet.is_discard or packet.pts is None:
                    self._entry = None
            self._note_size(packet)
            # Non-reference frames before the target cost a third of a uniform window (0.79 -> 0.53 CPU s).
            is_skippable = codec.name in SKIPPING_CODECS and not self._deinterlace
            codec.skip_frame = "NONREF" if is_skippable and pts is not None and pts < wanted else "DEFAULT"
            decoded = codec.decode(packet)
            self._note_sar(pts or 0)
            self._take(decoded)
        return self._ready.popleft()

    def _note_size(self, packet: Packet) -> None:
        if packet.pts is None:
            return
        # Two fields of one frame may share their PTS.
        self._sizes_bytes[packet.pts] = self._sizes_bytes.get(packet.pts, 0) + packet.size
        if len(self._sizes_bytes) > KNOWN_SIZES:
            del self._sizes_bytes[next(iter(self._sizes_bytes))]

    def _note_sar(self, pts: int) -> None:
        """Note the pixel shape from the frame of the packet just decoded on."""
        sar = self.stream.codec_context.sample_aspect_ratio or Fraction(0)
        if not self._sar_changes or self._sar_changes[-1][1] != sar:
            self._sar_changes.append((pts, sar))

    def _take(self, decoded: Sequence[av.VideoFrame], *, is_end: bool = False) -> None:
        if self._deinterlacer is None:
            self._ready.extend(decoded)
            return
        for frame in decoded:
            self._ready.extend(self._deinterlacer.put(frame))
        if is_end:
            self._ready.extend(self._deinterlacer.put(None))


class _Deinterlacer:
    """One progressive frame for each interlaced one, by bwdif."""

    def __init__(self, stream: av.VideoStream, field_order: FieldOrder | None) -> None:
        self._time_base = stream.time_base
        self._graph = Graph()
        source = self._graph.add_buffer(template=stream)
        # Frames that are not flagged count as top field first for `auto`.
        bwdif = self._graph.add("bwdif", f"mode=send_frame:parity={field_order or 'auto'}:deint=all")
        sink = self._graph.add("buffersink")
        source.link_to(bwdif)
        bwdif.link_to(sink)
        self._graph.configure()

    def put(self, frame: av.VideoFrame | None) -> list[av.VideoFrame]:
        """Take the next frame, or None after the last, and return what is ready: one frame later."""
        self._graph.vpush(frame)
        out: list[av.VideoFrame] = []
        while True:
            try:
                ready = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return out
            # bwdif counts in half ticks.
            if ready.pts is not None and ready.time_base is not None and self._time_base is not None:
                ready.pts = round(ready.pts * ready.time_base / self._time_base)
                ready.time_base = self._time_base
            out.append(ready)
