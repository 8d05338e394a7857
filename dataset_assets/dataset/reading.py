"""Read the pictures of patches back, held against their rows.

Not here: what is wrong with a file that is not its row's (`verify`), and what is done with the pictures.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.dataset.triplets import content_hash, triplet_files
from dataset_assets.frames import FileKind
from dataset_assets.tables import PatchRow


def read_frames(root: Path, row: PatchRow, kind: FileKind) -> npt.NDArray[np.uint8] | None:
    """Return the frames in a file of a patch.

    Args:
        root: The data set's folder.
        row: The patch.
        kind: A kind of file that it has.

    Returns:
        Shape (frames, height, width, 3), uint8, channels blue, green, red; None where the file is missing, or
        is not the one that the row describes.
    """
    file = next(each for each in triplet_files(row) if each.kind is kind)
    try:
        content = (root / file.path).read_bytes()
    except OSError:
        return None
    if content_hash(content) != file.content_hash:
        return None
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if picture is None or picture.shape != (file.height, file.width, 3):
        return None
    frames = len(kind.frames)
    return picture.reshape(frames, file.height // frames, file.width, 3).astype(np.uint8, copy=False)
