"""The accepted windows of all videos, one after the other, as they are compared.

Signatures are in a file without a name, since those of 5 million windows take 2.9 GB; of each window there
are 28 bytes more in the memory. Not here: comparing them (`signature_search`, `near_duplicates`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dataset_assets.dataset import AcceptedWindows, DataSet, signature_hash
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.video import Fingerprint
from dataset_assets.windows import SIGNATURE_HEIGHT, SIGNATURE_WIDTH, SIMILARITY_VERSION


@dataclass(frozen=True, slots=True)
class ComparedWindows:
    """The windows of all videos, in the order of the keys.

    Attributes:
        keys: Keys of the videos, sorted; the place is a video's number.
        states: What each video is: a hash of its windows and of how they are compared, by key, sorted.
        video_of: Number of each window's video, shape (n,), int64.
        windows: Its number in its video, shape (n,), int64.
        times_s: Its place in seconds of film time, shape (n,), float64.
        middle_pts: PTS of its middle frame, shape (n,), int64.
        signatures: Shape (n, 576), uint8; a file.
        problems: One message for each video that could not be read.
    """

    keys: tuple[str, ...]
    states: Mapping[str, str]
    video_of: npt.NDArray[np.int64]
    windows: npt.NDArray[np.int64]
    times_s: npt.NDArray[np.float64]
    middle_pts: npt.NDArray[np.int64]
    signatures: npt.NDArray[np.uint8]
    problems: tuple[str, ...]
    _data_set: DataSet
    _fingerprints: dict[str, Fingerprint | None] = field(default_factory=dict)

    def key_of(self, index: int) -> str:
        """Return the key of a window's video."""
        return self.keys[int(self.video_of[index])]

    def signature_hash(self, key: str, window: int) -> str | None:
        """Return the hash of a window's signature; None where the video has no such window."""
        if key not in self.states:
            return None
        found = np.flatnonzero((self.video_of == self.keys.index(key)) & (self.windows == window))
        return signature_hash(self.signatures[found[0]].tobytes()) if found.size else None

    def fingerprint(self, key: str) -> Fingerprint | None:
        """Return the fingerprint of the film that a video's windows are of; None where it cannot be read."""
        if key not in self._fingerprints:
            tables = self._data_set.tables
            try:
                made = tables.read_provenance(tables.windows_path(key))
            except DatasetAssetsError:
                made = None  # replaced by a damaged one since its windows were read
            self._fingerprints[key] = made.source_fingerprint if made else None
        return self._fingerprints[key]


@contextmanager
def read_windows(data_set: DataSet) -> Iterator[ComparedWindows]:
    """Read the windows of all videos; a video whose table cannot be read counts as absent.

    Raises:
        OSError: The disk for temporary files is full.
    """
    states: dict[str, str] = {}
    found: list[AcceptedWindows] = []
    problems = []
    with tempfile.TemporaryFile(prefix="dataset-assets-signatures-") as file:
        for key in data_set.tables.windows_files():
            try:
                accepted = data_set.tables.read_accepted(key)
            except DatasetAssetsError as error:
                problems.append(str(error))
                continue
            states[key] = f"{SIMILARITY_VERSION}-{accepted.digest}"
            file.write(accepted.signatures.tobytes())
            found.append(accepted.without_signatures())
        file.flush()
        counts = [each.windows.size for each in found]
        shape = sum(counts), SIGNATURE_HEIGHT * SIGNATURE_WIDTH
        yield ComparedWindows(
            keys=tuple(states),
            states=states,
            video_of=np.repeat(np.arange(len(found), dtype=np.int64), counts),
            windows=np.concatenate([each.windows for each in found] or [np.zeros(0, np.int64)]),
            times_s=np.concatenate([each.times_s for each in found] or [np.zeros(0)]),
            middle_pts=np.concatenate([each.middle_pts for each in found] or [np.zeros(0, np.int64)]),
            signatures=np.memmap(file, np.uint8, "r", shape=shape) if shape[0] else np.zeros(shape, np.uint8),
            problems=tuple(problems),
            _data_set=data_set,
        )
