"""The columns of the Parquet tables: the one place that names them, and the rows that Python code handles.

Here: the Arrow schemas with a description on every column, the row classes with the same fields, and the
versions of schema and writer. Not here: the tables of degraded stacks (`degradations`) and of validation
patches (`validation`), where the files are (`dataset`) and how they are written (`files`), and statistics
over them (`dataset.statistics`).

`video` and `category` are not columns of any file: they come from the folder names (`video=<key>`,
`category=<name>`), which pandas, pyarrow and DuckDB read as columns. pandas and pyarrow read the keys as
numbers if all of them consist of digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

import pyarrow as pa

from dataset_assets import __version__
from dataset_assets.frames import FileKind
from dataset_assets.reasons import UNTRIED
from dataset_assets.tables.columns import column as _column
from dataset_assets.tables.degradations import DegradedRow
from dataset_assets.tables.validation import ValidationRow
from dataset_assets.video import Fingerprint

SCHEMA_VERSION = 7
"""Raised by one whenever a column or a file's metadata is added, removed, renamed or changes its meaning.

Files of older versions stay readable where nullable columns were added, which are null in their rows, or
columns that have one value in all of them (`IMPLIED_COLUMNS`), columns became nullable, were removed, which
are not read (`REMOVED_COLUMNS`), or renamed (`RENAMED_COLUMNS`).
"""

IMPLIED_COLUMNS = {"crop": 0}
"""Columns that older versions did not have, and the value that all rows of theirs have."""

REMOVED_COLUMNS = frozenset({"attempt"})
"""Columns of older versions, which are not read."""

RENAMED_COLUMNS = {"gt": "gt_path", "lr5": "lr5_path", "lr7": "lr7_path"}
"""Columns of older versions and what this version calls them. `gt` hid behind `pandas.Series.gt`."""

_FILE_COLUMNS = ("path", "bytes", "hash")
"""What follows a file's kind in the names of the columns of the patches table."""

WRITER_VERSION = __version__
"""The release of dataset_assets that writes the files."""

_BOOL = pa.bool_()
_INT32 = pa.int32()
_INT64 = pa.int64()
_FLOAT32 = pa.float32()
_FLOAT64 = pa.float64()
_STRING = pa.string()
_TIMESTAMP = pa.timestamp("us", tz="UTC")


VIDEOS: pa.Schema = pa.schema(
    [
        _column("name", _STRING, "Name of the video in the configuration."),
        _column("path", _STRING, "Source file, as an absolute path, or the address of an object."),
        _column("fingerprint", _STRING, "Fingerprint of the source file's content."),
        _column("size_bytes", _INT64, "Size of the source file in bytes."),
        _column("container", _STRING, "Container format in FFmpeg's words, such as matroska,webm."),
        _column("codec", _STRING, "Video codec in FFmpeg's words, such as hevc or av1."),
        _column("profile", _STRING, "Codec profile, such as Main 10; null where unnamed.", nullable=True),
        _column("pix_fmt", _STRING, "Pixel format in FFmpeg's words, such as yuv420p10le."),
        _column("bit_depth", _INT32, "Bits of a luma sample."),
        _column("width", _INT32, "Width of the coded frame in pixels, before rotation."),
        _column("height", _INT32, "Height of the coded frame in pixels, before rotation."),
        _column("rotation", _INT32, "Degrees, clockwise, that turn the coded picture upright."),
        _column("sar", _STRING, "Width of a coded pixel over its height, such as 1:1."),
        _column("frame_rate", _FLOAT64, "Average frames per second."),
        _column("duration_s", _FLOAT64, "Film time in seconds, without gaps in the time stamps."),
        _column("vfr", _BOOL, "Whether the frame rate varies."),
        _column(
            "interlaced",
            _BOOL,
            "Whether the frames are interlaced, and so deinterlaced.",
        ),
        _column("color_primaries", _STRING, "Primaries that colours are read with, guessed if untagged."),
        _column("color_transfer", _STRING, "Transfer that colours are read with, guessed if untagged."),
        _column("color_space", _STRING, "Matrix that colours are read with, guessed if untagged."),
        _column("color_range", _STRING, "Range that colours are read with, guessed if untagged."),
        _column("hdr_format", _STRING, "HDR transfer, pq or hlg; null for SDR.", nullable=True),
        _column("max_cll", _FLOAT64, "Maximum content light level, nits; null where absent.", nullable=True),
        _column(
            "mastering_max_nits",
            _FLOAT64,
            "Maximum luminance of the mastering display in nits; null where absent.",
            nullable=True,
        ),
        _column(
            "peak",
            _FLOAT64,
            "Peak of the tone mapping, as a multiple of the reference white of 100 nits; null for SDR.",
            nullable=True,
        ),
        _column("active_x", _INT32, "Left edge of the active area in working-frame pixels."),
        _column("active_y", _INT32, "Top edge of the active area in working-frame pixels."),
        _column("active_width", _INT32, "Width of the active area in working-frame pixels."),
        _column("active_height", _INT32, "Height of the active area in working-frame pixels."),
        _column("working_width", _INT32, "Width of the working frame in pixels."),
        _column("working_height", _INT32, "Height of the working frame in pixels."),
        _column("warnings", pa.list_(_STRING), "What was guessed, ignored or left out, one message each."),
        _column("probed_at", _TIMESTAMP, "When the source file was read."),
        _column(
            "native_width",
            _INT32,
            "Pixels of the width that the film holds, enlarged to `width`; equal where no enlargement was "
            "found, null where it was not looked for.",
            nullable=True,
        ),
        _column("native_height", _INT32, "The same of the height.", nullable=True),
        _column(
            "native_z",
            _FLOAT32,
            "How clear the trace of an enlargement is: from 7 on it is sure, from 5 on suspected.",
            nullable=True,
        ),
    ]
)
"""One row in each file: the video as it was probed."""

WINDOWS: pa.Schema = pa.schema(
    [
        _column(
            "window", _INT32, "Number of the candidate in the video's sequence, from 0; names the files."
        ),
        _column(
            "keyframe_pts",
            _INT64,
            "PTS of the keyframe at or before the place that was drawn; null where it was not looked up.",
            nullable=True,
        ),
        _column(
            "start_pts",
            _INT64,
            "PTS from which frames were taken; null when passed over.",
            nullable=True,
        ),
        _column("time_s", _FLOAT64, "Place of the window in its video, in seconds of film time."),
        _column("pts", pa.list_(_INT64), "Presentation times of frames 0..6 in the stream's time base."),
        _column("keyframe", _BOOL, "Whether frame 0 is a keyframe."),
        _column(
            "mean_abs_diff",
            _FLOAT32,
            "Mean absolute difference of frames 0 and 6: 8-bit luma of the tone-mapped preview, 0..255.",
            nullable=True,
        ),
        _column(
            "cut_score",
            _FLOAT32,
            "Score of the block test, blended frames included; the higher, the more like a cut.",
            nullable=True,
        ),
        _column("brightness", _FLOAT32, "Luma of a preview, its 99.5th percentile, 0..255.", nullable=True),
        _column(
            "contrast", _FLOAT32, "Standard deviation of the luma of a preview, 0..127.5.", nullable=True
        ),
        _column("sharpness", _FLOAT32, "Sharpness of the sharpest edges; about 1 in focus.", nullable=True),
        _column(
            "repeated_frames",
            _INT32,
            "How many of the 6 pairs of neighbouring frames show the same picture except for coding noise.",
            nullable=True,
        ),
        _column(
            "window_combing",
            _FLOAT32,
            "Share of its moving blocks with lines of two moments, 0..1; null in tables of older releases.",
            nullable=True,
        ),
        _column(
            "bits_per_pixel",
            _FLOAT32,
            "Bits of the stream for a pixel of its 7 frames; null where the container does not say.",
            nullable=True,
        ),
        _column(
            "detail_map",
            pa.binary(),
            "Where frame 3 holds detail, by which crops and formats are chosen: 18 rows of 32 bytes, thirds "
            "of a dB from -30 dB on; null in tables of older releases.",
            nullable=True,
        ),
        _column(
            "signature",
            pa.binary(),
            "Thumbnail of frame 3, to detect duplicates: 18 rows of 32 luma bytes; null when not measured.",
            nullable=True,
        ),
        _column("accepted", _BOOL, "Whether the window is used."),
        _column("reason", _STRING, "Why the window was rejected; null when accepted.", nullable=True),
    ]
)
"""One row for every candidate, accepted or not. A score is null if the candidate was rejected before."""

PATCHES: pa.Schema = pa.schema(
    [
        _column(
            "patch_id", _STRING, "File name of the triplet without its suffix; unique within its category."
        ),
        _column("window", _INT32, "Number of the window that the patch is cropped from."),
        _column(
            "crop",
            _INT32,
            "Number of the patch among those of its window in this category, from 0; absent in tables of "
            "older releases, where all are 0.",
        ),
        _column("format", _STRING, "Named crop size, such as small_540."),
        _column("x", _INT32, "Left edge of the crop in working-frame pixels."),
        _column("y", _INT32, "Top edge of the crop in working-frame pixels."),
        _column("width", _INT32, "Width of the crop in working-frame pixels."),
        _column("height", _INT32, "Height of the crop in working-frame pixels."),
        _column("gt_path", _STRING, "GT file, relative to the output folder."),
        _column(
            "lr5_path",
            _STRING,
            "LR_5frames file, relative to the output folder; null where there is none, see `lr_stacks`.",
            nullable=True,
        ),
        _column(
            "lr7_path",
            _STRING,
            "LR_7frames file, relative to the output folder; null where there is none, see `lr_stacks`.",
            nullable=True,
        ),
        _column(
            "gt7_path",
            _STRING,
            "GT_7frames file, relative to the output folder; null where there is none, see `gt_frames`.",
            nullable=True,
        ),
        _column("gt_bytes", _INT64, "Size of the GT file in bytes."),
        _column("lr5_bytes", _INT64, "Size of the LR_5frames file in bytes.", nullable=True),
        _column("lr7_bytes", _INT64, "Size of the LR_7frames file in bytes.", nullable=True),
        _column("gt7_bytes", _INT64, "Size of the GT_7frames file in bytes.", nullable=True),
        _column("gt_hash", _STRING, "BLAKE2b of the GT file, 64 bits, as `b2sum -l 64` prints it."),
        _column("lr5_hash", _STRING, "BLAKE2b of the LR_5frames file, 64 bits.", nullable=True),
        _column("lr7_hash", _STRING, "BLAKE2b of the LR_7frames file, 64 bits.", nullable=True),
        _column("gt7_hash", _STRING, "BLAKE2b of the GT_7frames file, 64 bits.", nullable=True),
        _column("kernel", _STRING, "Kernel that made the LR stacks, such as bicubic."),
        _column("scale", _INT32, "How many times smaller an LR frame is than its GT."),
        _column("settings_hash", _STRING, "Hash of the settings that the patch was made with."),
        _column("created_at", _TIMESTAMP, "When the triplet was written."),
    ]
)
"""One row for every triplet whose files are in place."""

SCORES: pa.Schema = pa.schema(
    [
        _column("patch_id", _STRING, "The patch, by its `patch_id` in the patches table of this category."),
        _column("window", _INT32, "Number of the window of the patch."),
        _column(
            "gt_hash",
            _STRING,
            "Hash of the GT file that was measured; another one in the patches table "
            "means that the patch was made again since.",
        ),
        _column("lr_hash", _STRING, "Hash of the LR stack that was measured, the one with the most frames."),
        _column(
            "detail_db",
            _FLOAT32,
            "PSNR in dB of the enlarged middle LR frame against GT, at most 78.1; "
            "above 50 there is nothing to learn.",
        ),
        _column(
            "noise_sigma",
            _FLOAT32,
            "Standard deviation of the noise of GT where it is flattest, in levels of 255.",
        ),
        _column(
            "blockiness",
            _FLOAT32,
            "How far steps on a grid of 8 pixels stand out in GT; to compare patches of one film.",
        ),
        _column("flat_share", _FLOAT32, "Share of the blocks of 16x16 pixels of GT that are flat, 0..1."),
        _column(
            "motion",
            _FLOAT32,
            "Mean absolute difference of neighbouring LR frames, in levels of 255; "
            "below 0.3 the patch is still.",
        ),
        _column(
            "still_pairs",
            _INT32,
            "How many pairs of neighbouring LR frames, 6 in a stack of 7, are the same in every pixel.",
        ),
        _column(
            "combing",
            _FLOAT32,
            "Share of the blocks of GT with visible combs, 0..1; from 0.01 on it is combed.",
        ),
        _column(
            "subtitle",
            _FLOAT32,
            "Share of the columns of GT in which a line of still bright strokes has some, 0..1; from 0.15 on "
            "it is like a subtitle; null where the videos table lacks the film.",
            nullable=True,
        ),
        _column("scores_version", _INT32, "Version of the scores; those of an older one are measured again."),
    ]
)
"""One row for every patch whose scores were measured."""


def description(field: pa.Field) -> str:
    """Return the description of a column of a table."""
    text: bytes = field.metadata[b"description"]
    return text.decode()


@dataclass(frozen=True, slots=True)
class VideoRow:
    """A row of the videos table; `VIDEOS` describes the fields. `probed_at` carries its time zone."""

    schema: ClassVar[pa.Schema] = VIDEOS

    name: str
    path: str
    fingerprint: str
    size_bytes: int
    container: str
    codec: str
    profile: str | None
    pix_fmt: str
    bit_depth: int
    width: int
    height: int
    rotation: int
    sar: str
    frame_rate: float
    duration_s: float
    vfr: bool
    interlaced: bool
    color_primaries: str
    color_transfer: str
    color_space: str
    color_range: str
    hdr_format: str | None
    max_cll: float | None
    mastering_max_nits: float | None
    peak: float | None
    active_x: int
    active_y: int
    active_width: int
    active_height: int
    working_width: int
    working_height: int
    warnings: tuple[str, ...]
    probed_at: datetime
    native_width: int | None = None
    native_height: int | None = None
    native_z: float | None = None

    @property
    def source_fingerprint(self) -> Fingerprint:
        """The fingerprint of the film's file, as a value that can be compared."""
        return Fingerprint.parse(self.fingerprint)


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A row of the windows table; `WINDOWS` describes the fields. Scores keep float32 precision."""

    schema: ClassVar[pa.Schema] = WINDOWS

    window: int
    keyframe_pts: int | None
    start_pts: int | None
    time_s: float
    pts: tuple[int, ...]
    keyframe: bool
    mean_abs_diff: float | None
    cut_score: float | None
    brightness: float | None
    contrast: float | None
    sharpness: float | None
    repeated_frames: int | None
    window_combing: float | None
    bits_per_pixel: float | None
    detail_map: bytes | None
    signature: bytes | None
    accepted: bool
    reason: str | None

    def __post_init__(self) -> None:
        if self.accepted != (self.reason is None):
            raise ValueError(
                f"A reason belongs to each rejected candidate and to no other, not {self.reason!r}."
            )

    @property
    def is_tried(self) -> bool:
        """Whether it counts as tried: it does not lie too near to another one, and is not excluded."""
        return self.reason not in UNTRIED


@dataclass(frozen=True, slots=True)
class PatchFile:
    """What a row of the patches table says of one of its files.

    Attributes:
        kind: Its kind.
        path: Relative to the data set's folder.
        size_bytes: Its size; None only in a damaged row.
        content_hash: BLAKE2b of its content; None only in a damaged row.
    """

    kind: FileKind
    path: str
    size_bytes: int | None
    content_hash: str | None


@dataclass(frozen=True, slots=True)
class PatchRow:
    """A row of the patches table; `PATCHES` describes the fields. `created_at` carries its time zone."""

    schema: ClassVar[pa.Schema] = PATCHES

    patch_id: str
    window: int
    crop: int
    format: str
    x: int
    y: int
    width: int
    height: int
    gt_path: str
    lr5_path: str | None
    lr7_path: str | None
    gt7_path: str | None
    gt_bytes: int
    lr5_bytes: int | None
    lr7_bytes: int | None
    gt7_bytes: int | None
    gt_hash: str
    lr5_hash: str | None
    lr7_hash: str | None
    gt7_hash: str | None
    kernel: str
    scale: int
    settings_hash: str
    created_at: datetime

    @property
    def files(self) -> Iterator[PatchFile]:
        """Its files, in the order of the columns."""
        for kind in FileKind:
            path, size_bytes, content_hash = (
                getattr(self, f"{kind.column}_{column}") for column in _FILE_COLUMNS
            )
            if path is not None:
                yield PatchFile(kind, path, size_bytes, content_hash)

    @property
    def kinds(self) -> tuple[FileKind, ...]:
        """The kinds of its files."""
        return tuple(kind for kind in FileKind if getattr(self, f"{kind.column}_path") is not None)

    @property
    def largest_stack(self) -> PatchFile | None:
        """Its LR stack with the most frames; None only in a damaged row."""
        return max(
            (file for file in self.files if file.kind.is_lr),
            key=lambda file: len(file.kind.frames),
            default=None,
        )

    @property
    def size_bytes(self) -> int:
        """Bytes of its files."""
        return sum(file.size_bytes or 0 for file in self.files)

    def with_files(self, files: Iterable[PatchFile]) -> PatchRow:
        """Return the row with these files instead of its own."""
        columns: dict[str, Any] = dict.fromkeys(
            f"{kind.column}_{column}" for kind in FileKind for column in _FILE_COLUMNS
        )
        for file in files:
            values = (file.path, file.size_bytes, file.content_hash)
            columns |= {
                f"{file.kind.column}_{column}": value
                for column, value in zip(_FILE_COLUMNS, values, strict=True)
            }
        return replace(self, **columns)


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A row of the scores table; `SCORES` describes the fields. Scores keep float32 precision."""

    schema: ClassVar[pa.Schema] = SCORES

    patch_id: str
    window: int
    gt_hash: str
    lr_hash: str
    detail_db: float
    noise_sigma: float
    blockiness: float
    flat_share: float
    motion: float
    still_pairs: int
    combing: float
    subtitle: float | None
    scores_version: int

    def is_of(self, patch: PatchRow) -> bool:
        """Return whether it was measured on the files that a patch has now."""
        stack = patch.largest_stack
        lr_hash = None if stack is None else stack.content_hash
        return (self.patch_id, self.gt_hash, self.lr_hash) == (patch.patch_id, patch.gt_hash, lr_hash)


Row = VideoRow | WindowRow | PatchRow | ScoreRow | DegradedRow | ValidationRow
"""A row of any of the tables."""
