"""A copy of the last configuration without mistakes, for processes that start while it holds some.

Belongs here: the copy, and finding the data set of a file that holds mistakes. Not here: a process that knows
the settings of before (`reader`).
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from dataset_assets.config.loading import read_config, settings_from_text
from dataset_assets.config.models import Settings
from dataset_assets.config.register import read_register, with_watched
from dataset_assets.disk import replacing
from dataset_assets.errors import ConfigError

KEPT_FILE: Final = "configuration.json"
# In JSON and in YAML, whatever else is wrong with the file.
_DATA_SET = re.compile(r"""output_base_dir["']?\s*:\s*("(?:[^"\\\n]|\\.)+"|'[^'\n]+'|[^\s"',}#][^,}#\n]*)""")


class _Kept(BaseModel):
    """A copy.

    Attributes:
        config: The file.
        text: Its text.
    """

    config: Path
    text: str


def keep_config(config: Path, folder: Path) -> None:
    """Keep a copy of a configuration that holds no mistake; nothing where the folder cannot be written.

    Args:
        config: The file.
        folder: Where the copy goes.
    """
    with suppress(ConfigError, OSError):
        content = _Kept(config=config.resolve(), text=read_config(config)).model_dump_json().encode()
        path = folder / KEPT_FILE
        if not (path.exists() and path.read_bytes() == content):
            with replacing(path, is_durable=False) as file:
                file.write(content)


def kept_settings(config: Path, folder: Path) -> Settings | None:
    """Return the settings of a kept copy.

    Args:
        config: The file that now holds mistakes.
        folder: Where the copy is.

    Returns:
        The settings; None where no copy of this file is there that can still be read.
    """
    with suppress(ConfigError, OSError, ValidationError):
        kept = _Kept.model_validate_json((folder / KEPT_FILE).read_bytes())
        if kept.config == config.resolve():
            settings = settings_from_text(kept.text, config)
            return with_watched(settings, read_register(settings)) if settings.watch else settings
    return None


def named_data_set(config: Path) -> Path | None:
    """Return the data set's folder that a configuration names, whatever mistakes it holds elsewhere.

    Returns:
        The folder; None where the file cannot be read or names none.
    """
    with suppress(ConfigError, RuntimeError, ValueError):
        found = _DATA_SET.search(read_config(config))
        if found:
            text = found[1].strip()
            name = json.loads(text) if text.startswith('"') else text.strip("'")
            folder = Path.cwd() / config.parent
            return Path(os.path.normpath(folder / Path(name).expanduser()))
    return None
