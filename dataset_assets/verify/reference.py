"""The reference conversion: one frame of a film as the bundled ffmpeg's command line decodes and converts it.

It shares no decoding, colour or geometry code with what makes patches, so that it detects mistakes there. Two
commands: one decodes the frame and reports its tags and pixel shape, the other converts it. Not here:
comparing patches with it (`outside`).
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from dataset_assets.video import CONTAINERS

Picture = npt.NDArray[np.uint8]

# Seconds before the frame that are sought, one after the other. Two, since the frames of an open GOP need the
# one before it; more, since a seek may land behind the frame's keyframe where there is no full index.
LEADS_S: Final = (2.0, 12.0, 60.0)
# Seconds from the film's start on within which a frame is also looked for without seeking.
START_S: Final = 60.0
# The longer side of a working frame, and how far pixels that count as square are from it.
LONGEST_SIDE: Final = 1920
NEGLIGIBLE_SAR_ERROR: Final = Fraction(1, 100)
HDR_TRANSFERS: Final = ("smpte2084", "arib-std-b67")
WIDE_PRIMARIES: Final = ("bt2020", "smpte431", "smpte432")
# Else a frame whose tags differ from those of the first that was decoded would be converted to these.
DESCRIBE: Final = "showinfo=checksum=0,setparams=colorspace=unknown"
UNSPECIFIED: Final = ("unknown", "reserved", "")
SD_SIZE: Final = (1024, 576)
# Nits outside of these are no peak of an HDR picture; libavfilter's own default is 10 times 100.
PLAUSIBLE_NITS: Final = (100.0, 10_000.0)
DEFAULT_PEAK: Final = 10.0

# Containers without a pixel shape of their own.
_STREAM_SAR = re.compile(r"^Input #0, (mpegts|mpeg|mpegvideo|wtv)\b", re.MULTILINE)
_SAR = re.compile(r": Video: .*\[SAR (\d+):(\d+) ")
_STREAM = re.compile(r"^  Stream #0:(\d+) -> #0:0 ", re.MULTILINE)
_FRAME = re.compile(r" fmt:(\S+)(?: cl:(\S+))? sar:(\d+)/(\d+) s:(\d+)x(\d+) ")
_TAGS = re.compile(
    r"color_range:([a-z]+) color_space:([a-z0-9-]+) color_primaries:([a-z0-9-]+) color_trc:([a-z0-9-]+)"
)
_MAX_CLL = re.compile(r"MaxCLL=(\d+)")
_MASTERING = re.compile(r"max_luminance=([0-9.]+)")


class NoReferenceError(Exception):
    """ffmpeg's command line cannot give the frame; the message explains why."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Colour tags by FFmpeg's names; `unknown` where there are none."""

    matrix: str = "unknown"
    primaries: str = "unknown"
    transfer: str = "unknown"
    range: str = "unknown"

    def or_else(self, other: Tags) -> Tags:
        """Fill in what is unspecified."""
        mine, others = ((each.matrix, each.primaries, each.transfer, each.range) for each in (self, other))
        return Tags(*(b if a in UNSPECIFIED else a for a, b in zip(mine, others, strict=True)))


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A frame, upright, as ffmpeg's command line decodes it.

    Attributes:
        samples: The planes, as rawvideo.
        pix_fmt: Its pixel format.
        width: In pixels.
        height: In pixels.
        sar: Width of a pixel over its height.
        tags: The frame's colour tags; the container's where it has none.
        chroma_location: Where chroma lies.
        peak: Of an HDR signal, in units of 100 nits.
        stream: Index of the stream that ffmpeg chose.
    """

    samples: bytes
    pix_fmt: str
    width: int
    height: int
    sar: Fraction
    tags: Tags
    chroma_location: str
    peak: float
    stream: int

    @property
    def working_size(self) -> tuple[int, int]:
        """Width and height of the working frame: square pixels, never enlarged, at most 1920."""
        sar = self.sar if abs(self.sar - 1) >= NEGLIGIBLE_SAR_ERROR else Fraction(1)
        width, height = self.width * min(Fraction(1), sar), self.height * min(Fraction(1), 1 / sar)
        shrink = min(Fraction(1), LONGEST_SIDE / max(width, height))
        return round(width * shrink), round(height * shrink)

    @property
    def is_hdr(self) -> bool:
        """Whether the picture has to be tone-mapped."""
        return self.tags.transfer in HDR_TRANSFERS


def decodings(film: Path, pts: int, time_base: Fraction, start_pts: int) -> Iterator[DecodedFrame]:
    """Decode one frame, beginning at several places.

    Args:
        film: The film.
        pts: The frame's PTS.
        time_base: Seconds a tick.
        start_pts: PTS of the film's first frame.

    Yields:
        The frame, once for each place from which ffmpeg comes to a frame of this PTS. They are the same but
        where the clock of a transport stream jumps: there frames may share a PTS.
    """
    time_s = float(pts * time_base)
    seeks = [_seek(time_s - lead_s) for lead_s in LEADS_S]
    if time_s - float(start_pts * time_base) <= START_S:
        seeks.append([])
    for seek in seeks:
        done = _ffmpeg(
            "-copyts",
            *seek,
            *_input(film),
            *("-vf", f"trim=start_pts={pts}:end_pts={pts + 1},{DESCRIBE}", "-an", "-sn", "-dn"),
            *("-fps_mode", "passthrough", "-noautoscale", "-frames:v", "1", "-f", "rawvideo", "pipe:1"),
        )
        if done.stdout:
            log = done.stderr.decode(errors="replace")
            frame = _described(done.stdout, log)
            sar = _sar_in_stream(film, frame.stream, time_s) if _STREAM_SAR.search(log) else None
            yield replace(frame, sar=sar) if sar else frame


def _ffmpeg(*arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", *arguments]
    return subprocess.run(command, input=given or b"", capture_output=True, check=False)


def _seek(time_s: float) -> list[str]:
    return ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", f"{time_s:.6f}"]


def _input(film: Path) -> list[str]:
    # A working frame holds the lines that the container hides; crops lie inside of what it shows.
    limits = ["-protocol_whitelist", "file", "-format_whitelist", CONTAINERS, "-apply_cropping", "codec"]
    return [*limits, "-i", str(film)]


def _sar_in_stream(film: Path, stream: int, time_s: float) -> Fraction | None:
    """Return the pixel shape of the stream at a time; ffmpeg takes that of the film's start for all of it."""
    copy = ["-map", f"0:{stream}", "-c", "copy", "-frames:v", "4", "-f", "mpegts", "pipe:1"]
    part = _ffmpeg("-copyts", *_seek(time_s), *_input(film), *copy).stdout
    found = _SAR.search(_ffmpeg("-i", "pipe:0", given=part).stderr.decode(errors="replace")) if part else None
    return Fraction(int(found[1]), int(found[2])) if found and int(found[2]) else None


def _described(samples: bytes, log: str) -> DecodedFrame:
    frame, tags, stream = _FRAME.search(log), _TAGS.search(log), _STREAM.search(log)
    if frame is None or tags is None or stream is None:
        raise NoReferenceError("this ffmpeg describes frames in another way")
    range_, matrix, primaries, transfer = tags.groups()
    pix_fmt, location, sar_width, sar_height, width, height = frame.groups()
    sar = Fraction(int(sar_width), int(sar_height)) if int(sar_width) and int(sar_height) else Fraction(1)
    own = Tags(matrix, primaries, transfer, range_)
    index = int(stream[1])
    return DecodedFrame(
        samples=samples,
        pix_fmt=pix_fmt,
        width=int(width),
        height=int(height),
        sar=sar,
        tags=_guessed(own.or_else(_container_tags(log, index)), pix_fmt, int(width), int(height)),
        chroma_location="unspecified" if location in (None, *UNSPECIFIED) else location,
        peak=_peak(log),
        stream=index,
    )


def _container_tags(log: str, stream: int) -> Tags:
    """Return the tags of a stream as ffmpeg lists it: `yuv420p10le(tv, bt2020nc/bt2020/smpte2084)`."""
    listed = re.search(rf"^  Stream #0:{stream}\b.*?: Video: .*?, \w+\(([^)]*)\)", log, re.MULTILINE)
    tags = Tags()
    for part in listed[1].split(", ") if listed else ():
        if part in ("tv", "pc"):
            tags = replace(tags, range=part)
        elif part.count("/") == 2:
            tags = replace(
                tags, **dict(zip(("matrix", "primaries", "transfer"), part.split("/"), strict=True))
            )
        elif re.fullmatch(r"(bt|smpte)\w+", part):
            tags = replace(tags, matrix=part, primaries=part, transfer=part)
    return tags


def _guessed(tags: Tags, pix_fmt: str, width: int, height: int) -> Tags:
    """Fill in by the usual rule: BT.2020 for HDR, else BT.601 for SD and BT.709 for HD; studio range."""
    is_sd = max(width, height) <= SD_SIZE[0] and min(width, height) <= SD_SIZE[1]
    sdr = "smpte170m" if is_sd else "bt709"
    is_hdr = tags.transfer in HDR_TRANSFERS
    matrix = "gbr" if pix_fmt.startswith("gbr") else "bt2020nc" if is_hdr else sdr
    if tags.matrix == "gbr" != matrix:
        tags = replace(tags, matrix="unknown")  # Y'CbCr that is tagged as RGB is a muxer's mistake
    tags = tags.or_else(Tags(matrix, range="pc" if matrix == "gbr" or pix_fmt.startswith("yuvj") else "tv"))
    wide = is_hdr or tags.matrix == "bt2020nc"
    return tags.or_else(Tags(primaries="bt2020" if wide else "bt709", transfer="bt709"))


def _peak(log: str) -> float:
    for pattern in (_MAX_CLL, _MASTERING):
        for nits in map(float, pattern.findall(log)):
            if PLAUSIBLE_NITS[0] < nits <= PLAUSIBLE_NITS[1]:
                return nits / 100
    return DEFAULT_PEAK


def convert_frame(frame: DecodedFrame, size: tuple[int, int], *, scale_first: bool = False) -> Picture:
    """Convert a frame to the complete working frame.

    Args:
        frame: The frame.
        size: Width and height of the working frame.
        scale_first: Whether HDR is scaled before it is tone-mapped (`colour_order: fast`).

    Returns:
        Shape (height, width, 3), channels blue, green, red; full range BT.709 SDR.

    Raises:
        NoReferenceError: ffmpeg has no way from these colours.
    """
    tags, (width, height) = frame.tags, size
    scale = f"scale={width}:{height}:flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp"
    chain = [
        f"setparams=colorspace={tags.matrix}:color_primaries={tags.primaries}:color_trc={tags.transfer}:"
        f"range={tags.range}:chroma_location={frame.chroma_location}"
    ]
    if frame.is_hdr:
        # The v2.0 generator's chain, but for its last step to Y'CbCr of 8 bits: patches are RGB.
        colours = [
            "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709",
            f"tonemap=tonemap=mobius:peak={frame.peak:g},zscale=t=bt709,format=gbrpf32le",
        ]
        chain += [scale, *colours] if scale_first else [*colours, scale]
    elif tags.primaries in WIDE_PRIMARIES:
        chain += ["zscale=p=bt709:m=gbr:r=pc,format=gbrpf32le", scale]
    else:
        chain += [scale]
    done = _ffmpeg(
        *("-v", "error", "-f", "rawvideo", "-pix_fmt", frame.pix_fmt, "-s", f"{frame.width}x{frame.height}"),
        *("-i", "pipe:0", "-vf", ",".join([*chain, "format=bgr24"]), "-frames:v", "1"),
        *("-f", "rawvideo", "pipe:1"),
        given=frame.samples,
    )
    if len(done.stdout) != width * height * 3:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoReferenceError(f"ffmpeg has no way from its colours ({said[0] if said else 'no output'})")
    return np.frombuffer(done.stdout, np.uint8).reshape(height, width, 3)
