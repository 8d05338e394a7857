from __future__ import annotations

from dataclasses import fields, replace

import pyarrow as pa
import pytest

from dataset_assets.tables import (
    DEGRADATIONS,
    PATCHES,
    SCORES,
    VALIDATION,
    VIDEOS,
    WINDOWS,
    DegradedRow,
    PatchRow,
    Row,
    ScoreRow,
    ValidationRow,
    VideoRow,
    WindowRow,
    description,
)
from dataset_assets_tests.tables.samples import ACCEPTED, REJECTED

TABLES = [
    pytest.param(VIDEOS, VideoRow, id="videos"),
    pytest.param(WINDOWS, WindowRow, id="windows"),
    pytest.param(PATCHES, PatchRow, id="patches"),
    pytest.param(SCORES, ScoreRow, id="scores"),
    pytest.param(VALIDATION, ValidationRow, id="validation"),
    pytest.param(DEGRADATIONS, DegradedRow, id="degradations"),
]

VIDEOS_COLUMNS = """
name string
path string
fingerprint string
size_bytes int64
container string
codec string
profile string?
pix_fmt string
bit_depth int32
width int32
height int32
rotation int32
sar string
frame_rate double
duration_s double
vfr bool
interlaced bool
color_primaries string
color_transfer string
color_space string
color_range string
hdr_format string?
max_cll double?
mastering_max_nits double?
peak double?
active_x int32
active_y int32
active_width int32
active_height int32
working_width int32
working_height int32
warnings list<item: string>
probed_at timestamp[us, tz=UTC]
native_width int32?
native_height int32?
native_z float?
"""

WINDOWS_COLUMNS = """
window int32
keyframe_pts int64?
start_pts int64?
time_s double
pts list<item: int64>
keyframe bool
mean_abs_diff float?
cut_score float?
brightness float?
contrast float?
sharpness float?
repeated_frames int32?
window_combing float?
bits_per_pixel float?
detail_map binary?
signature binary?
accepted bool
reason string?
"""

PATCHES_COLUMNS = """
patch_id string
window int32
crop int32
format string
x int32
y int32
width int32
height int32
gt_path string
lr5_path string?
lr7_path string?
gt7_path string?
gt_bytes int64
lr5_bytes int64?
lr7_bytes int64?
gt7_bytes int64?
gt_hash string
lr5_hash string?
lr7_hash string?
gt7_hash string?
kernel string
scale int32
settings_hash string
created_at timestamp[us, tz=UTC]
"""

SCORES_COLUMNS = """
patch_id string
window int32
gt_hash string
lr_hash string
detail_db float
noise_sigma float
blockiness float
flat_share float
motion float
still_pairs int32
combing float
subtitle float?
scores_version int32
"""

VALIDATION_COLUMNS = """
patch_id string
window int32
time_s double
gt_hash string
state string
span_s double?
val_path string?
changed_at timestamp[us, tz=UTC]
"""


DEGRADATIONS_COLUMNS = """
patch_id string
window int32
lr7_hash string
lr7d_path string
lr7d_bytes int64
lr7d_hash string
db float
codec string?
quality int32?
coded_bytes int64?
degradation string
degradation_hash string
"""


@pytest.mark.parametrize(
    ("schema", "columns"),
    [
        pytest.param(VIDEOS, VIDEOS_COLUMNS, id="videos"),
        pytest.param(WINDOWS, WINDOWS_COLUMNS, id="windows"),
        pytest.param(PATCHES, PATCHES_COLUMNS, id="patches"),
        pytest.param(SCORES, SCORES_COLUMNS, id="scores"),
        pytest.param(VALIDATION, VALIDATION_COLUMNS, id="validation"),
        pytest.param(DEGRADATIONS, DEGRADATIONS_COLUMNS, id="degradations"),
    ],
)
def test_a_table_has_the_promised_columns_in_their_order(schema: pa.Schema, columns: str) -> None:
    found = [f"{field.name} {field.type}{'?' if field.nullable else ''}" for field in schema]
    assert found == columns.split("\n")[1:-1]


@pytest.mark.parametrize(("schema", "row_type"), TABLES)
def test_a_row_has_the_fields_of_its_table(schema: pa.Schema, row_type: type[Row]) -> None:
    assert [field.name for field in fields(row_type)] == schema.names


@pytest.mark.parametrize(("schema", "row_type"), TABLES)
def test_a_field_may_be_none_exactly_where_its_column_may_be_null(
    schema: pa.Schema, row_type: type[Row]
) -> None:
    optional = [field.name for field in fields(row_type) if "None" in str(field.type)]
    assert optional == [field.name for field in schema if field.nullable]


@pytest.mark.parametrize(("schema", "row_type"), TABLES)
def test_every_column_is_described_in_a_sentence_of_its_own(schema: pa.Schema, row_type: type) -> None:
    sentences = [description(field) for field in schema]
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)
    assert len(set(sentences)) == len(sentences)


def test_a_candidate_has_a_reason_exactly_when_it_was_rejected() -> None:
    with pytest.raises(ValueError, match="'cut'"):
        replace(ACCEPTED, reason="cut")
    with pytest.raises(ValueError, match="None"):
        replace(REJECTED, reason=None)
