"""What the colours of a video mean, and the look-up table that takes HDR to SDR.

The table is baked by running the reference chain itself, in the ffmpeg of `imageio-ffmpeg` (PyAV's has no
zscale), over a lattice of RGB values: PQ, HLG and any primaries come out as that chain has them, and no
formula of it is repeated here. Applying the table to pictures belongs to `render`.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

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
}
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
RGB_MATRIX, UNSPECIFIED, RESERVED = 0, 2, 3
LIMITED_RANGE, FULL_RANGE = 1, 2
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
    def range_name(self) -> str:
        """The range as libavfilter's options spell it."""
        return "pc" if self.full_range else "tv"


def describe(
    frame: av.VideoFrame,
    max_cll: float,
    mastering_max_nits: float,
    chroma_location: ChromaLocation = "left",
) -> tuple[Colour, list[str]]:
    """Reads a decoded frame's colour tags and guesses what is missing.

    Args:
        frame: A decoded frame of the video.
        max_cll: MaxCLL in nits; 0 where absent.
        mastering_max_nits: Maximum luminance of the mastering display in nits; 0 where absent.
        chroma_location: Where the samples of subsampled chroma lie (`planes.measure_chroma_location`).

    Returns:
        The colour, and a warning where something was guessed and for each value that was ignored.

    Raises:
        VideoError: The pixel format or the matrix is one that cannot be converted faithfully.
    """
    pix_fmt, is_rgb = frame.format.name, frame.format.is_rgb
    _refuse_pixel_format(pix_fmt)
    guesses: list[str] = []
    transfer = TRANSFERS.get(frame.color_trc)
    is_hdr = transfer in HDR_FORMATS
    matrix = "gbr" if is_rgb else _matrix(frame.colorspace)
    if matrix is None:
        is_sd = max(frame.width, frame.height) <= 1024 and min(frame.width, frame.height) <= 576
        matrix = "bt2020nc" if is_hdr else "smpte170m" if is_sd else "bt709"
        guesses.append(f"matrix {matrix}")
    primaries = PRIMARIES.get(frame.color_primaries)
    if primaries is None:
        wide = is_hdr or matrix == "bt2020nc"
        primaries = "bt2020" if wide else matrix if matrix in PRIMARIES.values() else "bt709"
        guesses.append(f"primaries {primaries}")
    if transfer is None:
        transfer = "bt709"
        guesses.append(f"transfer {transfer}")
    is_full_range = is_rgb or pix_fmt.startswith("yuvj") or frame.color_range == FULL_RANGE
    if not is_full_range and frame.color_range != LIMITED_RANGE:
        guesses.append("limited range")

    warnings = [f"untagged, taken as: {', '.join(guesses)}"] if guesses else []
    peak = 0.0
    if is_hdr:
        peak, peak_warnings = signal_peak(max_cll, mastering_max_nits)
        warnings += peak_warnings
    elif primaries == "bt2020":
        warnings.append("BT.2020 primaries without an HDR transfer: the gamut is left as it is")
    bit_depth = frame.format.components[0].bits
    return Colour(
        pix_fmt, bit_depth, primaries, transfer, matrix, is_full_range, peak, chroma_location
    ), warnings


def _refuse_pixel_format(pix_fmt: str) -> None:
    is_planar = pix_fmt.startswith(("yuv4", "yuvj4", "gbrp"))
    if not is_planar or pix_fmt.startswith("gbrpf") or pix_fmt.endswith(("be", "msble")):
        raise VideoError(
            f"its pixel format {pix_fmt} is not supported; re-encode it as planar YUV, e.g. yuv420p10le"
        )


def _matrix(code: int) -> str | None:
    """FFmpeg's name of a matrix; None where it is to be guessed."""
    # Y'CbCr that is tagged as RGB is a muxer's mistake.
    if code in (UNSPECIFIED, RESERVED, RGB_MATRIX):
        return None
    if code not in MATRICES:
        raise VideoError(
            f"its colour matrix (code {code} of ITU-T H.273) is not supported; re-encode it as BT.709 or "
            "BT.2020 with non-constant luminance"
        )
    return MATRICES[code]


def signal_peak(max_cll: float, mastering_max_nits: float) -> tuple[float, list[str]]:
    """The peak of an HDR signal: MaxCLL, else the mastering display's maximum, nonsense ignored.

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
    """Runs the reference chain's colour part over an RGB lattice.

    Args:
        transfer: `smpte2084` or `arib-std-b67`.
        primaries: Primaries of the source, FFmpeg's name.
        peak: Signal peak in units of 100 nits.
        white: The lattice's input value in 0..1 at which the signal is 1.0 (see `render.nominal_white`).

    Returns:
        Shape (3, LUT_POINTS, LUT_POINTS, LUT_POINTS), uint16 full range: R, G, B of the output by (blue,
        green, red) index of the input.

    Raises:
        VideoError: The bundled ffmpeg failed, e.g. because it lacks zscale.
    """
    axis = np.clip(np.linspace(0, 1, LUT_POINTS) / white, 0, 1).astype(np.float32)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    chain = (
        f"setparams=color_primaries={primaries}:color_trc={transfer}:colorspace=gbr:range=pc,"
        f"zscale=t=linear:npl={REFERENCE_WHITE_NITS:g},format=gbrpf32le,zscale=p=bt709,"
        f"tonemap=tonemap=mobius:peak={peak},zscale=t=bt709,format=gbrpf32le"
    )
    raw = ["-f", "rawvideo", "-pix_fmt", "gbrpf32le"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin"]
    command += [*raw, "-s", f"{LUT_POINTS**2}x{LUT_POINTS}", "-i", "pipe:0", "-vf", chain, *raw, "pipe:1"]
    lattice = np.stack([green, blue, red]).tobytes()
    done = subprocess.run(command, input=lattice, capture_output=True, check=False)
    if done.returncode or len(done.stdout) != 3 * 4 * LUT_POINTS**3:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise VideoError(
            f"its HDR colours cannot be converted: the bundled ffmpeg says {reason[0]!r}; "
            "run `dataset-assets doctor`"
        )
    planes = np.frombuffer(done.stdout, np.float32).reshape(3, LUT_POINTS, LUT_POINTS, LUT_POINTS)
    green_out, blue_out, red_out = np.rint(np.clip(planes, 0, 1) * 65535).astype(np.uint16)
    return np.stack([red_out, green_out, blue_out])
