"""What a film is, found out before any window is taken: tags, geometry, active area, span; and refusals.

The result is a plain value; storing it belongs to `tables`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType

from dataset_assets.errors import VideoError
from dataset_assets.video.active_area import active_area, find_bars
from dataset_assets.video.colour import Colour, describe
from dataset_assets.video.decode import CorruptFrameError, FrameReader
from dataset_assets.video.geometry import FrameGeometry, Orientation, Rect
from dataset_assets.video.render import luma_8bit

FRAMES_PER_WINDOW = 7
# Keyframes looked at for bars and interlacing; 12 UHD keyframes cost 0.5 CPU s, a window 0.4.
SAMPLES = 12
# Time steps that differ by more than this are a variable frame rate; Matroska's whole milliseconds alone give 5 %.
VFR_TOLERANCE = 0.2
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
        interlaced: Whether most sampled frames are flagged as interlaced.
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
        first = _first_frames(reader)
        head = first[0]
        _refuse_dolby_vision_without_base(reader.stream.codec_tag, head)
        max_cll, mastering_max_nits = _static_hdr_metadata(head)
        colour, warnings = describe(head, max_cll, mastering_max_nits)
        start_pts, end_pts = int(head.pts or 0), reader.end()
        samples = [head, *_spread_keyframes(reader, start_pts, end_pts)]
        is_interlaced = sum(frame.interlaced_frame for frame in samples) * 2 > len(samples)
        if is_interlaced and interlaced == "refuse":
            raise VideoError(
                "it is interlaced, which would put combs into patches; set base_settings.interlaced to "
                '"deinterlace" or remove it from the configuration'
            )
        sar = reader.stream.sample_aspect_ratio or Fraction(1)
        matrix = head.side_data.get(SideDataType.DISPLAYMATRIX)
        orientation = Orientation.from_display_matrix(bytes(matrix)) if matrix else Orientation()
        geometry = FrameGeometry(head.width, head.height, sar if sar > 0 else Fraction(1), orientation)
        active, active_warnings = _active_area(samples, geometry, colour)
        rate = reader.stream.average_rate or reader.stream.guessed_rate or Fraction(25)
        return VideoInfo(
            path=path,
            fingerprint=fingerprint(path),
            size_bytes=path.stat().st_size,
            container=reader.stream.container.format.name.split(",")[0],
            codec=reader.stream.codec_context.name,
            profile=reader.stream.profile,
            geometry=geometry,
            colour=colour,
            active=active,
            frame_rate=rate,
            time_base=reader.time_base,
            start_pts=start_pts,
            end_pts=end_pts,
            vfr=_is_vfr(first, float(1 / (rate * reader.time_base))),
            interlaced=is_interlaced,
            max_cll=max_cll,
            mastering_max_nits=mastering_max_nits,
            warnings=(*warnings, *active_warnings),
        )


def fingerprint(path: Path) -> str:
    """Tells a file's content: `<size>-<modification time in ns>-<hash of three mebibytes: start, middle, end>`."""
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


def _first_frames(reader: FrameReader) -> list[av.VideoFrame]:
    keyframe = reader.keyframe_at(reader.stream.start_time or 0)
    if keyframe is None:
        raise VideoError(
            "its video has no readable frame with a time stamp; if it is a raw H.264 or HEVC stream, put it into a "
            "container with `mkvmerge -o film.mkv FILE`, else replace the file"
        )
    frames: list[av.VideoFrame] = []
    try:
        frames.extend(islice(reader.frames(keyframe, keyframe), FRAMES_PER_WINDOW))
    except CorruptFrameError as error:
        if not frames:
            raise VideoError(f"its first frames cannot be decoded ({error}); replace the file") from error
    if len(frames) < FRAMES_PER_WINDOW:
        raise VideoError(
            f"it has only {len(frames)} readable frames at its start and a window needs {FRAMES_PER_WINDOW}; "
            "remove it from the configuration or replace the file"
        )
    return frames


def _spread_keyframes(reader: FrameReader, start_pts: int, end_pts: int) -> list[av.VideoFrame]:
    frames: dict[int, av.VideoFrame] = {}
    for index in range(1, SAMPLES):
        keyframe = reader.keyframe_at(start_pts + (end_pts - start_pts) * index // SAMPLES)
        if keyframe is None or keyframe in frames:
            continue
        try:
            frame = next(reader.frames(keyframe, keyframe), None)
        except CorruptFrameError:
            continue
        if frame is not None:
            frames[keyframe] = frame
    return list(frames.values())


def _active_area(
    samples: Sequence[av.VideoFrame], geometry: FrameGeometry, colour: Colour
) -> tuple[Rect, list[str]]:
    same_size = [f for f in samples if (f.width, f.height) == (geometry.coded_width, geometry.coded_height)]
    bars = find_bars([luma_8bit(frame) for frame in same_size], full_range=colour.full_range)
    if bars is None:
        return geometry.working_rect, ["every sampled frame is black: no black bars looked for"]
    return active_area(bars, geometry), []


def _static_hdr_metadata(frame: av.VideoFrame) -> tuple[int, float]:
    """MaxCLL and the mastering display's maximum, in nits, 0 where absent."""
    light = frame.side_data.get(SideDataType.CONTENT_LIGHT_LEVEL)
    mastering = frame.side_data.get(SideDataType.MASTERING_DISPLAY_METADATA)
    max_cll = struct.unpack_from("=I", bytes(light))[0] if light else 0
    max_nits = 0.0
    if mastering:
        # AVMasteringDisplayMetadata: 3 x 2 primaries, 2 white point, minimum and maximum luminance as AVRationals,
        # then has_primaries and has_luminance.
        values = struct.unpack_from("=22i", bytes(mastering))
        numerator, denominator, has_luminance = values[18], values[19], values[21]
        max_nits = numerator / denominator if has_luminance and denominator else 0.0
    return max_cll, max_nits


def _refuse_dolby_vision_without_base(codec_tag: str, frame: av.VideoFrame) -> None:
    """Refuses Dolby Vision whose base layer is not HDR10, HLG or SDR (profile 5, and 10.0 in AV1)."""
    rpu = frame.side_data.get(SideDataType.DOVI_METADATA)
    has_profile_5_rpu = False
    if rpu:
        # AVDOVIMetadata starts with the offset of AVDOVIRpuDataHeader; of that: vdr_rpu_profile, bl_video_full_range_flag.
        (header,) = struct.unpack_from("@N", bytes(rpu))
        rpu_profile, full_range = bytes(rpu)[header + 4], bytes(rpu)[header + 10]
        has_profile_5_rpu = rpu_profile == 0 and full_range == 1
    if codec_tag in DOLBY_VISION_ONLY_TAGS or has_profile_5_rpu:
        raise VideoError(
            "it is Dolby Vision without an HDR10-compatible base layer (profile 5) and its colours would be wrong; "
            "use an HDR10 or SDR version of the film"
        )


def _is_vfr(frames: Sequence[av.VideoFrame], average_ticks: float) -> bool:
    """Whether the first frames are unevenly spaced, or spaced otherwise than the film's average."""
    steps = np.diff(np.array([frame.pts for frame in frames], np.int64))
    tolerance = VFR_TOLERANCE * np.median(steps) + 1
    return bool(np.ptp(steps) > tolerance or abs(np.median(steps) - average_ticks) > tolerance)
