"""The table of degraded LR stacks: of which patch each is, and all that was drawn for it.

Here: its columns and its row. Not here: degrading (`degradation`), and where the files are (`dataset`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from dataset_assets.tables.columns import column

if TYPE_CHECKING:
    from dataset_assets.tables.schemas import PatchRow

DEGRADATIONS: pa.Schema = pa.schema(
    [
        column("patch_id", pa.string(), "The patch, by its `patch_id` in the patches table of its category."),
        column("window", pa.int32(), "Number of the patch's window."),
        column(
            "lr7_hash",
            pa.string(),
            "Hash of the LR_7frames file that was degraded; another one in the patches table means that the "
            "patch was made again since.",
        ),
        column("lr7d_path", pa.string(), "LR_7frames_degraded file, relative to the output folder."),
        column("lr7d_bytes", pa.int64(), "Size of the LR_7frames_degraded file in bytes."),
        column("lr7d_hash", pa.string(), "BLAKE2b of the LR_7frames_degraded file, 64 bits."),
        column(
            "db",
            pa.float32(),
            "PSNR in dB of the degraded frames against the clean ones, over all of them, at most 78.1.",
        ),
        column(
            "codec",
            pa.string(),
            "What coded the window: h264, hevc, vp9, av1 or mpeg2; null where nothing did.",
            nullable=True,
        ),
        column(
            "quality",
            pa.int32(),
            "Constant rate factor of the codec, of mpeg2 its quantizer; null where nothing was coded.",
            nullable=True,
        ),
        column(
            "coded_bytes",
            pa.int64(),
            "Bytes of the coded stream with its warm-up frames; null where nothing was coded.",
            nullable=True,
        ),
        column(
            "degradation",
            pa.string(),
            "JSON: a list of the steps in their order, each with its drawn values; of a codec also its build "
            "and options.",
        ),
        column(
            "degradation_hash",
            pa.string(),
            "Hash of the steps of the configuration, the seed and the code; with another one the stack is "
            "stale.",
        ),
    ]
)
"""One row for every patch that has a degraded LR stack, whose file is in place."""


@dataclass(frozen=True, slots=True)
class DegradedRow:
    """A row of the degradations table; `DEGRADATIONS` describes the fields. `db` keeps float32 precision."""

    schema: ClassVar[pa.Schema] = DEGRADATIONS

    patch_id: str
    window: int
    lr7_hash: str
    lr7d_path: str
    lr7d_bytes: int
    lr7d_hash: str
    db: float
    codec: str | None
    quality: int | None
    coded_bytes: int | None
    degradation: str
    degradation_hash: str

    @property
    def path(self) -> str:
        """Its file, relative to the data set's folder."""
        return self.lr7d_path

    @property
    def size_bytes(self) -> int:
        """Size of its file."""
        return self.lr7d_bytes

    @property
    def content_hash(self) -> str:
        """BLAKE2b of its file."""
        return self.lr7d_hash

    def is_out_of(self, least_db: float, most_db: float) -> bool:
        """Return whether it was degraded, and is nearer to the clean frames or farther than asked."""
        return self.degradation != "[]" and not least_db <= self.db <= most_db

    def is_of(self, patch: PatchRow) -> bool:
        """Return whether it was made of the LR that a patch has now."""
        return (self.patch_id, self.lr7_hash) == (patch.patch_id, patch.lr7_hash)
