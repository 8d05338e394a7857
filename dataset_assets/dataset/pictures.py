"""Small pictures of candidates, for people: what was accepted, and what was rejected and why.

They are the previews that candidates are judged by, so each costs no more than its JPEG file: 0.7 CPU ms, 10
to 30 kB. Nothing is made of them and no run fails for them: one that the disk refused is not shown. Where
they are shown is the gallery's affair.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.dataset.identity import WINDOWS_VERSION
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video import Fingerprint
from dataset_assets.windows import SHOWN_FRAMES, rule_named

# For each window that is wanted: a film that needs ten candidates for each would have 15,000 pictures, most
# of them of what is not in the data set.
REJECTED_PICTURES = 3
JPEG_QUALITY = 75
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"


def picture_name(fingerprint: Fingerprint, pts: Sequence[int], reason: str | None) -> str | None:
    """File name of a candidate's picture; the same name means the same picture, whatever the settings.

    Args:
        fingerprint: The source file's.
        pts: PTS of the candidate's frames.
        reason: Why it was rejected, None where it was accepted.

    Returns:
        The name, or None for a candidate that was not measured.
    """
    rule = rule_named(reason)
    shown = rule.shown_frames if rule else SHOWN_FRAMES
    if len(pts) < FRAMES_PER_WINDOW or not shown:
        return None
    # Without the modification time: a copied film is the same film.
    source = f"{fingerprint.content}-{WINDOWS_VERSION}"
    digest = hashlib.blake2b(source.encode(), digest_size=4).hexdigest()
    return "-".join([digest, *(str(pts[index]) for index in shown)]) + ".jpg"


def encode_picture(preview: npt.NDArray[np.uint8]) -> bytes:
    """Return a preview as JPEG.

    Args:
        preview: Shape (height, width, 3), uint8, blue, green, red.
    """
    _, encoded = cv2.imencode(".jpg", preview, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


class VideoPictures:
    """The pictures of one video's candidates, beside the tables, since only a pass makes them again.

    Attributes:
        folder: Their folder; may be absent.
    """

    def __init__(self, folder: Path) -> None:
        """Store the folder; nothing is read."""
        self.folder = folder

    def write(self, name: str, content: bytes) -> None:
        """Write a picture, or skip it if the disk fails.

        Neither flushed nor renamed, which would cost more than the picture: `find` ignores an incomplete one.
        """
        with suppress(OSError):
            try:
                (self.folder / name).write_bytes(content)
            except FileNotFoundError:
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_bytes(content)

    def find(self, name: str | None) -> Path | None:
        """Return a picture's file; None if it is missing or incomplete."""
        if name is None:
            return None
        path = self.folder / name
        try:
            with path.open("rb") as file:
                start = file.read(len(JPEG_START))
                file.seek(-len(JPEG_END), os.SEEK_END)
                return path if start == JPEG_START and file.read() == JPEG_END else None
        except OSError:
            return None

    def keep_only(self, names: Collection[str]) -> None:
        """Delete all other pictures; used under the video's lock, since a run may be adding some."""
        for path in self.folder.glob("*"):
            if path.name not in names:
                path.unlink(missing_ok=True)
        if not names and self.folder.exists():
            self.folder.rmdir()
