"""The frames of a window, and which of them the files of a triplet show.

Here: these numbers and the kinds of files, named once. Not here: anything that is done with them.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

FRAMES_PER_WINDOW: Final = 7
# The frame that the ground truth is cropped from, and the one that windows are judged by.
MIDDLE_FRAME: Final = 3
# How many times smaller an LR frame may be than its GT, and how many times it was in v2.0.
SCALES: Final = (2, 3, 4)
DEFAULT_SCALE: Final = 3


class FileKind(StrEnum):
    """A kind of file of a triplet, by the name of the folder that it lies in; in the order of the columns."""

    GT = "GT"
    LR5 = "LR_5frames"
    LR7 = "LR_7frames"
    GT7 = "GT_7frames"

    @property
    def column(self) -> str:
        """What its columns in the patches table begin with: `gt`, `lr5`, `lr7`, `gt7`."""
        return self.name.lower()

    @property
    def frames(self) -> range:
        """The frames of the window that it shows, the first at the top."""
        return _FRAMES[self]

    @property
    def is_lr(self) -> bool:
        """Whether its frames are downscaled."""
        return self in (FileKind.LR5, FileKind.LR7)

    @property
    def middle(self) -> int:
        """The position of the window's middle frame among its frames."""
        return MIDDLE_FRAME - self.frames.start

    def source(self, there: Collection[FileKind]) -> FileKind | None:
        """Return which of the kinds that are there it is made of without the film; None where of none."""
        return next((kind for kind in _SOURCES.get(self, ()) if kind in there), None)


_FRAMES: Final = {
    FileKind.GT: range(MIDDLE_FRAME, MIDDLE_FRAME + 1),
    FileKind.LR5: range(1, 6),
    FileKind.LR7: range(FRAMES_PER_WINDOW),
    FileKind.GT7: range(FRAMES_PER_WINDOW),
}
_SOURCES: Final = {FileKind.LR5: (FileKind.LR7, FileKind.GT7), FileKind.LR7: (FileKind.GT7,)}
DEGRADED_FOLDER: Final = "LR_7frames_degraded"
"""Folder of degraded stacks, beside that of `LR_7frames`. They are no files of a triplet: another table names
them, and they are made later, of those files."""
DEFAULT_KINDS: Final = (FileKind.GT, FileKind.LR5, FileKind.LR7)
"""The files of a triplet as v2.0 had them, and every release that does not record their kinds."""


def are_made_without_film(wanted: Collection[FileKind], there: Collection[FileKind]) -> bool:
    """Return whether all wanted kinds are there or can be made of those that are."""
    return all(kind in there or kind.source(there) for kind in wanted)
