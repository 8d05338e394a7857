"""The accepted windows of a video as arrays: for what looks at those of thousands of videos at once.

Not here: rows of the windows table (`tables`), and what is done with the arrays.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dataset_assets.frames import MIDDLE_FRAME
from dataset_assets.windows import SIGNATURE_HEIGHT, SIGNATURE_WIDTH

ACCEPTED_COLUMNS: Final = ("window", "time_s", "pts", "signature", "accepted")
"""Columns of the windows table that are read."""
SIGNATURE_BYTES: Final = SIGNATURE_HEIGHT * SIGNATURE_WIDTH


@dataclass(frozen=True, slots=True)
class AcceptedWindows:
    """The accepted windows of a video that have a signature, by number.

    Attributes:
        windows: Their numbers, shape (n,), int64.
        times_s: Their places in seconds of film time, shape (n,), float64.
        middle_pts: PTS of their middle frames, shape (n,), int64.
        signatures: Their signatures, shape (n, 576), uint8.
    """

    windows: npt.NDArray[np.int64]
    times_s: npt.NDArray[np.float64]
    middle_pts: npt.NDArray[np.int64]
    signatures: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, table: pa.Table | None) -> AcceptedWindows:
        """Return the windows in a table of `ACCEPTED_COLUMNS`; none where there is no table."""
        if table is None:
            return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), _signatures([]))
        table = table.filter(pc.and_(table["accepted"], pc.is_valid(table["signature"])))
        table = table.sort_by("window")
        return cls(
            windows=table["window"].to_numpy().astype(np.int64),
            times_s=table["time_s"].to_numpy().astype(np.float64),
            middle_pts=pc.list_element(table["pts"], MIDDLE_FRAME).to_numpy().astype(np.int64),
            signatures=_signatures(table["signature"].to_pylist()),
        )

    def without_signatures(self) -> AcceptedWindows:
        """Return them without their signatures, which take most of the memory."""
        return replace(self, signatures=_signatures([]))

    @property
    def digest(self) -> str:
        """Hash of the windows' numbers and pictures, 64 bits."""
        digest = hashlib.blake2b(self.windows.tobytes(), digest_size=8)
        digest.update(self.signatures.tobytes())
        return digest.hexdigest()


def signature_hash(signature: bytes) -> str:
    """Return the hash by which rows name a signature, 64 bits."""
    return hashlib.blake2b(signature, digest_size=8).hexdigest()


def _signatures(contents: list[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(contents), np.uint8).reshape(-1, SIGNATURE_BYTES)
