"""A film's file while a run reads it: whether it exists, and is still the one that the run began with.

Decoding does not show it: a file that was replaced, or a disk that is away, looks like a damaged film or like
its end. Not here: waiting and retrying (`generate.lanes`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dataset_assets.errors import SourceChangedError, SourceLostError
from dataset_assets.video.fingerprint import Fingerprint

# A mount that hangs may still answer `stat` from its cache, but not a read of the film's last byte.
PROBED_BYTES = 1
# Seconds between two retries while a film is away: 5 minutes, enough to restart a server or to plug a cable
# in again.
RETRY_DELAYS_S = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 140.0)


@dataclass(frozen=True, slots=True)
class FileState:
    """The state of a file that shows without reading it that it is unchanged.

    Attributes:
        size_bytes: Its size.
        modified_ns: Its modification time, which anybody can set.
        changed_ns: Its change time, which nobody can set.
        inode: Which file it is, of those that had the name.
    """

    size_bytes: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """Look at a file.

        Raises:
            OSError: It is not there.
        """
        stat = path.stat()
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


class Source:
    """One film's file, compared with what was probed."""

    def __init__(self, path: Path, known: Fingerprint) -> None:
        """Store the arguments; nothing is read.

        Args:
            path: The file.
            known: Its fingerprint as it was probed.
        """
        self._path = path
        self._known = known
        self._checked: FileState | None = None

    def check(self) -> None:
        """Make sure that the file can be read and is the one that was probed.

        Size and modification time are compared with the fingerprint. The content is compared too if the
        change time or the inode shows that the file was touched since the last check: on its first use, and
        after it was replaced, written to, or mounted again.

        Raises:
            SourceLostError: It does not exist, or its disk does not answer.
            SourceChangedError: It is another file.
        """
        try:
            state = FileState.of(self._path)
            with self._path.open("rb") as file:
                file.seek(max(0, state.size_bytes - PROBED_BYTES))
                file.read(PROBED_BYTES)
            known = self._known
            is_known = (known.size_bytes, known.modified_ns) == (state.size_bytes, state.modified_ns)
            if is_known and state != self._checked:
                is_known = known.has_same_content(Fingerprint.of(self._path))
        except OSError as error:
            raise SourceLostError(
                f"it cannot be read any more ({os.strerror(error.errno or 0)})",
                "bring its file or its mount back and run generate again, what is committed stays",
            ) from error
        if not is_known:
            raise SourceChangedError(
                "its file was changed while it was worked on, and nothing that was made since the last "
                "commit is kept",
                "run generate again once nobody writes to it, and all of it is rebuilt",
            )
        self._checked = state
