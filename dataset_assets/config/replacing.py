"""Replacing a text file in one step: a reader, or a power cut, finds the old text or the new one whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

NEW_FILE_MODE: Final = 0o644


def replace_text(path: Path, text: str) -> None:
    """Replace a file, or make it; one that was there keeps its permissions.

    Raises:
        OSError: It cannot be written; the old file is as it was.
    """
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, temporary)
            else:
                temporary.chmod(NEW_FILE_MODE)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
