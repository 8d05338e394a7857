"""A temporary folder whose path is short enough for Unix sockets, through which processes communicate.

Which processes do, belongs to `supervisor` and to the package `ui`.
"""

from __future__ import annotations

import os
import tempfile

# A socket's path holds 107 bytes on Linux, 103 on macOS and the BSDs (sun_path less its closing zero).
LONGEST_PATH_BYTES = 103
# The longest there is `/dataset-assets-xxxxxxxx/code.sock` of `ui`; multiprocessing adds 32.
ADDED_BYTES = 35
SHORT_FOLDERS = ("/tmp", "/var/tmp")


def shorten_socket_paths() -> None:
    """Use a short temporary folder where `TMPDIR` is too long, in this process and those it starts.

    Python does the same for its own sockets from 3.14 on.
    """
    folders = (tempfile.gettempdir(), *SHORT_FOLDERS)
    for folder in folders:
        has_room = len(os.fsencode(folder)) + ADDED_BYTES <= LONGEST_PATH_BYTES
        if has_room and os.access(folder, os.W_OK | os.X_OK):
            os.environ["TMPDIR"] = tempfile.tempdir = folder
            return
