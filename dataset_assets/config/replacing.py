"""Replace a text file in one step: readers see the old text or the new one, also after a power cut.

Not here: files of a data set (`disk`, `dataset`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from dataset_assets.errors import ConfigError

NEW_FILE_MODE: Final = 0o644


def replace_config(config: Path, text: str) -> None:
    """Replace the text of a configuration file; a link to it stays.

    Raises:
        ConfigError: It cannot be written; the old file is unchanged.
    """
    try:
        replace_text(Path(os.path.realpath(config)), text)
    except OSError as error:
        raise ConfigError(
            [f"{config}: cannot be written ({error.strerror}); check its permissions."]
        ) from None


def replace_text(path: Path, text: str) -> None:
    """Replace a file, or create it; an existing one keeps its permissions.

    Raises:
        OSError: It cannot be written; the old file is unchanged.
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
