"""A film's file while a run reads it: whether it exists, and is still the one that the run began with.

Decoding does not show it: a file that was replaced, or a disk that is away, looks like a damaged film or like
its end. Not here: waiting and retrying (`generate.lane`).
"""

from __future__ import annotations

import os
from pathlib import Path

from dataset_assets.addresses import FilmPath
from dataset_assets.errors import SourceChangedError, SourceLostError, VideoError
from dataset_assets.video.film_files import FileState
from dataset_assets.video.fingerprint import Fingerprint

# A mount that hangs may still answer `stat` from its cache, but not a read of the film's last byte.
PROBED_BYTES = 1
# Seconds between two retries while a film is away: 5 minutes, enough to restart a server or to plug a cable
# in again.
RETRY_DELAYS_S = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 140.0)


class Source:
    """One film's file, compared with what was probed."""

    def __init__(self, path: FilmPath, known: Fingerprint) -> None:
        """Store the arguments; nothing is read.

        Args:
            path: The file, or the address of an object.
            known: Its fingerprint as it was probed.
        """
        self._path = path
        self._known = known
        self._checked: FileState | None = None

    def check(self) -> None:
        """Make sure that the file can be read and is the one that was probed.

        Size and version are compared with the fingerprint. The content of a file is compared too if the
        change time or the inode shows that the file was touched since the last check: on its first use, and
        after it was replaced, written to, or mounted again.

        Raises:
            SourceLostError: It does not exist, or its disk or store does not answer.
            SourceChangedError: It is another file.
        """
        try:
            state = FileState.of(self._path)
            known = self._known
            is_known = (known.size_bytes, known.version) == (state.size_bytes, state.version)
            if isinstance(self._path, Path):
                with self._path.open("rb") as file:
                    file.seek(max(0, state.size_bytes - PROBED_BYTES))
                    file.read(PROBED_BYTES)
                if is_known and state != self._checked:
                    is_known = known.has_same_content(Fingerprint.of(self._path))
        except OSError as error:
            raise SourceLostError(
                f"it cannot be read any more ({os.strerror(error.errno or 0)})",
                "bring its file or its mount back and run generate again, what is committed stays",
            ) from error
        except VideoError as error:
            raise SourceLostError(
                f"it cannot be read any more: {error.what}", f"{error.remedy}; what is committed stays"
            ) from None
        if not is_known:
            raise SourceChangedError(
                "its file was changed while it was worked on, and nothing that was made since the last "
                "commit is kept",
                "run generate again once nobody writes to it, and all of it is rebuilt",
            )
        self._checked = state
