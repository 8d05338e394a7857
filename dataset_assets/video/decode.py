"""Frames by PTS: finding keyframes without decoding, and decoding forward from them.

All positions are PTS in the video stream's time base. What a frame means and what is done with it is not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
from av.filter import Graph

from dataset_assets.errors import VideoError

# DESIGN.md: only plain files are opened, whatever a playlist or a container refers to.
OPEN_OPTIONS = {"protocol_whitelist": "file"}
# Concealed damage would enter patches as grey or smeared blocks: let the decoder report it instead.
DECODER_OPTIONS = {"err_detect": "explode"}


class CorruptFrameError(Exception):
    """The decoder reported damage; the window that wanted the frame must be rejected. Never reaches the user."""


class FrameReader:
    """Reads a film's frames from keyframes on, each at most once while targets only move forward.

    Two handles are open: one decodes, the other (the scout) only reads packets to find keyframes, so that looking
    ahead never disturbs a decoder that could simply go on. Not safe to share between threads.
    """

    def __init__(self, path: Path, *, deinterlace: bool = False) -> None:
        """Opens a film.

        Args:
            path: A file with at least one video stream.
            deinterlace: Whether frames pass through bwdif, one frame out for each frame in.

        Raises:
            VideoError: The file is missing, is not a film, or has no video stream.
        """
        self._decoding = PacketReader(path)
        self._scout = PacketReader(path)
        self._deinterlace = deinterlace
        self._graph: Graph | None = None
        self._ready: deque[av.VideoFrame] = deque()
        self._packets: Iterator[av.Packet] | None = None
        self._fed_keyframe: int | None = None
        self._position: int | None = None

    def __enter__(self) -> Self:
        """Returns the reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes both handles."""
        self.close()

    def close(self) -> None:
        """Closes both handles."""
        self._decoding.close()
        self._scout.close()

    @property
    def stream(self) -> av.VideoStream:
        """The stream that is decoded."""
        return self._decoding.stream

    @property
    def time_base(self) -> Fraction:
        """Seconds per PTS tick."""
        return cast("Fraction", self.stream.time_base)

    def keyframe_at(self, pts: int) -> int | None:
        """The last keyframe at or before `pts`, else the first of the film; None where there is none."""
        return self._scout.keyframe_at(pts)

    def keyframe_after(self, keyframe: int, until: int) -> int | None:
        """The first keyframe after the keyframe given, if it lies before `until`."""
        return self._scout.keyframe_after(keyframe, until)

    def end(self) -> int:
        """The PTS at which the last frame ends, read from the film's tail: headers lie."""
        return self._scout.end()

    def frames(self, keyframe: int, pts: int) -> Iterator[av.VideoFrame]:
        """Decodes frames in presentation order.

        A running decoder goes on where that leads to `pts` without decoding a frame twice; else it starts again at
        the keyframe.

        Args:
            keyframe: The PTS of the keyframe at or before `pts`.
            pts: The first PTS that is wanted; earlier frames are decoded but not handed out.

        Yields:
            Frames with strictly growing PTS from `pts` on.

        Raises:
            CorruptFrameError: The decoder reported an error, or flagged a frame as corrupt.
        """
        if self._fed_keyframe != keyframe or self._position is None or self._position >= pts:
            self._restart(keyframe)
        try:
            while (frame := self._next(pts)) is not None:
                if frame.pts is None or (self._position is not None and frame.pts <= self._position):
                    continue
                self._position = frame.pts
                if frame.pts < max(pts, keyframe):
                    continue
                if frame.is_corrupt:
                    raise CorruptFrameError(f"frame at PTS {frame.pts} is flagged as corrupt")
                yield frame
        except av.FFmpegError as error:
            raise CorruptFrameError(str(error)) from error
        finally:
            self.stream.codec_context.skip_frame = "DEFAULT"

    def _restart(self, keyframe: int) -> None:
        self._packets = self._decoding.packets_from(keyframe)
        self._ready.clear()
        self._position = None
        self._fed_keyframe = None
        self._graph = self._make_deinterlacer() if self._deinterlace else None

    def _next(self, wanted: int) -> av.VideoFrame | None:
        """The next decoded frame; frames that no other needs are not decoded before `wanted`."""
        while not self._ready:
            packet = next(self._packets, None) if self._packets else None
            codec = self.stream.codec_context  # seeking may have opened the film anew
            if packet is None:
                if self._packets is None:
                    return None
                self._packets = None
                self._fed_keyframe = None
                self._ready.extend(self._after_deinterlacing(codec.decode(None)))
                self._ready.extend(self._flush_deinterlacer())
                continue
            pts = stamp(packet)
            if packet.is_keyframe:
                self._fed_keyframe = pts
            # Non-reference frames before the target cost a third of a uniform window (0.79 -> 0.53 CPU s).
            skippable = pts is not None and pts < wanted and not self._deinterlace
            codec.skip_frame = "NONREF" if skippable else "DEFAULT"
            self._ready.extend(self._after_deinterlacing(codec.decode(packet)))
        return self._ready.popleft()

    def _make_deinterlacer(self) -> Graph:
        graph = Graph()
        source = graph.add_buffer(template=self.stream)
        bwdif = graph.add("bwdif", "mode=send_frame:parity=auto:deint=all")
        sink = graph.add("buffersink")
        source.link_to(bwdif)
        bwdif.link_to(sink)
        graph.configure()
        return graph

    def _after_deinterlacing(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        if self._graph is None:
            return frames
        out: list[av.VideoFrame] = []
        for frame in frames:
            self._graph.vpush(frame)
            out.extend(self._pull())
        return out

    def _flush_deinterlacer(self) -> list[av.VideoFrame]:
        if self._graph is None:
            return []
        self._graph.vpush(None)
        return self._pull()

    def _pull(self) -> list[av.VideoFrame]:
        assert self._graph is not None
        out: list[av.VideoFrame] = []
        while True:
            try:
                frame = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return out
            # bwdif counts in half ticks.
            if frame.pts is not None and frame.time_base is not None:
                frame.pts = round(frame.pts * frame.time_base / self.time_base)
                frame.time_base = self.time_base
            out.append(frame)


class PacketReader:
    """One handle on a film that reads packets of its video stream and seeks by PTS."""

    def __init__(self, path: Path) -> None:
        """Opens the film.

        Raises:
            VideoError: The file is missing, is not a film, or has no video stream.
        """
        if not path.exists():
            raise VideoError(
                "the file does not exist; correct its path in the configuration or bring the file back"
            )
        if not path.is_file():
            raise VideoError("the path is not a file; name the film itself in the configuration")
        self._path = path
        self._open()
        self._known: list[int] = []
        self._scanned = range(0)

    def _open(self) -> None:
        try:
            self._container = av.open(str(self._path), options=OPEN_OPTIONS)
        except av.FFmpegError as error:
            raise VideoError(f"it cannot be opened as a film ({error.strerror}); replace the file") from error
        except OSError as error:
            raise VideoError(f"it cannot be read ({error.strerror}); check the file's permissions") from error
        stream = self._container.streams.best("video")
        if stream is None or stream.disposition & av.stream.Disposition.attached_pic:
            self._container.close()
            raise VideoError("it has no video stream; remove it from the configuration")
        self.stream = cast("av.VideoStream", stream)
        codec = self.stream.codec_context
        codec.thread_count = (
            1  # the cheapest in CPU time (0.33 s a UHD window; 2 frame threads 0.37, slices 0.46)
        )
        codec.options = DECODER_OPTIONS

    def close(self) -> None:
        """Closes the handle."""
        self._container.close()

    @property
    def duration_pts(self) -> int | None:
        """The duration that the headers claim, in ticks."""
        if self.stream.duration:
            return self.stream.duration
        if self._container.duration and self.stream.time_base:
            return int(self._container.duration / (av.time_base * self.stream.time_base))
        return None

    def packets_from(self, keyframe: int) -> Iterator[av.Packet]:
        """Packets in decoding order from the packet of the keyframe on."""
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
        """The last keyframe at or before `pts`, else the first of the film; None where there is none.

        The answer does not depend on what was asked before: containers without a full index learn keyframes as they
        are read, so the packets between a seek's landing place and `pts` are read for a nearer one.
        """
        self._scan(pts)
        at_or_before = [known for known in self._known if known <= pts]
        return max(at_or_before) if at_or_before else min(self._known, default=None)

    def keyframe_after(self, keyframe: int, until: int) -> int | None:
        """The first keyframe after the keyframe given, if it lies before `until`."""
        self._seek(keyframe)
        for packet in self._demux():
            pts = stamp(packet)
            if packet.is_keyframe and pts is not None and keyframe < pts:
                return pts if pts < until else None
            if packet.dts is not None and packet.dts >= until:
                return None
        return None

    def end(self) -> int:
        """The PTS at which the last frame ends."""
        start = self.stream.start_time or 0
        duration = self.duration_pts
        ends: list[int] = []
        for target in ([start + duration] if duration else []) + [start]:
            self._seek(target)
            for packet in self._demux():
                pts = stamp(packet)
                if pts is not None:
                    ends.append(pts + (packet.duration or 1))
            if ends:
                return max(ends)
        return start

    def _scan(self, pts: int) -> None:
        """Fills `_known` with the keyframes around `pts`."""
        if pts in self._scanned:
            return
        for _ in self._approach(pts):
            self._known = []
            for packet in self._demux():
                packet_pts = stamp(packet)
                if packet_pts is None:
                    continue
                if packet_pts > pts and self._known:
                    break
                if packet.is_keyframe:
                    self._known.append(packet_pts)
            if self._known and min(self._known) <= pts:
                break
        if self._known:
            self._scanned = range(
                max(k for k in self._known if k <= pts) if min(self._known) <= pts else pts, pts + 1
            )

    def _approach(self, pts: int) -> Iterator[None]:
        """Stands before `pts`, then further and further back: MPEG-TS seeks may land behind their target."""
        start = self.stream.start_time or 0
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
            self._container.seek(pts, stream=self.stream, backward=True)
        except av.FFmpegError:
            # Containers without an index may refuse to seek.
            self._rewind()

    def _rewind(self) -> None:
        """Opens the film anew: the one way to its first packet that every container knows."""
        self._container.close()
        self._open()

    def _demux(self) -> Iterator[av.Packet]:
        try:
            for packet in self._container.demux(self.stream):
                if packet.size:
                    yield packet
        except av.FFmpegError:
            # A truncated file ends where it can no longer be read.
            return


def stamp(packet: av.Packet) -> int | None:
    """The packet's PTS; its DTS where the container (AVI) stores no PTS."""
    return packet.pts if packet.pts is not None else packet.dts
