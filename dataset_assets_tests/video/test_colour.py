"""Reading colour tags, guessing them, and the table from HDR to SDR."""

from __future__ import annotations

import av
import numpy as np
import pytest

from dataset_assets.errors import VideoError
from dataset_assets.video.colour import (
    LUT_POINTS,
    PRIMARIES,
    WIDE_PRIMARIES,
    ColourCodes,
    bake_lut,
    describe,
    signal_peak,
)


def frame(
    pix_fmt: str = "yuv420p",
    size: tuple[int, int] = (1920, 1080),
    *,
    primaries: int = 2,
    transfer: int = 2,
    matrix: int = 2,
    colour_range: int = 0,
) -> av.VideoFrame:
    tagged = av.VideoFrame(*size, pix_fmt)
    tagged.color_primaries, tagged.color_trc = primaries, transfer
    tagged.colorspace, tagged.color_range = matrix, colour_range
    return tagged


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((720, 576), "smpte170m"),
        ((1024, 576), "smpte170m"),
        ((576, 1024), "smpte170m"),
        ((1280, 720), "bt709"),
        ((1080, 1920), "bt709"),
        ((960, 720), "bt709"),
    ],
)
def test_an_untagged_matrix_is_guessed_by_size(size: tuple[int, int], matrix: str) -> None:
    colour, warnings = describe(frame(size=size, colour_range=1), 0, 0)
    assert (colour.matrix, colour.primaries, colour.transfer) == (matrix, matrix, "bt709")
    assert warnings == [f"untagged, taken as: matrix {matrix}, primaries {matrix}, transfer bt709"]


def test_every_guess_is_recorded() -> None:
    colour, warnings = describe(frame(matrix=1, primaries=1, transfer=1), 0, 0)
    assert not colour.full_range
    assert warnings == ["untagged, taken as: limited range"]
    assert describe(frame(matrix=1, primaries=1, transfer=1, colour_range=1), 0, 0)[1] == []


def test_hdr_without_a_matrix_is_bt2020() -> None:
    colour, _ = describe(frame("yuv420p10le", transfer=16, colour_range=1), 1000, 0)
    assert (colour.matrix, colour.primaries, colour.hdr_format) == ("bt2020nc", "bt2020", "pq")
    assert describe(frame("yuv420p10le", transfer=18), 0, 0)[0].hdr_format == "hlg"


def test_ycbcr_that_is_tagged_as_rgb_is_guessed() -> None:
    colour, warnings = describe(frame(matrix=0, primaries=1, transfer=1, colour_range=1), 0, 0)
    assert colour.matrix == "bt709"
    assert warnings == ["untagged, taken as: matrix bt709"]


def test_rgb_needs_no_matrix_and_no_range() -> None:
    colour, warnings = describe(frame("gbrp", matrix=0, primaries=1, transfer=1), 0, 0)
    assert (colour.matrix, colour.full_range, warnings) == ("gbr", True, [])


def test_wide_gamut_without_hdr_is_converted_and_needs_no_warning() -> None:
    colour, warnings = describe(
        frame("yuv420p10le", primaries=9, transfer=14, matrix=9, colour_range=1), 0, 0
    )
    assert (colour.primaries, colour.hdr_format, colour.peak) == ("bt2020", None, 0.0)
    assert colour.is_converted
    assert warnings == []
    assert not describe(frame(primaries=6, transfer=6, matrix=6, colour_range=1), 0, 0)[0].is_converted


def test_tags_of_the_container_count_where_the_frame_has_none() -> None:
    container = ColourCodes(primaries=9, transfer=16, matrix=9, range=1)
    colour, warnings = describe(frame("yuv420p10le"), 1000, 0, container=container)
    assert (colour.primaries, colour.transfer, colour.matrix) == ("bt2020", "smpte2084", "bt2020nc")
    assert (colour.full_range, colour.peak, warnings) == (False, 10.0, [])
    partly = frame("yuv420p10le", primaries=1, colour_range=1)
    assert describe(partly, 0, 0, container=container)[0].primaries == "bt709"
    sdr = frame("yuv420p10le", primaries=1, transfer=1, matrix=1, colour_range=1)
    assert describe(sdr, 0, 0, container=container)[0].transfer == "bt709"


def test_a_full_range_that_only_the_container_knows_counts() -> None:
    """HEVC's decoder reports a limited range also where the stream says nothing."""
    container = ColourCodes(primaries=1, transfer=1, matrix=1, range=2)
    assert describe(frame(colour_range=1), 0, 0, container=container)[0].full_range
    tagged = frame(primaries=1, transfer=1, matrix=1, colour_range=1)
    assert not describe(tagged, 0, 0, container=container)[0].full_range


@pytest.mark.parametrize("pix_fmt", ["nv12", "rgb24", "gray", "yuva420p", "yuv420p10be", "gbrpf32le", "pal8"])
def test_pixel_formats_that_would_come_out_wrong_are_refused(pix_fmt: str) -> None:
    with pytest.raises(VideoError, match=f"pixel format {pix_fmt} is not supported; re-encode it"):
        describe(frame(pix_fmt), 0, 0)


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ({"matrix": 8}, r"colour matrix \(code 8"),
        ({"matrix": 10}, r"colour matrix \(code 10"),
        ({"matrix": 14}, r"colour matrix \(code 14"),
        ({"transfer": 9}, r"transfer characteristics \(code 9"),
        ({"transfer": 10}, r"transfer characteristics \(code 10"),
        ({"transfer": 17}, r"transfer characteristics \(code 17"),
        ({"primaries": 10}, r"colour primaries \(code 10"),
    ],
)
def test_tags_that_would_come_out_wrong_are_refused(tags: dict[str, int], what: str) -> None:
    with pytest.raises(VideoError, match=f"its {what} of ITU-T H.273.* cannot be converted .*; re-encode"):
        describe(frame(**tags), 0, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("max_cll", "mastering", "peak", "ignored"),
    [
        (0, 0, 10, []),
        (800, 0, 8, []),
        (800, 4000, 8, []),
        (0, 4000, 40, []),
        (10000, 0, 100, []),
        (0, 0.1, 10, ["mastering display maximum of 0.1 nits"]),
        (1000, 0.1, 10, ["mastering display maximum of 0.1 nits"]),
        (65535, 1000, 10, ["MaxCLL of 65535 nits"]),
        (65535, 400, 4, ["MaxCLL of 65535 nits"]),
        (50, 600, 6, ["MaxCLL of 50 nits"]),
    ],
)
def test_the_peak_is_max_cll_else_the_mastering_displays(
    max_cll: int, mastering: float, peak: float, ignored: list[str]
) -> None:
    found, warnings = signal_peak(max_cll, mastering)
    assert found == peak
    assert warnings == [f"{what} is implausible and ignored" for what in ignored]


def test_the_table_is_the_chains_formula() -> None:
    """zimg's and libavfilter's formula in float64: EOTF, primaries, desaturation, mobius, 1/2.4."""
    peak = 10.0
    axis = np.linspace(0, 1, LUT_POINTS)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    power = np.stack([red, green, blue]) ** (2523 / 4096 * 128) ** -1.0
    m1, c1, c2, c3 = 2610 / 16384, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    light = 100 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    to_bt709 = np.array(
        [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
    )
    light = np.tensordot(to_bt709, light, 1)
    total = light.sum(axis=0)
    desaturation = np.maximum(total - 2, 1e-6) / np.maximum(total, 1e-6)
    light = light * (1 - desaturation) + total * desaturation
    brightest = np.maximum(light.max(axis=0), 1e-6)
    a = -(0.3**2) * (peak - 1) / (0.3**2 - 0.6 + peak)
    b = (0.3**2 - 0.6 * peak + peak) / max(peak - 1, 1e-6)
    mapped = np.where(
        brightest <= 0.3,
        brightest,
        (b * b + 2 * b * 0.3 + 0.09) / (b - a) * (brightest + a) / (brightest + b),
    )
    expected = np.clip(light * mapped / brightest, 0, 1) ** (1 / 2.4)
    table = bake_lut("smpte2084", "bt2020", peak, 1.0) / 65535
    assert np.abs(table - expected).mean() < 2e-4
    assert np.quantile(np.abs(table - expected), 0.999) < 2e-3


@pytest.mark.parametrize("primaries", sorted(PRIMARIES.values()))
def test_every_primaries_tag_can_be_tone_mapped(primaries: str) -> None:
    table = bake_lut("arib-std-b67", primaries, 10.0, 1.0)
    assert table.shape == (3, LUT_POINTS, LUT_POINTS, LUT_POINTS)
    assert table[:, 0, 0, 0].tolist() == [0, 0, 0]
    assert table[:, -1, -1, -1].min() > 60000


@pytest.mark.parametrize("primaries", sorted(WIDE_PRIMARIES))
def test_every_wide_gamut_can_be_converted(primaries: str) -> None:
    table = bake_lut("bt709", primaries, 0.0, 1.0) / 65535
    grey = table[:, 40, 40, 40]
    assert table[:, 0, 0, 0].tolist() == [0, 0, 0]
    assert np.abs(grey - 0.5).max() < 0.05
    # Its pure red lies outside BT.709, and is clipped.
    assert table[0, 0, 0, -1] == 1.0
