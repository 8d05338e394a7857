"""Small pictures of attempts, for people: what was accepted, and what was rejected and why.

They are the previews that attempts are judged by, so each costs no more than its JPEG file: 0.7 CPU ms, 10 to
30 kB. Nothing is made of them and no run fails for them: one that the disk refused is not shown. Where they
are shown, and which are removed, is the gallery's affair.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.generate.identity import WINDOWS_VERSION
from dataset_assets.tables import TableStore
from dataset_assets.video.probe import FRAMES_PER_WINDOW
from dataset_assets.windows.judging import UNMEASURED

# Of the first attempts at a window: a film that needs ten for each would have 15,000 pictures, most of them
# of what is not in the data set.
REJECTED_PICTURES = 3
JPEG_QUALITY = 75
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
CUT = "cut"


def pictures_folder(store: TableStore, key: str) -> Path:
    """Return the folder of a video's pictures: beside the tables, since only a pass makes them again."""
    return store.root / "pictures" / f"video={key}"


def picture_name(fingerprint: str, pts: Sequence[int], reason: str | None) -> str | None:
    """File name of an attempt's picture; the same name means the same picture, whatever the settings.

    Args:
        fingerprint: The source file's.
        pts: PTS of the attempt's frames.
        reason: Why it was rejected, None where it was accepted.

    Returns:
        The name, or None for an attempt that was not measured.
    """
    if len(pts) < FRAMES_PER_WINDOW or reason in UNMEASURED:
        return None
    # Without the modification time: a copied film is the same film.
    source = "-".join([*fingerprint.split("-")[::2], WINDOWS_VERSION])
    digest = hashlib.blake2b(source.encode(), digest_size=4).hexdigest()
    shown = f"{pts[0]}-{pts[-1]}" if reason == CUT else str(pts[len(pts) // 2])
    return f"{digest}-{shown}.jpg"


def encode_picture(preview: npt.NDArray[np.uint8]) -> bytes:
    """Return a preview as JPEG.

    Args:
        preview: Shape (height, width, 3), uint8, blue, green, red.
    """
    _, encoded = cv2.imencode(".jpg", preview, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def write_picture(folder: Path, name: str, content: bytes) -> None:
    """Write a picture, or leave it out where the disk refuses.

    Neither flushed nor renamed, which would cost more than the picture: `is_whole_picture` tells a torn one.
    """
    with suppress(OSError):
        try:
            (folder / name).write_bytes(content)
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def is_whole_picture(path: Path) -> bool:
    """Whether a picture is there from its first byte to its last."""
    try:
        with path.open("rb") as file:
            start = file.read(len(JPEG_START))
            file.seek(-len(JPEG_END), os.SEEK_END)
            return start == JPEG_START and file.read() == JPEG_END
    except OSError:
        return False
