"""Rows and provenance to fill tables with: plain ones with every field set, and random ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from dataset_assets.tables import PatchRow, Provenance, ScoreRow, VideoRow, WindowRow
from dataset_assets.video.fingerprint import Fingerprint

PROVENANCE = Provenance(
    settings_hash="0f" * 8,
    source_fingerprint=Fingerprint(100, "1", "a1" * 8),
    code_version="3",
    complete=True,
    target=2,
)

VIDEO = VideoRow(
    name="A Film",
    path="/films/a film.mkv",
    fingerprint=f"100-1-{'a1' * 8}",
    size_bytes=60_000_000_000,
    container="matroska,webm",
    codec="hevc",
    profile="Main 10",
    pix_fmt="yuv420p10le",
    bit_depth=10,
    width=3840,
    height=2160,
    rotation=0,
    sar="1:1",
    frame_rate=24000 / 1001,
    duration_s=7200.5,
    vfr=False,
    interlaced=False,
    color_primaries="bt2020",
    color_transfer="smpte2084",
    color_space="bt2020nc",
    color_range="tv",
    hdr_format="pq",
    max_cll=1000.0,
    mastering_max_nits=4000.0,
    peak=10.0,
    active_x=0,
    active_y=138,
    active_width=1920,
    active_height=804,
    working_width=1920,
    working_height=1080,
    warnings=("The mastering maximum of 0.1 nit is ignored.",),
    probed_at=datetime(2025, 3, 1, 12, 30, 15, 123456, tzinfo=UTC),
)

ACCEPTED = WindowRow(
    window=1,
    keyframe_pts=1020,
    start_pts=1024,
    time_s=12.345678,
    pts=(1024, 1025, 1026, 1027, 1028, 1029, 1030),
    keyframe=True,
    mean_abs_diff=3.5,
    cut_score=0.25,
    brightness=80.5,
    contrast=20.25,
    sharpness=7.75,
    repeated_frames=4,
    window_combing=0.125,
    bits_per_pixel=0.25,
    detail_map=bytes(range(192)) * 3,
    signature=bytes(576),
    accepted=True,
    reason=None,
)

REJECTED = replace(
    ACCEPTED,
    window=0,
    keyframe_pts=7,
    start_pts=7,
    pts=(7,),
    mean_abs_diff=None,
    signature=None,
    accepted=False,
    reason="too_few_frames",
)

PATCH = PatchRow(
    patch_id="a-film_000000",
    window=0,
    crop=0,
    format="small_540",
    x=11,
    y=140,
    width=540,
    height=540,
    gt_path="Universal/Mastermodell/Learn/Patches/GT/a-film_000000.png",
    lr5_path="Universal/Mastermodell/Learn/Patches/LR_5frames/a-film_000000.png",
    lr7_path="Universal/Mastermodell/Learn/Patches/LR_7frames/a-film_000000.png",
    gt7_path=None,
    gt_bytes=500_000,
    lr5_bytes=300_000,
    lr7_bytes=400_000,
    gt7_bytes=None,
    gt_hash="a0" * 8,
    lr5_hash="b1" * 8,
    lr7_hash="c2" * 8,
    gt7_hash=None,
    kernel="bicubic",
    scale=3,
    settings_hash="0f" * 8,
    created_at=datetime(2025, 3, 1, 12, 31, tzinfo=UTC),
)

SCORE = ScoreRow(
    patch_id="a-film_000000",
    window=0,
    gt_hash="a0" * 8,
    lr_hash="c2" * 8,
    detail_db=33.5,
    noise_sigma=1.25,
    blockiness=0.0625,
    flat_share=0.5,
    motion=2.75,
    still_pairs=3,
    combing=0.0,
    subtitle=None,
    scores_version=1,
)

_int32 = st.integers(-(2**31), 2**31 - 1)
_int64 = st.integers(-(2**63), 2**63 - 1)
_float32 = st.none() | st.floats(width=32, allow_nan=False)
_float64 = st.floats(allow_nan=False)
_text = st.text(max_size=12)
_times = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))

videos = st.builds(
    replace,
    st.just(VIDEO),
    name=_text,
    path=_text,
    size_bytes=_int64,
    profile=st.none() | _text,
    width=_int32,
    frame_rate=_float64,
    duration_s=_float64,
    vfr=st.booleans(),
    hdr_format=st.none() | _text,
    max_cll=st.none() | _float64,
    mastering_max_nits=st.none() | _float64,
    peak=st.none() | _float64,
    warnings=st.lists(_text, max_size=3).map(tuple),
    probed_at=_times,
)


def _window(row: WindowRow, reason: str | None) -> WindowRow:
    return replace(row, accepted=reason is None, reason=reason)


windows = st.builds(
    _window,
    st.builds(
        replace,
        st.just(ACCEPTED),
        window=_int32,
        keyframe_pts=st.none() | _int64,
        start_pts=st.none() | _int64,
        time_s=_float64,
        pts=st.lists(_int64, max_size=7).map(tuple),
        keyframe=st.booleans(),
        mean_abs_diff=_float32,
        cut_score=_float32,
        brightness=_float32,
        contrast=_float32,
        sharpness=_float32,
        repeated_frames=st.none() | st.integers(0, 6),
        signature=st.none() | st.binary(max_size=9),
    ),
    st.sampled_from([None, "cut", "near_black", "flat"]),
)

patches = st.builds(
    replace,
    st.just(PATCH),
    patch_id=_text,
    window=_int32,
    format=st.sampled_from(["small_540", "medium_169", "large_720"]),
    x=_int32,
    gt_path=_text,
    gt_bytes=st.integers(0, 10**9),
    lr5_bytes=st.integers(0, 10**9),
    lr7_bytes=st.integers(0, 10**9),
    created_at=_times,
)
