"""What a film is, found out before any window is taken: tags, geometry, active area, span; and refusals.

The result is a plain value; storing it belongs to `tables`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Literal, cast

import av
import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType

from dataset_assets.errors import VideoError
from dataset_assets.video.active_area import Bars, active_area, find_bars
from dataset_assets.video.colour import Colour, describe
from dataset_assets.video.combs import FieldOrder
from dataset_assets.video.decode import CorruptFrameError, FrameReader
from dataset_assets.video.geometry import FrameGeometry, Orientation, Rect
from dataset_assets.video.planes import luma_8bit, measure_chroma_location
from dataset_assets.video.scan import ScanSurvey

FRAMES_PER_WINDOW = 7
# Keyframes looked at for bars and interlacing; 12 UHD keyframes cost 1.5 CPU s at 44 Mbit/s, a window 0.9.
SAMPLES = 12
# A film with fewer keyframes is looked at inside its GOPs too: its one keyframe may be black.
MIN_SAMPLES = 4
IN_GOP_SAMPLES, IN_GOP_STEP = 3, 12
# Keyframes from the start on that are tried for sound frames.
MAX_HEAD_ATTEMPTS = 20
# Packets read at each sampled keyframe, without decoding, for the frame rate.
STAMPS = 32
# Time steps that differ by more than this are a variable frame rate; Matroska's whole milliseconds give 5 %.
# A container's average frame rate that is further off is none (FLV: 1000; a browser's recording: 30 for 21).
RATE_TOLERANCE = 0.2
FINGERPRINT_CHUNK_BYTES = 1 << 20
DOLBY_VISION_ONLY_TAGS = ("dvh1", "dvhe", "dva1", "dvav", "dav1")


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """A probed film.

    Attributes:
        path: The file.
        fingerprint: Size, modification time and hash of sampled content, see `is_same_source`.
        size_bytes: File size.
        container: FFmpeg's short name of the container.
        codec: Codec name.
        profile: Codec profile, or None.
        geometry: Coded size, pixel shape, orientation.
        colour: Colour tags, guesses filled in.
        active: Working-frame rectangle inside the black bars.
        frame_rate: Average frames per second.
        time_base: Seconds per PTS tick.
        start_pts: PTS of the first frame.
        end_pts: PTS at which the last frame ends.
        vfr: Whether the frame rate varies.
        interlaced: Whether it is deinterlaced: most places where something moves show combs, or nothing moves
            and most sampled frames are flagged.
        field_order: Which field is the earlier one, as measured; None where it is not interlaced, or nothing
            moves.
        max_cll: MaxCLL in nits, 0 where absent.
        mastering_max_nits: Maximum luminance of the mastering display, 0 where absent.
        warnings: What was guessed or ignored, a sentence each.
    """

    path: Path
    fingerprint: str
    size_bytes: int
    container: str
    codec: str
    profile: str | None
    geometry: FrameGeometry
    colour: Colour
    active: Rect
    frame_rate: Fraction
    time_base: Fraction
    start_pts: int
    end_pts: int
    vfr: bool
    interlaced: bool
    field_order: FieldOrder | None
    max_cll: int
    mastering_max_nits: float
    warnings: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """Length of the film in seconds."""
        return float((self.end_pts - self.start_pts) * self.time_base)

    @property
    def frame_ticks(self) -> int:
        """Ticks that a frame lasts on average, at least 1."""
        return max(1, round(1 / (self.frame_rate * self.time_base)))

    @property
    def max_step(self) -> int | None:
        """Ticks; between frames further apart others are missing. None for a variable frame rate."""
        return None if self.vfr else self.frame_ticks * 3 // 2


def probe(path: Path, *, interlaced: Literal["refuse", "deinterlace"] = "refuse") -> VideoInfo:
    """Probes a film.

    Args:
        path: The file.
        interlaced: What is done with interlaced films.

    Returns:
        What was found.

    Raises:
        VideoError: The film cannot be read, or must not be used.
    """
    with FrameReader(path) as reader:
        end_pts = reader.end()
        survey = ScanSurvey()
        head, last, head_warnings = _first_frames(reader, end_pts, survey)
        start_pts = int(head.pts or 0)
        codec = reader.stream.codec_context
        survey.refuse_field_pictures(codec.name, head)
        _refuse_dolby_vision_without_base(reader.stream.codec_tag, head)
        max_cll, mastering_max_nits = _static_hdr_metadata(head)
        colour, warnings = describe(
            head, max_cll, mastering_max_nits, measure_chroma_location(last, codec.name)
        )
        del last
        geometry = _geometry(reader.stream, head)
        keyframes = _spread_keyframes(reader, start_pts, end_pts)
        samples = _Samples(geometry)
        bars = find_bars(
            samples.lumas(chain([head], _sampled_frames(reader, keyframes))), full_range=colour.full_range
        )
        survey.look_around(reader, keyframes, geometry.coded_height, is_flagged=samples.is_interlaced)
        scan = survey.verdict(interlaced, is_flagged=samples.is_interlaced)
        active, active_warnings = _active_area(bars, geometry)
        frame_rate, is_vfr, rate_warnings = _frame_rate(reader, keyframes)
        return VideoInfo(
            path=path,
            fingerprint=fingerprint(path),
            size_bytes=path.stat().st_size,
            container=reader.stream.container.format.name.split(",")[0],
            codec=codec.name,
            profile=reader.stream.profile,
            geometry=geometry,
            colour=colour,
            active=active,
            frame_rate=frame_rate,
            time_base=reader.time_base,
            start_pts=start_pts,
            end_pts=end_pts,
            vfr=is_vfr,
            interlaced=scan.interlaced,
            field_order=scan.field_order,
            max_cll=max_cll,
            mastering_max_nits=mastering_max_nits,
            warnings=(*head_warnings, *warnings, *scan.warnings, *active_warnings, *rate_warnings),
        )


def fingerprint(path: Path) -> str:
    """Tells a file's content: `<size>-<modification time in ns>-<hash of its start, middle and end>`."""
    stat = path.stat()
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        for offset in (0, stat.st_size // 2, max(0, stat.st_size - FINGERPRINT_CHUNK_BYTES)):
            file.seek(offset)
            digest.update(file.read(FINGERPRINT_CHUNK_BYTES))
    return f"{stat.st_size}-{stat.st_mtime_ns}-{digest.hexdigest()}"


def is_same_source(known: str, path: Path) -> bool:
    """Whether a file still has the content that a fingerprint tells; True where it is gone.

    Only where size is equal and the modification time is not (a copy, a restored backup) is the file read.
    """
    try:
        stat = path.stat()
        size_bytes, modified_ns, content = known.split("-")
        if int(size_bytes) != stat.st_size:
            return False
        return int(modified_ns) == stat.st_mtime_ns or fingerprint(path).split("-")[2] == content
    except (OSError, ValueError):
        return not path.exists()


def same_content(one: str, other: str) -> bool:
    """Whether two fingerprints tell the same content, whatever the files' times."""
    return one.split("-")[::2] == other.split("-")[::2]


def _first_frames(
    reader: FrameReader, end_pts: int, survey: ScanSurvey
) -> tuple[av.VideoFrame, av.VideoFrame, list[str]]:
    """First and last of the first 7 sound frames in a row; a warning where the film starts before them."""
    keyframe = reader.keyframe_at(reader.stream.start_time or 0)
    if keyframe is None:
        raise VideoError(
            "its video has no readable frame with a time stamp; if it is a raw H.264 or HEVC stream, put it "
            "into a container with `mkvmerge -o film.mkv FILE`, else replace the file"
        )
    first_keyframe, damage, most = keyframe, "", 0
    for _ in range(MAX_HEAD_ATTEMPTS):
        head: av.VideoFrame | None = None
        sound = 0
        try:
            for frame in survey.watch(islice(reader.frames(keyframe, keyframe), FRAMES_PER_WINDOW)):
                # The others between them are let go: 25 MB each of UHD.
                head, last, sound = head or frame, frame, sound + 1
        except CorruptFrameError as error:
            damage = damage or str(error)
        if head is not None and sound == FRAMES_PER_WINDOW:
            skipped_s = float((keyframe - first_keyframe) * reader.time_base)
            warning = f"its first {skipped_s:.1f} s cannot be decoded ({damage}) and are left out"
            return head, last, [warning] if damage else []
        most = max(most, sound)
        following = reader.keyframe_after(keyframe, end_pts)
        if following is None:
            break
        keyframe = following
    if damage:
        raise VideoError(f"its first frames cannot be decoded ({damage}); replace the file")
    raise VideoError(
        f"it has only {most} readable frames in a row at its start and a window needs {FRAMES_PER_WINDOW}; "
        "remove it from the configuration or replace the file"
    )


def _spread_keyframes(reader: FrameReader, start_pts: int, end_pts: int) -> list[int]:
    places = (start_pts + (end_pts - start_pts) * index // SAMPLES for index in range(SAMPLES))
    keyframes = (reader.keyframe_at(place) for place in places)
    return sorted({keyframe for keyframe in keyframes if keyframe is not None})


class _Samples:
    """Looks at frames on their way to the search for bars, so that none has to be kept."""

    def __init__(self, geometry: FrameGeometry) -> None:
        self._size = (geometry.coded_width, geometry.coded_height)
        self._count = self._interlaced = 0

    @property
    def is_interlaced(self) -> bool:
        """Whether most frames so far are flagged as interlaced."""
        return self._interlaced * 2 > self._count

    def lumas(self, frames: Iterable[av.VideoFrame]) -> Iterator[npt.NDArray[np.uint8]]:
        """The luma of the frames that have the film's size."""
        for frame in frames:
            self._count += 1
            self._interlaced += frame.interlaced_frame
            if (frame.width, frame.height) == self._size:
                yield luma_8bit(frame)


def _sampled_frames(reader: FrameReader, keyframes: Sequence[int]) -> Iterator[av.VideoFrame]:
    """Frames spread over the film, few to decode."""
    count = 1 if len(keyframes) >= MIN_SAMPLES else IN_GOP_SAMPLES
    for keyframe in keyframes:
        if count == 1 and (picture := reader.keyframe_picture(keyframe)) is not None:
            yield picture
            continue
        # A damaged GOP gives what it has.
        with suppress(CorruptFrameError):
            frames = islice(reader.frames(keyframe, keyframe), (count - 1) * IN_GOP_STEP + 1)
            yield from islice(frames, None, None, IN_GOP_STEP)


def _frame_rate(reader: FrameReader, keyframes: Sequence[int]) -> tuple[Fraction, bool, list[str]]:
    """Average frames per second, whether it varies, and a warning where the container claims another one."""
    steps = np.concatenate([np.diff(reader.stamps(keyframe, STAMPS)) for keyframe in keyframes])
    measured = float(1 / (np.mean(steps) * float(reader.time_base)))
    is_vfr = bool(np.ptp(steps) > RATE_TOLERANCE * np.median(steps) + 1)
    claimed = reader.stream.average_rate
    if claimed and abs(float(claimed) - measured) <= RATE_TOLERANCE * measured:
        return claimed, is_vfr, []
    warning = f"its container claims {float(claimed or 0):g} frames per second, {measured:.2f} were measured"
    return Fraction(measured).limit_denominator(1001), is_vfr, [warning]


def _geometry(stream: av.VideoStream, frame: av.VideoFrame) -> FrameGeometry:
    sar = stream.sample_aspect_ratio
    matrix = _side_data(frame, SideDataType.DISPLAYMATRIX)
    orientation = Orientation.from_display_matrix(matrix) if matrix else Orientation()
    return FrameGeometry(frame.width, frame.height, sar if sar and sar > 0 else Fraction(1), orientation)


def _active_area(bars: Bars | None, geometry: FrameGeometry) -> tuple[Rect, list[str]]:
    if bars is None:
        return geometry.working_rect, ["every sampled frame is black: no black bars looked for"]
    return active_area(bars, geometry), []


def _static_hdr_metadata(frame: av.VideoFrame) -> tuple[int, float]:
    """MaxCLL and the mastering display's maximum, in nits, 0 where absent."""
    light = _side_data(frame, SideDataType.CONTENT_LIGHT_LEVEL)
    mastering = _side_data(frame, SideDataType.MASTERING_DISPLAY_METADATA)
    max_cll = struct.unpack_from("=I", light)[0] if light else 0
    max_nits = 0.0
    if mastering:
        # AVMasteringDisplayMetadata: 3 x 2 primaries, 2 white point, minimum and maximum luminance as
        # AVRationals. Its flag has_luminance is off for nonsense, which is to be reported.
        values = struct.unpack_from("=22i", mastering)
        numerator, denominator = values[18], values[19]
        max_nits = numerator / denominator if denominator else 0.0
    return max_cll, max_nits


def _refuse_dolby_vision_without_base(codec_tag: str, frame: av.VideoFrame) -> None:
    """Refuses Dolby Vision whose base layer is not HDR10, HLG or SDR (profile 5, and 10.0 in AV1)."""
    rpu = _side_data(frame, SideDataType.DOVI_METADATA)
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
            "wrong; use an HDR10 or SDR version of the film"
        )


def _side_data(frame: av.VideoFrame, kind: SideDataType) -> bytes | None:
    # PyAV's stubs know the names as keys only, and the members stand for them.
    found = cast("Mapping[SideDataType, SideData]", frame.side_data).get(kind)
    return None if found is None else bytes(found)
