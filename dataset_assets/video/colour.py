"""What the colours of a video mean, and the look-up table that takes HDR and wide gamuts to BT.709.

The table is baked by running the reference chain itself, in the ffmpeg of `imageio-ffmpeg` (PyAV's has no
zscale), over a lattice of RGB values: PQ, HLG and any primaries come out as that chain has them, and no
formula of it is repeated here. Not here: applying the table to pictures (`render`).
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, assert_never

import av
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from dataset_assets.errors import VideoError
from dataset_assets.video.planes import ChromaLocation

# Names of ITU-T H.273 code points as libavfilter spells them.
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    11: "smpte431",
    12: "smpte432",
    22: "jedec-p22",
}
# SDR of these is converted to BT.709. The other sets (SD's and EBU's) differ from BT.709 by a few codes, no
# player converts them, and most films that carry them have been graded on BT.709 displays since.
WIDE_PRIMARIES = frozenset({"bt470m", "film", "bt2020", "smpte431", "smpte432"})
TRANSFERS = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
}
MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}
RGB_MATRIX, UNSPECIFIED = 0, 2
# H.273 reserves 0 and 3; files that carry them mean nothing by it.
UNTAGGED = frozenset({0, UNSPECIFIED, 3})
UNKNOWN_RANGE = 0
LIMITED_RANGE, FULL_RANGE = 1, 2
ColourOrder = Literal["exact", "fast"]
HDR_FORMATS: dict[str, Literal["pq", "hlg"]] = {"smpte2084": "pq", "arib-std-b67": "hlg"}

REFERENCE_WHITE_NITS = 100.0
# libavfilter's tonemap falls back to 10 once the chain has made the picture linear (avfilter/colorspace.c,
# ff_determine_signal_peak: 100 only while the frame is still tagged PQ).
DEFAULT_PEAK = 10.0
# PQ codes no more (SMPTE ST 2084).
MAX_PQ_NITS = 10_000

# 81 points: +1.1 dB over 64 on real HDR film at the same speed; 100 points gain 0.3 dB more for three times
# the baking.
HALD_LEVEL = 9
LUT_POINTS = HALD_LEVEL**2


@dataclass(frozen=True, slots=True)
class ColourCodes:
    """Colour tags as numbers.

    Attributes:
        primaries: Code point of ITU-T H.273, table 2.
        transfer: Code point of table 3.
        matrix: Code point of table 4.
        range: FFmpeg's AVColorRange: 0 unknown, 1 limited, 2 full.
    """

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    range: int = UNKNOWN_RANGE

    @classmethod
    def of(cls, tagged: av.VideoFrame | av.VideoCodecContext) -> ColourCodes:
        """Read the tags of a frame, or those that a decoder starts with."""
        return cls(
            int(tagged.color_primaries),
            int(tagged.color_trc),
            int(tagged.colorspace),
            int(tagged.color_range),
        )

    def filled_from(self, other: ColourCodes) -> ColourCodes:
        """Return these tags, completed by the other ones.

        A frame that names no colour at all takes the range along too: HEVC's decoder reports the limited
        range also where the stream says nothing.
        """
        is_silent = UNTAGGED.issuperset((self.primaries, self.transfer, self.matrix))
        return ColourCodes(
            other.primaries if self.primaries in UNTAGGED else self.primaries,
            other.transfer if self.transfer in UNTAGGED else self.transfer,
            other.matrix if self.matrix in UNTAGGED else self.matrix,
            (other.range or self.range) if is_silent else (self.range or other.range),
        )


NO_CODES = ColourCodes()


@dataclass(frozen=True, slots=True)
class Colour:
    """The colour tags of a video, guesses filled in.

    Attributes:
        pix_fmt: FFmpeg's name of the decoded pixel format.
        bit_depth: Bits of a luma sample.
        primaries: Colour primaries, FFmpeg's name.
        transfer: Transfer characteristics, FFmpeg's name.
        matrix: YCbCr matrix, FFmpeg's name; `gbr` for RGB.
        full_range: Whether samples use all codes (JPEG range) rather than the studio range.
        peak: Signal peak of an HDR video in units of 100 nits; 0 for SDR.
        chroma_location: Where the samples of subsampled chroma lie.
    """

    pix_fmt: str
    bit_depth: int
    primaries: str
    transfer: str
    matrix: str
    full_range: bool
    peak: float
    chroma_location: ChromaLocation = "left"

    @property
    def hdr_format(self) -> Literal["pq", "hlg"] | None:
        """`pq`, `hlg`, or None for SDR."""
        return HDR_FORMATS.get(self.transfer)

    @property
    def is_converted(self) -> bool:
        """Whether its RGB values go through a table: HDR, and SDR of wide primaries."""
        return is_converted(self.transfer, self.primaries)

    @property
    def range_name(self) -> str:
        """The range as libavfilter's options spell it."""
        return "pc" if self.full_range else "tv"


def is_converted(transfer: str, primaries: str) -> bool:
    """Return `Colour.is_converted` for a transfer and primaries, FFmpeg's names."""
    return transfer in HDR_FORMATS or primaries in WIDE_PRIMARIES


def describe(
    frame: av.VideoFrame,
    max_cll: float,
    mastering_max_nits: float,
    chroma_location: ChromaLocation = "left",
    container: ColourCodes = NO_CODES,
) -> tuple[Colour, list[str]]:
    """Read a decoded frame's colour tags and guess what is missing.

    Args:
        frame: A decoded frame of the video.
        max_cll: MaxCLL in nits; 0 where absent.
        mastering_max_nits: Maximum luminance of the mastering display in nits; 0 where absent.
        chroma_location: Where the samples of subsampled chroma lie (`planes.measure_chroma_location`).
        container: Tags of the container; they count where the frame has none.

    Returns:
        The colour, and a warning where something was guessed and for each value that was ignored.

    Raises:
        VideoError: The pixel format or a tag is one that cannot be converted faithfully.
    """
    colour, guesses = tagged_colour(frame, container)
    warnings = [f"untagged, taken as: {', '.join(guesses)}"] if guesses else []
    if colour.hdr_format is None:
        return replace(colour, chroma_location=chroma_location), warnings
    peak, peak_warnings = signal_peak(max_cll, mastering_max_nits)
    return replace(colour, peak=peak, chroma_location=chroma_location), warnings + peak_warnings


def tagged_colour(frame: av.VideoFrame, container: ColourCodes = NO_CODES) -> tuple[Colour, tuple[str, ...]]:
    """Read a frame's tags alone.

    Args:
        frame: A decoded frame.
        container: Tags of the container; they count where the frame has none.

    Returns:
        The colour without a peak and with chroma at the left, and what was guessed.

    Raises:
        VideoError: The pixel format or a tag is one that cannot be converted faithfully.
    """
    codes = ColourCodes.of(frame).filled_from(container)
    return _resolved(frame.format.name, (frame.width, frame.height), codes)


@lru_cache(maxsize=64)
def _resolved(pix_fmt: str, size: tuple[int, int], codes: ColourCodes) -> tuple[Colour, tuple[str, ...]]:
    _refuse_pixel_format(pix_fmt)
    pixels = av.VideoFormat(pix_fmt)
    guesses: list[str] = []
    transfer = _name(TRANSFERS, codes.transfer, "transfer characteristics")
    is_hdr = transfer in HDR_FORMATS
    matrix = "gbr" if pixels.is_rgb else _matrix(codes.matrix)
    if matrix is None:
        is_sd = max(size) <= 1024 and min(size) <= 576
        matrix = "bt2020nc" if is_hdr else "smpte170m" if is_sd else "bt709"
        guesses.append(f"matrix {matrix}")
    primaries = _name(PRIMARIES, codes.primaries, "colour primaries")
    if primaries is None:
        wide = is_hdr or matrix == "bt2020nc"
        primaries = "bt2020" if wide else matrix if matrix in PRIMARIES.values() else "bt709"
        guesses.append(f"primaries {primaries}")
    if transfer is None:
        transfer = "bt709"
        guesses.append(f"transfer {transfer}")
    is_full_range = pixels.is_rgb or pix_fmt.startswith("yuvj") or codes.range == FULL_RANGE
    if not is_full_range and codes.range != LIMITED_RANGE:
        guesses.append("limited range")
    colour = Colour(pix_fmt, pixels.components[0].bits, primaries, transfer, matrix, is_full_range, peak=0.0)
    return colour, tuple(guesses)


def _refuse_pixel_format(pix_fmt: str) -> None:
    is_planar = pix_fmt.startswith(("yuv4", "yuvj4", "gbrp"))
    if not is_planar or pix_fmt.startswith("gbrpf") or pix_fmt.endswith(("be", "msble")):
        raise VideoError(
            f"its pixel format {pix_fmt} is not supported", "re-encode it as planar YUV, e.g. yuv420p10le"
        )


def _matrix(code: int) -> str | None:
    """Return FFmpeg's name of a matrix; None where it is to be guessed."""
    # Y'CbCr that is tagged as RGB is a muxer's mistake.
    return None if code == RGB_MATRIX else _name(MATRICES, code, "colour matrix")


def _name(names: Mapping[int, str], code: int, what: str) -> str | None:
    """Return FFmpeg's name of a code point; None where the film is not tagged."""
    if code in UNTAGGED:
        return None
    if code not in names:
        raise VideoError(
            f"its {what} (code {code} of ITU-T H.273) cannot be converted faithfully",
            "re-encode it as BT.709 or as BT.2020 with non-constant luminance",
        )
    return names[code]


def signal_peak(max_cll: float, mastering_max_nits: float) -> tuple[float, list[str]]:
    """Return the peak of an HDR signal: MaxCLL, else the mastering display's maximum, nonsense ignored.

    Args:
        max_cll: MaxCLL in nits; 0 where absent.
        mastering_max_nits: Maximum luminance of the mastering display in nits; 0 where absent.

    Returns:
        The peak in units of 100 nits, and a warning for each value that was ignored.
    """
    peaks: list[float] = []
    warnings: list[str] = []
    for name, nits in (("MaxCLL", max_cll), ("mastering display maximum", mastering_max_nits)):
        if REFERENCE_WHITE_NITS < nits <= MAX_PQ_NITS:
            peaks.append(nits / REFERENCE_WHITE_NITS)
        elif nits:
            warnings.append(f"{name} of {nits:g} nits is implausible and ignored")
    return peaks[0] if peaks else DEFAULT_PEAK, warnings


@lru_cache(maxsize=4)
def bake_lut(transfer: str, primaries: str, peak: float, white: float) -> npt.NDArray[np.uint16]:
    """Run the reference chain's colour part over an RGB lattice.

    Args:
        transfer: Transfer characteristics of the source, FFmpeg's name. PQ and HLG are tone-mapped; of
            others the primaries alone are converted, the transfer stays.
        primaries: Primaries of the source, FFmpeg's name.
        peak: Signal peak in units of 100 nits; nothing depends on it for SDR.
        white: The lattice's input value in 0..1 at which the signal is 1.0 (see `render.nominal_white`).

    Returns:
        Shape (3, LUT_POINTS, LUT_POINTS, LUT_POINTS), uint16 full range: R, G, B of the output by (blue,
        green, red) index of the input.

    Raises:
        VideoError: The bundled ffmpeg failed, e.g. because it lacks zscale.
    """
    axis = np.clip(np.linspace(0, 1, LUT_POINTS) / white, 0, 1).astype(np.float32)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    chain = f"setparams=color_primaries={primaries}:color_trc={transfer}:colorspace=gbr:range=pc,"
    if transfer in HDR_FORMATS:
        chain += (
            f"zscale=t=linear:npl={REFERENCE_WHITE_NITS:g},format=gbrpf32le,zscale=p=bt709,"
            f"tonemap=tonemap=mobius:peak={peak},zscale=t=bt709,format=gbrpf32le"
        )
    else:
        chain += "zscale=p=bt709,format=gbrpf32le"
    raw = ["-f", "rawvideo", "-pix_fmt", "gbrpf32le"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin"]
    command += [*raw, "-s", f"{LUT_POINTS**2}x{LUT_POINTS}", "-i", "pipe:0", "-vf", chain, *raw, "pipe:1"]
    lattice = np.stack([green, blue, red]).tobytes()
    done = subprocess.run(command, input=lattice, capture_output=True, check=False)
    if done.returncode or len(done.stdout) != 3 * 4 * LUT_POINTS**3:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise VideoError(
            f"its colours cannot be converted: the bundled ffmpeg says {reason[0]!r}",
            "run `dataset-assets doctor`",
        )
    planes = np.frombuffer(done.stdout, np.float32).reshape(3, LUT_POINTS, LUT_POINTS, LUT_POINTS)
    green_out, blue_out, red_out = np.rint(np.clip(planes, 0, 1) * 65535).astype(np.uint16)
    return np.stack([red_out, green_out, blue_out])


def scales_last(order: ColourOrder) -> bool:
    """Return whether HDR is tone-mapped at full size and scaled after, as the reference does."""
    match order:
        case "exact":
            return True
        case "fast":
            return False
        case _:
            assert_never(order)
