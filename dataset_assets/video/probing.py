"""Probe a film before any window is made: tags, geometry, active area, span; and refusals.

The result is a plain value. Not here: storing it (`tables`).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import Literal

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType

from dataset_assets.addresses import FilmPath
from dataset_assets.errors import LEAVE_OUT, VideoError
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video.active_area import Bars, active_area
from dataset_assets.video.colour import Colour, describe
from dataset_assets.video.combs import FieldOrder
from dataset_assets.video.containers import Part
from dataset_assets.video.decode import CorruptFrameError, FrameReader
from dataset_assets.video.encryption import refuse_encrypted
from dataset_assets.video.fingerprint import Fingerprint
from dataset_assets.video.geometry import FrameGeometry, Orientation, Rect
from dataset_assets.video.hidden import hidden_lines
from dataset_assets.video.opening import no_frame
from dataset_assets.video.packets import PacketReader
from dataset_assets.video.parameters import FrameParameters, static_hdr_metadata
from dataset_assets.video.parts import find_parts
from dataset_assets.video.planes import measure_chroma_location
from dataset_assets.video.samples import look_at_samples
from dataset_assets.video.scan import ScanSurvey
from dataset_assets.video.side_data import frame_side_data
from dataset_assets.video.stereo import refuse_both_eyes
from dataset_assets.video.survey import RATE_TOLERANCE, Survey, survey
from dataset_assets.video.timeline import Extent, Timeline
from dataset_assets.video.true_resolution import TrueResolution, measure

# Keyframes from the start on that are tried for sound frames.
MAX_HEAD_ATTEMPTS = 20
DOLBY_VISION_ONLY_TAGS = ("dvh1", "dvhe", "dva1", "dvav", "dav1")


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """A probed film.

    Attributes:
        path: The file.
        fingerprint: Of the file when it was probed.
        size_bytes: File size.
        container: FFmpeg's short name of the container.
        codec: The codec in FFmpeg's words, such as hevc or av1.
        profile: Codec profile, or None.
        geometry: Coded size, pixel shape, orientation.
        colour: Colour tags, guesses filled in.
        parameters: What each frame of a window must have.
        active: Working-frame rectangle inside the black bars.
        true_resolution: The size that it had before it was enlarged; None where that could not be measured.
        frame_rate: Average frames per second.
        time_base: Seconds per PTS tick.
        parts: Its parts where its clock is set back, else none.
        timeline: Where it has frames.
        vfr: Whether the frame rate varies.
        interlaced: Whether it is deinterlaced: most places where something moves show combs, or nothing moves
            and most sampled frames are flagged.
        field_order: Which field is the earlier one, as measured; None where it is not interlaced, or nothing
            moves.
        max_cll: MaxCLL in nits, 0 where absent.
        mastering_max_nits: Maximum luminance of the mastering display, 0 where absent.
        warnings: What was guessed or ignored, one message each.
    """

    path: FilmPath
    fingerprint: Fingerprint
    size_bytes: int
    container: str
    codec: str
    profile: str | None
    geometry: FrameGeometry
    colour: Colour
    parameters: FrameParameters
    active: Rect
    true_resolution: TrueResolution | None
    frame_rate: Fraction
    time_base: Fraction
    parts: tuple[Part, ...]
    timeline: Timeline
    vfr: bool
    interlaced: bool
    field_order: FieldOrder | None
    max_cll: int
    mastering_max_nits: float
    warnings: tuple[str, ...]

    @property
    def is_enlarged(self) -> bool:
        """Whether the film holds less than its full working frame, as far as that is sure."""
        held = self.true_resolution
        return held is not None and held.is_sure and self.geometry.share_held((held.width, held.height)) < 1

    @property
    def start_pts(self) -> int:
        """PTS of the first frame."""
        return self.timeline.start

    @property
    def end_pts(self) -> int:
        """PTS at which the last frame ends."""
        return self.timeline.end

    @property
    def duration_s(self) -> float:
        """Length of the film in seconds, gaps in its time stamps left out."""
        return float(self.timeline.length * self.time_base)

    @property
    def frame_ticks(self) -> int:
        """Ticks that a frame lasts on average, at least 1."""
        return max(1, round(1 / (self.frame_rate * self.time_base)))

    @property
    def extent(self) -> Extent:
        """What candidates for windows are placed in."""
        return Extent(self.timeline.spans, self.frame_ticks)

    @property
    def max_step(self) -> int | None:
        """Ticks; between frames further apart others are missing. None for a variable frame rate."""
        return None if self.vfr else self.frame_ticks * 3 // 2


def probe(
    path: FilmPath,
    *,
    interlaced: Literal["refuse", "deinterlace"] = "refuse",
    working_size: Literal["coded", "native"] = "coded",
) -> VideoInfo:
    """Probe a film.

    Args:
        path: The file.
        interlaced: What is done with interlaced films.
        working_size: Whether the working frame follows from the coded size alone, or is no larger than what a
            film holds.

    Returns:
        What was found.

    Raises:
        VideoError: The film cannot be read, or must not be used.
    """
    try:
        with closing(PacketReader(path)) as whole_file:
            encryption_warnings = refuse_encrypted(path, whole_file.stream)
            parts, part_warnings = find_parts(path, whole_file)
        with FrameReader(path, parts=parts) as reader:
            warnings = (*encryption_warnings, *part_warnings)
            return _probe(reader, path, parts, interlaced, working_size, warnings)
    except av.FFmpegError as error:
        raise VideoError(f"it cannot be read as a film ({error.strerror})", "replace the file") from error


def _probe(
    reader: FrameReader,
    path: FilmPath,
    parts: tuple[Part, ...],
    interlaced: Literal["refuse", "deinterlace"],
    working_size: Literal["coded", "native"],
    warnings: Sequence[str],
) -> VideoInfo:
    whole = Timeline(tuple(reader.spans()))
    scans = ScanSurvey()
    head, scratch, head_warnings = _first_frames(reader, whole, scans)
    whole = whole.from_pts(int(head.pts or 0))
    codec = reader.stream.codec_context
    scans.refuse_field_pictures(codec.name, head)
    _refuse_dolby_vision_without_base(reader.stream.codec_tag, head)
    refuse_both_eyes(reader.stream, head)
    hidden, hidden_warnings = hidden_lines(reader.stream)
    found = survey(reader, whole)
    samples = look_at_samples(reader, head, found.keyframes, hidden)
    if samples.first is not head:
        head, scratch = samples.first, samples.first
    max_cll, mastering_max_nits = static_hdr_metadata(head)
    geometry = _geometry(head, reader.container_sar or samples.parameters.sar)
    colour, colour_warnings = describe(head, max_cll, mastering_max_nits, container=reader.container_codes)
    # The last use of the frame, since it is overwritten.
    colour = replace(colour, chroma_location=measure_chroma_location(scratch, codec.name))
    is_flagged = samples.is_flagged_interlaced
    scans.look_around(reader, found.keyframes, geometry.coded_height, is_flagged=is_flagged)
    scan = scans.verdict(interlaced, is_flagged=is_flagged)
    inside = (samples.bars or Bars(0, 0, 0, 0)).beside(hidden)
    resolution = measure(samples.lines, inside, codec.codec.canonical_name, interlaced=scan.interlaced)
    if working_size == "native" and resolution is not None and resolution.is_sure:
        geometry = replace(geometry, held=(resolution.width, resolution.height))
    active, active_warnings = _active_area(samples.bars, hidden, geometry)
    frame_rate, rate_warnings = _frame_rate(reader, found)
    fingerprint = Fingerprint.of(path)
    return VideoInfo(
        path=path,
        fingerprint=fingerprint,
        size_bytes=fingerprint.size_bytes,
        container=reader.stream.container.format.name.split(",")[0],
        # AV1, and not the name of its decoder, libdav1d.
        codec=codec.codec.canonical_name,
        profile=reader.stream.profile,
        geometry=geometry,
        colour=colour,
        parameters=samples.parameters,
        active=active,
        true_resolution=resolution,
        frame_rate=frame_rate,
        time_base=reader.time_base,
        parts=parts,
        timeline=found.timeline,
        vfr=found.varies,
        interlaced=scan.interlaced,
        field_order=scan.field_order,
        max_cll=max_cll,
        mastering_max_nits=mastering_max_nits,
        warnings=(
            *reader.warnings,
            *warnings,
            *head_warnings,
            *colour_warnings,
            *samples.warnings,
            *scan.warnings,
            *hidden_warnings,
            *active_warnings,
            *rate_warnings,
            *_gap_warnings(whole, found.timeline, reader.time_base),
        ),
    )


def _first_frames(
    reader: FrameReader, whole: Timeline, scans: ScanSurvey
) -> tuple[av.VideoFrame, av.VideoFrame, list[str]]:
    """First and last of the first 7 sound frames in a row; a warning where the film starts before them."""
    keyframe = reader.keyframe_at(whole.start)
    if keyframe is None:
        raise no_frame(reader.stream.container.format.name)
    first_keyframe, damage, most = keyframe, "", 0
    for _ in range(MAX_HEAD_ATTEMPTS):
        head: av.VideoFrame | None = None
        sound = 0
        try:
            for frame in scans.watch(islice(reader.frames(keyframe, keyframe), FRAMES_PER_WINDOW)):
                # The others between them are let go: 25 MB each of UHD.
                head, last, sound = head or frame, frame, sound + 1
        except CorruptFrameError as error:
            damage = damage or str(error)
        if head is not None and sound == FRAMES_PER_WINDOW:
            skipped_s = float((keyframe - first_keyframe) * reader.time_base)
            warning = f"its first {skipped_s:.1f} s cannot be decoded ({damage}) and are left out"
            return head, last, [warning] if damage else []
        most = max(most, sound)
        following = reader.keyframe_after(keyframe, whole.end)
        if following is None:
            break
        keyframe = following
    if damage:
        raise VideoError(f"its first frames cannot be decoded ({damage})", "replace the file")
    raise VideoError(
        f"it has only {most} readable frames in a row at its start and a window needs {FRAMES_PER_WINDOW}",
        f"{LEAVE_OUT} or replace the file",
    )


def _frame_rate(reader: FrameReader, found: Survey) -> tuple[Fraction, list[str]]:
    """Average frames per second, and a warning where the container claims another one.

    What a container claims that is further off than `RATE_TOLERANCE` is none: FLV claims 1000, a browser's
    recording 30 for 21.
    """
    measured = float(1 / (np.mean(found.steps) * float(reader.time_base)))
    claimed = reader.stream.average_rate
    if claimed and abs(float(claimed) - measured) <= RATE_TOLERANCE * measured:
        return claimed, []
    warning = f"its container claims {float(claimed or 0):g} frames per second, {measured:.2f} were measured"
    return Fraction(measured).limit_denominator(1001), [warning]


def _gap_warnings(whole: Timeline, found: Timeline, time_base: Fraction) -> list[str]:
    gaps = len(found.spans) - len(whole.spans)
    skipped_s = float((whole.length - found.length) * time_base)
    counted = "a gap" if gaps == 1 else f"{gaps} gaps"
    return [f"its time stamps have {counted}, {skipped_s:.1f} s without a frame"] if gaps else []


def _geometry(frame: av.VideoFrame, sar: Fraction) -> FrameGeometry:
    matrix = frame_side_data(frame, SideDataType.DISPLAYMATRIX)
    orientation = Orientation.from_display_matrix(matrix) if matrix else Orientation()
    return FrameGeometry(frame.width, frame.height, sar if sar > 0 else Fraction(1), orientation)


def _active_area(bars: Bars | None, hidden: Bars, geometry: FrameGeometry) -> tuple[Rect, list[str]]:
    """Return the area inside the bars of the lines that are shown, never outside these."""
    shown = active_area(hidden, geometry)
    if bars is None:
        return shown, ["every sampled frame is black: no black bars looked for"]
    inside = active_area(bars.beside(hidden), geometry)
    return inside if shown.contains(inside) else shown, []


def _refuse_dolby_vision_without_base(codec_tag: str, frame: av.VideoFrame) -> None:
    """Refuse Dolby Vision whose base layer is not HDR10, HLG or SDR (profile 5, and 10.0 in AV1)."""
    rpu = frame_side_data(frame, SideDataType.DOVI_METADATA)
    if rpu is None:
        is_refused = codec_tag in DOLBY_VISION_ONLY_TAGS
    else:
        # AVDOVIMetadata starts with the offset of AVDOVIRpuDataHeader; in that, byte 4 is vdr_rpu_profile and
        # byte 10 bl_video_full_range_flag. Profiles 7 and 8 have RPU profile 1.
        (header,) = struct.unpack_from("@N", rpu)
        is_refused = rpu[header + 4] == 0 and rpu[header + 10] == 1
    if is_refused:
        raise VideoError(
            "it is Dolby Vision without an HDR10-compatible base layer (profile 5) and its colours would be "
            "wrong",
            "use an HDR10 or SDR version of the film",
        )
