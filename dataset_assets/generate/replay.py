"""The ground truth of all frames of finished patches, cropped from the film again.

Here: reading accepted windows again for what the data set does not store. Not here: making what it stores
(`video_pass`), and in which files frames go elsewhere (`exports`).
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, content_hash
from dataset_assets.errors import DatasetAssetsError, SourceChangedError
from dataset_assets.frames import MIDDLE_FRAME
from dataset_assets.generate.lane import Lane
from dataset_assets.patches import encode_png
from dataset_assets.tables import PatchRow
from dataset_assets.video import Rect, probe
from dataset_assets.windows import AcceptedSignatures


class Replay:
    """The accepted windows of one film, read again.

    A context manager. One thread at a time may use it.
    """

    def __init__(self, settings: Settings, data_set: DataSet, key: str) -> None:
        """Open the film.

        Args:
            settings: The configuration that the patches were made with.
            data_set: The data set.
            key: The video's key.

        Raises:
            ConfigError: The configuration has no such video.
            VideoError: The film cannot be read, must not be used, or is not that of the windows.
            DatasetAssetsError: The windows table is damaged, or from a newer release.
        """
        entry = settings.video(key)
        base = settings.base
        info = probe(entry.path, interlaced=base.interlaced, working_size=base.working_size)
        made = data_set.tables.read_provenance(data_set.tables.windows_path(key))
        if made is not None and not made.source_fingerprint.has_same_content(info.fingerprint):
            raise SourceChangedError(
                f"{key} ({entry.path}): its file changed since its windows were found", "run generate again"
            )
        self._key = key
        self._windows = {row.window: row for row in data_set.tables.read_windows(key) if row.accepted}
        self._lane = Lane(info, settings.base, AcceptedSignatures(), Event())

    def gt_frames(self, patches: Sequence[PatchRow]) -> list[npt.NDArray[np.uint8]]:
        """Crop all frames of one window as its patches' ground truth is cropped.

        The middle frame equals the GT file in every pixel, which is checked.

        Args:
            patches: Rows of patches of one window, of any categories; not empty.

        Returns:
            For each patch frames 0..6: shape (7, height, width, 3), uint8, channels blue, green, red.

        Raises:
            VideoError: The window can no longer be read.
            DatasetAssetsError: A patch is not what the film shows under these settings.
        """
        window = self._windows.get(patches[0].window)
        if window is None:
            raise self._outdated(patches[0])
        rects = [Rect(row.x, row.y, row.width, row.height) for row in patches]
        crops = self._lane.replay(window, rects)
        for row, frames in zip(patches, crops, strict=True):
            if content_hash(encode_png(frames[MIDDLE_FRAME])) != row.gt_hash:
                raise self._outdated(row)
        return crops

    def close(self) -> None:
        """Close the film."""
        self._lane.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the film."""
        self.close()

    def _outdated(self, row: PatchRow) -> DatasetAssetsError:
        return DatasetAssetsError(
            f"{self._key}: {row.gt_path} is not what its film shows under these settings",
            "run generate, then try again",
        )
